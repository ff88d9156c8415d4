"""When Dastra cannot be read for long: one notice for each admin and outage, and no guesses meanwhile. Called by the job `watch_mirrors` and by
`raising.py`. Reads what the pulls noted; asks nobody.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings

from dsrportal.alerts import notes
from dsrportal.models import SyncLane, Workspace
from dsrportal.models.alerts import NoticeKind
from dsrportal.queries import freshness
from dsrportal.queries.freshness import Level


def tell_of_outages(*, now: datetime) -> int:
    """Tell the admins of each workspace whose data is too old, once for the whole outage, and end the notice when it was read again; returns how
    many notices are new. Run twice, the second finds them told."""
    lanes = list(SyncLane.objects.all())
    return sum(_judge(workspace, lanes=lanes, now=now) for workspace in Workspace.objects.order_by("pk"))


def guesses(workspace: Workspace, *, now: datetime) -> bool:
    """Whether what the portal knows of a workspace is a guess: Dastra refuses or does not answer, and the last read is older than three intervals.
    Then nobody is interrupted for a request; the digest says how old its data is. One query."""
    judged = freshness.of_workspace(workspace, lanes=SyncLane.objects.filter(workspace=workspace), now=now)
    return judged.level == Level.UNREAD and judged.read_at is not None and _is_old(judged.read_at, now=now)


def _judge(workspace: Workspace, *, lanes: list[SyncLane], now: datetime) -> int:
    read_at = freshness.of_workspace(workspace, lanes=lanes, now=now).read_at
    last = read_at or workspace.created_at
    key = f"stale:{workspace.pk}:{last.isoformat()}"
    over = notes.open_keys(kind=NoticeKind.STALE, workspace=workspace)
    if workspace.is_enabled and _is_old(last, now=now):
        facts = {"read_at": read_at.isoformat()} if read_at else {}
        told = notes.tell(
            notes.admins_of(workspace), kind=NoticeKind.STALE, key=key, workspace=workspace, now=now, facts=facts
        )
        over.discard(key)
    else:
        told = 0
    again = {"again_at": read_at.isoformat()} if read_at and workspace.is_enabled else {}
    for old in sorted(over):
        notes.end(key=old, now=now, facts=again)
    return told


def _is_old(last: datetime, *, now: datetime) -> bool:
    return now - last > timedelta(minutes=settings.FRESHNESS_MINUTES)
