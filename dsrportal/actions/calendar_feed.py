"""A person's own calendar feed: its secret address is made, replaced and revoked. Called by the account's page; the feed itself is a query's."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime

from django.db import transaction

from dsrportal.models import AuditEvent, CalendarFeed, User
from dsrportal.models.audit import Operation
from dsrportal.models.feeds import FeedScope


def make_address(*, by: User, scope: FeedScope, language: str, now: datetime) -> str:
    """A new token for the person's feed; the one before ends at once. It is returned this once and kept as a hash alone."""
    token = secrets.token_urlsafe(32)
    made = {"token_digest": digest_of(token), "scope": scope, "language": language, "made_at": now}
    with transaction.atomic():
        CalendarFeed.objects.update_or_create(user=by, defaults=made)
        _audit(Operation.FEED_MADE, by=by, scope=scope, now=now)
    return token


def choose_scope(*, by: User, scope: FeedScope, now: datetime) -> bool:
    """Change whose requests the feed holds; the address stays. False where the person has no feed."""
    with transaction.atomic():
        changed = CalendarFeed.objects.filter(user=by).update(scope=scope)
        if changed:
            _audit(Operation.FEED_CHANGED, by=by, scope=scope, now=now)
    return bool(changed)


def revoke(*, by: User, now: datetime) -> None:
    """End the address. Does nothing where there is none."""
    with transaction.atomic():
        deleted, _by_model = CalendarFeed.objects.filter(user=by).delete()
        if deleted:
            _audit(Operation.FEED_REVOKED, by=by, scope="", now=now)


def feed_of(token: str) -> CalendarFeed | None:
    """The feed behind a token, while its person may sign in. Looked up by its hash, so that the time it takes tells nothing of the token."""
    found = CalendarFeed.objects.filter(token_digest=digest_of(token), user__is_active=True)
    return found.select_related("user").first()


def digest_of(token: str) -> str:
    """What is kept of a token. One of 32 random bytes needs no slow hash."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _audit(operation: Operation, *, by: User, scope: str, now: datetime) -> None:
    details = {"scope": str(scope)} if scope else {}
    AuditEvent.objects.create(at=now, by=by, operation=operation, outcome="done", details=details)
