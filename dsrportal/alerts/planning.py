"""Alerts that wait -> mails that are to go: the digest of the day, a mail for what cannot wait, one for many at once. Called by `sending.py`.

Writes the rows of mails alone; nothing is sent here. Planned twice, or by two at once, it is the same mails.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from dsrportal.alerts.desks import Desk
from dsrportal.alerts.listing import has_anything
from dsrportal.models import Alert, Mail, User
from dsrportal.models.alerts import AlertState, MailKind, MailState
from dsrportal.models.thresholds import IMMEDIATE

MOST_AT_ONCE = 10
AT_ONCE = timedelta(minutes=15)


def plan(desk: Desk, *, now: datetime) -> list[Mail]:
    """Make the mails of one person that are due at `now`: at most a digest, or else at most ten mails, or else one for all."""
    if not desk.is_at_work(now):
        return []
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=desk.person.pk)
        urgent = _urgent(desk, now=now)
        count = urgent.count()
        is_storm = count > 0 and count + _sent_lately(desk.person, now=now) > MOST_AT_ONCE
        may_have_digest = not desk.skips_digest and not _has_digest(desk, now=now)
        if may_have_digest and (is_storm or desk.is_digest_time(now)):
            mail = _digest(desk, now=now)
            return [mail] if mail else []
        if is_storm:
            return [_gather(desk, kind=MailKind.SUMMARY, key=uuid.uuid4().hex, alerts=urgent, now=now)]
        free = urgent.filter(_is_free())
        return [
            _gather(desk, kind=MailKind.ALERT, key=uuid.uuid4().hex, alerts=Alert.objects.filter(pk=pk), now=now)
            for pk in list(free.order_by("pk").values_list("pk", flat=True))
        ]


def _waiting(desk: Desk, *, now: datetime) -> QuerySet[Alert]:
    """The person's alerts that no mail has carried, but for those in the hands of a sender, and of a workspace that is quiet today."""
    is_sending = Q(mail__state=MailState.WAITING, mail__lease_until__gt=timezone.now())
    waiting = Alert.objects.filter(person=desk.person, workspace__in=desk.awake(now), state=AlertState.WAITING)
    return waiting.exclude(is_sending)


def _is_free() -> Q:
    return Q(mail=None) | Q(mail__state=MailState.CANCELLED)


def _urgent(desk: Desk, *, now: datetime) -> QuerySet[Alert]:
    """What interrupts and is not in a digest that still waits to go."""
    in_digest = Q(mail__kind__in=(MailKind.DIGEST, MailKind.SUMMARY), mail__state=MailState.WAITING)
    return _waiting(desk, now=now).filter(IMMEDIATE).exclude(in_digest)


def _sent_lately(person: User, *, now: datetime) -> int:
    sent = Alert.objects.filter(person=person, mail__kind__in=(MailKind.ALERT, MailKind.SUMMARY))
    return sent.filter(state=AlertState.SENT, sent_at__gt=now - AT_ONCE).count()


def _has_digest(desk: Desk, *, now: datetime) -> bool:
    return Mail.objects.filter(key=_digest_key(desk, now=now)).exists()


def _digest_key(desk: Desk, *, now: datetime) -> str:
    return f"digest:{desk.person.pk}:{desk.today(now).isoformat()}"


def _digest(desk: Desk, *, now: datetime) -> Mail | None:
    """The digest takes with it whatever waits, also in mails that could not be sent. Who answers for a workspace gets one each working day, since
    hearing nothing would prove nothing; others when there is something in it."""
    waiting = _waiting(desk, now=now)
    if not desk.managed and not waiting.exists() and not has_anything(desk, now=now):
        return None
    return _gather(desk, kind=MailKind.DIGEST, key=_digest_key(desk, now=now), alerts=waiting, now=now)


def _gather(desk: Desk, *, kind: MailKind, key: str, alerts: QuerySet[Alert], now: datetime) -> Mail:
    """A new mail with these alerts; the mails that they waited in until now, if no sender has them, are no longer needed."""
    host = urlsplit(settings.PORTAL_URL).hostname or "localhost"
    mail = Mail.objects.create(
        person=desk.person,
        kind=kind,
        key=key,
        on=desk.today(now),
        message_id=f"<{uuid.uuid4().hex}@{host}>",
        created_at=now,
        not_before=now,
    )
    pks = list(alerts.values_list("pk", flat=True))
    former = Mail.objects.filter(alerts__in=pks).values_list("pk", flat=True)
    if kind == MailKind.DIGEST:
        former = Mail.objects.filter(person=desk.person).exclude(pk=mail.pk).values_list("pk", flat=True)
    is_free = Q(lease_until=None) | Q(lease_until__lte=timezone.now())
    unsent = Mail.objects.filter(is_free, pk__in=set(former), state=MailState.WAITING)
    unsent.update(state=MailState.CANCELLED, settled_at=now)
    # What a sender has taken up a moment ago stays with that mail.
    taken = Alert.objects.filter(_is_free(), pk__in=pks).values_list("pk", flat=True)
    Alert.objects.filter(pk__in=list(taken)).update(mail=mail)
    return mail
