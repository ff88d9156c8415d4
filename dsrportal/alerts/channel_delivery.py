"""Messages of channels, from the row to the post: plan, check, claim, post, note. Called by `sending.py` with each run, and for test messages.

No transaction is open while Dastra or a channel is spoken to. Who is killed after the channel took the message and before that was noted leaves a lease
that runs out: the message goes once more, under the same delivery id.
"""

from __future__ import annotations

import logging
import secrets
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from dsrportal.alerts import channel_letters, posts
from dsrportal.alerts.channels import is_open, plan
from dsrportal.alerts.checking import Checker, read_at
from dsrportal.alerts.listing import listed_in
from dsrportal.alerts.markup import Message
from dsrportal.alerts.posts import PostFailedError
from dsrportal.clocks import Policy
from dsrportal.credentials import CannotDecryptError
from dsrportal.models import Channel, ChannelAlert, ChannelMessage
from dsrportal.models.alert_rules import alert_policies_of
from dsrportal.models.alerts import AlertState, MailKind
from dsrportal.models.channels import ChannelKind, MessageState
from dsrportal.models.rules import policies_of

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=30)
LONGEST_REST_MINUTES = 60
SEALED = "sealed"
"""The code of a failure to open the address with CREDENTIAL_KEYS."""


def send_to_channels(*, now: datetime, checker: Checker, insist: bool = False) -> int:
    """Plan and post what is due at `now` for every channel; returns how many messages went. `insist`: also where a channel rests after a failure."""
    channels = list(
        Channel.objects.filter(disabled_at=None, workspace__disabled_at=None).select_related("workspace").order_by("pk")
    )
    workspaces = {channel.workspace_id: channel.workspace for channel in channels}
    laws, policies = policies_of(list(workspaces.values())), alert_policies_of(list(workspaces.values()))
    count = 0
    for channel in channels:
        law, policy = laws[channel.workspace_id], policies[channel.workspace_id]
        if policy.is_dry or not is_open(channel, law=law, policy=policy, now=now):
            continue
        plan(channel, policy=policy, now=now)
        if _rests(channel) and not insist:
            continue
        waiting = ChannelMessage.objects.filter(channel=channel, state=MessageState.WAITING)
        for message in waiting.order_by("pk"):
            try:
                is_over = deliver(message, channel=channel, law=law, checker=checker, now=now)
            except Exception:
                # One message that cannot be written delays no other; it stays in the list and is tried again.
                logger.exception("message %d of channel %d could not be made", message.pk, channel.pk)
                continue
            if is_over is None:
                break
            count += is_over
    return count


def deliver(
    message: ChannelMessage, *, channel: Channel, law: Policy | None, checker: Checker, now: datetime
) -> bool | None:
    """Try to post one message. True: it went; False: it did not have to, or somebody else has it; None: the channel did not take it."""
    is_checked = _check(message, channel=channel, law=law, checker=checker, now=now)
    token = _claim(message)
    if token is None:
        return False
    alerts = list(ChannelAlert.objects.filter(message=message, state=AlertState.WAITING).order_by("pk"))
    if message.kind != MailKind.DIGEST and not alerts:
        _settle(message, state=MessageState.CANCELLED, now=now)
        return False
    with channel_letters.reading_in(channel):
        letter = channel_letters.compose(
            message, channel=channel, law=law, alerts=alerts, is_unchecked=not is_checked, now=now
        )
    if not _hold(message, token=token):
        return False
    try:
        _post(letter, channel=channel, delivery_id=str(message.delivery_id))
    except PostFailedError as error:
        ChannelMessage.objects.filter(pk=message.pk, lease_token=token, state=MessageState.WAITING).update(
            lease_until=None, last_error=error.code
        )
        note_failure(channel, code=error.code)
        return None
    note_success(channel)
    _settle(message, state=MessageState.SENT, now=now, channel=channel, is_checked=is_checked)
    return True


