"""Rows -> the ledger of a workspace's channels -> messages that are to go. Called by `raising.py` with each decision, and by `channel_delivery.py`.

The same guarantees as for people: one row for each channel, request, clock, threshold and date; a message is made once, and many at once are one.
Never posts, never calls Dastra. Decided or planned twice, or by two at once, it is the same rows.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from dsrportal.alerts import ledger_rows, outages
from dsrportal.alerts.ledger_rows import Known, batches
from dsrportal.alerts.thresholds import Reached, reached
from dsrportal.clocks import Calendar, Policy
from dsrportal.mirror import reckoning
from dsrportal.models import Channel, ChannelAlert, ChannelMessage, DataSubjectRequest, Workspace
from dsrportal.models.alert_rules import AlertPolicy
from dsrportal.models.alerts import AlertClock, AlertState, CancelledBecause, MailKind
from dsrportal.models.channels import ChannelTells, MessageState
from dsrportal.models.thresholds import IMMEDIATE, Threshold

MOST_AT_ONCE = 10
AT_ONCE = timedelta(minutes=15)

UNTOLD = frozenset({AlertState.WAITING, AlertState.CANCELLED, AlertState.DRY})
"""What no message has carried, and one may."""

Key = tuple[int, int, str, str, date]
"""Channel, request, clock, threshold, legal date: what a row of the ledger is."""


def decide(
    workspace: Workspace,
    *,
    calendar: Calendar,
    policy: AlertPolicy,
    today: date,
    now: datetime,
    only: Collection[int] | None,
) -> int:
    """Bring the ledger of the workspace's channels up to `now`; `only` names requests by upstream id. Returns how many rows were cancelled."""
    channels = list(Channel.objects.filter(workspace=workspace, disabled_at=None).order_by("pk"))
    if not channels:
        return 0
    wanted = _wanted(workspace, channels=channels, calendar=calendar, policy=policy, today=today, only=only)
    known = _known(channels, wanted=wanted)
    wanted = _news(wanted, known=known, policy=policy)
    is_guess = outages.guesses(workspace, now=now)  # as for people
    missing = [a for key, a in wanted.items() if key not in known]
    for some in batches([a for a in missing if not (is_guess and Threshold(a.threshold).is_immediate)]):
        _raise(some, now=now)
    begins = AlertState.DRY if policy.is_dry else AlertState.WAITING
    others = UNTOLD - {begins}
    again = sorted(row.pk for key, row in known.items() if key in wanted and row.state in others)
    for pks in batches(again):
        ChannelAlert.objects.filter(pk__in=pks, state__in=others).update(
            state=begins, message=None, cancelled_at=None, cancelled_because=""
        )
    return _cancel(channels, workspace=workspace, wanted=wanted, now=now, only=only)


def is_open(channel: Channel, *, law: Policy | None, policy: AlertPolicy, now: datetime) -> bool:
    """Whether a message may arrive now: in the working hours of a working day of the workspace that is not quiet."""
    local = now.astimezone(ZoneInfo(channel.workspace.time_zone))
    works = law is not None and law.calendar.is_working_day(local.date()) and not policy.is_quiet(local.date())
    return works and policy.begins <= local.time() < policy.ends


def plan(channel: Channel, *, policy: AlertPolicy, now: datetime) -> list[ChannelMessage]:
    """Make the messages of one channel that are due at `now`, while it is open: at most a digest, or else at most ten messages, or else one for all."""
    local = now.astimezone(ZoneInfo(channel.workspace.time_zone))
    today = local.date()
    digest_key = f"digest:{channel.pk}:{today.isoformat()}"
    with transaction.atomic():
        Channel.objects.select_for_update(no_key=True).get(pk=channel.pk)
        wants_digest = channel.tells != ChannelTells.IMMEDIATE
        has_digest = ChannelMessage.objects.filter(key=digest_key).exists()
        urgent = _urgent(channel)
        count = urgent.count()
        is_storm = count > 0 and count + _sent_lately(channel, now=now) > MOST_AT_ONCE
        if wants_digest and not has_digest and (is_storm or local.time() >= policy.digest_at):
            waiting = _waiting(channel)
            return [_gather(channel, kind=MailKind.DIGEST, key=digest_key, alerts=waiting, today=today, now=now)]
        if is_storm:
            key = uuid.uuid4().hex
            return [_gather(channel, kind=MailKind.SUMMARY, key=key, alerts=urgent, today=today, now=now)]
        free = list(urgent.filter(_is_free()).order_by("pk").values_list("pk", flat=True))
        return [
            _gather(
                channel,
                kind=MailKind.ALERT,
                key=uuid.uuid4().hex,
                alerts=ChannelAlert.objects.filter(pk=pk),
                today=today,
                now=now,
            )
            for pk in free
        ]


