"""The jobs page tells the truth about every job and workspace, asks for runs once, and judges the cluster from outside of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django_q.models import OrmQ

from dsrportal import jobs
from dsrportal.models import (
    AuditEvent,
    JobHeartbeat,
    Lane,
    Membership,
    Role,
    SetAsideRow,
    SyncLane,
    SyncRun,
    User,
    Workspace,
)
from dsrportal.models.runs import SyncOutcome
from dsrportal.queries.jobs import duration
from dsrportal.timetable import SCHEDULED
from tests.conftest import MakeWorkspace

JOBS = "/settings/jobs/"
RUN = f"{JOBS}acme-france/active/run/"


def store_run(workspace: Workspace, *, now: datetime, lane: Lane = Lane.ACTIVE, **fields: Any) -> SyncRun:
    """A run that began two minutes ago and took 1.5 seconds."""
    started_at = now - timedelta(minutes=2)
    values = {
        "outcome": SyncOutcome.COMPLETE,
        "finished_at": started_at + timedelta(seconds=1.5),
        "seen": 312,
        "stored": 41,
        "unchanged": 271,
        "gone": 7,
        "calls": 13,
    }
    SyncLane.objects.update_or_create(
        workspace=workspace, lane=lane, defaults={"last_attempt_at": started_at, "last_success_at": started_at}
    )
    return SyncRun.objects.create(workspace=workspace, lane=lane, started_at=started_at, **values | fields)


def lane_of(client: Client, lane: Lane) -> Any:
    """What the page knows of one pull of the first workspace."""
    page = client.get(JOBS).context["jobs"]
    return next(line for line in page.workspaces[0].lanes if line.lane == lane)


@pytest.mark.parametrize("role", ["officer", "manager", "stranger"])
def test_the_page_is_for_admins(client: Client, request: pytest.FixtureRequest, role: str) -> None:
    client.force_login(request.getfixturevalue(role))
    assert client.get(JOBS).status_code == 404
    assert client.post(RUN).status_code == 404


def test_every_pull_shows_its_last_run_and_counts(
    client: Client, ada: User, workspace: Workspace, now: datetime
) -> None:
    store_run(workspace, now=now)
    jobs.sync_schedules(now=now)
    line = lane_of(client, Lane.ACTIVE)
    assert (line.outcome, line.duration, line.is_running, line.may_run) == ("complete", "1.5 s", False, True)
    assert [count for _label, count in line.counts] == [312, 41, 271, 7, 13]
    assert line.success_at == now - timedelta(minutes=2)
    assert line.next_at is not None
    page = client.get(JOBS).content.decode()
    for text in (
        ">312<",
        ">41<",
        ">271<",
        ">7<",
        ">13<",
        "1.5 s",
        "Open requests",
        "All requests",
        "Overdue in Dastra",
    ):
        assert text in page


def test_a_failed_run_says_why_and_keeps_the_last_success(
    client: Client, ada: User, workspace: Workspace, now: datetime
) -> None:
    store_run(workspace, now=now - timedelta(hours=1))
    SyncRun.objects.create(
        workspace=workspace, lane=Lane.ACTIVE, started_at=now, finished_at=now, outcome=SyncOutcome.FAILED
    )
    SyncLane.objects.update(last_attempt_at=now, last_error="Dastra did not answer within 10 seconds.")
    page = client.get(JOBS).content.decode()
    assert "Dastra did not answer within 10 seconds." in page
    line = lane_of(client, Lane.ACTIVE)
    assert (line.outcome, line.attempt_at, line.success_at) == ("failed", now, now - timedelta(hours=1, minutes=2))


def test_a_run_that_was_killed_does_not_run_for_ever(
    client: Client, ada: User, workspace: Workspace, now: datetime
) -> None:
    store_run(workspace, now=now, outcome=SyncOutcome.RUNNING, finished_at=None)
    Workspace.objects.update(lease_until=now + timedelta(seconds=50))
    assert lane_of(client, Lane.ACTIVE).is_running
    Workspace.objects.update(lease_until=now - timedelta(seconds=1))
    line = lane_of(client, Lane.ACTIVE)
    assert (line.is_running, line.outcome, line.outcome_label) == (False, "failed", "Stopped before its end")


def test_run_now_asks_once_however_often_it_is_pressed(client: Client, ada: User, workspace: Workspace) -> None:
    for _number in range(5):
        assert client.post(RUN)["Location"] == JOBS
    assert OrmQ.objects.count() == 1
    assert AuditEvent.objects.filter(operation="run_requested").count() == 1
    line = lane_of(client, Lane.ACTIVE)
    assert (line.is_asked_for, line.may_run) == (True, False)


def test_run_now_answers_htmx_with_the_page_as_it_is_then(client: Client, ada: User) -> None:
    answer = client.post(RUN, headers={"HX-Request": "true"})
    text = answer.content.decode()
    assert answer.status_code == 200
    assert '<div id="jobs"' in text
    assert "<html" not in text
    assert "Waiting…" in text
    assert "“Open requests” of Acme France will run in a moment." in text


def test_a_disabled_workspace_is_not_run(client: Client, ada: User, now: datetime) -> None:
    Workspace.objects.update(disabled_at=now)
    client.post(RUN)
    assert OrmQ.objects.count() == 0
    assert "acme-france/active/run/" not in client.get(JOBS).content.decode()


def test_there_are_three_pulls_and_no_other(client: Client, ada: User) -> None:
    assert client.post(f"{JOBS}acme-france/everything/run/").status_code == 404
    assert client.get(RUN).status_code == 405


@pytest.mark.parametrize(("age", "verdict"), [(None, "do not run"), (170, "run."), (190, "do not run")])
def test_the_cluster_is_judged_by_its_last_sign_of_life(
    client: Client, ada: User, now: datetime, age: int | None, verdict: str
) -> None:
    if age is not None:
        JobHeartbeat.objects.create(name="cluster", beat_at=now - timedelta(seconds=age))
    page = client.get(JOBS).content.decode()
    assert f"The background jobs {verdict}" in page


def test_asked_again_it_answers_nothing_until_something_changes(
    client: Client, ada: User, workspace: Workspace, now: datetime
) -> None:
    htmx = {"HX-Request": "true"}
    version = client.get(JOBS).context["jobs"].version
    assert client.get(JOBS, {"seen": version}, headers=htmx).status_code == 204
    assert client.get(JOBS, {"seen": version}).status_code == 200
    store_run(workspace, now=now)
    changed = client.get(JOBS, {"seen": version}, headers=htmx)
    assert changed.status_code == 200
    assert "<html" not in changed.content.decode()


def test_each_portal_job_of_the_timetable_is_shown(client: Client, ada: User, now: datetime) -> None:
    jobs.sync_schedules(now=now)
    JobHeartbeat.objects.filter(name="purge_results").update(beat_at=now)
    shown = {job.name: job for job in client.get(JOBS).context["jobs"].portal_jobs}
    assert shown.keys() == {job.name for job in SCHEDULED}
    assert (shown["purge_results"].outcome, shown["purge_results"].success_at) == ("complete", now)
    assert all(job.label != job.name for job in shown.values())
    assert all(job.next_at is not None for job in shown.values())


def test_rows_set_aside_are_counted_and_listed_with_their_reasons(
    client: Client, ada: User, workspace: Workspace, now: datetime
) -> None:
    for upstream_id, reason in ((12345, "The date of receipt is no date."), (None, "The row has no id.")):
        SetAsideRow.objects.create(
            workspace=workspace, upstream_id=upstream_id, reason=reason, first_seen_at=now, last_seen_at=now
        )
    assert "2 rows set aside" in client.get(JOBS).content.decode()
    page = client.get(f"{JOBS}acme-france/set-aside/").content.decode()
    for text in (">12345<", "The date of receipt is no date.", ">none<", "The row has no id."):
        assert text in page


def test_the_page_makes_the_same_number_of_queries_for_many_workspaces(
    client: Client,
    ada: User,
    workspace: Workspace,
    make_workspace: MakeWorkspace,
    now: datetime,
    django_assert_num_queries: Any,
) -> None:
    jobs.sync_schedules(now=now)
    made = 0
    for wanted in (2, 14):
        for number in range(made, wanted):
            other = make_workspace(f"house-{number}", upstream_id=200 + number)
            Membership.objects.create(user=ada, workspace=other, role=Role.ADMIN)
            for lane in Lane:
                store_run(other, now=now, lane=lane)
        made = wanted
        with django_assert_num_queries(15):
            client.get(JOBS)


@pytest.mark.parametrize(
    ("seconds", "text"), [(-1, "0.0 s"), (0.42, "0.4 s"), (12.7, "12 s"), (65, "1 min 05 s"), (3600, "60 min 00 s")]
)
def test_a_duration_reads_as_people_say_it(seconds: float, text: str) -> None:
    assert duration(timedelta(seconds=seconds)) == text