def test(channel: Channel, *, now: datetime) -> str:
    """Post a test message now. Returns "" when it was taken, else the code of what went wrong; the channel notes either."""
    with channel_letters.reading_in(channel):
        letter = channel_letters.test_message(channel, now=now)
    try:
        _post(letter, channel=channel, delivery_id=f"test-{secrets.token_hex(8)}")
    except PostFailedError as error:
        note_failure(channel, code=error.code)
        return error.code
    note_success(channel)
    return ""


def note_success(channel: Channel) -> None:
    """It took a message: it need not rest."""
    Channel.objects.filter(pk=channel.pk).update(last_success_at=timezone.now(), failures=0, rest_until=None)


def note_failure(channel: Channel, *, code: str) -> None:
    """It took none: it rests for 1, 2, 4 … 60 minutes, by the real clock. The code alone is kept and logged."""
    moment = timezone.now()
    with transaction.atomic():
        row = Channel.objects.select_for_update(no_key=True).get(pk=channel.pk)
        row.failures = min(row.failures + 1, 1000)
        row.rest_until = moment + timedelta(minutes=min(2 ** min(row.failures - 1, 6), LONGEST_REST_MINUTES))
        row.last_failure_at, row.last_failure = moment, code
        row.save(update_fields=["failures", "rest_until", "last_failure_at", "last_failure"])
    logger.warning("channel %d took no message: %s", channel.pk, code)


def _post(letter: Message, *, channel: Channel, delivery_id: str) -> None:
    try:
        url, key = channel.read_url(), channel.read_signing_key()
    except CannotDecryptError:
        raise PostFailedError(SEALED) from None
    posts.send(letter, kind=ChannelKind(channel.kind), url=url, delivery_id=delivery_id, signing_key=key)


def _rests(channel: Channel) -> bool:
    return channel.rest_until is not None and channel.rest_until > timezone.now()


def _check(message: ChannelMessage, *, channel: Channel, law: Policy | None, checker: Checker, now: datetime) -> bool:
    """Ask Dastra for what the message will tell. False: it could not be asked."""
    alerts = ChannelAlert.objects.filter(message=message, state=AlertState.WAITING)
    wanted = set(alerts.values_list("upstream_id", flat=True))
    if message.kind == MailKind.DIGEST:
        wanted |= {one.upstream_id for one in listed_in(channel.workspace, policy=law, now=now)}
    return not wanted or checker.check(channel.workspace, upstream_ids=wanted)


def _claim(message: ChannelMessage) -> str | None:
    """Take the message for half a minute, by the real clock; None while another has it or when it has gone."""
    token, moment = secrets.token_hex(16), timezone.now()
    is_free = Q(lease_until=None) | Q(lease_until__lte=moment)
    taken = ChannelMessage.objects.filter(is_free, pk=message.pk, state=MessageState.WAITING).update(
        lease_token=token, lease_until=moment + LEASE, attempts=F("attempts") + 1
    )
    return token if taken else None


def _hold(message: ChannelMessage, *, token: str) -> bool:
    """Take half a minute anew, for the post itself. False: writing the message took so long that another has it by now."""
    mine = ChannelMessage.objects.filter(pk=message.pk, lease_token=token, state=MessageState.WAITING)
    return mine.update(lease_until=timezone.now() + LEASE) > 0


def _settle(
    message: ChannelMessage,
    *,
    state: MessageState,
    now: datetime,
    channel: Channel | None = None,
    is_checked: bool = True,
) -> None:
    """Note how it ended, with its alerts, in one transaction."""
    with transaction.atomic():
        settled = ChannelMessage.objects.filter(pk=message.pk, state=MessageState.WAITING).update(
            state=state, settled_at=now, lease_until=None, last_error=""
        )
        if not settled or channel is None:
            return
        waiting = ChannelAlert.objects.filter(message=message, state=AlertState.WAITING)
        if not is_checked:
            since = read_at([channel.workspace], now=now)[channel.workspace_id]
            waiting.update(was_unchecked=True, unchecked_since=since)
        waiting.update(state=AlertState.SENT, sent_at=now)