def _wanted(
    workspace: Workspace,
    *,
    channels: list[Channel],
    calendar: Calendar,
    policy: AlertPolicy,
    today: date,
    only: Collection[int] | None,
) -> dict[Key, ChannelAlert]:
    """Every row that holds today, unsaved, by its key."""
    wanted: dict[Key, ChannelAlert] = {}
    for row in ledger_rows.due_requests(workspace, policy=policy, today=today, only=only):
        for one in _told(row, calendar=calendar, policy=policy, today=today):
            for channel in channels:
                if not _is_for(channel, one=one):
                    continue
                alert = ChannelAlert(
                    channel=channel,
                    workspace=workspace,
                    dsr_id=row["pk"],
                    upstream_id=row["upstream_id"],
                    reference=row["reference"],
                    clock=one.clock,
                    threshold=one.threshold,
                    due_on=one.due_on,
                    fires_on=one.fires_on,
                    state=AlertState.DRY if policy.is_dry else AlertState.WAITING,
                )
                wanted[_key(alert)] = alert
    return wanted


def _told(row: dict[str, Any], *, calendar: Calendar, policy: AlertPolicy, today: date) -> list[Reached]:
    """Of each clock of a request the most urgent thing alone."""
    near, overdue = reached(ledger_rows.dates_of(row), calendar=calendar, today=today, thresholds=policy.thresholds)
    return [*overdue, *(one for one in near if not overdue or one.clock != AlertClock.RESPOND)]


def _is_for(channel: Channel, *, one: Reached) -> bool:
    return channel.tells != ChannelTells.IMMEDIATE or one.threshold.is_immediate


def _news(wanted: dict[Key, ChannelAlert], *, known: dict[Key, Known], policy: AlertPolicy) -> dict[Key, ChannelAlert]:
    """`wanted` without what is none, where the rules changed: they begin on their day, and the latest row that the channel has of a date stands for
    what they would have told before."""
    latest: dict[tuple[int, int, str, date], tuple[Key, Known]] = {}
    for key, row in known.items():
        other = latest.get(_about(key))
        if row.state != AlertState.CANCELLED and (other is None or row.fires_on > other[1].fires_on):
            latest[_about(key)] = (key, row)
    found: dict[Key, ChannelAlert] = {}
    for key, alert in wanted.items():
        last = latest.get(_about(key))
        since = policy.since.get(str(alert.threshold), date.min)
        if last is None or last[0] == key or (alert.fires_on > last[1].fires_on and alert.fires_on >= since):
            found[key] = alert
        else:
            found[last[0]] = alert
    return found


def _known(channels: list[Channel], *, wanted: dict[Key, ChannelAlert]) -> dict[Key, Known]:
    """The rows of the ledger for the channels and dates of what is wanted. One query."""
    days = {alert.due_on for alert in wanted.values()}
    if not days:
        return {}
    about = {_about(key) for key in wanted}
    rows = ChannelAlert.objects.filter(channel__in=channels, due_on__gte=min(days), due_on__lte=max(days))
    found: dict[Key, Known] = {}
    fields = ("channel_id", "upstream_id", "clock", "threshold", "due_on", "pk", "state", "fires_on")
    for channel_id, upstream_id, clock, threshold, due_on, pk, state, fires_on in rows.values_list(*fields):
        key = (channel_id, upstream_id, clock, threshold, due_on)
        if _about(key) in about:
            found[key] = Known(pk=pk, state=AlertState(state), threshold=threshold, fires_on=fires_on)
    return found


def _about(key: Key) -> tuple[int, int, str, date]:
    """A row's key without its threshold: one channel, one date of one request."""
    return (key[0], key[1], key[2], key[4])


