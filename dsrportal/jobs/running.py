"""How a job is queued and run: declared in the timetable, counted before its work, parked after three deaths, stamped when it ends well.

Called by the other rooms of this package alone. A worker that is killed cannot count its own attempt, so a row is written before the work
and deleted at its end: what is left over is running still, or died.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ParamSpec, TypeVar

from django.db import DatabaseError, transaction
from django.utils import timezone
from django_q.tasks import async_task

from dsrportal.alerts import notes
from dsrportal.models import AuditEvent, JobAttempt, JobHeartbeat, Lane, User, Workspace
from dsrportal.models.alerts import NoticeKind
from dsrportal.models.audit import Operation
from dsrportal.timetable import BY_NAME, Job

logger = logging.getLogger(__name__)

CLUSTER = "cluster"
HEARTBEAT = "dsrportal.jobs.beat"
MAX_DEATHS = 3
DEATHS_COUNT_FOR = timedelta(hours=24)
SLACK = timedelta(minutes=2)
"""What was written later than this from now was written by a clock that went back since."""
PARKED, TAKEN = "parked", "three attempts are open"

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, kw_only=True, slots=True)
class Parked:
    """A job that is not started any more: its last three attempts never ended. `since` is the start of the last."""

    job: Job
    subject: str
    since: datetime


def job(*, on_parked: Callable[[str], None] | None = None) -> Callable[[Callable[P, R]], Callable[P, R | str]]:
    """Make a function a background job; it must be declared under its name. It answers `parked`, and does nothing, when it is; `on_parked` is then
    told the subject. A job of the timetable stamps its heartbeat when it ends well.

    Three open attempts, the last of which may still be at work, hold it too, but park nothing yet.
    """

    def declare(function: Callable[P, R]) -> Callable[P, R | str]:
        declared = BY_NAME[function.__name__]

        @functools.wraps(function)
        def run(*args: P.args, **kwargs: P.kwargs) -> R | str:
            subject = _subject(declared, args)
            attempts = _open_attempts(declared, subject=subject, now=timezone.now())
            if len(attempts) >= MAX_DEATHS:
                if attempts[0].started_at > timezone.now() - timedelta(seconds=declared.timeout_seconds):
                    return TAKEN
                _park(declared, subject=subject, last=attempts[0])
                if on_parked is not None:
                    on_parked(subject)
                return PARKED
            attempt = JobAttempt.objects.create(job=declared.name, subject=subject, started_at=timezone.now())
            try:
                answer = function(*args, **kwargs)
            except Exception:
                _end(attempt)
                raise
            _end(attempt)
            if declared.is_scheduled:
                stamp(declared.name)
            return answer

        return run

    return declare


def enqueue(name: str, *args: int | str | datetime, group: str, timeout_seconds: int | None = None) -> None:
    """Have a worker run the job `name`. Arguments are ids, lanes and instants, one for each name that is declared; raises TypeError for others."""
    declared = BY_NAME[name]
    if len(args) != len(declared.takes):
        raise TypeError(f"{name} takes {declared.takes}")
    options = {"group": group, "timeout": timeout_seconds or declared.timeout_seconds}
    async_task(declared.func, *[_plain(value) for value in args], q_options=options)


def stamp(name: str) -> None:
    """Write that `name` ended well just now."""
    JobHeartbeat.objects.update_or_create(name=name, defaults={"beat_at": timezone.now()})


def parked(*, now: datetime) -> list[Parked]:
    """Every job that is parked, in the order of names. One query."""
    starts: dict[tuple[str, str], list[datetime]] = {}
    recent = JobAttempt.objects.filter(started_at__gt=now - DEATHS_COUNT_FOR, started_at__lte=now + SLACK)
    for name, subject, started_at in recent.order_by("-started_at").values_list("job", "subject", "started_at"):
        starts.setdefault((name, subject), []).append(started_at)
    return [
        Parked(job=BY_NAME[name], subject=subject, since=found[0])
        for (name, subject), found in sorted(starts.items())
        if len(found) >= MAX_DEATHS
        and name in BY_NAME
        and found[0] <= now - timedelta(seconds=BY_NAME[name].timeout_seconds)
    ]


def forgive(name: str, *, subject: str) -> int:
    """Forget the deaths of a job, so that it is started again; returns how many there were."""
    deleted, _by_model = JobAttempt.objects.filter(job=name, subject=subject).delete()
    for key in notes.open_keys(kind=NoticeKind.PARKED):
        if key.startswith(_key(name, subject=subject)):
            notes.end(key=key, now=timezone.now())
    return deleted


def request_again(found: Parked, *, by: User, workspace: Workspace | None, now: datetime) -> None:
    """Start a parked job once more, because somebody asks: its deaths are forgotten, and it is queued."""
    ids = iter(found.subject.split())
    values: list[int | str | datetime] = []
    for takes in found.job.takes:
        if takes.endswith("_at"):
            values.append(now)
        elif takes == "by_id":
            values.append(by.pk)
        else:
            word = next(ids)
            values.append(int(word) if word.isdecimal() else word)
    with transaction.atomic():
        forgive(found.job.name, subject=found.subject)
        AuditEvent.objects.create(
            at=now, by=by, workspace=workspace, operation=Operation.RUN_REQUESTED, details={"job": found.job.name}
        )
        enqueue(found.job.name, *values, group="again")


def purge_attempts(*, now: datetime) -> int:
    """Delete attempts that count no more."""
    deleted, _by_model = JobAttempt.objects.filter(started_at__lte=now - DEATHS_COUNT_FOR).delete()
    return deleted


def _plain(value: int | str | datetime) -> int | str:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.isoformat()
    if isinstance(value, str) and value in Lane.values:
        return str(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise TypeError("the queue keeps its arguments: ids, lanes and instants alone")


def _subject(declared: Job, args: tuple[object, ...]) -> str:
    """What the job works for: its arguments but for who asked and when."""
    named = zip(declared.takes, args, strict=True)
    return " ".join(str(value) for name, value in named if not name.endswith("_at") and name != "by_id")


def _open_attempts(declared: Job, *, subject: str, now: datetime) -> list[JobAttempt]:
    mine = JobAttempt.objects.filter(job=declared.name, subject=subject)
    recent = mine.filter(started_at__gt=now - DEATHS_COUNT_FOR, started_at__lte=now + SLACK)
    return list(recent.order_by("-started_at")[:MAX_DEATHS])


def _park(declared: Job, *, subject: str, last: JobAttempt) -> None:
    """Say that it is parked: in the log, and once for each admin."""
    logger.error("The job %s is parked: its last three runs never ended.", declared.name)
    key = f"{_key(declared.name, subject=subject)}{last.pk}"
    notes.tell(notes.admins(), kind=NoticeKind.PARKED, key=key, now=timezone.now(), facts={"job": declared.name})


def _key(name: str, *, subject: str) -> str:
    return f"parked:{name}:{subject}:"


def _end(attempt: JobAttempt) -> None:
    """The job ended, well or not, so that its worker lives: earlier deaths count no more. A failure here changes nothing of what was done."""
    try:
        mine = JobAttempt.objects.filter(job=attempt.job, subject=attempt.subject)
        mine.filter(started_at__lte=attempt.started_at).delete()
    except DatabaseError:
        logger.warning("The end of the job %s could not be noted.", attempt.job)
