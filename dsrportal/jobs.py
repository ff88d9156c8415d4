"""What runs without a user: a few doors of few lines, and the table that says when they open. Called by the cluster of django-q and by "run now".

Arguments are ids and instants, results are words and counts, because the queue keeps both in the database. Every job may run twice or be
killed at any line: a run that was queued before the last attempt has nothing left to do. Nothing here speaks to Dastra by itself.
"""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django_q.models import Schedule, Task
from django_q.tasks import async_task

from dsrportal.actions import outbox, rules
from dsrportal.actions.workspaces import WorkspaceError, end_hold
from dsrportal.alerts import sending
from dsrportal.mirror import figures, reckoning, runs, webhooks
from dsrportal.mirror.pull import BusyError, pull
from dsrportal.models import AuditEvent, JobHeartbeat, Lane, SyncLane, SyncRun, User, WebhookReceiver, Workspace
from dsrportal.models.audit import Operation
from dsrportal.models.runs import SyncOutcome

logger = logging.getLogger(__name__)

CLUSTER = "cluster"
HEARTBEAT = f"{__name__}.beat"
INTERRUPTED = "interrupted"  # what `mirror.runs` writes into a run that was killed
MAX_DEATHS = 3
DEATHS_COUNT_FOR = timedelta(hours=24)
REQUEST_LASTS = timedelta(minutes=10)
HOLD_END_TRIES = 10
HOLD_END_PAUSE_SECONDS = 6
EARLY = timedelta(seconds=30)
RESULTS_ARE_KEPT_FOR = timedelta(days=7)
PULL_TIMEOUT_SECONDS = {Lane.ACTIVE: 300, Lane.FULL: 900, Lane.OVERTAKING: 300}
"""A long pull may outlast the queue's patience (`retry`) and be delivered again: the second delivery finds it attempted and ends."""
EVENTS_TIMEOUT_SECONDS = 240
RECOUNT_TIMEOUT_SECONDS = 280


@dataclass(frozen=True, kw_only=True, slots=True)
class JobSchedule:
    """One line of the timetable: `every_minutes`, or `cron` in the portal's time zone and never between 01:00 and 04:00, which daylight saving
    repeats or skips. `lane` is the pull it starts, if it starts one."""

    name: str
    every_minutes: int | None = None
    cron: str | None = None
    lane: Lane | None = None

    @property
    def func(self) -> str:
        """Where the cluster finds the job."""
        return f"{__name__}.{self.name}"


SCHEDULES = (
    JobSchedule(name="pull_active", every_minutes=5, lane=Lane.ACTIVE),
    JobSchedule(name="refresh_overtaking", every_minutes=15, lane=Lane.OVERTAKING),
    JobSchedule(name="pull_full", cron="10 5 * * *", lane=Lane.FULL),
    JobSchedule(name="pull_requested", every_minutes=1),
    JobSchedule(name="send_outbox", every_minutes=1),
    JobSchedule(name="read_events", every_minutes=1),
    JobSchedule(name="restate_clocks", every_minutes=5),
    JobSchedule(name="send_alerts", every_minutes=5),
    JobSchedule(name="beat", every_minutes=1),
    JobSchedule(name="purge_results", cron="40 5 * * *"),
    JobSchedule(name="recount", cron="50 5 * * *"),
)


def scheduled_job(job: Callable[[], int]) -> Callable[[], int]:
    """Mark a door of the timetable: when it ends well its heartbeat says so. Such a job returns a count."""

    @functools.wraps(job)
    def run() -> int:
        count = job()
        _stamp(job.__name__)
        return count

    return run


@scheduled_job
def pull_active() -> int:
    """Queue a pull of the open requests for each enabled workspace."""
    return _queue_lane(Lane.ACTIVE)


@scheduled_job
def refresh_overtaking() -> int:
    """Queue a refresh of what Dastra calls overdue for each enabled workspace."""
    return _queue_lane(Lane.OVERTAKING)


