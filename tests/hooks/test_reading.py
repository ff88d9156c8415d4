"""Events lead to reads: one for many, never too many pulls, and nothing is lost or stuck when Dastra is not well."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone
from django_q.models import OrmQ

from dsrportal import jobs
from dsrportal.mirror import webhooks
from dsrportal.mirror.refresh import refresh_request
from dsrportal.models import DataSubjectRequest, SyncRun, WebhookEvent, WebhookReceiver, Workspace
from dsrportal.sandbox.faults import Fault
from dsrportal.sandbox.server import Server
from tests.hooks.conftest import Hook, run, work_off
from tests.mirror import truth


def reads(server: Server) -> list[int]:
    """The requests that were read by themselves so far."""
    paths = [entry.path for entry in server.journal.entries if entry.method == "GET"]
    return [int(path.rsplit("/", 1)[1]) for path in paths if path.rsplit("/", 1)[1].isdigit()]


def read(hook: Hook, **options: Any) -> webhooks.Work:
    return webhooks.read_events(hook.receiver.pk, clock=timezone.now, pause=lambda _: None, **options)


def digests() -> list[bytes]:
    return [bytes(digest) for digest in DataSubjectRequest.objects.order_by("pk").values_list("digest", flat=True)]


def outcomes() -> list[str]:
    return sorted(WebhookEvent.objects.values_list("outcome", flat=True))


@pytest.fixture
def chosen(hook: Hook) -> list[int]:
    """Ids of the mirrored requests."""
    run(hook.workspace)
    return sorted(truth.ids(hook.workspace))


def test_an_event_brings_the_change_without_a_pull(hook: Hook, server: Server, chosen: list[int]) -> None:
    server.state[101].edit(chosen[0], complex=True)
    server.state[101].delete(chosen[1])
    made = server.state[101].create(title="New")["id"]
    for upstream_id in (chosen[0], chosen[1], made):
        hook.tell(upstream_id)
    pulls = SyncRun.objects.count()
    assert work_off() == ["2 read, 1 gone, 0 failed"]
    assert truth.mirror(hook.workspace) == truth.upstream(server)
    assert truth.counters_are_right(hook.workspace)
    assert (outcomes(), SyncRun.objects.count()) == (["gone", "read", "read"], pulls)


def test_many_events_of_one_request_are_one_read(hook: Hook, server: Server, chosen: list[int]) -> None:
    for n in range(50):
        hook.tell(chosen[n % 2], date=f"2026-03-10T09:{n:02d}:00")
    work = read(hook)
    assert (work.read, sorted(reads(server))) == (2, chosen[:2])
    assert outcomes() == ["read"] * 50
    assert read(hook).read == 0


def test_events_that_come_while_one_reads_are_read_after_a_pause(
    hook: Hook, chosen: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    hook.tell(chosen[0])
    pauses: list[float] = []
    dates = ["2026-01-01", "2026-01-02"]

    def slow(workspace: Workspace, **options: Any) -> Any:
        found = refresh_request(workspace, **options)
        if dates:
            hook.tell(chosen[0], date=dates.pop())
        return found

    monkeypatch.setattr("dsrportal.mirror.webhooks.refresh.refresh_request", slow)
    work = webhooks.read_events(hook.receiver.pk, clock=timezone.now, pause=pauses.append)
    assert (work.read, pauses) == (3, [webhooks.PAUSE_SECONDS] * 2)
    assert outcomes() == ["read"] * 3


def test_one_worker_reads_at_a_time_and_a_dead_one_is_followed(hook: Hook, chosen: list[int], now: datetime) -> None:
    hook.tell(chosen[0])
    WebhookReceiver.objects.update(busy_until=now + timedelta(seconds=30))
    assert read(hook).read == 0
    with time_machine.travel(now + timedelta(minutes=3)):
        assert read(hook).read == 1
    assert hook.receiver.busy_until is None


def test_a_killed_job_is_made_good_by_the_timetable(hook: Hook, chosen: list[int]) -> None:
    hook.tell(chosen[0])
    OrmQ.objects.all().delete()
    assert jobs.read_events() == 1
    work_off()
    assert outcomes() == ["read"]
    assert jobs.read_events() == 0


def test_events_without_an_id_lead_to_one_pull_a_minute(hook: Hook, server: Server, chosen: list[int]) -> None:
    made = server.state[101].create(title="New")["id"]
    began = timezone.now()
    with time_machine.travel(began, tick=False) as clock:
        pulls = SyncRun.objects.count()
        for n in range(5):
            hook.tell(event=["TaskCreation", "DataSubjectUpdate", 77, "Unheard", None][n])
        work_off()
        assert OrmQ.objects.count() == 1, "the pull"
        work_off()
        assert SyncRun.objects.count() == pulls + 1
        assert made in truth.ids(hook.workspace)
        hook.tell(event="SomethingElse")
        work_off()
        assert (OrmQ.objects.count(), outcomes()) == (0, ["", *["pulled"] * 5])
        clock.shift(timedelta(seconds=61))
        jobs.read_events()
        work_off()
        work_off()
        assert (SyncRun.objects.count(), outcomes()) == (pulls + 2, ["pulled"] * 6)


def test_while_dastra_is_away_events_wait_and_after_three_tries_a_pull_takes_over(
    hook: Hook, server: Server, chosen: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dsrportal.dastra.transport.MOST_TRIES", 1)
    server.faults.add(*[Fault(kind="status", status=400, match=r"Requests/\d+")] * 3)
    hook.tell(chosen[0])
    for attempt in (1, 2):
        assert read(hook).failed == 1
        assert list(WebhookEvent.objects.values_list("attempts", "outcome")) == [(attempt, "")]
    last = read(hook)
    assert (last.failed, last.wants_pull, outcomes()) == (1, True, ["failed"])
    assert len(truth.ids(hook.workspace)) == len(chosen)


def test_a_worker_gives_up_for_now_after_three_failures(
    hook: Hook, server: Server, chosen: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dsrportal.dastra.transport.MOST_TRIES", 1)
    server.faults.add(*[Fault(kind="status", status=400, match=r"Requests/\d+")] * 3)
    for upstream_id in chosen[:10]:
        hook.tell(upstream_id)
    assert read(hook).failed == 3
    assert len(reads(server)) == 3
    assert read(hook).read == 10


def test_without_a_connection_all_events_wait(hook: Hook, settings: Any, chosen: list[int]) -> None:
    settings.UPSTREAM_ALLOWED_HOSTS = ["api.dastra.eu"]
    hook.tell(chosen[0])
    hook.tell(chosen[1])
    assert read(hook).failed == 1
    assert set(WebhookEvent.objects.values_list("attempts", "outcome")) == {(1, "")}


def test_an_answer_that_cannot_be_understood_is_set_aside(hook: Hook, server: Server, chosen: list[int]) -> None:
    json = (("Content-Type", "application/json"),)
    server.faults.add(Fault(kind="status", status=200, body="{}", headers=json, match=rf"Requests/{chosen[0]}"))
    before = digests()
    hook.tell(chosen[0])
    hook.tell(chosen[1])
    work = read(hook)
    assert (work.failed, work.read, outcomes()) == (1, 1, ["failed", "read"])
    assert hook.workspace.set_aside_rows.get().upstream_id == chosen[0]
    assert digests() == before


def test_old_events_are_deleted_after_a_week(hook: Hook, chosen: list[int], now: datetime) -> None:
    hook.tell(chosen[0])
    with time_machine.travel(now + timedelta(days=6)):
        jobs.purge_results()
        assert WebhookEvent.objects.count() == 1
    with time_machine.travel(now + timedelta(days=7, minutes=1)):
        jobs.purge_results()
        assert not WebhookEvent.objects.exists()
    assert hook.receiver.last_heard_at is not None
