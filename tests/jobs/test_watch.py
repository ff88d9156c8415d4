"""What stands still is seen from outside of it: by the health check, the jobs page and the head of every page, and told to a watch outside."""

from __future__ import annotations

import json
import os
import resource
import signal
import sqlite3
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
import time_machine
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone
from environs import ValidationError

from dsrportal import configuration, jobs
from dsrportal.alerts import pinging
from dsrportal.models import JobHeartbeat, Lane, SyncLane, User, Workspace
from dsrportal.queries.watch import late_jobs
from dsrportal.timetable import BY_NAME, SCHEDULED

START = datetime(2026, 3, 10, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def stamped(workspace: Workspace) -> Iterator[time_machine.Traveller]:
    """A portal whose jobs have all succeeded just now, at a moment that the test moves."""
    with time_machine.travel(START, tick=False) as clock:
        jobs.sync_schedules(now=timezone.now())
        JobHeartbeat.objects.update(beat_at=timezone.now())
        JobHeartbeat.objects.create(name=jobs.CLUSTER, beat_at=timezone.now())
        SyncLane.objects.create(workspace=workspace, lane=Lane.ACTIVE, last_success_at=START, last_attempt_at=START)
        yield clock


def ready(client: Client) -> tuple[int, dict[str, Any]]:
    answer = client.get("/readyz")
    return answer.status_code, json.loads(answer.content)


def late() -> set[str]:
    return {one.job.name for one in late_jobs(now=timezone.now())}


@pytest.mark.parametrize("job", [job for job in SCHEDULED if job.every_minutes], ids=lambda job: job.name)
def test_a_job_is_late_after_three_intervals(stamped: time_machine.Traveller, job: Any) -> None:
    JobHeartbeat.objects.exclude(name=job.name).update(beat_at=timezone.now() + timedelta(days=1), since=START)
    stamped.shift(3 * job.every_minutes * 60)
    assert job.name not in late()
    stamped.shift(1)
    assert job.name in late()


def test_a_nightly_job_is_late_an_hour_after_its_time(stamped: time_machine.Traveller) -> None:
    """05:10 in Paris is 04:10 in winter."""
    for hour, minute, expected in ((4, 0, False), (5, 9, False), (5, 11, True)):
        stamped.move_to(datetime(2026, 3, 11, hour, minute, tzinfo=UTC))
        assert ("pull_full" in late()) is expected


def test_a_job_that_never_succeeded_is_late_as_one_that_stopped(stamped: time_machine.Traveller) -> None:
    JobHeartbeat.objects.filter(name="send_alerts").update(beat_at=None)
    assert late() == set()
    stamped.shift(16 * 60)
    assert "send_alerts" in late()


def test_in_a_day_of_work_at_its_slowest_nothing_is_ever_late(stamped: time_machine.Traveller) -> None:
    """Each job succeeds at the last moment that two missed intervals leave it, nightly ones 50 minutes late."""
    seconds = {job.name: 3 * job.every_minutes * 60 - 1 for job in SCHEDULED if job.every_minutes}
    beats = dict.fromkeys(seconds, START)
    for _ in range(200):
        stamped.shift(7 * 60 + 13)
        now = timezone.now()
        for name, span in seconds.items():
            while beats[name] + timedelta(seconds=span) <= now:
                beats[name] += timedelta(seconds=span)
        rows = list(JobHeartbeat.objects.filter(name__in=beats))
        for row in rows:
            row.beat_at = beats[row.name]
        JobHeartbeat.objects.bulk_update(rows, ["beat_at"])
        for name in ("pull_full", "purge_results", "recount"):
            last = BY_NAME[name].late_before(now)
            JobHeartbeat.objects.filter(name=name).update(beat_at=last + 50 * MINUTE)
        assert late() == set()


def test_while_every_worker_pulls_nothing_is_late_that_waits_for_one(
    stamped: time_machine.Traveller, workspace: Workspace, make_workspace: Any
) -> None:
    make_workspace("other", upstream_id=7)
    stamped.shift(20 * 60)
    Workspace.objects.update(lease_until=timezone.now() + MINUTE)
    assert late() == set()
    Workspace.objects.filter(slug="other").update(lease_until=timezone.now() - MINUTE)
    assert "beat" in late(), "one worker was free"


class TestHowItIsSeen:
    def test_the_health_check_names_what_is_late(self, client: Client, stamped: time_machine.Traveller) -> None:
        assert ready(client) == (200, {"database": "ok", "jobs": "ok", "freshness": "ok", "late": []})
        JobHeartbeat.objects.filter(name="send_alerts").update(beat_at=START - 16 * MINUTE)
        assert ready(client) == (503, {"database": "ok", "jobs": "late", "freshness": "ok", "late": ["send_alerts"]})

    def test_without_a_sign_of_life_it_says_silent(self, client: Client, stamped: time_machine.Traveller) -> None:
        stamped.shift(4 * 60)
        status, found = ready(client)
        assert (status, found["jobs"]) == (503, "silent")
        assert "beat" in found["late"]

    def test_the_jobs_page_says_it_in_words(self, client: Client, stamped: time_machine.Traveller, admin: User) -> None:
        JobHeartbeat.objects.filter(name="send_alerts").update(beat_at=START - 16 * MINUTE)
        client.force_login(admin)
        page = client.get("/settings/jobs/").content.decode()
        assert "It should succeed every 5 minutes, and has not since 09:44." in page
        assert page.count("Late") == 1

    @pytest.mark.parametrize("name", ["admin", "manager"])
    def test_admins_and_managers_are_told_on_every_page(
        self, client: Client, stamped: time_machine.Traveller, request: pytest.FixtureRequest, name: str
    ) -> None:
        person = request.getfixturevalue(name)
        client.force_login(person)
        assert "standstill" not in client.get("/w/acme-france/board/").content.decode()
        stamped.shift(30 * 60)
        for path in ("/w/acme-france/board/", "/w/acme-france/requests/", "/deadline/", "/notices/"):
            page = client.get(path).content.decode()
            for sentence in (
                "Requests have not been read from Dastra since 10:00.",
                "Changes have not been sent to Dastra since 10:00.",
                "Nobody has been told of deadlines since 10:00.",
            ):
                assert sentence in page
            assert ("Look at the jobs" in page) is (name == "admin")
            assert ("Tell whoever runs the portal." in page) is (name == "manager")

    def test_an_officer_is_told_where_it_concerns_what_they_see(
        self, client: Client, stamped: time_machine.Traveller, officer: User
    ) -> None:
        client.force_login(officer)
        stamped.shift(30 * 60)
        said = {
            path: client.get(path).content.decode() for path in ("/w/acme-france/board/", "/notices/", "/deadline/")
        }
        assert ["Changes have not been sent" in page for page in said.values()] == [True, False, False]
        assert ["Nobody has been told" in page for page in said.values()] == [False, True, False]
        assert not any("Requests have not been read" in page for page in said.values())

    def test_chores_of_the_night_are_no_matter_for_every_page(
        self, client: Client, stamped: time_machine.Traveller, admin: User
    ) -> None:
        JobHeartbeat.objects.filter(name__in=["purge_results", "recount"]).update(beat_at=START - timedelta(days=3))
        client.force_login(admin)
        assert "standstill" not in client.get("/w/acme-france/board/").content.decode()
        assert ready(client)[1]["late"] == ["purge_results", "recount"]


class TestWhatStopsThem:
    """The trouble itself, with real code; that clusters and workers that stop are replaced is in `test_supervisor.py`."""

    @pytest.mark.one_database
    def test_a_full_disk(self, client: Client, stamped: time_machine.Traveller, transactional: None) -> None:
        """No file may grow beyond a page: the write-ahead log cannot take the stamp."""
        connection.close()
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (512, resource.RLIM_INFINITY))
            try:
                jobs.beat()
            except OperationalError:
                os._exit(3)
            finally:
                os._exit(0)
        _pid, status = os.waitpid(pid, 0)
        assert os.waitstatus_to_exitcode(status) == 3
        self.assert_seen(client, stamped)

    @pytest.mark.one_database
    def test_a_locked_database(self, client: Client, stamped: time_machine.Traveller, transactional: None) -> None:
        with sqlite3.connect(str(connection.settings_dict["NAME"]), isolation_level=None) as other:
            other.execute("BEGIN IMMEDIATE")
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA busy_timeout = 20")
            with pytest.raises(OperationalError, match="locked"):
                jobs.beat()
            self.assert_seen(client, stamped)
            other.execute("ROLLBACK")
        connection.close()

    def test_a_clock_that_went_back(self, client: Client, stamped: time_machine.Traveller) -> None:
        stamped.shift(-24 * 3_600)
        status, found = ready(client)
        assert (status, found["jobs"]) == (503, "silent")
        assert set(found["late"]) == {job.name for job in SCHEDULED}
        jobs.sync_schedules(now=timezone.now())
        for job in SCHEDULED:
            JobHeartbeat.objects.filter(name=job.name).update(beat_at=timezone.now())
        jobs.beat()
        assert ready(client)[1]["late"] == []

    def test_a_clock_that_went_back_does_not_keep_pulls_from_running(self, workspace: Workspace) -> None:
        now = timezone.now()
        SyncLane.objects.create(workspace=workspace, lane=Lane.ACTIVE, last_attempt_at=now + timedelta(hours=5))
        assert jobs.run_pull(workspace.pk, "active", now.isoformat()) == "failed"

    def test_a_clock_that_jumped_ahead(self, client: Client, stamped: time_machine.Traveller) -> None:
        stamped.shift(24 * 3_600)
        assert ready(client)[0] == 503
        jobs.beat()
        assert "beat" not in ready(client)[1]["late"]

    @pytest.fixture
    def transactional(self, transactional_db: None) -> None:
        """Rows that other connections see."""

    def assert_seen(self, client: Client, stamped: time_machine.Traveller) -> None:
        stamped.shift(3 * 60 + 1)
        status, found = ready(client)
        assert (status, "beat" in found["late"]) == (503, True)