@scheduled_job
def pull_full() -> int:
    """Queue a pull of everything, closed and archived too, for each enabled workspace."""
    return _queue_lane(Lane.FULL)


@scheduled_job
def pull_requested() -> int:
    """Queue again what people asked for and what found another pull at work. A run that begins takes the wish away."""
    asked = SyncLane.objects.filter(requested_at__isnull=False)
    is_free = Q(workspace__lease_until=None) | Q(workspace__lease_until__lte=timezone.now())
    waiting = asked.filter(is_free, workspace__disabled_at=None).values_list("workspace_id", "lane", "requested_at")
    for workspace_id, lane, requested_at in waiting:
        if requested_at is not None:
            _queue_pull(workspace_id=workspace_id, lane=Lane(lane), queued_at=requested_at)
    return len(waiting)


@scheduled_job
def send_outbox() -> int:
    """Send every held wish whose window is over, and settle by reading those whose outcome is unknown."""
    now = timezone.now()
    return outbox.send_due(now=now) + outbox.settle_unknown(now=now)


@scheduled_job
def read_events() -> int:
    """Queue the reading of webhook events that still wait, and count the changes that no event told of."""
    webhooks.settle_changes(now=timezone.now())
    ids = webhooks.receivers_with_events()
    for receiver_id in ids:
        _queue_events(receiver_id)
    return len(ids)


@scheduled_job
def restate_clocks() -> int:
    """Compute the dates anew that a change of a workspace's rules has left behind."""
    return rules.restate_all(now=timezone.now())


@scheduled_job
def send_alerts() -> int:
    """Raise the alerts that are due and send their mails; returns how many mails went. Two runs at once write and send what one would."""
    return sending.send_alerts(now=timezone.now()).mails


@scheduled_job
def beat() -> int:
    """Prove that scheduler, queue and a worker are alive: the heartbeat named `cluster` is stamped by nobody else."""
    _stamp(CLUSTER)
    return 1


@scheduled_job
def purge_results() -> int:
    """Delete what the queue remembers of jobs that ended more than a week ago, and webhook events of that age."""
    webhooks.purge(now=timezone.now())
    deleted, _by_model = Task.objects.filter(stopped__lt=timezone.now() - RESULTS_ARE_KEPT_FOR).delete()
    return int(deleted)


@scheduled_job
def recount() -> int:
    """Queue a recount of the overview for each workspace: a large one takes a while, and delays no other."""
    ids = list(Workspace.objects.order_by("pk").values_list("pk", flat=True))
    for workspace_id in ids:
        options = {"group": "recount", "timeout": RECOUNT_TIMEOUT_SECONDS}
        async_task(f"{__name__}.run_recount", workspace_id, q_options=options)
    return len(ids)


def run_pull(workspace_id: int, lane: str, queued_at: str) -> str:
    """Run one queued pull and say how it ended. A disabled workspace, a busy one and a run already taken up are no errors.

    A worker that is killed cannot count its own attempt, so the run's row, written before any work, is the count: after three runs in a day
    that never ended the lane is parked until somebody asks for a run, one succeeds, or a day has passed.
    """
    now = timezone.now()
    row = SyncLane.objects.filter(workspace_id=workspace_id, lane=lane).first()
    if row is not None and row.last_attempt_at is not None and row.last_attempt_at >= datetime.fromisoformat(queued_at):
        return "already taken up"
    workspace = Workspace.objects.filter(pk=workspace_id, disabled_at=None).first()
    if workspace is None:
        return "disabled"
    is_asked_for = row is not None and row.requested_at is not None
    if not is_asked_for and _deaths(workspace_id=workspace_id, lane=lane, now=now) >= MAX_DEATHS:
        return _park(workspace_id=workspace_id, lane=lane)
    if not is_asked_for and lane != Lane.FULL and _rests(workspace, now=now):
        return "on hold"
    try:
        run = pull(workspace, lane=Lane(lane), now=timezone.now, scheduled=not is_asked_for)
    except BusyError:
        return "busy"
    return str(run.outcome)


