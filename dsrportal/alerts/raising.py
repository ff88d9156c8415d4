"""Rows -> the ledger of alerts: raises what has been reached, cancels what no longer holds, and gives each new alert its notice.

Called before mails are planned, and again for the requests of a mail just before it goes. Never sends, never calls Dastra.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q

from dsrportal.alerts import notes
from dsrportal.alerts.recipients import Recipients, recipients_of
from dsrportal.alerts.thresholds import Dates, Reached, reached
from dsrportal.clocks import Calendar, day_of
from dsrportal.mirror import reckoning
from dsrportal.models import Alert, DataSubjectRequest, User, Workspace
from dsrportal.models.alerts import AlertClock, AlertState, Because, CancelledBecause
from dsrportal.models.requests import ExtensionState
from dsrportal.models.rules import policy_of
from dsrportal.models.thresholds import DEFAULT

MOST_NAMED = 500
BATCH = 500
COLUMNS = ("pk", "upstream_id", "reference", "operator_id", "respond_by", "extend_by", "extension_state", "refused_on")

T = TypeVar("T")
Key = tuple[int, str, str, date, int]
"""Request, clock, threshold, legal date, person: what an alert is, within a workspace."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Decided:
    """How many alerts were raised (each with a notice), taken up again, and cancelled."""

    raised: int = 0
    revived: int = 0
    cancelled: int = 0


def decide(workspace: Workspace, *, now: datetime, only: Collection[int] | None = None) -> Decided:
    """Bring the ledger of one workspace up to `now`; `only` names requests by upstream id. Decided twice, or by two at once, it is the same ledger."""
    policy = policy_of(workspace)
    if policy is None or not workspace.is_enabled:
        return Decided()
    if only is not None and len(only) > MOST_NAMED:
        only = None
    today = day_of(now, zone=ZoneInfo(workspace.time_zone))
    recipients = recipients_of(workspace)
    wanted = _wanted(workspace, recipients=recipients, calendar=policy.calendar, today=today, only=only)
    known = _known(workspace, wanted=wanted)
    missing = [alert for key, alert in wanted.items() if key not in known]
    raised = sum(_raise(some, now=now) for some in _batches(missing))
    revived = [pk for key, (pk, state) in known.items() if state == AlertState.CANCELLED]
    again = {"state": AlertState.WAITING, "mail": None, "cancelled_at": None, "cancelled_because": ""}
    for some in _batches(sorted(revived)):
        Alert.objects.filter(pk__in=some, state=AlertState.CANCELLED).update(**again)
    cancelled = _cancel(workspace, wanted=wanted, now=now, only=only)
    return Decided(raised=raised, revived=len(revived), cancelled=cancelled)


def _wanted(
    workspace: Workspace, *, recipients: Recipients, calendar: Calendar, today: date, only: Collection[int] | None
) -> dict[Key, Alert]:
    """Every alert that holds today, unsaved, by its key."""
    horizon = today + timedelta(days=DEFAULT.horizon_days)
    rows = DataSubjectRequest.objects.filter(
        Q(respond_by__lte=horizon) | Q(extend_by__gte=today, extend_by__lte=horizon),
        workspace=workspace,
        archived=False,
        is_closed=False,
    )
    if only is not None:
        rows = rows.filter(upstream_id__in=only)
    wanted: dict[Key, Alert] = {}
    for row in rows.order_by("upstream_id").values(*COLUMNS):
        for one, person, because in _told(row, recipients=recipients, calendar=calendar, today=today):
            alert = Alert(
                workspace=workspace,
                dsr_id=row["pk"],
                upstream_id=row["upstream_id"],
                reference=row["reference"],
                clock=one.clock,
                threshold=one.threshold,
                due_on=one.due_on,
                fires_on=one.fires_on,
                person=person,
                because=because,
                state=AlertState.WAITING if person.email else AlertState.PORTAL,
            )
            wanted[_key(alert)] = alert
    return wanted


def _told(
    row: dict[str, Any], *, recipients: Recipients, calendar: Calendar, today: date
) -> Iterator[tuple[Reached, User, Because]]:
    """Who is told what of one request: of a clock each person hears the most urgent thing alone."""
    dates = Dates(
        respond_by=row["respond_by"],
        extend_by=row["extend_by"],
        is_extended=row["extension_state"] == ExtensionState.VALID,
        is_refused=row["refused_on"] is not None,
    )
    own, overdue = reached(dates, calendar=calendar, today=today)
    people, because = recipients.of_request(row["operator_id"])
    for one in overdue:
        yield from ((one, person, Because.ESCALATION) for person in recipients.managers)
    warned = {person.pk for person in recipients.managers} if overdue else set()
    for one in own:
        for person in people:
            if one.clock != AlertClock.RESPOND or person.pk not in warned:
                yield one, person, because


