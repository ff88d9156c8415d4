"""Rows -> the ledger of alerts: raises what has been reached, cancels what no longer holds, and gives each new alert its notice.

Called before mails are planned, and again for the requests of a mail just before it goes. Never sends, never calls Dastra.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from dsrportal.alerts import channels, ledger_rows, notes, outages
from dsrportal.alerts.ledger_rows import Known, batches
from dsrportal.alerts.mutes import mutes_of
from dsrportal.alerts.recipients import COPIES, recipients_of
from dsrportal.alerts.wanted import Key, is_news, key_of, wanted_alerts
from dsrportal.clocks import day_of
from dsrportal.mirror import reckoning
from dsrportal.models import Alert, DataSubjectRequest, Notice, Workspace
from dsrportal.models.alert_rules import AlertPolicy, alert_policy_of
from dsrportal.models.alerts import AlertState, CancelledBecause, MailState
from dsrportal.models.rules import policy_of

MOST_NAMED = 500
UNTOLD = frozenset({AlertState.WAITING, AlertState.CANCELLED, AlertState.AWAY, AlertState.MUTED, AlertState.DRY})
"""What no mail has carried, and one may: the rest is over."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Decided:
    """How many alerts were raised, how many of those without a notice, and how many were taken up again and cancelled."""

    raised: int = 0
    silent: int = 0
    revived: int = 0
    cancelled: int = 0


def decide(
    workspace: Workspace, *, now: datetime, only: Collection[int] | None = None, policy: AlertPolicy | None = None
) -> Decided:
    """Bring the ledger of one workspace up to `now`; `only` names requests by upstream id, `policy` is the workspace's own unless it is given. Decided
    twice, or by two at once, it is the same ledger."""
    law = policy_of(workspace)
    if law is None or not workspace.is_enabled:
        return Decided()
    if only is not None and len(only) > MOST_NAMED:
        only = None
    today = day_of(now, zone=ZoneInfo(workspace.time_zone))
    policy = policy or alert_policy_of(workspace)
    wanted = wanted_alerts(
        workspace,
        recipients=recipients_of(workspace, on=today, policy=policy),
        mutes=mutes_of(workspace, policy=policy),
        calendar=law.calendar,
        today=today,
        only=only,
    )
    known = _known(workspace, wanted=wanted)
    wanted = _news(wanted, known=known, policy=policy)
    is_guess = outages.guesses(workspace, now=now)  # nobody is interrupted by one; the digest says how old its data is
    missing = [a for key, a in wanted.items() if key not in known and not (is_guess and a.is_immediate)]
    raised = sum(_raise(some, now=now) for some in batches(missing))
    _wake(workspace, wanted=wanted, known=known, now=now)
    return Decided(
        raised=raised,
        silent=raised if policy.is_dry else 0,
        revived=_turn(wanted, known=known),
        cancelled=_cancel(workspace, wanted=wanted, policy=policy, now=now, only=only)
        + channels.decide(workspace, calendar=law.calendar, policy=policy, today=today, now=now, only=only),
    )


def _known(workspace: Workspace, *, wanted: dict[Key, Alert]) -> dict[Key, Known]:
    """The rows of the ledger for the dates and people of what is wanted. One query."""
    days = {alert.due_on for alert in wanted.values()}
    if not days:
        return {}
    about = {_about(key) for key in wanted}
    rows = Alert.objects.filter(workspace=workspace, due_on__gte=min(days), due_on__lte=max(days))
    found: dict[Key, Known] = {}
    fields = ("upstream_id", "clock", "threshold", "due_on", "person_id", "pk", "state", "fires_on")
    for upstream_id, clock, threshold, due_on, person_id, pk, state, fires_on in rows.values_list(*fields):
        key = (upstream_id, clock, threshold, due_on, person_id)
        if _about(key) in about:
            found[key] = Known(pk=pk, state=AlertState(state), threshold=threshold, fires_on=fires_on)
    return found


def _about(key: Key) -> tuple[int, str, date, int]:
    """An alert's key without its threshold: one date of one request, one person."""
    return (key[0], key[1], key[3], key[4])


