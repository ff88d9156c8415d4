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

BAD_ROWS: list[dict[str, Any]] = [
    {"func": "dsrportal.jobs.beat", "args": "("},
    {"func": "dsrportal.jobs.beat", "args": "__import__('os')"},
    {"func": "dsrportal.jobs.beat", "kwargs": "1 +"},
    {"func": "dsrportal.jobs.beat", "kwargs": "[1]"},
    {"func": "", "schedule_type": Schedule.CRON, "cron": "not a cron"},
    {"func": "dsrportal.jobs.beat", "schedule_type": Schedule.CRON, "cron": "99 99 * * *"},
    {"func": "dsrportal.jobs.nothing"},
    {"func": "os.system", "args": "'true'"},
]


@pytest.mark.parametrize("schedule", jobs.SCHEDULES, ids=lambda schedule: schedule.name)
def test_every_line_names_a_job_and_one_rhythm(schedule: jobs.JobSchedule) -> None:
    assert callable(pydoc.locate(schedule.func))
    assert (schedule.every_minutes is None) != (schedule.cron is None)
    assert schedule.cron is None or croniter.is_valid(schedule.cron)


@pytest.mark.parametrize(
    "schedule", [schedule for schedule in jobs.SCHEDULES if schedule.cron], ids=lambda schedule: schedule.name
)
def test_no_daily_job_falls_between_one_and_four(schedule: jobs.JobSchedule) -> None:
    runs = croniter(schedule.cron, datetime(2026, 1, 1, tzinfo=ZoneInfo(settings.TIME_ZONE)))
    hours = {runs.get_next(datetime).hour for _ in range(400)}
    assert not hours & {1, 2, 3}


def test_names_are_unique_and_every_lane_is_pulled() -> None:
    assert len({schedule.name for schedule in jobs.SCHEDULES}) == len(jobs.SCHEDULES)
    assert {schedule.lane for schedule in jobs.SCHEDULES if schedule.lane} == set(Lane)


def test_the_rows_follow_the_table_and_the_next_runs_can_be_read(db: None) -> None:
    jobs.sync_schedules(now=timezone.now())
    jobs.sync_schedules(now=timezone.now())
    rows = {row.name: row for row in Schedule.objects.all()}
    assert Schedule.objects.count() == len(rows) == len(jobs.SCHEDULES)
    assert rows["pull_active"].minutes == 5
    assert rows["refresh_overtaking"].minutes == 15
    next_runs = jobs.next_runs()
    assert set(next_runs) == set(Lane)
    assert timezone.now() < next_runs[Lane.FULL] < timezone.now() + timedelta(hours=26)


@pytest.fixture
def run_scheduler(db: None, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """One round of django-q's own scheduler, kept from closing the test's connection."""
    monkeypatch.setattr("django_q.scheduler.close_old_django_connections", lambda: None)
    return cast("Callable[[], None]", scheduler)


def test_no_bad_row_survives_a_start_and_every_due_job_is_queued(run_scheduler: Callable[[], None]) -> None:
    past = timezone.now() - timedelta(minutes=1)
    for number, fields in enumerate(BAD_ROWS):
        for name in ("nobody's", jobs.SCHEDULES[number % len(jobs.SCHEDULES)].name):
            row = Schedule.objects.create(name=name, schedule_type=Schedule.MINUTES, minutes=1, next_run=past)
            Schedule.objects.filter(pk=row.pk).update(**fields)
    jobs.sync_schedules(now=timezone.now() - timedelta(seconds=1))
    run_scheduler()
    queued = sorted(row.task["func"] for row in OrmQ.objects.all())
    assert queued == sorted(schedule.func for schedule in jobs.SCHEDULES if schedule.every_minutes)


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
    assert sorted(row.task["func"] for row in OrmQ.objects.all()) == sorted(line.func for line in jobs.SCHEDULES)
    assert not Schedule.objects.filter(next_run__lte=now).exists()
