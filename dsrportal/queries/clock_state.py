"""How a request stands with the law on one day, from the columns of its row alone: the state, the days that are left, the next legal event; and
the same states as conditions for SQL. Reads no row. What it says equals `dsrportal.clocks.compute` for the same facts; a test holds it to that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from django.db.models import F, Q

from dsrportal.clocks import EventKind, Policy, State
from dsrportal.clocks.rules import DECIDE_DAYS, DUE_NOW_WORKING_DAYS, SOON_WORKING_DAYS
from dsrportal.models import DataSubjectRequest
from dsrportal.models.requests import ExtensionState

FIELDS = (
    "received_on", "respond_by", "extend_by", "without_pauses", "paused_since", "extension_state", "refused_on", "late_days",
    "upstream_due_on", "closed_at", "is_closed",
)  # fmt: skip
"""What of a row the mark of its clock is made of."""

WITHIN = {"days3": 3, "days5": 5, "days10": 10}
CLOCKS = ("overdue", "today", *WITHIN, "extend", "paused", "unknown")
"""The names of the filters by clock, as addresses have them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """A request on one day. `event_on` is None for what is closed or unknown; `days_left` counts to `respond_by`, and is None while that moves."""

    state: State
    event: EventKind = EventKind.RESPOND
    event_on: date | None = None
    days_left: int | None = None
    decides_extension: bool = False


def columns_of(dsr: DataSubjectRequest) -> dict[str, Any]:
    """The columns of a row that was read as a model."""
    return {name: getattr(dsr, name) for name in FIELDS}


def standing(row: Mapping[str, Any], *, policy: Policy | None, today: date) -> Standing:
    """How the row (with `FIELDS`) stands at the end of nothing but `today`. `policy` tells working days; without one only dates count."""
    if row["is_closed"]:
        return Standing(state=_verdict(row["late_days"]))
    return _open(
        row["respond_by"],
        row["without_pauses"],
        row["extend_by"],
        row["paused_since"],
        row["extension_state"] == ExtensionState.VALID,
        row["refused_on"] is not None,
        policy,
        today,
    )


def _verdict(late_days: int | None) -> State:
    if late_days is None:
        return State.CLOSED
    return State.CLOSED_LATE if late_days > 0 else State.CLOSED_EARLY


@lru_cache(maxsize=8192)
def _open(
    respond_by: date | None,
    without_pauses: date | None,
    extend_by: date | None,
    paused_since: date | None,
    is_extended: bool,  # noqa: FBT001
    is_refused: bool,  # noqa: FBT001
    policy: Policy | None,
    today: date,
) -> Standing:
    """Cached, because hundreds of rows share few days."""
    is_paused = paused_since is not None
    ahead = extend_by is not None and extend_by >= today and not is_refused
    decides = extend_by is not None and ahead and not is_extended and (extend_by - today).days <= DECIDE_DAYS
    if is_paused:
        event = EventKind.EXTEND if decides else EventKind.RESPOND
        on = extend_by if decides else without_pauses
        return Standing(state=State.PAUSED, event=event, event_on=on, decides_extension=decides)
    if respond_by is None:
        return Standing(state=State.UNKNOWN)
    event, on = EventKind.RESPOND, respond_by
    if ahead and extend_by is not None and (extend_by < respond_by or decides):
        event, on = (EventKind.REFUSE if is_extended else EventKind.EXTEND), extend_by
    days_left = (respond_by - today).days
    return Standing(
        state=_urgency(days_left, respond_by=respond_by, policy=policy, today=today),
        event=event,
        event_on=on,
        days_left=days_left,
        decides_extension=decides,
    )


def _urgency(days_left: int, *, respond_by: date, policy: Policy | None, today: date) -> State:
    if days_left < 0:
        return State.OVERDUE
    working = policy.calendar.working_days_between(after=today, until=respond_by) if policy else days_left
    if working <= DUE_NOW_WORKING_DAYS:
        return State.DUE_NOW
    return State.SOON if working <= SOON_WORKING_DAYS else State.ON_TRACK


def condition(name: str, *, policy: Policy | None, today: date) -> Q:
    """One of `CLOCKS` as a condition on rows; each looks at a range of the order by clock, so that an index serves it. Raises `KeyError`.

    `days5` is what is due within 5 working days from today on, today included. What is paused is in no range of days: its date moves.
    """
    running = Q(clock_rank=DataSubjectRequest.RUNNING)
    if name in WITHIN:
        return running & Q(clock_on__gte=today, clock_on__lte=_last_day(WITHIN[name], policy=policy, today=today))
    return {
        "overdue": running & Q(clock_on__lt=today),
        "today": running & Q(clock_on=today),
        "extend": Q(
            clock_rank__in=(DataSubjectRequest.RUNNING, DataSubjectRequest.PAUSED),
            extend_by__gte=today,
            extend_by__lte=today + timedelta(days=DECIDE_DAYS),
            refused_on__isnull=True,
        )
        & ~Q(extension_state=ExtensionState.VALID),
        "paused": Q(clock_rank=DataSubjectRequest.PAUSED),
        "unknown": Q(clock_rank=DataSubjectRequest.NEEDS_DATA),
    }[name]


def is_upstream_later(row: Mapping[str, Any]) -> bool:
    """Whether Dastra's date of an open request is later than the law's: who trusts it answers too late. Not said while a pause moves the latter."""
    is_running = not row["is_closed"] and row["paused_since"] is None
    due_on, respond_by = row["upstream_due_on"], row["respond_by"]
    return bool(is_running and due_on and respond_by and due_on > respond_by)


def upstream_later() -> Q:
    """The same as a condition."""
    return Q(clock_rank=DataSubjectRequest.RUNNING, upstream_due_on__gt=F("respond_by"))


def _last_day(working_days: int, *, policy: Policy | None, today: date) -> date:
    if policy is None:
        return today + timedelta(days=working_days)
    return policy.calendar.last_day_within(today, working_days=working_days)
