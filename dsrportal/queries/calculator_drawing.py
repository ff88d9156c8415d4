"""The calculator's line of time: where on it each day stands, in hundredths of its width, and what each mark means in words. Reads no row.

The words are the drawing: the list of marks says all that the picture shows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dsrportal.clocks import Clocks, Facts, Policy
from dsrportal.queries.clockmark import long_day

FIRST, WIDTH = 3.0, 94.0  # a margin at each end, for half a mark
NEAR = 5.0  # marks nearer than this stand at different heights
HEIGHTS = 4
LONGEST_SHADED_DAYS = 200  # beyond, single days are too thin to be seen


@dataclass(kw_only=True, slots=True)
class Mark:
    """A day with what happens on it. `x` is a percentage as an attribute has it ("12.50%"), `height` 0 for the lowest."""

    number: int
    on: date
    x: str
    height: int
    day: str
    labels: list[str] = field(default_factory=list)
    is_due: bool = False
    is_today: bool = False

    @property
    def text(self) -> str:
        """What happens, in one phrase."""
        return " · ".join(self.labels)

    @property
    def y(self) -> int:
        """The middle of the mark in pixels from the top."""
        return 100 - 24 * self.height - 36


@dataclass(frozen=True, kw_only=True, slots=True)
class Bar:
    """A stretch of days."""

    x: str
    width: str
    text: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Drawing:
    """The whole line."""

    marks: list[Mark]
    rests: list[Bar]
    pauses: list[Bar]


def drawing(clocks: Clocks, *, facts: Facts, policy: Policy, today: date) -> Drawing | None:
    """The line from receipt to the last date; None where no receipt is known."""
    if clocks.received_on is None:
        return None
    events = _events(clocks, facts=facts)
    begin, end = min(day for day, _label in events), max(day for day, _label in events)
    if begin <= today <= end:
        events.append((today, _("Today")))
    scale = _Scale(begin, end)
    marks: list[Mark] = []
    for day, label in sorted(events, key=lambda event: event[0]):
        if not marks or marks[-1].on != day:
            height = _height(scale.at(day), marks, scale=scale)
            marks.append(
                Mark(
                    number=len(marks) + 1,
                    on=day,
                    x=scale.x(day),
                    height=height,
                    day=long_day(day),
                    is_today=day == today,
                )
            )
        marks[-1].labels.append(label)
        marks[-1].is_due = marks[-1].is_due or day == clocks.respond_by
    rests: list[Bar] = []
    if (end - begin).days <= LONGEST_SHADED_DAYS:
        days = (begin + timedelta(days=n) for n in range((end - begin).days))
        rests = [scale.bar(day, day + timedelta(days=1)) for day in days if not policy.calendar.is_working_day(day)]
    return Drawing(
        marks=marks, rests=rests, pauses=_pauses(facts, scale=scale, today=today) if clocks.pause_days else []
    )


class _Scale:
    """Days on a width of a hundred."""

    def __init__(self, begin: date, end: date) -> None:
        self.begin, self.days = begin, max((end - begin).days, 1)

    def at(self, day: date) -> float:
        return FIRST + WIDTH * min(max((day - self.begin).days, 0), self.days) / self.days

    def x(self, day: date) -> str:
        return f"{self.at(day):.2f}%"

    def bar(self, since: date, until: date, *, text: str = "") -> Bar:
        return Bar(x=self.x(since), width=f"{max(self.at(until) - self.at(since), 0.2):.2f}%", text=text)


def _events(clocks: Clocks, *, facts: Facts) -> list[tuple[date, str]]:
    """What happens when; several things may be on one day."""
    found = [
        (clocks.received_on, _("Received")),
        (clocks.respond_by, _("Respond by")),
        (clocks.extend_by, _("Last day for the notice of an extension or a refusal")),
        (clocks.upstream_rule, _("Dastra's 90 days") if facts.is_complex else _("Dastra's 30 days")),
        (facts.extension.notice_on if facts.extension else None, _("Told of the extension")),
        (facts.refusal.notice_on if facts.refusal else None, _("Told of the refusal")),
    ]
    if clocks.without_pauses != clocks.respond_by:
        found.insert(2, (clocks.without_pauses, _("Without pauses")))
    return [(day, label) for day, label in found if day is not None]


def _pauses(facts: Facts, *, scale: _Scale, today: date) -> list[Bar]:
    bars = []
    for pause in facts.pauses:
        until = today if pause.answered_on is None else pause.answered_on
        days = max((until - pause.asked_on).days, 0)
        length = ngettext("%(n)d day", "%(n)d days", days) % {"n": days}
        if pause.answered_on is None:
            text = _("Paused since %(since)s, %(length)s") % {"since": long_day(pause.asked_on), "length": length}
        else:
            text = _("Paused from %(since)s to %(until)s, %(length)s") % {
                "since": long_day(pause.asked_on),
                "until": long_day(until),
                "length": length,
            }
        bars.append(scale.bar(pause.asked_on, until, text=text))
    return bars


def _height(at: float, marks: list[Mark], *, scale: _Scale) -> int:
    """The lowest place where no earlier mark is too near."""
    taken = {mark.height for mark in marks if at - scale.at(mark.on) < NEAR}
    return next((height for height in range(HEIGHTS) if height not in taken), 0)
