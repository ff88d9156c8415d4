"""What the lanes of a board are: which one a request is in, told from its columns and as a condition for SQL, and what it is called.

Called by `queries.board_lanes`. Both ways of telling agree; a test holds them to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta

from django.db.models import Case, F, Q, Value, When
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dsrportal.clocks import Policy
from dsrportal.models import Area, DataSubjectRequest, Operator, Workspace
from dsrportal.queries import board_rows, clock_state, words

ASSIGNEE = "assignee"
OVERDUE, SOON = "overdue", "days5"
URGENCIES = ("unknown", OVERDUE, SOON, "later", "paused", "closed")
NOBODY, SEVERAL = "none", "several"


class Cutter:
    """Which lane a request is in: from its columns, and as a condition for SQL."""

    def __init__(self, *, kind: str, policy: Policy | None, today: date) -> None:
        self.kind = kind
        self._today = today
        days = clock_state.WITHIN[SOON]
        self._soon = (
            policy.calendar.last_day_within(today, working_days=days) if policy else today + timedelta(days=days)
        )

    def of(self, dsr: DataSubjectRequest) -> str:
        """The lane of a row."""
        if self.kind == ASSIGNEE:
            return str(dsr.operator_id) if dsr.operator_id else NOBODY
        if self.kind == "area":
            return str(dsr.area_id) if dsr.area_id else NOBODY
        if self.kind == "right":
            return self._right(dsr.purposes)
        return self._urgency(dsr.clock_rank, dsr.clock_on)

    def fields(self) -> tuple[str, ...]:
        """The columns by which rows of one lane may differ from those of another."""
        return {
            ASSIGNEE: ("operator",),
            "area": ("area",),
            "right": ("purposes",),
            "urgency": ("clock_rank", "clock_on"),
        }[self.kind]

    def part(self) -> F | Case:
        """What the rows of a lane have in common, in SQL. The lane of several rights has one part for each set of them."""
        if self.kind != "urgency":
            return F(self.fields()[0])
        return Case(*(When(self.condition(lane) or Q(), then=Value(lane)) for lane in URGENCIES))

    def of_values(self, values: Mapping[str, object]) -> str:
        """The lane of the values of `fields`."""
        if self.kind in {ASSIGNEE, "area"}:
            value = values[self.fields()[0]]
            return str(value) if value else NOBODY
        if self.kind == "right":
            return self._right(str(values["purposes"]))
        return self._urgency(int(str(values["clock_rank"])), date.fromisoformat(str(values["clock_on"])))

    def condition(self, lane: str) -> Q | None:
        """The rows of a lane; None for one that cannot be."""
        if self.kind in {ASSIGNEE, "area"}:
            field = {ASSIGNEE: "operator", "area": "area"}[self.kind]
            if lane == NOBODY:
                return Q(**{f"{field}__isnull": True})
            return (
                Q(**{field: int(lane)})
                if lane.isascii() and lane.isdecimal() and len(lane) <= board_rows.LONGEST_PK
                else None
            )
        if self.kind == "right":
            if lane == NOBODY:
                return Q(purposes="")
            return Q(purposes__regex=r"^\|[^|]+\|[^|]+") if lane == SEVERAL else Q(purposes=f"|{lane}|")
        running = Q(clock_rank=DataSubjectRequest.RUNNING)
        return {
            "unknown": Q(clock_rank=DataSubjectRequest.NEEDS_DATA),
            OVERDUE: running & Q(clock_on__lt=self._today),
            SOON: running & Q(clock_on__gte=self._today, clock_on__lte=self._soon),
            "later": running & Q(clock_on__gt=self._soon),
            "paused": Q(clock_rank=DataSubjectRequest.PAUSED),
            "closed": Q(clock_rank=DataSubjectRequest.CLOSED),
        }.get(lane)

    def names(self, lanes: Iterable[str], *, workspace: Workspace) -> list[tuple[str, str]]:
        """The lanes in their order, with their names. One query for those of assignees and areas."""
        keys = set(lanes)
        if self.kind == "urgency":
            return [(key, urgency_name(key)) for key in URGENCIES if key in keys]
        if self.kind == "right":
            last = {SEVERAL: _("Several rights"), NOBODY: _("No right named")}
            named = sorted(((key, words.right(key)) for key in keys - last.keys()), key=lambda pair: pair[1].casefold())
            return named + [(key, name) for key, name in last.items() if key in keys]
        pks = [int(key) for key in keys if key != NOBODY]
        if self.kind == ASSIGNEE:
            people = Operator.objects.filter(workspace=workspace, pk__in=pks)
            found = {str(one.pk): one.display_name or one.email or _("Person %d") % one.upstream_id for one in people}
            nobody = _("Unassigned")
        else:
            found = {str(one.pk): one.label for one in Area.objects.filter(workspace=workspace, pk__in=pks)}
            nobody = _("Without an area")
        named = sorted(found.items(), key=lambda pair: pair[1].casefold())
        return ([(NOBODY, nobody)] if NOBODY in keys else []) + named

    def _right(self, purposes: str) -> str:
        rights = [part for part in purposes.split("|") if part]
        if not rights:
            return NOBODY
        return rights[0] if len(rights) == 1 else SEVERAL

    def _urgency(self, rank: int, on: date) -> str:
        if rank != DataSubjectRequest.RUNNING:
            return {
                DataSubjectRequest.NEEDS_DATA: "unknown",
                DataSubjectRequest.PAUSED: "paused",
                DataSubjectRequest.CLOSED: "closed",
            }[rank]
        if on < self._today:
            return OVERDUE
        return SOON if on <= self._soon else "later"


def urgency_name(key: str) -> str:
    """The words of a lane by urgency."""
    if key == SOON:
        days = clock_state.WITHIN[SOON]
        return ngettext("Due within %(n)d working day", "Due within %(n)d working days", days) % {"n": days}
    return {
        "unknown": _("Needs data"),
        OVERDUE: _("Overdue"),
        "later": _("Due later"),
        "paused": _("Paused"),
        "closed": _("Closed"),
    }[key]
