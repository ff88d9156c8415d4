"""What stands in a digest: the requests that are a person's, or all of a workspace, for whoever answers for its deadlines and for its channels; each
once and in the order of the law. Called by planning and letters; reads rows, writes none."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet

from dsrportal.alerts.desks import Desk
from dsrportal.clocks import Policy, State, day_of
from dsrportal.clocks.rules import SOON_WORKING_DAYS
from dsrportal.models import DataSubjectRequest, Workspace
from dsrportal.models.alerts import AlertClock
from dsrportal.queries.clock_state import FIELDS, condition, standing


class Part(StrEnum):
    """The parts of a digest, in order."""

    OVERDUE = "overdue"
    DUE = "due"
    EXTEND = "extend"


@dataclass(frozen=True, kw_only=True, slots=True)
class Listed:
    """One request in a digest: the date that it is listed for, by which clock, and the reader's workspace day."""

    part: Part
    workspace: Workspace
    upstream_id: int
    reference: str
    clock: AlertClock
    due_on: date
    today: date


def has_anything(desk: Desk, *, now: datetime) -> bool:
    """Whether the digest would list a request."""
    return any(
        _rows(workspace, policy=desk.policies[workspace.pk], own=_own(desk, workspace=workspace), now=now).exists()
        for workspace in desk.awake(now)
    )


def listed(desk: Desk, *, now: datetime) -> list[Listed]:
    """Every request of the digest, never cut short: by part, then by date. A query a workspace."""
    found = [
        one
        for workspace in desk.awake(now)
        for one in _of_workspace(
            workspace, policy=desk.policies[workspace.pk], own=_own(desk, workspace=workspace), now=now
        )
    ]
    return _ordered(found)


def listed_in(workspace: Workspace, *, policy: Policy | None, now: datetime) -> list[Listed]:
    """The same for a whole workspace, whoever has the requests. One query."""
    return _ordered(_of_workspace(workspace, policy=policy, own=None, now=now))


def _ordered(found: Iterable[Listed]) -> list[Listed]:
    order = list(Part)
    return sorted(found, key=lambda one: (order.index(one.part), one.due_on, one.workspace.pk, one.upstream_id))


def _own(desk: Desk, *, workspace: Workspace) -> Collection[int] | None:
    return None if workspace.pk in desk.managed else desk.own


def _of_workspace(
    workspace: Workspace, *, policy: Policy | None, own: Collection[int] | None, now: datetime
) -> Iterator[Listed]:
    today = _today(workspace, now=now)
    rows = _rows(workspace, policy=policy, own=own, now=now)
    for row in rows.values("upstream_id", "reference", *FIELDS):
        stands = standing(row, policy=policy, today=today)
        if stands.state == State.OVERDUE:
            part, clock, on = Part.OVERDUE, AlertClock.RESPOND, row["respond_by"]
        elif stands.state in {State.DUE_NOW, State.SOON}:
            part, clock, on = Part.DUE, AlertClock.RESPOND, row["respond_by"]
        else:
            part, clock, on = Part.EXTEND, AlertClock.EXTEND, row["extend_by"]
        yield Listed(
            part=part,
            workspace=workspace,
            upstream_id=row["upstream_id"],
            reference=row["reference"],
            clock=clock,
            due_on=on,
            today=today,
        )


def _rows(
    workspace: Workspace, *, policy: Policy | None, own: Collection[int] | None, now: datetime
) -> QuerySet[DataSubjectRequest]:
    """`own` are the Dastra users whose requests are meant; None is everybody's."""
    today = _today(workspace, now=now)
    until = _last_day(policy, today=today)
    is_near = Q(clock_rank=DataSubjectRequest.RUNNING, clock_on__lte=until)
    wanted = is_near | condition("extend", policy=policy, today=today)
    rows = DataSubjectRequest.objects.filter(wanted, workspace=workspace, archived=False)
    return rows if own is None else rows.filter(operator__in=own)


def _last_day(policy: Policy | None, *, today: date) -> date:
    if policy is None:
        return today + timedelta(days=SOON_WORKING_DAYS)
    return policy.calendar.last_day_within(today, working_days=SOON_WORKING_DAYS)


def _today(workspace: Workspace, *, now: datetime) -> date:
    return day_of(now, zone=ZoneInfo(workspace.time_zone))