def _raise(alerts: list[ChannelAlert], *, now: datetime) -> None:
    """Store what nobody else has stored meanwhile, in one short transaction."""
    for alert in alerts:
        alert.raised_at = now
    with transaction.atomic():
        reckoning.lock(alerts[0].workspace_id)  # as whoever forgets a request does: none goes away in between
        there = DataSubjectRequest.objects.filter(pk__in={alert.dsr_id for alert in alerts})
        living = set(there.values_list("pk", flat=True))
        ChannelAlert.objects.bulk_create([alert for alert in alerts if alert.dsr_id in living], ignore_conflicts=True)


def _cancel(
    channels: list[Channel],
    *,
    workspace: Workspace,
    wanted: dict[Key, ChannelAlert],
    now: datetime,
    only: Collection[int] | None,
) -> int:
    """Take back what nobody was told of and no longer holds."""
    untold = ChannelAlert.objects.filter(channel__in=channels, state__in=UNTOLD - {AlertState.CANCELLED})
    if only is not None:
        untold = untold.filter(upstream_id__in=only)
    over = [alert for alert in untold.order_by("pk") if _key(alert) not in wanted]
    held = {_about(key) for key in wanted} if over else set()
    rows = ledger_rows.requests_of(workspace, alerts=over)
    reasons: dict[CancelledBecause, list[int]] = {}
    for alert in over:
        is_held = _about(_key(alert)) in held
        reason = ledger_rows.why_over(alert, row=rows.get(alert.upstream_id), is_held=is_held) or CancelledBecause.RULES
        reasons.setdefault(reason, []).append(alert.pk)
    count = 0
    for reason, pks in reasons.items():
        for some in batches(pks):
            still = ChannelAlert.objects.filter(pk__in=some, state__in=UNTOLD - {AlertState.CANCELLED})
            count += still.update(state=AlertState.CANCELLED, cancelled_at=now, cancelled_because=reason)
    return count


def _waiting(channel: Channel) -> QuerySet[ChannelAlert]:
    """The channel's rows that no message has carried, but for those in the hands of a sender."""
    is_sending = Q(message__state=MessageState.WAITING, message__lease_until__gt=timezone.now())
    return ChannelAlert.objects.filter(channel=channel, state=AlertState.WAITING).exclude(is_sending)


def _is_free() -> Q:
    return Q(message=None) | Q(message__state=MessageState.CANCELLED)


def _urgent(channel: Channel) -> QuerySet[ChannelAlert]:
    """What cannot wait and is not in a message for many that still waits to go; nothing for a channel that only gets digests."""
    if channel.tells == ChannelTells.DIGEST:
        return ChannelAlert.objects.none()
    in_digest = Q(message__kind__in=(MailKind.DIGEST, MailKind.SUMMARY), message__state=MessageState.WAITING)
    return _waiting(channel).filter(IMMEDIATE).exclude(in_digest)


def _sent_lately(channel: Channel, *, now: datetime) -> int:
    sent = ChannelAlert.objects.filter(channel=channel, message__kind__in=(MailKind.ALERT, MailKind.SUMMARY))
    return sent.filter(state=AlertState.SENT, sent_at__gt=now - AT_ONCE).count()


def _gather(
    channel: Channel, *, kind: MailKind, key: str, alerts: QuerySet[ChannelAlert], today: date, now: datetime
) -> ChannelMessage:
    """A new message with these rows; the messages that they waited in until now, if no sender has them, are no longer needed."""
    message = ChannelMessage.objects.create(channel=channel, kind=kind, key=key, on=today, created_at=now)
    pks = list(alerts.values_list("pk", flat=True))
    former = ChannelMessage.objects.filter(channel=channel, state=MessageState.WAITING).exclude(pk=message.pk)
    if kind != MailKind.DIGEST:
        former = former.filter(alerts__in=pks)
    is_free = Q(lease_until=None) | Q(lease_until__lte=timezone.now())
    free = list(former.filter(is_free).values_list("pk", flat=True))
    unsent = ChannelMessage.objects.filter(is_free, pk__in=free, state=MessageState.WAITING)
    unsent.update(state=MessageState.CANCELLED, settled_at=now)
    # What a sender has taken up a moment ago stays with that message.
    taken = list(ChannelAlert.objects.filter(_is_free(), pk__in=pks).values_list("pk", flat=True))
    ChannelAlert.objects.filter(pk__in=taken).update(message=message)
    return message


def _key(alert: ChannelAlert) -> Key:
    return (alert.channel_id, alert.upstream_id, str(alert.clock), str(alert.threshold), alert.due_on)