def _known(workspace: Workspace, *, wanted: dict[Key, Alert]) -> dict[Key, tuple[int, str]]:
    """The rows of the ledger for what is wanted: key -> (pk, state)."""
    days = {alert.due_on for alert in wanted.values()}
    if not days:
        return {}
    rows = Alert.objects.filter(workspace=workspace, due_on__gte=min(days), due_on__lte=max(days))
    found = rows.values_list("upstream_id", "clock", "threshold", "due_on", "person_id", "pk", "state")
    return {tuple(key): (pk, state) for *key, pk, state in found if tuple(key) in wanted}  # type: ignore[misc]


def _raise(alerts: list[Alert], *, now: datetime) -> int:
    """Store what nobody else has stored meanwhile, and a notice for each of those, in one short transaction."""
    raising = uuid.uuid4()
    for alert in alerts:
        alert.raised_at, alert.raising = now, raising
    with transaction.atomic():
        reckoning.lock(alerts[0].workspace_id)  # as whoever forgets a request does: none goes away in between
        there = DataSubjectRequest.objects.filter(pk__in=[alert.dsr_id for alert in alerts])
        living = set(there.values_list("pk", flat=True))
        Alert.objects.bulk_create([alert for alert in alerts if alert.dsr_id in living], ignore_conflicts=True)
        # The database does not say which rows it took: those that carry the mark of this run.
        mine = list(Alert.objects.filter(raising=raising).order_by("pk"))
        notes.tell_of_alerts(mine, workspace=alerts[0].workspace, now=now)
    return len(mine)


def _cancel(workspace: Workspace, *, wanted: dict[Key, Alert], now: datetime, only: Collection[int] | None) -> int:
    """Take back what waits and no longer holds."""
    waiting = Alert.objects.filter(workspace=workspace, state=AlertState.WAITING)
    if only is not None:
        waiting = waiting.filter(upstream_id__in=only)
    over = [alert for alert in waiting.order_by("pk") if _key(alert) not in wanted]
    reasons: dict[CancelledBecause, list[int]] = {}
    rows = _rows_of(workspace, alerts=over)
    held = {(key[0], key[1], key[3], key[4]) for key in wanted} if over else set()
    for alert in over:
        reasons.setdefault(_reason(alert, row=rows.get(alert.upstream_id), held=held), []).append(alert.pk)
    count = 0
    for reason, pks in reasons.items():
        for some in _batches(pks):
            still = Alert.objects.filter(pk__in=some, state=AlertState.WAITING)
            count += still.update(state=AlertState.CANCELLED, cancelled_at=now, cancelled_because=reason)
    return count


def _rows_of(workspace: Workspace, *, alerts: list[Alert]) -> dict[int, dict[str, Any]]:
    rows: dict[int, dict[str, Any]] = {}
    for some in _batches(sorted({alert.upstream_id for alert in alerts})):
        found = DataSubjectRequest.objects.filter(workspace=workspace, upstream_id__in=some)
        for row in found.values("upstream_id", "is_closed", "archived", "respond_by", "extend_by", "extension_state"):
            rows[row["upstream_id"]] = dict(row)
    return rows


def _reason(alert: Alert, *, row: dict[str, Any] | None, held: set[tuple[int, str, date, int]]) -> CancelledBecause:
    if row is None:
        return CancelledBecause.GONE
    if row["is_closed"]:
        return CancelledBecause.CLOSED
    if row["archived"]:
        return CancelledBecause.ARCHIVED
    if (alert.upstream_id, alert.clock, alert.due_on, alert.person_id) in held:
        return CancelledBecause.LATER
    on = row["respond_by"] if alert.clock == AlertClock.RESPOND else row["extend_by"]
    is_settled = alert.clock == AlertClock.EXTEND and row["extension_state"] == ExtensionState.VALID
    return CancelledBecause.MOVED if on != alert.due_on or is_settled else CancelledBecause.NOT_THEIRS


def _key(alert: Alert) -> Key:
    return (alert.upstream_id, str(alert.clock), str(alert.threshold), alert.due_on, alert.person_id)


def _batches(all_of_them: list[T]) -> Iterable[list[T]]:
    return (all_of_them[start : start + BATCH] for start in range(0, len(all_of_them), BATCH))
