"""Fields that Dastra sends otherwise than documented, counted for the admin: which field and what is odd, never a value.

Called by `store.py` with every answer that is stored, and by `passes.py`, which ends notes that a complete pass did not meet again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import F

from dsrportal.dastra import schema
from dsrportal.models import DriftNote, Workspace

LONGEST_NOTE = 120
MOST_NOTES = 200
"""Of one answer: a server that invents a field name for each row may not fill the table."""


def note(workspace: Workspace, dsrs: Iterable[schema.DataSubjectRequest], *, now: datetime) -> None:
    """Count the oddities of these answers, each once a request."""
    counts = Counter(text[:LONGEST_NOTE] for dsr in dsrs for text in dsr.drift)
    if not counts:
        return
    with transaction.atomic():
        notes = DriftNote.objects.filter(workspace=workspace)
        known = set(notes.filter(note__in=counts).values_list("note", flat=True))
        room = MOST_NOTES - notes.count()
        new = sorted(counts.keys() - known)[: max(0, room)]
        DriftNote.objects.bulk_create(
            (DriftNote(workspace=workspace, note=text, count=0, first_seen_at=now, last_seen_at=now) for text in new),
            ignore_conflicts=True,
        )
        for text in sorted({*known, *new}):
            notes.filter(note=text).update(count=F("count") + counts[text], last_seen_at=now)


def drop(workspace: Workspace, *, last_seen_before: datetime) -> None:
    """After a complete pass: what it did not meet again is over."""
    DriftNote.objects.filter(workspace=workspace, last_seen_at__lt=last_seen_before).delete()
