"""One mail, from the row to the server: check, claim, send, note. Called by `sending.py`.

No transaction is open while Dastra or the mail server is spoken to. Who is killed after the server took the mail and before that was noted leaves a
lease that runs out: the mail goes once more, under the same Message-ID.
"""

from __future__ import annotations

import logging
import secrets
import smtplib
from collections.abc import Collection
from datetime import datetime, timedelta
from enum import StrEnum

from django.core.mail import EmailMultiAlternatives, get_connection
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from dsrportal.alerts import letters
from dsrportal.alerts.checking import Checker, read_at
from dsrportal.alerts.desks import Desk
from dsrportal.alerts.listing import listed
from dsrportal.models import Alert, Mail
from dsrportal.models.alerts import AlertState, MailKind, MailState

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=30)
LONGEST_REST_MINUTES = 60
NEVER = 500
"""From this answer on, a mail server means it for good."""


class Outcome(StrEnum):
    """What became of one try. `broken`: the server itself cannot be used at the moment."""

    SENT = "sent"
    CANCELLED = "cancelled"
    BUSY = "busy"
    REFUSED = "refused"
    BROKEN = "broken"


def deliver(mail: Mail, *, desk: Desk, checker: Checker, now: datetime) -> Outcome:
    """Try to send one mail. Never raises for what a mail server may do."""
    unchecked = _check(mail, desk=desk, checker=checker, now=now)
    token = _claim(mail)
    if token is None:
        return Outcome.BUSY
    waiting = Alert.objects.filter(mail=mail, state=AlertState.WAITING, workspace__in=desk.workspaces)
    alerts = list(waiting.order_by("pk"))
    with letters.reading_in(desk):
        letter = letters.compose(mail, desk=desk, alerts=alerts, unchecked=unchecked, now=now)
        if not letter.sections and not (mail.kind == MailKind.DIGEST and desk.managed):
            _settle(mail, state=MailState.CANCELLED, desk=desk, now=now)
            return Outcome.CANCELLED
        message = letters.message(mail, letter=letter, language=letters.language_of(desk))
    if not _hold(mail, token=token):
        return Outcome.BUSY
    try:
        _send(message)
    except (OSError, smtplib.SMTPException) as error:
        return _failed(mail, error=error, token=token, now=now)
    _settle(mail, state=MailState.SENT, desk=desk, now=now, told=alerts, unchecked=unchecked)
    return Outcome.SENT


def _send(message: EmailMultiAlternatives) -> None:
    message.connection = get_connection(fail_silently=False)
    message.send()


def _check(mail: Mail, *, desk: Desk, checker: Checker, now: datetime) -> set[int]:
    """Ask Dastra for what the mail will tell. Returns the keys of workspaces that could not be asked."""
    wanted: dict[int, set[int]] = {}
    alerts = Alert.objects.filter(mail=mail, state=AlertState.WAITING)
    for workspace_id, upstream_id in alerts.values_list("workspace_id", "upstream_id"):
        wanted.setdefault(workspace_id, set()).add(upstream_id)
    if mail.kind == MailKind.DIGEST:
        for one in listed(desk, now=now):
            wanted.setdefault(one.workspace.pk, set()).add(one.upstream_id)
    return {
        workspace.pk
        for workspace in desk.workspaces
        if workspace.pk in wanted and not checker.check(workspace, upstream_ids=wanted[workspace.pk])
    }


def _claim(mail: Mail) -> str | None:
    """Take the mail for half a minute, by the real clock; None while another has it or when it has gone."""
    token, moment = secrets.token_hex(16), timezone.now()
    is_free = Q(lease_until=None) | Q(lease_until__lte=moment)
    taken = Mail.objects.filter(is_free, pk=mail.pk, state=MailState.WAITING).update(
        lease_token=token, lease_until=moment + LEASE, attempts=F("attempts") + 1
    )
    return token if taken else None


def _hold(mail: Mail, *, token: str) -> bool:
    """Take half a minute anew, for the sending itself. False: writing the mail took so long that another has it by now."""
    mine = Mail.objects.filter(pk=mail.pk, lease_token=token, state=MailState.WAITING)
    return mine.update(lease_until=timezone.now() + LEASE) > 0


def _settle(
    mail: Mail,
    *,
    state: MailState,
    desk: Desk,
    now: datetime,
    told: Collection[Alert] = (),
    unchecked: Collection[int] = (),
) -> None:
    """Note how it ended, with the alerts that it `told`, in one transaction. What it was to tell of a workspace that was disabled meanwhile waits on."""
    with transaction.atomic():
        if not Mail.objects.filter(pk=mail.pk, state=MailState.WAITING).update(
            state=state, settled_at=now, lease_until=None, last_error=""
        ):
            return
        waiting = Alert.objects.filter(mail=mail, state=AlertState.WAITING)
        waiting.exclude(workspace__in=desk.workspaces).update(mail=None)
        if state != MailState.SENT:
            return
        waiting = waiting.filter(pk__in=[alert.pk for alert in told])
        read = read_at(desk.workspaces, now=now)
        for workspace_id in unchecked:
            waiting.filter(workspace_id=workspace_id).update(was_unchecked=True, unchecked_since=read[workspace_id])
        waiting.update(state=AlertState.SENT, sent_at=now)


def _failed(mail: Mail, *, error: Exception, token: str, now: datetime) -> Outcome:
    """Note a failure by its kind and code: the server's own words may name somebody."""
    code = _code(error)
    words = type(error).__name__ + (f" {code}" if code else "")
    mine = Mail.objects.filter(pk=mail.pk, lease_token=token, state=MailState.WAITING)
    if isinstance(error, smtplib.SMTPRecipientsRefused) and code >= NEVER:
        with transaction.atomic():
            mine.update(state=MailState.FAILED, settled_at=now, lease_until=None, last_error=words)
            Alert.objects.filter(mail=mail, state=AlertState.WAITING).update(state=AlertState.PORTAL)
        logger.warning("the mail server refuses mail %d for good: %s", mail.pk, words)
        return Outcome.REFUSED
    attempts = Mail.objects.values_list("attempts", flat=True).get(pk=mail.pk)
    rest = timedelta(minutes=min(2 ** min(attempts - 1, 6), LONGEST_REST_MINUTES))
    mine.update(lease_until=None, not_before=timezone.now() + rest, last_error=words)
    logger.warning("mail %d could not be sent: %s", mail.pk, words)
    return Outcome.BROKEN


def _code(error: Exception) -> int:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return min((code for code, _words in error.recipients.values()), default=0)
    return int(error.smtp_code) if isinstance(error, smtplib.SMTPResponseException) else 0
