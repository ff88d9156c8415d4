"""The bar of a request's clock: from receipt to its last day, how much of it is over, and what of it was paused. Called by `queries.clock_panel`.

Pure. The caption says in words what the bar shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dsrportal.clocks import Pause
from dsrportal.models import DataSubjectRequest


@dataclass(frozen=True, kw_only=True, slots=True)
class Stretch:
    """Days side by side, as attributes have them: percentages of the bar's width."""

    x: str
    width: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ClockBar:
    """`over` is what has passed, up to the closing or today; `late` what of it came after the last day; `ticks` are days on which something ends
    that is not the end of the bar (the first period, the last day of a late one)."""

    over: Stretch
    late: Stretch | None
    pauses: tuple[Stretch, ...]
    ticks: tuple[str, ...]
    caption: str


def of_row(dsr: DataSubjectRequest, *, pauses: Sequence[Pause], today: date) -> ClockBar | None:
    """The bar on a day; None where receipt or the last day is not known. While it is paused the last day is the one without the pause."""
    last_on = dsr.respond_by or dsr.without_pauses
    if dsr.received_on is None or last_on is None:
        return None
    received_on = dsr.received_on
    until = max(min(today, dsr.closed_on or today), received_on)
    scale = _Scale(received_on, max(last_on, until, dsr.extend_by or last_on))
    is_late = until > last_on and dsr.paused_since is None
    shown = [pause for pause in pauses if received_on <= pause.asked_on <= until]
    spans = [(pause.asked_on, min(pause.answered_on or until, until)) for pause in shown]
    inner = {day for day in (dsr.extend_by, last_on) if day is not None and received_on < day < scale.end}
    return ClockBar(
        over=scale.stretch(received_on, until),
        late=scale.stretch(last_on, until) if is_late else None,
        pauses=tuple(scale.stretch(since, end) for since, end in spans),
        ticks=tuple(scale.x(day) for day in sorted(inner)),
        caption=_caption(received_on, until=until, last_on=last_on, paused=_days_in(spans)),
    )


class _Scale:
    """Days on a width of a hundred."""

    def __init__(self, begin: date, end: date) -> None:
        self.begin, self.end = begin, end
        self.days = max((end - begin).days, 1)

    def at(self, day: date) -> float:
        return 100 * min(max((day - self.begin).days, 0), self.days) / self.days

    def x(self, day: date) -> str:
        return f"{self.at(day):.2f}%"

    def stretch(self, since: date, until: date) -> Stretch:
        return Stretch(x=self.x(since), width=f"{self.at(until) - self.at(since):.2f}%")


def _days_in(spans: Sequence[tuple[date, date]]) -> int:
    """How many days are in at least one of them."""
    return len({since + timedelta(days=n) for since, until in spans for n in range((until - since).days)})


def _caption(received_on: date, *, until: date, last_on: date, paused: int) -> str:
    whole, passed = (last_on - received_on).days, (until - received_on).days
    said = _("Day %(n)d of %(all)d") % {"n": passed, "all": whole}
    if not paused:
        return said
    also = ngettext("%(n)d day paused", "%(n)d days paused", paused) % {"n": paused}
    return _("%(days)s, %(paused)s") % {"days": said, "paused": also}
