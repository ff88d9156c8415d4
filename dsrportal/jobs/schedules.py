"""The timetable as the queue's rows. Called at each start of the cluster; runs nothing."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django_q.models import Schedule

from dsrportal.models import JobHeartbeat
from dsrportal.timetable import SCHEDULED, Job


def sync_schedules(*, now: datetime) -> None:
    """Make the queue's timetable what is declared: rows nobody declared go, rows somebody changed are mended, and from now on each is watched.

    One unreadable row stops every schedule of django-q, so none may survive the start of the cluster. A row that is as declared keeps
    its next run: a restart neither repeats the nightly pull nor loses the one that was missed.
    """
    with transaction.atomic():
        Schedule.objects.exclude(name__in=[job.name for job in SCHEDULED]).delete()
        for job in SCHEDULED:
            JobHeartbeat.objects.get_or_create(name=job.name, defaults={"since": now})
            fields = _declared(job)
            rows = Schedule.objects.filter(name=job.name)
            next_run = _first_run(job, now=now)
            kept = rows.filter(**fields, next_run__lte=next_run).values_list("pk", "next_run").first()
            if kept is None:
                rows.delete()
                Schedule.objects.create(name=job.name, next_run=next_run, **fields)
            else:
                rows.exclude(pk=kept[0]).delete()


def _declared(job: Job) -> dict[str, Any]:
    """Every field of the queue's row that decides what it does."""
    return {
        "func": job.func,
        "schedule_type": Schedule.CRON if job.cron else Schedule.MINUTES,
        "minutes": job.every_minutes,
        "cron": job.cron,
        "repeats": -1,
        "args": None,
        "kwargs": None,
        "hook": None,
        "cluster": None,
        "intended_date_kwarg": None,
    }


def _first_run(job: Job, *, now: datetime) -> datetime:
    if job.every_minutes is not None:
        return now
    first: datetime = Schedule(schedule_type=Schedule.CRON, cron=job.cron).calculate_next_run(now)
    return first
