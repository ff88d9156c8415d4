"""The timetable: every line resolves and parses, none falls into the hours of daylight saving, and no bad row survives a start."""

from __future__ import annotations

import pydoc
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest
from croniter import croniter
from django.conf import settings
from django.utils import timezone
from django_q.models import OrmQ, Schedule
from django_q.scheduler import scheduler

from dsrportal import jobs
from dsrportal.models import Lane
from dsrportal.timetable import SCHEDULED, Job

BEAT = "dsrportal.jobs.beat"
BAD_ROWS: list[dict[str, Any]] = [
    {"func": BEAT, "args": "("},
    {"func": BEAT, "args": "__import__('os')"},
    {"func": BEAT, "args": "1 2"},
    {"func": BEAT, "args": "nobody"},
    {"func": BEAT, "args": "{"},
    {"func": BEAT, "args": "'" * 3},
    {"func": BEAT, "kwargs": "1 +"},
    {"func": BEAT, "kwargs": "[1]"},
    {"func": BEAT, "kwargs": "{'a': nobody}"},
    {"func": BEAT, "kwargs": "q_options"},
    {"func": BEAT, "schedule_type": Schedule.CRON, "cron": "not a cron"},
    {"func": BEAT, "schedule_type": Schedule.CRON, "cron": "99 99 * * *"},
    {"func": BEAT, "schedule_type": Schedule.CRON, "cron": ""},
    {"func": BEAT, "schedule_type": Schedule.CRON, "cron": None},
    {"func": BEAT, "schedule_type": "?"},
    {"func": BEAT, "minutes": None},
    {"func": "dsrportal.jobs.nothing"},
    {"func": "os.system", "args": "'true'"},
    {"func": ""},
    {"func": "a b", "hook": "nobody"},
]
"""Each is put into a row of its own, and into a second one that bears the name of a job."""


@pytest.mark.parametrize("job", SCHEDULED, ids=lambda job: job.name)
def test_every_line_names_a_job_and_one_rhythm(job: Job) -> None:
    assert callable(pydoc.locate(job.func))
    assert (job.every_minutes is None) != (job.cron is None)
    assert job.cron is None or croniter.is_valid(job.cron)


@pytest.mark.parametrize("job", [job for job in SCHEDULED if job.cron], ids=lambda job: job.name)
def test_no_daily_job_falls_between_one_and_four(job: Job) -> None:
    runs = croniter(job.cron, datetime(2026, 1, 1, tzinfo=ZoneInfo(settings.TIME_ZONE)))
    hours = {runs.get_next(datetime).hour for _ in range(400)}
    assert not hours & {1, 2, 3}


def test_every_lane_is_pulled() -> None:
    assert {job.lane for job in SCHEDULED if job.lane} == set(Lane)


def test_the_rows_follow_the_table(db: None) -> None:
    jobs.sync_schedules(now=timezone.now())
    jobs.sync_schedules(now=timezone.now())
    rows = {row.name: row for row in Schedule.objects.all()}
    assert Schedule.objects.count() == len(rows) == len(SCHEDULED)
    assert rows["pull_active"].minutes == 5
    assert rows["refresh_overtaking"].minutes == 15
    assert timezone.now() < rows["pull_full"].next_run < timezone.now() + timedelta(hours=26)


@pytest.fixture
def run_scheduler(db: None, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """One round of django-q's own scheduler, kept from closing the test's connection."""
    monkeypatch.setattr("django_q.scheduler.close_old_django_connections", lambda: None)
    return cast("Callable[[], None]", scheduler)


def test_no_bad_row_survives_a_start_and_every_due_job_is_queued(run_scheduler: Callable[[], None]) -> None:
    past = timezone.now() - timedelta(minutes=1)
    for number, fields in enumerate(BAD_ROWS):
        for name in ("nobody's", SCHEDULED[number % len(SCHEDULED)].name):
            row = Schedule.objects.create(name=name, schedule_type=Schedule.MINUTES, minutes=1, next_run=past)
            Schedule.objects.filter(pk=row.pk).update(**fields)
    jobs.sync_schedules(now=timezone.now() - timedelta(seconds=1))
    run_scheduler()
    queued = sorted(row.task["func"] for row in OrmQ.objects.all())
    assert queued == sorted(job.func for job in SCHEDULED if job.every_minutes)


@pytest.mark.parametrize(
    "damage",
    [{"args": "1"}, {"repeats": 0}, {"next_run": None}, {"cluster": "elsewhere"}, {"cron": "0 2 * * *"}, {"hook": "x"}],
    ids=str,
)
def test_a_row_that_somebody_changed_is_mended(db: None, damage: dict[str, Any]) -> None:
    jobs.sync_schedules(now=timezone.now())
    whole = Schedule.objects.filter(name="pull_full")
    before = whole.values("func", "cron", "repeats", "args", "cluster", "hook", "next_run").get()
    whole.update(**damage)
    jobs.sync_schedules(now=timezone.now())
    assert Schedule.objects.filter(name="pull_full").values(*before).get() == before


def test_after_eight_hours_off_each_job_runs_once(run_scheduler: Callable[[], None]) -> None:
    now = timezone.now()
    jobs.sync_schedules(now=now)
    Schedule.objects.update(next_run=now - timedelta(hours=8))
    jobs.sync_schedules(now=now)
    run_scheduler()
    run_scheduler()
    assert sorted(row.task["func"] for row in OrmQ.objects.all()) == sorted(job.func for job in SCHEDULED)
    assert not Schedule.objects.filter(next_run__lte=now).exists()
