"""What the overview is made of: figures that say how sure they are, tables of cells with links, and the rule for groups of few. Pure.

Every figure and every chart is a `Table`, so that page, print and CSV say the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from dsrportal.queries.freshness import Freshness, clock_time
from dsrportal.queries.overview_charts import Chart
from dsrportal.queries.percentiles import FEWEST

UNKNOWN = "?"


@dataclass(frozen=True, kw_only=True, slots=True)
class Sureness:
    """How sure counts of now are. Old data give a lower bound, and of none it is not known whether there are some: a plain 0 is only said of
    what was read lately. `read_on` is the day of the last good read, None where there was none; `note` says what is unread, since when."""

    is_sure: bool
    read_on: date | None
    note: str

    def say(self, number: int) -> str:
        """`4`, `at least 4`, or `?`."""
        if self.is_sure:
            return grouped(number)
        if number <= 0 or self.read_on is None:
            return UNKNOWN
        return _("at least %(n)s") % {"n": grouped(number)}

    def say_of(self, number: int, *, until: date) -> str:
        """The same of a span of days that ends on `until`: what was over before the last read is sure."""
        is_over = self.read_on is not None and until < self.read_on
        return grouped(number) if is_over else self.say(number)


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """One cell: the text, the list behind it, and for a heat map how full it is (0 to 4; None for no shade). `head`: it names its row."""

    text: str
    url: str = ""
    level: int | None = None
    is_head: bool = False
    is_number: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """A column's head. `note` is a second line, `title` more for who hovers over it."""

    text: str
    is_number: bool = True
    note: str = ""
    title: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """What a chart shows, in text. `key` names it in the address of its CSV; `sentence` says what it shows, `how` how it is computed."""

    key: str
    title: str
    sentence: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    how: str = ""
    chart: Chart | None = None
    is_heat_map: bool = False
    is_wide: bool = False

    @property
    def is_shown(self) -> bool:
        """Whether the table itself is what is looked at, and not a chart above it."""
        return self.is_heat_map or self.chart is None


def sureness_of(age: Freshness, *, zone: ZoneInfo, now: datetime) -> Sureness:
    """How sure the counts of a workspace are, by the age of its data."""
    if age.is_trustworthy:
        return Sureness(is_sure=True, read_on=age.read_at.astimezone(zone).date() if age.read_at else None, note="")
    if age.read_at is None:
        return Sureness(is_sure=False, read_on=None, note=_("This workspace was not read from Dastra yet."))
    note = _("Not read from Dastra since %s: more may be open, due or overdue by now.")
    return Sureness(
        is_sure=False,
        read_on=age.read_at.astimezone(zone).date(),
        note=note % clock_time(age.read_at, now=now),
    )


def head(text: str, *, url: str = "") -> Cell:
    """The cell that names a row."""
    return Cell(text=text, url=url, is_head=True)


def count(text: str, *, url: str = "", level: int | None = None) -> Cell:
    """A cell with a number."""
    return Cell(text=text, url=url, level=level, is_number=True)


def grouped(number: int) -> str:
    """`12,345`, as the reader's language has it."""
    return number_format(number, force_grouping=True)


def few() -> str:
    """What is shown of a group of fewer than five."""
    return _("< %(n)d") % {"n": FEWEST}


def hidden(counts: Sequence[int]) -> list[bool]:
    """Which counts of a breakdown may not be shown: those of 1 to 4, and as many of the next larger ones as it takes so that a hidden one cannot
    be told from the total and the rest.
    """
    chosen = {index for index, number in enumerate(counts) if 0 < number < FEWEST}
    larger = sorted((number, index) for index, number in enumerate(counts) if number >= FEWEST)
    for _number, index in larger:
        if not chosen or not _is_told([counts[one] for one in chosen]):
            break
        chosen.add(index)
    return [index in chosen for index in range(len(counts))]


def shown(number: int, *, is_hidden: bool) -> str:
    """A count of a breakdown: `< 5`, or `5 or more` where it only protects another."""
    if not is_hidden:
        return grouped(number)
    return few() if number < FEWEST else _("%(n)d or more") % {"n": FEWEST}


def _is_told(numbers: Sequence[int]) -> bool:
    """Whether the sum of hidden counts leaves one of the small ones a single value."""
    small = sum(number < FEWEST for number in numbers)
    large = len(numbers) - small
    room = sum(numbers) - small - large * FEWEST  # what is left when each is as small as it can be
    if len(numbers) == 1 or room == 0:
        return True
    return not large and sum(numbers) == small * (FEWEST - 1)
