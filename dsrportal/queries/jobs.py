"""What the background jobs did, do, and will do next, judged by the web process: a cluster that hangs cannot say so itself.

Called by the jobs page and the health check. It reads the queue's own tables too, and never changes them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import OuterRef, QuerySet, Subquery
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django_q.models import Schedule, Task

from dsrportal.models import DriftNote, JobHeartbeat, Lane, SetAsideRow, SyncLane, SyncRun, Workspace
from dsrportal.models.runs import SyncOutcome
from dsrportal.queries import freshness, watch
from dsrportal.queries.budgets import Gauge
from dsrportal.queries.freshness import clock_time
from dsrportal.queries.sentences import in_words
from dsrportal.queries.workspaces import drift_counts, set_aside_counts
from dsrportal.timetable import SCHEDULED, Job

HEARTBEAT_MAX_AGE = timedelta(minutes=3)
CLUSTER = "cluster"
MOST_SET_ASIDE_SHOWN = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class LaneLine:
    """One pull of one workspace. Moments are None where there was none; counts are of the last run, running ones included."""

    lane: Lane
    label: str
    is_running: bool
    is_asked_for: bool
    outcome: str
    outcome_label: str
    attempt_at: datetime | None
    attempt: str
    success_at: datetime | None
    success: str
    next_at: datetime | None
    next: str
    duration: str
    counts: tuple[tuple[str, int], ...]
    error: str

    @property
    def may_run(self) -> bool:
        """Whether "run now" would do anything."""
        return not (self.is_running or self.is_asked_for)


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkspaceJobs:
    """The pulls of one workspace."""

    name: str
    slug: str
    is_enabled: bool
    hold_sentence: str
    freshness_level: str
    freshness_text: str
    set_aside_count: int
    drift_count: int
    lanes: tuple[LaneLine, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class PortalJob:
    """One job of the timetable. `outcome` is "", "complete", "failed" or "late"; `trouble` says in a sentence what is wrong with it."""

    name: str
    label: str
    outcome: str
    attempt_at: datetime | None
    attempt: str
    success_at: datetime | None
    success: str
    next_at: datetime | None
    next: str
    duration: str
    trouble: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ParkedJob:
    """A job that is started no more, with what it works for (a workspace's name, or nothing), and what "run again" sends back."""

    name: str
    subject: str
    label: str
    place: str
    since: datetime
    since_text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class JobsPage:
    """All that the jobs page shows. `is_alive`: a job went through scheduler, queue and worker within the last three minutes.

    `gauges` and `parked` are added by the view: the first are not in the database, the second are the jobs' own to tell.
    """

    is_alive: bool
    beat_at: datetime | None
    beat: str
    workspaces: tuple[WorkspaceJobs, ...]
    portal_jobs: tuple[PortalJob, ...]
    gauges: tuple[Gauge, ...] = ()
    parked: tuple[ParkedJob, ...] = ()

    @property
    def version(self) -> str:
        """A short mark that changes exactly when something on the page does."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:16]


def jobs_page(workspaces: list[Workspace], *, now: datetime) -> JobsPage:
    """The page for these workspaces. Eight queries, however many there are, and one more when a job is late."""
    beats = dict(JobHeartbeat.objects.values_list("name", "beat_at"))
    schedules = {row.name: row for row in Schedule.objects.filter(name__in=[job.name for job in SCHEDULED])}
    next_of_lane = {job.lane: schedules[job.name].next_run for job in SCHEDULED if job.lane and job.name in schedules}
    late = {one.job.name: one for one in watch.late_jobs(now=now)}
    lanes = list(SyncLane.objects.filter(workspace__in=workspaces).annotate(last_run=Subquery(_last_run())))
    runs = SyncRun.objects.in_bulk([lane.last_run for lane in lanes if lane.last_run is not None])
    set_aside, drift = set_aside_counts(workspaces), drift_counts(workspaces)
    by_key = {(lane.workspace_id, lane.lane): (lane, runs.get(lane.last_run or 0)) for lane in lanes}
    tasks = Task.objects.defer("args", "kwargs", "result").in_bulk([row.task for row in schedules.values() if row.task])
    beat_at = beats.get(CLUSTER)
    return JobsPage(
        is_alive=is_alive(beat_at, now=now),
        beat_at=beat_at,
        beat=clock_time(beat_at, now=now) if beat_at else "",
        workspaces=tuple(
            _workspace(
                workspace,
                lanes=[by_key.get((workspace.pk, lane), (None, None)) for lane in Lane],
                next_of_lane=next_of_lane if workspace.is_enabled else {},
                set_aside_count=set_aside.get(workspace.pk, 0),
                drift_count=drift.get(workspace.pk, 0),
                now=now,
            )
            for workspace in workspaces
        ),
        portal_jobs=tuple(
            _portal_job(
                job,
                schedule=schedules.get(job.name),
                tasks=tasks,
                success_at=beats.get(job.name),
                late=late.get(job.name),
                now=now,
            )
            for job in SCHEDULED
        ),
    )


def is_alive(beat_at: datetime | None, *, now: datetime) -> bool:
    """Whether the cluster's last sign of life is young enough, and not one of a clock that went back since."""
    return beat_at is not None and -watch.SLACK <= now - beat_at <= HEARTBEAT_MAX_AGE


def workspace_of(job: Job, *, subject: str) -> Workspace | None:
    """The workspace that a parked job works for; None for one of the whole portal, and for what is gone. One query at most."""
    kind, first = job.takes[:1], subject.partition(" ")[0]
    if kind == ("workspace_id",) and first.isdecimal():
        return Workspace.objects.filter(pk=int(first)).first()
    if kind == ("receiver_id",) and first.isdecimal():
        return Workspace.objects.filter(webhook__pk=int(first)).first()
    return None


def parked_job(job: Job, *, subject: str, workspace: Workspace | None, since: datetime, now: datetime) -> ParkedJob:
    """The words of a parked job. No query."""
    lane = subject.rpartition(" ")[2]
    label = f"{job.label}: {Lane(lane).label}" if lane in Lane.values else str(job.label)
    return ParkedJob(
        name=job.name,
        subject=subject,
        label=label,
        place=workspace.name if workspace else "",
        since=since,
        since_text=clock_time(since, now=now),
    )


def drift_notes(workspace: Workspace) -> list[DriftNote]:
    """The fields that Dastra sends otherwise than documented; the mirror keeps at most a few hundred. One query."""
    return list(DriftNote.objects.filter(workspace=workspace))


def set_aside_rows(workspace: Workspace) -> list[SetAsideRow]:
    """The rows of Dastra's answers that could not be understood, the first 500. One query."""
    return list(SetAsideRow.objects.filter(workspace=workspace)[:MOST_SET_ASIDE_SHOWN])


def duration(span: timedelta) -> str:
    """A span as a person reads it: `0.4 s`, `12 s`, `3 min 05 s`."""
    seconds = max(span.total_seconds(), 0)
    if seconds < 10:  # noqa: PLR2004
        return _("%(seconds)s s") % {"seconds": number_format(seconds, decimal_pos=1)}
    if seconds < 60:  # noqa: PLR2004
        return _("%(seconds)d s") % {"seconds": seconds}
    return _("%(minutes)d min %(seconds)02d s") % {"minutes": seconds // 60, "seconds": seconds % 60}


def _last_run() -> QuerySet[SyncRun, int]:
    own = SyncRun.objects.filter(workspace=OuterRef("workspace"), lane=OuterRef("lane"))
    return own.order_by("-started_at").values_list("pk", flat=True)[:1]


def _workspace(
    workspace: Workspace,
    *,
    lanes: list[tuple[SyncLane | None, SyncRun | None]],
    next_of_lane: dict[Lane, datetime | None],
    set_aside_count: int,
    drift_count: int,
    now: datetime,
) -> WorkspaceJobs:
    judged = freshness.of_workspace(workspace, lanes=[lane for lane, _run in lanes if lane], now=now)
    return WorkspaceJobs(
        name=workspace.name,
        slug=workspace.slug,
        is_enabled=workspace.is_enabled,
        hold_sentence=in_words(workspace.hold_sentence) if workspace.hold else "",
        freshness_level=judged.level,
        freshness_text=judged.text,
        set_aside_count=set_aside_count,
        drift_count=drift_count,
        lanes=tuple(
            _lane(name, lane=lane, run=run, next_at=next_of_lane.get(name), leased=_is_leased(workspace, now), now=now)
            for name, (lane, run) in zip(Lane, lanes, strict=True)
        ),
    )


def _is_leased(workspace: Workspace, now: datetime) -> bool:
    return workspace.lease_until is not None and workspace.lease_until > now


def _lane(
    name: Lane, *, lane: SyncLane | None, run: SyncRun | None, next_at: datetime | None, leased: bool, now: datetime
) -> LaneLine:
    # A run that was killed stays "running" in its row until the next one; without a lease it runs no more.
    is_running = run is not None and run.outcome == SyncOutcome.RUNNING and leased
    outcome, outcome_label = ("", "") if run is None else (run.outcome, run.get_outcome_display())
    if run is not None and run.outcome == SyncOutcome.RUNNING and not leased:
        outcome, outcome_label = SyncOutcome.FAILED.value, _("Stopped before its end")
    attempt_at = (lane.last_attempt_at if lane else None) or (run.started_at if run else None)
    success_at = lane.last_success_at if lane else None
    return LaneLine(
        lane=name,
        label=str(name.label),
        is_running=is_running,
        is_asked_for=lane is not None and lane.requested_at is not None,
        outcome=outcome,
        outcome_label=outcome_label,
        attempt_at=attempt_at,
        attempt=clock_time(attempt_at, now=now) if attempt_at else "",
        success_at=success_at,
        success=clock_time(success_at, now=now) if success_at else "",
        next_at=next_at,
        next=clock_time(next_at, now=now) if next_at else "",
        duration=duration(run.finished_at - run.started_at) if run and run.finished_at else "",
        counts=_counts(run) if run else (),
        error=in_words((lane.last_error if lane else "") or (run.error if run else "")),
    )


def _counts(run: SyncRun) -> tuple[tuple[str, int], ...]:
    return (
        (_("Seen"), run.seen),
        (_("Stored"), run.stored),
        (_("Unchanged"), run.unchanged),
        (_("Gone"), run.gone),
        (_("Calls"), run.calls),
    )


def _portal_job(
    job: Job,
    *,
    schedule: Schedule | None,
    tasks: dict[str, Task],
    success_at: datetime | None,
    late: watch.Late | None,
    now: datetime,
) -> PortalJob:
    task = tasks.get(schedule.task) if schedule and schedule.task else None
    attempt_at = max((moment for moment in (success_at, task.started if task else None) if moment), default=None)
    next_at = schedule.next_run if schedule else None
    has_failed = task is not None and not task.success and (success_at is None or task.started > success_at)
    outcome = SyncOutcome.FAILED.value if has_failed else SyncOutcome.COMPLETE.value if success_at else ""
    return PortalJob(
        name=job.name,
        label=str(job.label),
        outcome="late" if late else outcome,
        attempt_at=attempt_at,
        attempt=clock_time(attempt_at, now=now) if attempt_at else "",
        success_at=success_at,
        success=clock_time(success_at, now=now) if success_at else "",
        next_at=next_at,
        next=clock_time(next_at, now=now) if next_at else "",
        duration=duration(task.stopped - task.started) if task else "",
        trouble=_trouble(job, late=late, now=now),
    )


def _trouble(job: Job, *, late: watch.Late | None, now: datetime) -> str:
    if late is None:
        return ""
    if late.since is None:
        return _("Its last success lies ahead: the clock of the server went back.")
    time = clock_time(late.since, now=now)
    if job.every_minutes is None:
        return _("It should succeed every day, and has not since %(time)s.") % {"time": time}
    often = ngettext("every minute", "every %(n)d minutes", job.every_minutes) % {"n": job.every_minutes}
    return _("It should succeed %(often)s, and has not since %(time)s.") % {"often": often, "time": time}