def run_recount(workspace_id: int) -> str:
    """Count what a workspace's overview shows anew from its rows, mend it where it differs, and say so in the log and on the page."""
    workspace = Workspace.objects.filter(pk=workspace_id).first()
    if workspace is None:
        return "gone"
    return f"{figures.recount(workspace, now=timezone.now())} lines differed"


def run_events(receiver_id: int) -> str:
    """Read what webhook events told of, and queue the pull that the rest leads to. Delivered twice, the second finds nothing."""
    work = webhooks.read_events(receiver_id, clock=timezone.now)
    if work.wants_pull:
        workspace_id = WebhookReceiver.objects.values_list("workspace_id", flat=True).get(pk=receiver_id)
        _queue_pull(workspace_id=workspace_id, lane=Lane.ACTIVE, queued_at=timezone.now())
    return f"{work.read} read, {work.gone} gone, {work.failed} failed"


def request_events(receiver_id: int) -> None:
    """Have a worker read what came in. Never fails: the events are kept, and within a minute `read_events` finds what the queue lost."""
    try:
        _queue_events(receiver_id)
    except Exception:
        logger.exception("the queue did not take the events of receiver %d", receiver_id)


def request_sending(*, now: datetime) -> bool:
    """Have a worker see to the outbox now, if anything in it waits; False otherwise. Asked by the supervisor, which looks more often than
    the timetable. Queued twice, the second run finds nothing."""
    if not outbox.is_work_left(now=now):
        return False
    async_task(f"{__name__}.send_outbox", q_options={"group": "outbox"})
    return True


def request_restating(workspace: Workspace) -> None:
    """Have a worker compute anew what a change of the rules has left behind, if it has; the timetable looks every five minutes anyway."""
    if reckoning.is_behind(workspace):
        async_task(f"{__name__}.restate_clocks", q_options={"group": "clocks"})


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
        _queue_pull(workspace_id=workspace_id, lane=lane, queued_at=now)
    return True


def request_hold_end(*, workspace_id: int, by: User) -> None:
    """Have a worker look for the missing requests of a held workspace one last time. Asked twice, the second finds no hold."""
    options = {"group": "end hold", "timeout": PULL_TIMEOUT_SECONDS[Lane.FULL]}
    async_task(f"{__name__}.run_hold_end", workspace_id, by.pk, q_options=options)


def run_hold_end(workspace_id: int, by_id: int) -> str:
    """End the hold and say how the pull ended. While another pull holds the lease it waits a little, a minute at most."""
    workspace = Workspace.objects.get(pk=workspace_id)
    by = User.objects.get(pk=by_id)
    for _try in range(HOLD_END_TRIES):
        try:
            return str(end_hold(workspace, by=by, now=timezone.now()).outcome)
        except WorkspaceError:
            time.sleep(HOLD_END_PAUSE_SECONDS)
            workspace.refresh_from_db()
            if not workspace.hold:
                return "no hold"
    return "busy"


def sync_schedules(*, now: datetime) -> None:
    """Make the queue's timetable what `SCHEDULES` says: rows nobody declared go, rows somebody changed are mended.

    One unreadable row stops every schedule of django-q, so none may survive the start of the cluster. A row that is as declared keeps
    its next run: a restart neither repeats the nightly pull nor loses the one that was missed.
    """
    with transaction.atomic():
        Schedule.objects.exclude(name__in=[schedule.name for schedule in SCHEDULES]).delete()
        for schedule in SCHEDULES:
            fields = _declared(schedule)
            rows = Schedule.objects.filter(name=schedule.name)
            next_run = _first_run(schedule, now=now)
            kept = rows.filter(**fields, next_run__lte=next_run).values_list("pk", "next_run").first()
            if kept is None:
                rows.delete()
                Schedule.objects.create(name=schedule.name, next_run=next_run, **fields)
            else:
                rows.exclude(pk=kept[0]).delete()


