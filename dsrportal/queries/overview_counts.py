"""The tallies, read and summed for one day: what stands now, and what became of the answers. Called by the overview.

What time changes is derived here: overdue is the sum of the days before today. Each function makes one query, whatever the number of requests.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from django.db.models import Sum

from dsrportal.clocks import Policy
from dsrportal.clocks.rules import DECIDE_DAYS, SOON_WORKING_DAYS
from dsrportal.models import Tally, Workspace
from dsrportal.models.figures import TallyKind

WEEKS = 26
WEEK = timedelta(days=7)
DAY = timedelta(days=1)
STANDING = (
    TallyKind.OPEN,
    TallyKind.RUNNING,
    TallyKind.UNDECIDED,
    TallyKind.FIRST,
    TallyKind.PAUSED,
    TallyKind.NEEDS_DATA,
    TallyKind.AGE,
)
WEEKLY = (TallyKind.RECEIVED, TallyKind.CLOSED, TallyKind.CLOSED_FIRST)
IN_TIME, LATE, UNJUDGED = "in_time", "late", ""


class Line(NamedTuple):
    """A tally, as far as it is needed here."""

    kind: str
    day: date
    group: str
    number: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Period:
    """The weeks that the overview looks back on, this one included: from a Monday to today."""

    since: date
    today: date

    @property
    def weeks(self) -> list[tuple[date, date]]:
        """First and last day of each; the last one ends with its Sunday."""
        return [(self.since + n * WEEK, self.since + n * WEEK + 6 * DAY) for n in range(WEEKS)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """The open requests of today. `soon_until` is the last day that is at most five working days away."""

    open: int
    soon: int
    overdue: int
    paused: int
    undecided: int
    needs_data: int
    first_late: int
    soon_until: date


@dataclass(frozen=True, kw_only=True, slots=True)
class Answers:
    """What became of the requests that were closed in a period; open overdue ones are late answers too."""

    in_time: int
    late: int
    unjudged: int
    overdue: int

    @property
    def total(self) -> int:
        """All that is known to be in time or late."""
        return self.in_time + self.late + self.overdue

    @property
    def rate(self) -> int | None:
        """How many of 100 were in time, rounded down so that 100 means all; None where there is nothing to judge."""
        return self.in_time * 100 // self.total if self.total else None


def period_of(today: date) -> Period:
    """26 weeks up to the one of `today`."""
    return Period(since=today - timedelta(days=today.weekday()) - (WEEKS - 1) * WEEK, today=today)


def soon_until(policy: Policy | None, *, today: date) -> date:
    """The last day that is within five working days; without a calendar five days."""
    if policy is None:
        return today + SOON_WORKING_DAYS * DAY
    return policy.calendar.last_day_within(today, working_days=SOON_WORKING_DAYS)


def read_lines(
    workspaces: Collection[Workspace], *, kinds: Collection[TallyKind], since: date | None = None
) -> dict[int, list[Line]]:
    """The lines of these kinds by workspace, from a day on where one is given. One query."""
    found: dict[int, list[Line]] = defaultdict(list)
    tallies = Tally.objects.filter(workspace__in=workspaces, kind__in=kinds)
    if since is not None:
        tallies = tallies.filter(day__gte=since)
    for workspace_id, kind, day, group, number in tallies.values_list("workspace_id", "kind", "day", "group", "count"):
        found[workspace_id].append(Line(kind, day, group, number))
    return found


def read_histograms(
    workspace: Workspace, *, kinds: Collection[TallyKind], since: date
) -> dict[str, dict[str, Counter[int]]]:
    """By kind and group how many took how many days. One query."""
    found: dict[str, dict[str, Counter[int]]] = {kind: defaultdict(Counter) for kind in kinds}
    tallies = Tally.objects.filter(workspace=workspace, kind__in=kinds, day__gte=since)
    lines = tallies.order_by().values_list("kind", "group", "days").annotate(number=Sum("count"))
    for kind, group, days, number in lines:
        found[kind][group][days] = number
    return found


def standing(lines: Iterable[Line], *, policy: Policy | None, today: date) -> Standing:
    """The open requests as of today."""
    until = soon_until(policy, today=today)
    sums: Counter[str] = Counter()
    for line in lines:
        if line.kind == TallyKind.RUNNING:
            sums["overdue"] += line.number if line.day < today else 0
            sums["soon"] += line.number if today <= line.day <= until else 0
        elif line.kind == TallyKind.UNDECIDED:
            sums["undecided"] += line.number if today <= line.day <= today + DECIDE_DAYS * DAY else 0
        elif line.kind == TallyKind.FIRST:
            sums["first_late"] += line.number if line.day < today else 0
        elif line.kind in {TallyKind.OPEN, TallyKind.PAUSED, TallyKind.NEEDS_DATA}:
            sums[line.kind] += line.number
    names = ("open", "soon", "overdue", "paused", "undecided", "needs_data", "first_late")
    return Standing(soon_until=until, **{name: sums[name] for name in names})


def answers(lines: Iterable[Line], *, kind: TallyKind, overdue: int) -> Answers:
    """The verdicts of closed requests (`CLOSED` or `CLOSED_FIRST`), with the open ones that are late already."""
    sums: Counter[str] = Counter()
    for line in lines:
        if line.kind == kind:
            sums[line.group] += line.number
    return Answers(in_time=sums[IN_TIME], late=sums[LATE], unjudged=sums[UNJUDGED], overdue=overdue)
