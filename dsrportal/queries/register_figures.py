"""The figures above the register: what stands in the whole workspace today, each a link to its list. Called by `views.register`.

The numbers are the overview's own, sums of tallies: one query, whatever the number of requests. Never writes, never calls Dastra.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from dsrportal.clocks import Policy
from dsrportal.models import Workspace
from dsrportal.models.figures import TallyKind
from dsrportal.queries import overview_counts, overview_times
from dsrportal.queries.freshness import Freshness
from dsrportal.queries.overview_cells import sureness_of
from dsrportal.queries.register import COUNT_CAP
from dsrportal.queries.register_chips import address
from dsrportal.queries.register_filters import RegisterFilters
from dsrportal.queries.register_spans import Spans

KINDS = (TallyKind.OPEN, TallyKind.RUNNING, TallyKind.UNDECIDED, TallyKind.PAUSED, TallyKind.NEEDS_DATA)


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """One number: its name, its text (`4`, `at least 4`, `?`), the list behind it, and whether that is what is shown; then the link leads back to
    all requests. `is_none`: there are none for sure."""

    name: str
    label: str
    text: str
    url: str
    is_chosen: bool
    is_none: bool
    is_alarming: bool


def of_workspace(
    workspace: Workspace,
    *,
    policy: Policy | None,
    filters: RegisterFilters,
    url: str,
    age: Freshness,
    now: datetime,
) -> tuple[Figure, ...]:
    """The figures of the whole workspace, whatever the list is narrowed to; `url` is the register's, `policy` the workspace's rules. One query."""
    zone = ZoneInfo(workspace.time_zone)
    sureness = sureness_of(age, zone=zone, now=now)
    lines = overview_counts.read_lines([workspace], kinds=KINDS)[workspace.pk]
    standing = overview_counts.standing(lines, policy=policy, today=now.astimezone(zone).date())
    plain, shown = filters.without_filters(), filters.asking()
    found = []
    for name, label in overview_times.figure_names().items():
        number: int = getattr(standing, name)
        behind = replace(plain, **_asked(name))
        is_chosen = shown == behind
        wanted = plain if is_chosen else replace(behind, count=number > COUNT_CAP)
        text = sureness.say(number)
        found.append(
            Figure(
                name=name,
                label=label,
                text=text,
                url=address(url, filters=wanted),
                is_chosen=is_chosen,
                is_none=number == 0 and sureness.is_sure,
                is_alarming=name == "overdue" and number > 0,
            )
        )
    return tuple(found)


def _asked(name: str) -> dict[str, Any]:
    clock = overview_times.CLOCK_OF.get(name)
    return {"clocks": (clock,)} if clock else {"spans": Spans(is_open=True)}
