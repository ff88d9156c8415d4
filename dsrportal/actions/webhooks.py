"""The door for what Dastra posts: an admin makes, rotates and revokes its address, and `receive` says what comes in.

Called by the views of hooks. An event is kept before anything else happens to it; reading is a job's. Never stores or logs a body, a token
or a key, and trusts no payload.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from dsrportal.actions.addresses import checked_secret
from dsrportal.actions.refusals import WorkspaceError
from dsrportal.credentials import CannotDecryptError
from dsrportal.dastra import webhooks as wire
from dsrportal.dastra.webhooks import SIGNATURE_HEADER
from dsrportal.models import AuditEvent, User, WebhookEvent, WebhookReceiver, Workspace
from dsrportal.models.audit import Operation

__all__ = [
    "LARGEST_BODY",
    "SIGNATURE_HEADER",
    "Reception",
    "Verdict",
    "keep_key",
    "make_address",
    "receive",
    "receiver_of",
    "revoke",
]

logger = logging.getLogger(__name__)

LARGEST_BODY = 1_000_000
"""Bytes of one post; more is refused unread."""

REPEATED_WITHIN = timedelta(hours=1)
"""The same bytes again within this time are the same event."""

WAKE_LASTS = timedelta(minutes=1)
"""For so long one queued job is trusted to come and read; then the next event queues another."""


class Verdict(Enum):
    """What became of a post."""

    UNKNOWN = auto()
    REFUSED = auto()
    TAKEN = auto()


@dataclass(frozen=True, kw_only=True, slots=True)
class Reception:
    """What became of a post, and whether a job is to be queued for the receiver's events."""

    verdict: Verdict
    receiver_id: int | None = None
    wakes: bool = False


def make_address(workspace: Workspace, *, by: User, now: datetime) -> str:
    """A new token for the workspace's address; the one before ends at once. It is returned this once and kept as a hash alone."""
    token = secrets.token_urlsafe(32)
    made = {"token_digest": _digest_of(token), "token_made_at": now}
    with transaction.atomic():
        WebhookReceiver.objects.update_or_create(workspace=workspace, defaults=made)
        _audit(workspace, operation=Operation.WEBHOOK_ADDRESS_MADE, by=by, now=now)
    return token


def keep_key(workspace: Workspace, *, key: str, by: User, now: datetime) -> None:
    """Seal the validation key that Dastra shows for the webhook. Raises `WorkspaceError` without an address, or for what is no key."""
    receiver = WebhookReceiver.objects.filter(workspace=workspace).first()
    if receiver is None:
        raise WorkspaceError(_("Make the address first, and enter it in Dastra."))
    receiver.set_signature_key(checked_secret(key))
    receiver.signature_key_set_at = now
    with transaction.atomic():
        receiver.save(update_fields=["signature_key_sealed", "signature_key_set_at"])
        _audit(workspace, operation=Operation.WEBHOOK_KEY_SET, by=by, now=now)


def revoke(workspace: Workspace, *, by: User, now: datetime) -> None:
    """End the address and forget its key and events. Does nothing where there is none."""
    with transaction.atomic():
        deleted, _by_model = WebhookReceiver.objects.filter(workspace=workspace).delete()
        if deleted:
            _audit(workspace, operation=Operation.WEBHOOK_REVOKED, by=by, now=now)


def receiver_of(token: str) -> WebhookReceiver | None:
    """The receiver behind a token. Looked up by its hash, so that the time it takes tells nothing of the token."""
    return WebhookReceiver.objects.filter(token_digest=_digest_of(token)).first()


def receive(receiver: WebhookReceiver, *, body: bytes, signature: str, now: datetime) -> Reception:
    """Keep the event of a post whose signature is right; the same number of queries for each. Speaks to nobody."""
    try:
        key = receiver.read_signature_key()
    except CannotDecryptError:
        key = ""
        logger.exception("the validation key of receiver %d cannot be opened with CREDENTIAL_KEYS", receiver.pk)
    digest = wire.digest_of(body, key=key)
    mine = WebhookReceiver.objects.filter(pk=receiver.pk)
    if not wire.is_signed(digest, signature=signature) or not key:
        mine.update(refused_count=F("refused_count") + 1, last_refused_at=now)
        return Reception(verdict=Verdict.REFUSED)
    event = wire.read_event(body)
    taken = Reception(verdict=Verdict.TAKEN, receiver_id=receiver.pk)
    with transaction.atomic():
        same = WebhookEvent.objects.filter(receiver=receiver, digest=digest, received_at__gt=now - REPEATED_WITHIN)
        if same.exists():
            mine.update(repeated_count=F("repeated_count") + 1)
            return taken
        WebhookEvent.objects.create(
            receiver=receiver,
            event_type=event.event_type,
            is_known=event.is_known,
            upstream_id=event.upstream_id,
            sent_at=event.sent_at,
            received_at=now,
            digest=digest,
        )
        mine.update(last_heard_at=now, first_heard_at=Coalesce("first_heard_at", now))
        is_asleep = Q(woken_at=None) | Q(woken_at__lte=now - WAKE_LASTS)
        wakes = bool(mine.filter(is_asleep).update(woken_at=now))
    return Reception(verdict=Verdict.TAKEN, receiver_id=receiver.pk, wakes=wakes)


def _digest_of(token: str) -> str:
    # A token of 32 random bytes needs no slow hash.
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _audit(workspace: Workspace, *, operation: Operation, by: User, now: datetime) -> None:
    AuditEvent.objects.create(at=now, by=by, workspace=workspace, operation=operation, outcome="done")
