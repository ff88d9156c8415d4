"""Reads what a mail is about to tell once more in Dastra, so that nobody is warned of what was closed a minute ago. Called by `delivery.py`.

Dastra that cannot be asked is no reason for silence: the mail then says since when nothing was checked.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import cast

from django.conf import settings
from django.utils import timezone

from dsrportal.alerts.raising import decide
from dsrportal.dastra.errors import DastraError
from dsrportal.mirror import connections, refresh
from dsrportal.models import Lane, SyncLane, Workspace

FRESH_SECONDS = 60
REST_SECONDS = 60


class Checker:
    """One run's memory of what was asked: a request at most once a minute, and a workspace that did not answer not again within the next."""

    def __init__(self, *, now: datetime) -> None:
        self._now = now
        self._asked: dict[tuple[int, int], float] = {}
        self._failed: dict[int, float] = {}
        self.cancelled = 0

    def check(self, workspace: Workspace, *, upstream_ids: Collection[int]) -> bool:
        """Read these requests anew and cancel what no longer holds. False: Dastra could not be asked for all of them."""
        moment = time.monotonic()
        if moment - self._failed.get(workspace.pk, -REST_SECONDS) < REST_SECONDS:
            return False
        wanted = {one for one in upstream_ids if not self._is_fresh(workspace.pk, one, moment=moment)}
        if not wanted:
            return True
        is_reached = self._read(workspace, upstream_ids=wanted)
        self.cancelled += decide(workspace, now=self._now, only=wanted).cancelled
        return is_reached

    def _read(self, workspace: Workspace, *, upstream_ids: set[int]) -> bool:
        if not workspace.is_enabled:
            return False
        try:
            with connections.connect(workspace) as client:
                # The rows are stamped by the real clock, whatever moment the run is told to be.
                refresh.refresh_requests(workspace, upstream_ids=upstream_ids, client=client, now=timezone.now())
        except DastraError:
            self._failed[workspace.pk] = time.monotonic()
            return False
        self._asked |= dict.fromkeys(((workspace.pk, one) for one in upstream_ids), time.monotonic())
        return True

    def _is_fresh(self, workspace_id: int, upstream_id: int, *, moment: float) -> bool:
        return moment - self._asked.get((workspace_id, upstream_id), -FRESH_SECONDS) < FRESH_SECONDS


def read_at(workspaces: Iterable[Workspace], *, now: datetime) -> dict[int, datetime | None]:
    """When all open requests of each workspace were last read, by its key; never after `now`. One query."""
    found: dict[int, datetime | None] = {workspace.pk: None for workspace in workspaces}
    lanes = SyncLane.objects.filter(
        workspace__in=found, lane__in=(Lane.ACTIVE, Lane.FULL), last_success_at__isnull=False
    )
    for workspace_id, success_at in lanes.values_list("workspace_id", "last_success_at"):
        latest, at = found[workspace_id], min(cast("datetime", success_at), now)
        found[workspace_id] = at if latest is None else max(latest, at)
    return found


def is_old(at: datetime | None, *, now: datetime) -> bool:
    """Whether data of that moment needs a warning beside it."""
    return at is None or now - at > timedelta(minutes=settings.FRESHNESS_MINUTES)