class Outside:
    """A watch outside on loopback: the paths it was asked for, and what it answers."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.status = 200
        outside = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                outside.paths.append(self.path)
                self.send_response(outside.status)
                self.send_header("Location", "http://127.0.0.1:9/")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/ping/a-secret"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


class TestTheWatchOutside:
    @pytest.fixture
    def outside(self, settings: Any) -> Iterator[Outside]:
        """One that listens."""
        found = Outside()
        settings.WATCH_PING_URL = found.url
        yield found
        found.server.shutdown()
        found.server.server_close()

    def test_it_is_told_while_all_are_on_time_and_not_otherwise(
        self, stamped: time_machine.Traveller, outside: Outside
    ) -> None:
        JobHeartbeat.objects.filter(name="beat").update(beat_at=START - timedelta(hours=1))
        assert jobs.beat() == 1, "the job that asks is on time"
        assert outside.paths == ["/ping/a-secret"]
        JobHeartbeat.objects.filter(name="purge_results").update(beat_at=START - timedelta(days=3))
        jobs.beat()
        assert len(outside.paths) == 1

    @pytest.mark.parametrize("status", [302, 404, 500])
    def test_one_that_refuses_breaks_nothing(
        self, stamped: time_machine.Traveller, outside: Outside, status: int, caplog: pytest.LogCaptureFixture
    ) -> None:
        outside.status = status
        assert jobs.beat() == 1
        assert JobHeartbeat.objects.get(name="beat").beat_at == START
        assert "a-secret" not in caplog.text

    def test_one_that_is_away_breaks_nothing(
        self, stamped: time_machine.Traveller, settings: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        settings.WATCH_PING_URL = "http://127.0.0.1:9/ping/a-secret"
        assert jobs.beat() == 1
        assert "a-secret" not in caplog.text
        assert "could not be reached" in caplog.text

    def test_without_an_address_nobody_is_told(self, stamped: time_machine.Traveller) -> None:
        assert not pinging.ping_if_on_time(now=timezone.now())

    @pytest.mark.parametrize(
        "value",
        ["http://ping.example.org/x", "ftp://127.0.0.1/x", "https://ping.example.org", "https://a:b@c.org/x", "x"],
    )
    def test_an_address_that_makes_no_sense_stops_the_start(self, value: str) -> None:
        with pytest.raises(ValidationError):
            configuration.ping_url(value)

    @pytest.mark.parametrize(
        "value", ["", "https://ping.example.org/a-key?x=1", "http://127.0.0.1:8080/x", "http://localhost/"]
    )
    def test_one_that_makes_sense_is_kept(self, value: str) -> None:
        assert configuration.ping_url(value) == value
