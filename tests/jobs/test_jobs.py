"""A pull delivered twice runs once; a wish to run now is one run; results are forgotten. That every job may run twice: `test_every_job.py`."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

import pytest
from django.utils import timezone
from django_q.models import OrmQ, Task

from dsrportal import jobs
from dsrportal.mirror import leases
from dsrportal.models import (
    AuditEvent,
    Lane,
    OutboxEntry,
    SyncLane,
    SyncRun,
    User,
    Workspace,
)
from dsrportal.models.audit import Operation
from dsrportal.models.outbox import WishKind, WishState
from dsrportal.models.runs import SyncOutcome
from tests.conftest import MakeWorkspace
from tests.jobs.conftest import work_off


def pull_now(workspace: Workspace, lane: Lane = Lane.ACTIVE) -> str:
    return jobs.run_pull(workspace.pk, lane, timezone.now().isoformat())


def test_a_task_delivered_twice_pulls_once(mirrored: Workspace) -> None:
    queued_at = timezone.now().isoformat()
    answers = [jobs.run_pull(mirrored.pk, Lane.ACTIVE, queued_at) for _ in range(3)]
    assert answers == ["complete", "already taken up", "already taken up"]
    assert SyncRun.objects.count() == 1


@pytest.mark.parametrize("name", ["pull_active", "refresh_overtaking", "pull_full"])
def test_each_enabled_workspace_has_its_own_task_and_a_failing_one_delays_no_other(
    name: str, mirrored: Workspace, make_workspace: MakeWorkspace
) -> None:
    make_workspace("deaf", upstream_id=7)
    make_workspace("asleep", upstream_id=8, disabled_at=timezone.now())
    assert getattr(jobs, name)() == 2
    assert {row.task["args"][0] for row in OrmQ.objects.all()} == {
        workspace.pk for workspace in Workspace.objects.filter(disabled_at=None)
    }
    assert sorted(work_off()) == ["complete", "failed"]
    assert SyncRun.objects.get(workspace=mirrored).outcome == SyncOutcome.COMPLETE


def test_a_workspace_disabled_or_removed_after_queueing_is_left_alone(workspace: Workspace) -> None:
    jobs.pull_active()
    Workspace.objects.update(disabled_at=timezone.now())
    assert work_off() == ["disabled"]
    assert jobs.run_pull(workspace.pk + 1000, Lane.FULL, timezone.now().isoformat()) == "disabled"
    assert not SyncRun.objects.exists()


def test_tasks_carry_ids_and_instants_alone(workspace: Workspace, admin: User) -> None:
    jobs.pull_active()
    jobs.request_run(workspace_id=workspace.pk, lane=Lane.FULL, by=admin, now=timezone.now())
    for row in OrmQ.objects.all():
        workspace_id, lane, queued_at = row.task["args"]
        assert workspace_id == workspace.pk
        assert lane in Lane.values
        assert datetime.fromisoformat(queued_at).tzinfo is not None
        assert row.task["kwargs"] == {}


class TestRunNow:
    def test_ten_clicks_are_one_run(self, mirrored: Workspace, admin: User) -> None:
        clicks = [
            jobs.request_run(workspace_id=mirrored.pk, lane=Lane.FULL, by=admin, now=timezone.now()) for _ in range(10)
        ]
        assert clicks == [True] + [False] * 9
        event = AuditEvent.objects.get(operation=Operation.RUN_REQUESTED)
        assert (event.by, event.workspace_id, event.details) == (admin, mirrored.pk, {"lane": "full"})
        assert work_off() == ["complete"]
        assert SyncRun.objects.count() == 1

    def test_it_may_be_asked_again_once_it_began(self, mirrored: Workspace, admin: User) -> None:
        jobs.request_run(workspace_id=mirrored.pk, lane=Lane.FULL, by=admin, now=timezone.now())
        work_off()
        assert SyncLane.objects.get(lane=Lane.FULL).requested_at is None
        assert jobs.request_run(workspace_id=mirrored.pk, lane=Lane.FULL, by=admin, now=timezone.now())

    def test_while_the_lane_is_pulled_a_click_does_nothing(self, workspace: Workspace, admin: User) -> None:
        leases.acquire(workspace, now=timezone.now())
        SyncRun.objects.create(workspace=workspace, lane=Lane.FULL, started_at=timezone.now())
        assert not jobs.request_run(workspace_id=workspace.pk, lane=Lane.FULL, by=admin, now=timezone.now())
        assert not OrmQ.objects.exists()

    def test_the_wish_outlives_a_busy_workspace(self, mirrored: Workspace, admin: User) -> None:
        lease = leases.acquire(mirrored, now=timezone.now())
        jobs.request_run(workspace_id=mirrored.pk, lane=Lane.FULL, by=admin, now=timezone.now())
        assert work_off() == ["busy"]
        assert jobs.pull_requested() == 0, "nothing is queued while the workspace is busy"
        leases.release(lease)
        assert jobs.pull_requested() == 1
        assert work_off() == ["complete"]
        assert jobs.pull_requested() == 0

    def test_the_wish_outlives_a_lost_task(self, mirrored: Workspace, admin: User) -> None:
        jobs.request_run(workspace_id=mirrored.pk, lane=Lane.ACTIVE, by=admin, now=timezone.now())
        OrmQ.objects.all().delete()
        assert jobs.pull_requested() == 1
        assert work_off() == ["complete"]


def test_results_of_the_queue_are_forgotten_after_a_week(db: None) -> None:
    for name, age in (("old", timedelta(days=8)), ("new", timedelta(days=6))):
        at = timezone.now() - age
        Task.objects.create(id=name, name=name, func="x", started=at, stopped=at, success=True)
    assert jobs.purge_results() == 1
    assert Task.objects.get().name == "new"


def test_a_worker_is_called_for_wishes_whose_page_is_closed_and_for_no_others(
    officer: User, workspace: Workspace, now: datetime
) -> None:
    entry = OutboxEntry.objects.create(
        action_id=uuid.uuid4(),
        workspace=workspace,
        upstream_id=7,
        by=officer,
        kind=WishKind.ARCHIVE,
        created_at=now,
        not_before=now,
    )
    assert not jobs.request_sending(now=now + timedelta(seconds=1)), "the page does it"
    assert jobs.request_sending(now=now + timedelta(seconds=3))
    assert [row.task["func"] for row in OrmQ.objects.all()] == ["dsrportal.jobs.send_outbox"]
    for state, seconds in ((WishState.UNKNOWN, 41), (WishState.SENDING, 61)):
        OutboxEntry.objects.filter(pk=entry.pk).update(state=state, claimed_at=now)
        assert not jobs.request_sending(now=now + timedelta(seconds=seconds - 2))
        assert jobs.request_sending(now=now + timedelta(seconds=seconds))
    OutboxEntry.objects.filter(pk=entry.pk).update(state=WishState.DONE)
    assert not jobs.request_sending(now=now + timedelta(hours=1))
