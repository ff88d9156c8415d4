"""The thresholds of alerts as data: which legal date, and how many days from it. A workspace's own are in `AlertRules`; every room that names one
takes its words from here. Pure: no row, no look at the clock.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

_CODE = re.compile(r"(extend|respond|overdue)_(0|[1-9]\d{0,2})")


class ThresholdKind(models.TextChoices):
    """What the number of a threshold counts: days before `extend_by`, working days before `respond_by`, days after `respond_by`."""

    EXTEND = "extend"
    RESPOND = "respond"
    OVERDUE = "overdue"


class Threshold(str):
    """How far away a legal date was, as a code that is stored: kind, underscore, number, such as `respond_5` for five working days left.

    Raises `ValueError` for what is no such code; `overdue_0` is none, since a date is not overdue on its day.
    """

    __slots__ = ()

    def __new__(cls, code: str) -> Self:
        """Check the code."""
        if not _CODE.fullmatch(code) or code == "overdue_0":
            raise ValueError("no threshold")
        return super().__new__(cls, code)

    @classmethod
    def of(cls, kind: ThresholdKind, *, days: int) -> Self:
        """The threshold of this kind and number. Raises `ValueError` for a number below 0 (`overdue`: below 1) or above 999."""
        return cls(f"{kind.value}_{days}")

    @property
    def kind(self) -> ThresholdKind:
        """What `days` counts."""
        return ThresholdKind(self.partition("_")[0])

    @property
    def days(self) -> int:
        """The number."""
        return int(self.partition("_")[2])

    @property
    def is_immediate(self) -> bool:
        """Whether it interrupts somebody: the day itself, and whatever is overdue. The rest waits for the next digest."""
        return self.kind == ThresholdKind.OVERDUE or self.days == 0

    @property
    def words(self) -> str:
        """`5 working days left`, in the language of the moment. The one place that words a threshold."""
        n = {"n": self.days}
        if self.kind == ThresholdKind.OVERDUE:
            return ngettext("%(n)d day overdue", "%(n)d days overdue", self.days) % n
        if self.kind == ThresholdKind.EXTEND:
            return (
                ngettext("%(n)d day to extend", "%(n)d days to extend", self.days) % n
                if n["n"]
                else _("Extend by today")
            )
        return (
            ngettext("%(n)d working day left", "%(n)d working days left", self.days) % n if n["n"] else _("Due today")
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Thresholds:
    """The numbers of each kind, in no order. The defaults are those of `docs/deadlines.md`."""

    extend: tuple[int, ...] = (10, 0)
    respond: tuple[int, ...] = (5, 2, 0)
    overdue: tuple[int, ...] = (1, 3, 7)

    def of(self, kind: ThresholdKind) -> tuple[Threshold, ...]:
        """Those of one kind, the most urgent first, each once."""
        return _in_order(self, kind)

    @property
    def horizon_days(self) -> int:
        """No threshold is reached longer than this before its date, whatever the holidays."""
        return max([*self.extend, *(2 * days for days in self.respond), 0]) + 30

    def all(self) -> list[Threshold]:
        """Every one of them."""
        return [one for kind in ThresholdKind for one in self.of(kind)]


@lru_cache(maxsize=512)
def _in_order(thresholds: Thresholds, kind: ThresholdKind) -> tuple[Threshold, ...]:
    """Asked for each request of a workspace, so it is remembered."""
    numbers: Iterable[int] = {
        ThresholdKind.EXTEND: sorted(set(thresholds.extend)),
        ThresholdKind.RESPOND: sorted(set(thresholds.respond)),
        ThresholdKind.OVERDUE: sorted(set(thresholds.overdue), reverse=True),
    }[kind]
    return tuple(Threshold.of(kind, days=days) for days in numbers)


DEFAULT = Thresholds()
IMMEDIATE = Q(threshold__startswith="overdue_") | Q(threshold__in=("extend_0", "respond_0"))
"""`Threshold.is_immediate` as a condition on `Alert`."""