def next_runs() -> dict[Lane, datetime]:
    """When each lane is queued next; a lane is absent until the cluster has started once."""
    lanes = {schedule.name: schedule.lane for schedule in SCHEDULES if schedule.lane is not None}
    rows = Schedule.objects.filter(name__in=lanes, next_run__isnull=False).values_list("name", "next_run")
    return {lanes[name]: next_run for name, next_run in rows}


def _queue_lane(lane: Lane) -> int:
    """One queued task for each workspace, so that a slow or failing one delays no other."""
    now = timezone.now()
    ids = list(Workspace.objects.filter(disabled_at=None).order_by("pk").values_list("pk", flat=True))
    for workspace_id in ids:
        _queue_pull(workspace_id=workspace_id, lane=lane, queued_at=now)
    return len(ids)


def _queue_pull(*, workspace_id: int, lane: Lane, queued_at: datetime) -> None:
    async_task(
        f"{__name__}.run_pull",
        workspace_id,
        str(lane),
        queued_at.isoformat(),
        q_options={"group": f"pull {lane}", "timeout": PULL_TIMEOUT_SECONDS[lane]},
    )


def _queue_events(receiver_id: int) -> None:
    async_task(f"{__name__}.run_events", receiver_id, q_options={"group": "events", "timeout": EVENTS_TIMEOUT_SECONDS})


def _deaths(*, workspace_id: int, lane: str, now: datetime) -> int:
    """How many of the latest runs, one after the other and within a day, began and never ended."""
    latest = SyncRun.objects.filter(workspace_id=workspace_id, lane=lane, started_at__gte=now - DEATHS_COUNT_FOR)
    deaths = 0
    for outcome, error_code in latest.order_by("-started_at").values_list("outcome", "error_code")[:MAX_DEATHS]:
        if outcome != SyncOutcome.RUNNING and error_code != INTERRUPTED:
            break
        deaths += 1
    return deaths


def _rests(workspace: Workspace, *, now: datetime) -> bool:
    """Whether Dastra refused this workspace and is left alone for a while. The nightly pull always tries, and so does whoever asks."""
    next_try_at = runs.next_try_at(workspace)
    # Ticks of the timetable come a little early or late.
    return next_try_at is not None and now < next_try_at - EARLY


def _park(*, workspace_id: int, lane: str) -> str:
    sentence = _("This job was stopped three times before it could end. It waits until you run it, or for a day.")
    SyncLane.objects.filter(workspace_id=workspace_id, lane=lane).update(last_error_code="parked", last_error=sentence)
    logger.error("The %s pull of workspace %d is parked: its last three runs never ended.", lane, workspace_id)
    return "parked"


def _is_running(*, workspace_id: int, lane: Lane, now: datetime) -> bool:
    running = SyncRun.objects.filter(workspace_id=workspace_id, lane=lane, outcome=SyncOutcome.RUNNING)
    return running.filter(workspace__lease_until__gt=now).exists()


def _stamp(name: str) -> None:
    JobHeartbeat.objects.update_or_create(name=name, defaults={"beat_at": timezone.now()})


def _declared(schedule: JobSchedule) -> dict[str, Any]:
    """Every field of the queue's row that decides what it does."""
    return {
        "func": schedule.func,
        "schedule_type": Schedule.CRON if schedule.cron else Schedule.MINUTES,
        "minutes": schedule.every_minutes,
        "cron": schedule.cron,
        "repeats": -1,
        "args": None,
        "kwargs": None,
        "hook": None,
        "cluster": None,
        "intended_date_kwarg": None,
    }


def _first_run(schedule: JobSchedule, *, now: datetime) -> datetime:
    if schedule.every_minutes is not None:
        return now
    first: datetime = Schedule(schedule_type=Schedule.CRON, cron=schedule.cron).calculate_next_run(now)
    return first
