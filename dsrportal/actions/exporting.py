"""Taking a list out of the portal: written down, and one at a time for each person. Called by the register's view; reads no row itself."""

from __future__ import annotations

from datetime import datetime

from django.core.cache import cache

from dsrportal.models import AuditEvent, Membership
from dsrportal.models.audit import Operation

LONGEST_SECONDS = 900
"""After this an export whose end nobody noted no longer stands in the way of the next."""


def begin(by: Membership) -> bool:
    """Whether this person's export may begin: not while another one of theirs is on its way."""
    return cache.add(_key(by), 1, timeout=LONGEST_SECONDS)


def end(by: Membership) -> None:
    """Let the person's next one begin."""
    cache.delete(_key(by))


def note(by: Membership, *, file_format: str, count: int, with_identity: bool, now: datetime) -> None:
    """Write down who took how many requests, and whether with names; never which question, which may tell of a person."""
    AuditEvent.objects.create(
        at=now,
        by=by.user,
        workspace=by.workspace,
        operation=Operation.EXPORT,
        outcome="begun",
        details={"format": file_format, "count": count, "identity": with_identity},
    )


def _key(by: Membership) -> str:
    return f"export-{by.user_id}"