def _news(wanted: dict[Key, Alert], *, known: dict[Key, Known], policy: AlertPolicy) -> dict[Key, Alert]:
    """`wanted` without what is none, where the rules or the days changed: the latest alert that the person has of that date stands for it."""
    told: dict[tuple[int, str, date, int], tuple[Key, Known]] = {}
    for key, row in known.items():
        latest = told.get(_about(key))
        if row.state != AlertState.CANCELLED and (latest is None or row.fires_on > latest[1].fires_on):
            told[_about(key)] = (key, row)
    found: dict[Key, Alert] = {}
    for key, alert in wanted.items():
        latest = told.get(_about(key))
        is_latest = latest is not None and latest[0] == key
        if is_latest or is_news(alert, policy=policy, latest=latest[1].fires_on if latest else None):
            found[key] = alert
        elif latest is not None:
            alert.threshold, alert.fires_on = latest[1].threshold, latest[1].fires_on
            if latest[1].state == AlertState.WAITING:
                alert.state = AlertState.WAITING  # how this one would have begun says nothing of that one
            found[latest[0]] = alert
        elif key in known:
            found[key] = alert
    return found


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
        _notice([alert for alert in mine if alert.state != AlertState.DRY], workspace=alerts[0].workspace, now=now)
    return len(mine)


def _notice(alerts: list[Alert], *, workspace: Workspace, now: datetime) -> None:
    """Put them behind the bell; what the person has muted is there too, and needs no reading."""
    muted = [alert for alert in alerts if alert.state == AlertState.MUTED]
    if muted:
        notes.tell_of_alerts(muted, workspace=workspace, now=now)
        Notice.objects.filter(alert__in=muted).update(read_at=now)
    loud = [alert for alert in alerts if alert.state != AlertState.MUTED]
    if loud:
        notes.tell_of_alerts(loud, workspace=workspace, now=now)


def _wake(workspace: Workspace, *, wanted: dict[Key, Alert], known: dict[Key, Known], now: datetime) -> None:
    """Tell of what was decided while the workspace only tried its rules, and still holds."""
    asleep = {row.pk: wanted[key].state for key, row in known.items() if row.state == AlertState.DRY and key in wanted}
    for some in batches(sorted(pk for pk, state in asleep.items() if state != AlertState.DRY)):
        with transaction.atomic():
            reckoning.lock(workspace.pk)
            woken = list(Alert.objects.filter(pk__in=some, state=AlertState.DRY).order_by("pk"))
            for alert in woken:
                alert.state = asleep[alert.pk]
            Alert.objects.bulk_update(woken, ["state"])
            told = set(Notice.objects.filter(alert__in=woken).values_list("alert_id", flat=True))
            _notice([alert for alert in woken if alert.pk not in told], workspace=workspace, now=now)


def _turn(wanted: dict[Key, Alert], *, known: dict[Key, Known]) -> int:
    """Give rows that no mail has carried the state that holds now: taken up again, or left to the portal. Returns how many were cancelled before."""
    turns: dict[tuple[AlertState, AlertState], list[int]] = {}
    for key, row in known.items():
        alert = wanted.get(key)
        if alert is not None and row.state in UNTOLD - {AlertState.DRY} and row.state != alert.state:
            turns.setdefault((row.state, AlertState(alert.state)), []).append(row.pk)
    is_sending = Q(mail__state=MailState.WAITING, mail__lease_until__gt=timezone.now())
    for (before, after), pks in turns.items():
        for some in batches(sorted(pks)):
            rows = Alert.objects.filter(pk__in=some, state=before).exclude(is_sending)
            rows.update(state=after, mail=None, cancelled_at=None, cancelled_because="")
    return sum(len(pks) for (before, _after), pks in turns.items() if before == AlertState.CANCELLED)


def _cancel(
    workspace: Workspace, *, wanted: dict[Key, Alert], policy: AlertPolicy, now: datetime, only: Collection[int] | None
) -> int:
    """Take back what waits and no longer holds."""
    waiting = Alert.objects.filter(workspace=workspace, state=AlertState.WAITING)
    if only is not None:
        waiting = waiting.filter(upstream_id__in=only)
    over = [alert for alert in waiting.order_by("pk") if key_of(alert) not in wanted]
    reasons: dict[CancelledBecause, list[int]] = {}
    rows = ledger_rows.requests_of(workspace, alerts=over)
    held = {_about(key) for key in wanted} if over else set()
    for alert in over:
        is_held = _about(key_of(alert)) in held
        reason = _reason(alert, row=rows.get(alert.upstream_id), is_held=is_held, policy=policy)
        reasons.setdefault(reason, []).append(alert.pk)
    count = 0
    for reason, pks in reasons.items():
        for some in batches(pks):
            still = Alert.objects.filter(pk__in=some, state=AlertState.WAITING)
            count += still.update(state=AlertState.CANCELLED, cancelled_at=now, cancelled_because=reason)
    return count


def _reason(alert: Alert, *, row: dict[str, Any] | None, is_held: bool, policy: AlertPolicy) -> CancelledBecause:
    if reason := ledger_rows.why_over(alert, row=row, is_held=is_held):
        return reason
    is_in_rules = alert.threshold in policy.thresholds.all() and alert.because not in COPIES
    return CancelledBecause.NOT_THEIRS if is_in_rules else CancelledBecause.RULES
