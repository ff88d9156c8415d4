"""The record of pulls: the run, its lane, and the workspace's hold. Called by `pull.py`, and by jobs that ask when to try again; makes no call
to Dastra."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from dsrportal.mirror.leases import Lease, lease_number
from dsrportal.models import Lane, SyncLane, SyncRun, Workspace
from dsrportal.models.runs import SyncOutcome
from dsrportal.models.workspaces import Hold

LONGEST_SENTENCE = 400
LONGEST_REST = timedelta(hours=4)
RESTING_HOLDS = (Hold.REFUSED, Hold.NOT_THE_API)


@dataclass(frozen=True, kw_only=True, slots=True)
class End:
    """How a run ended: `sentence` says why, for people; `hold` is what the workspace is put under."""

    outcome: SyncOutcome
    code: str = ""
    sentence: str = ""
    hold: Hold | None = None


def close_interrupted(workspace: Workspace, *, lease: Lease, now: datetime) -> None:
    """Runs that were killed are still "running"; whoever holds the lease knows that they are not."""
    sentence = _("The read was interrupted before its end.")
    end = End(outcome=SyncOutcome.FAILED, code="interrupted", sentence=sentence)
    for run in SyncRun.objects.filter(workspace=workspace, outcome=SyncOutcome.RUNNING):
        finish(run, end=end, lease=lease, now=now)


def next_try_at(workspace: Workspace) -> datetime | None:
    """When a workspace that Dastra refuses should be read again by the timetable; None where nothing has to be waited for.

    It rests as long again as the hold had lasted at the last try: 5, 10, 20 minutes, at most 4 hours. A hold for missing requests does
    not rest, since what is there is read all the same.
    """
    if workspace.hold not in RESTING_HOLDS or workspace.held_at is None:
        return None
    tried_at = SyncLane.objects.filter(workspace=workspace).aggregate(latest=Max("last_attempt_at"))["latest"]
    if tried_at is None or tried_at <= workspace.held_at:
        return None
    resting_until: datetime = tried_at + min(tried_at - workspace.held_at, LONGEST_REST)
    return resting_until


def begin(workspace: Workspace, *, lane: Lane, now: datetime) -> SyncRun:
    """A new run; a wish to run this lane now is fulfilled by it."""
    with transaction.atomic():
        SyncLane.objects.update_or_create(
            workspace=workspace, lane=lane, defaults={"last_attempt_at": now, "requested_at": None}
        )
        return SyncRun.objects.create(workspace=workspace, lane=lane, started_at=now)


def finish(run: SyncRun, *, end: End, lease: Lease, now: datetime) -> None:
    """Close a run, tell its lane, and set or end the workspace's hold, all at once.

    A run that lost its lease (its process was stopped for a while) is closed as such, and tells the lane nothing: another run did.
    """
    with transaction.atomic():
        is_current = lease.number == lease_number(run.workspace_id)
        if not is_current:
            end = End(
                outcome=SyncOutcome.FAILED,
                code="lease_lost",
                sentence=_("The read took too long between two pages, and another one took over."),
            )
        run.outcome = end.outcome
        run.error_code = end.code[:40]
        run.error = end.sentence[:LONGEST_SENTENCE]
        run.finished_at = now
        run.save()
        if is_current:
            _tell(run, hold=end.hold, now=now)


def _tell(run: SyncRun, *, hold: Hold | None, now: datetime) -> None:
    told = {"last_error_code": run.error_code, "last_error": run.error}
    lane = SyncLane.objects.filter(workspace=run.workspace_id, lane=run.lane)
    if run.outcome == SyncOutcome.COMPLETE:
        lane.update(last_success_at=run.started_at, **told)
        _end_hold(run)
        return
    lane.update(**told)
    if hold is not None:
        _set_hold(run, hold=hold, now=now)


def _set_hold(run: SyncRun, *, hold: Hold, now: datetime) -> None:
    workspaces = Workspace.objects.filter(pk=run.workspace_id)
    if hold != Hold.MISSING:
        workspaces = workspaces.exclude(hold=Hold.MISSING)  # that one asks for a decision: it is not hidden by another
    workspaces.exclude(hold=hold).update(held_at=now)
    workspaces.update(hold=hold, hold_sentence=run.error)


def _end_hold(run: SyncRun) -> None:
    """A pass that went well ends a hold, but what a full pass missed is only found again by a full pass."""
    workspaces = Workspace.objects.filter(pk=run.workspace_id).exclude(hold="")
    if run.lane != Lane.FULL:
        held = SyncRun.objects.filter(workspace=run.workspace_id, outcome=SyncOutcome.HELD).order_by(
            "-started_at", "-pk"
        )
        latest = held.values_list("lane", flat=True).first()
        if run.lane == Lane.OVERTAKING or latest == Lane.FULL:
            workspaces = workspaces.exclude(hold=Hold.MISSING)
    workspaces.update(hold="", hold_sentence="", held_at=None)
