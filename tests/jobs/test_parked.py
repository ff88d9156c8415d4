"""A job that kills its worker is begun three times, then parked, told of once, and begun again when somebody asks; the others go on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ

from dsrportal import jobs, timetable
from dsrportal.alerts import sending
from dsrportal.jobs import running
from dsrportal.models import AuditEvent, JobAttempt, JobHeartbeat, Lane, Notice, SyncLane, SyncRun, User, Workspace
from dsrportal.models.alerts import NoticeKind
from dsrportal.models.audit import Operation
from tests.conftest import MakeWorkspace
from tests.jobs.conftest import work_off

HOUR = timedelta(hours=1)


class Killed(BaseException):
    """What a SIGKILL is to whoever would have counted it: nothing is done after it."""


@pytest.fixture
def deadly(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Telling people of deadlines kills its worker, and is counted; the list holds a mark for each time."""
    begun: list[int] = []

    def die(**_: Any) -> None:
        begun.append(1)
        raise Killed

    monkeypatch.setattr(sending, "send_alerts", die)
    return begun


def died(job: Callable[[], object]) -> bool:
    """Run a job; whether it killed its worker."""
    try:
        job()
    except Killed:
        return True
    return False


def dead(workspace: Workspace, *, ago: timedelta, lane: Lane = Lane.ACTIVE) -> None:
    """A pull that began then and never ended."""
    subject = f"{workspace.pk} {lane}"
    JobAttempt.objects.create(job="run_pull", subject=subject, started_at=timezone.now() - ago)


def pull_now(workspace: Workspace, lane: Lane = Lane.ACTIVE) -> str:
    return jobs.run_pull(workspace.pk, lane, timezone.now().isoformat())


def test_a_deadly_job_is_begun_three_times_and_told_of_once(deadly: list[int], admin: User, manager: User) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _minute in range(60):
            died(jobs.send_alerts)
            clock.shift(60)
        assert len(deadly) == 3
        assert jobs.send_alerts() == "parked"
        assert [one.job.name for one in jobs.parked(now=timezone.now())] == ["send_alerts"]
        assert jobs.beat() == 1, "the others go on"
    assert list(Notice.objects.values_list("person__username", "kind", "facts")) == [
        ("ada", NoticeKind.PARKED, {"job": "send_alerts"})
    ]
    assert not JobHeartbeat.objects.filter(name="send_alerts").exists()


def test_while_the_third_may_be_at_work_nothing_is_begun_and_nothing_parked(deadly: list[int], admin: User) -> None:
    for _ in range(3):
        died(jobs.send_alerts)
    assert jobs.send_alerts() == running.TAKEN
    assert jobs.parked(now=timezone.now()) == []
    assert not Notice.objects.exists()


def test_a_job_that_fails_but_lives_is_never_parked(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: Any) -> None:
        raise OSError("no")

    monkeypatch.setattr(sending, "send_alerts", fail)
    for _ in range(5):
        with pytest.raises(OSError, match="no"):
            jobs.send_alerts()
    assert not JobAttempt.objects.exists()


def test_after_a_day_it_is_begun_again_by_itself(deadly: list[int], admin: User) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(3):
            died(jobs.send_alerts)
        clock.shift(3_600)
        assert jobs.send_alerts() == "parked"
        clock.shift(24 * 3_600)
        assert died(jobs.send_alerts)
        assert jobs.purge_results() == 0
        assert JobAttempt.objects.count() == 1


def test_attempts_of_a_clock_that_went_back_hold_nothing(db: None, workspace: Workspace) -> None:
    for hours in (1, 2, 3):
        dead(workspace, ago=-hours * HOUR)
    assert pull_now(workspace) == "failed"


def test_run_again_is_an_admins_button(
    client: Client, admin: User, manager: User, deadly: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        died(jobs.send_alerts)
    JobAttempt.objects.update(started_at=timezone.now() - HOUR)
    jobs.send_alerts()
    wanted = {"job": "send_alerts", "subject": ""}
    client.force_login(manager)
    assert client.post("/settings/jobs/again/", wanted).status_code == 404
    client.force_login(admin)
    assert "Stopped for now" in client.get("/settings/jobs/").content.decode()
    assert "A background job was stopped three times" in client.get("/notices/").content.decode()
    monkeypatch.undo()
    for _ in range(2):
        assert client.post("/settings/jobs/again/", wanted).status_code == 302
    assert AuditEvent.objects.get(operation=Operation.RUN_REQUESTED).details == {"job": "send_alerts"}
    assert work_off() == [0]
    assert "Stopped for now" not in client.get("/settings/jobs/").content.decode()
    assert "It has run since" in client.get("/notices/").content.decode()


@pytest.mark.parametrize("name", [job.name for job in timetable.JOBS if job.takes])
def test_each_job_that_works_for_something_can_be_run_again(name: str, admin: User, workspace: Workspace) -> None:
    job = timetable.BY_NAME[name]
    lane = " full" if "lane" in job.takes else ""
    for _ in range(3):
        JobAttempt.objects.create(job=name, subject=f"{workspace.pk}{lane}", started_at=timezone.now() - HOUR)
    found = jobs.parked(now=timezone.now())
    jobs.request_again(found[0], by=admin, workspace=workspace, now=timezone.now())
    assert jobs.parked(now=timezone.now()) == []
    task = OrmQ.objects.get().task
    assert (task["func"], len(task["args"])) == (job.func, len(job.takes))


class TestPulls:
    def test_three_deaths_in_a_row_park_the_lane_and_say_so(self, workspace: Workspace, admin: User) -> None:
        for hours in (3, 2, 1):
            dead(workspace, ago=hours * HOUR)
        assert [pull_now(workspace) for _ in range(5)] == ["parked"] * 5
        assert not SyncRun.objects.exists()
        lane = SyncLane.objects.get()
        assert lane.last_error_code == "parked"
        assert "stopped three times" in lane.last_error
        assert Notice.objects.count() == 1

    def test_the_other_lanes_and_workspaces_go_on(self, mirrored: Workspace, make_workspace: MakeWorkspace) -> None:
        parked = make_workspace("parked", upstream_id=9)
        for hours in (3, 2, 1):
            dead(mirrored, ago=hours * HOUR, lane=Lane.FULL)
            dead(parked, ago=hours * HOUR)
        assert pull_now(mirrored) == "complete"
        assert pull_now(parked) == "parked"

    def test_run_now_tries_again_and_success_frees_the_lane(self, mirrored: Workspace, admin: User) -> None:
        for hours in (3, 2, 1):
            dead(mirrored, ago=hours * HOUR)
        assert pull_now(mirrored) == "parked"
        jobs.request_run(workspace_id=mirrored.pk, lane=Lane.ACTIVE, by=admin, now=timezone.now())
        assert work_off() == ["complete"]
        assert pull_now(mirrored) == "complete"
        assert Notice.objects.get().ended_at is not None

    def test_deaths_between_successes_or_of_another_day_do_not_park(self, mirrored: Workspace) -> None:
        for hours in (26, 25, 2):
            dead(mirrored, ago=hours * HOUR)
        assert pull_now(mirrored) == "complete"
        for _ in range(2):
            dead(mirrored, ago=HOUR)
        assert pull_now(mirrored) == "complete"
