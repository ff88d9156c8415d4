"""What a person does with the notices behind the bell. Called by `views.notices`."""

from __future__ import annotations

from datetime import datetime

from dsrportal.models import Notice, User


def mark_read(person: User, *, newest: int, now: datetime) -> int:
    """The person has read their notices up to the key `newest`. Returns how many were unread."""
    return Notice.objects.filter(person=person, pk__lte=newest, read_at=None).update(read_at=now)
