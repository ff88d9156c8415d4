"""The doors to the pulls from Dastra: by the timetable, because somebody asks, and the end of a hold. Called by the cluster and by views."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from dsrportal.actions.workspaces import WorkspaceError, end_hold
from dsrportal.jobs.running import SLACK, enqueue, forgive, job
from dsrportal.mirror import runs
from dsrportal.mirror.pull import BusyError, pull
from dsrportal.models import AuditEvent, Lane, SyncLane, SyncRun, User, Workspace
from dsrportal.models.audit import Operation
from dsrportal.models.runs import SyncOutcome

REQUEST_LASTS = timedelta(minutes=10)
HOLD_END_TRIES = 10
HOLD_END_PAUSE_SECONDS = 6
EARLY = timedelta(seconds=30)
TIMEOUT_SECONDS = {Lane.ACTIVE: 300, Lane.FULL: 900, Lane.OVERTAKING: 300}
"""A long pull may outlast the queue's patience (`retry`) and be delivered again: the second delivery finds it attempted and ends."""


@job()
def pull_active() -> int:
    """Queue a pull of the open requests for each enabled workspace."""
    return _queue_lane(Lane.ACTIVE)


@job()
def refresh_overtaking() -> int:
    """Queue a refresh of what Dastra calls overdue for each enabled workspace."""
    return _queue_lane(Lane.OVERTAKING)


@job()
def pull_full() -> int:
    """Queue a pull of everything, closed and archived too, for each enabled workspace."""
    return _queue_lane(Lane.FULL)


@job()
def pull_requested() -> int:
    """Queue again what people asked for and what found another pull at work. A run that begins takes the wish away."""
    asked = SyncLane.objects.filter(requested_at__isnull=False)
    is_free = Q(workspace__lease_until=None) | Q(workspace__lease_until__lte=timezone.now())
    waiting = asked.filter(is_free, workspace__disabled_at=None).values_list("workspace_id", "lane", "requested_at")
    for workspace_id, lane, requested_at in waiting:
        if requested_at is not None:
            queue_pull(workspace_id=workspace_id, lane=Lane(lane), queued_at=requested_at)
    return len(waiting)


def _say_parked(subject: str) -> None:
    """Where the pull is shown, say why it does not run."""
    workspace_id, lane = subject.split()
    sentence = _("This job was stopped three times before it could end. It waits until you run it, or for a day.")
    SyncLane.objects.update_or_create(
        workspace_id=int(workspace_id), lane=lane, defaults={"last_error_code": "parked", "last_error": sentence}
    )


@job(on_parked=_say_parked)
def run_pull(workspace_id: int, lane: str, queued_at: str) -> str:
    """Run one queued pull and say how it ended. A disabled workspace, a busy one and a run already taken up are no errors."""
    now = timezone.now()
    row = SyncLane.objects.filter(workspace_id=workspace_id, lane=lane).first()
    attempt_at = row.last_attempt_at if row is not None else None
    # An attempt that lies ahead was made before the clock went back.
    if attempt_at is not None and datetime.fromisoformat(queued_at) <= attempt_at <= now + SLACK:
        return "already taken up"
    workspace = Workspace.objects.filter(pk=workspace_id, disabled_at=None).first()
    if workspace is None:
        return "disabled"
    is_asked_for = row is not None and row.requested_at is not None
    if not is_asked_for and lane != Lane.FULL and _rests(workspace, now=now):
        return "on hold"
    try:
        run = pull(workspace, lane=Lane(lane), now=timezone.now, scheduled=not is_asked_for)
    except BusyError:
        return "busy"
    return str(run.outcome)


def request_run(*, workspace_id: int, lane: Lane, by: User, now: datetime) -> bool:
    """Ask for a pull now. False, and nothing happens, while an earlier wish waits or the lane is being pulled."""
    with transaction.atomic():
        SyncLane.objects.get_or_create(workspace_id=workspace_id, lane=lane)
        free = Q(requested_at=None) | Q(requested_at__lt=now - REQUEST_LASTS)
        if _is_running(workspace_id=workspace_id, lane=lane, now=now):
            return False
        if not SyncLane.objects.filter(free, workspace_id=workspace_id, lane=lane).update(requested_at=now):
            return False
        details = {"lane": str(lane)}
        AuditEvent.objects.create(
            at=now, by=by, workspace_id=workspace_id, operation=Operation.RUN_REQUESTED, details=details
        )
        forgive("run_pull", subject=f"{workspace_id} {lane}")
        queue_pull(workspace_id=workspace_id, lane=lane, queued_at=now)
    return True


def request_hold_end(*, workspace_id: int, by: User) -> None:
    """Have a worker look for the missing requests of a held workspace one last time. Asked twice, the second finds no hold."""
    enqueue("run_hold_end", workspace_id, by.pk, group="end hold")


@job()
def run_hold_end(workspace_id: int, by_id: int) -> str:
    """End the hold and say how the pull ended. While another pull holds the lease it waits a little, a minute at most."""
    workspace = Workspace.objects.get(pk=workspace_id)
    by = User.objects.get(pk=by_id)
    for _try in range(HOLD_END_TRIES):
        try:
            return str(end_hold(workspace, by=by, now=timezone.now()).outcome)
        except WorkspaceError:
            workspace.refresh_from_db()
            if not workspace.hold:
                return "no hold"
            time.sleep(HOLD_END_PAUSE_SECONDS)
    return "busy"


def queue_pull(*, workspace_id: int, lane: Lane, queued_at: datetime) -> None:
    """Have a worker pull one lane of one workspace. Delivered twice, the second finds it taken up."""
    enqueue("run_pull", workspace_id, lane, queued_at, group=f"pull {lane}", timeout_seconds=TIMEOUT_SECONDS[lane])


def _queue_lane(lane: Lane) -> int:
    """One queued task for each workspace, so that a slow or failing one delays no other."""
    now = timezone.now()
    ids = list(Workspace.objects.filter(disabled_at=None).order_by("pk").values_list("pk", flat=True))
    for workspace_id in ids:
        queue_pull(workspace_id=workspace_id, lane=lane, queued_at=now)
    return len(ids)


def _rests(workspace: Workspace, *, now: datetime) -> bool:
    """Whether Dastra refused this workspace and is left alone for a while. The nightly pull always tries, and so does whoever asks."""
    next_try_at = runs.next_try_at(workspace)
    # Ticks of the timetable come a little early or late.
    return next_try_at is not None and now < next_try_at - EARLY


def _is_running(*, workspace_id: int, lane: Lane, now: datetime) -> bool:
    running = SyncRun.objects.filter(workspace_id=workspace_id, lane=lane, outcome=SyncOutcome.RUNNING)
    return running.filter(workspace__lease_until__gt=now).exists()
