"""The supervisor recovers from what django-q2 does not survive, stops cleanly, and takes everything with it when it is killed."""

from __future__ import annotations

import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.processes import ROOT, Marked, marked, send, wait_until

pytestmark = pytest.mark.slow

# Asks for a heartbeat twice a second: the timetable's own comes once a minute, too seldom for a test.
IMPATIENT_CLOCK = """
import time, django
django.setup()
from django_q.tasks import async_task
while True:
    async_task("dsrportal.jobs.beat")
    time.sleep(0.5)
"""


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that has every table and nothing in them."""
    folder = tmp_path_factory.mktemp("migrated")
    with marked(folder, DATABASE_URL=f"sqlite:///{folder}/jobs.sqlite3") as processes:
        result = processes.run("manage.py", "migrate", "--verbosity", "0")
    assert result.returncode == 0, result.stderr
    return folder / "jobs.sqlite3"


class Jobs:
    """A running `manage.py jobs`, quick to judge, and what can be seen of it from outside."""

    def __init__(self, processes: Marked, *, folder: Path) -> None:
        self._processes = processes
        self._database = folder / "jobs.sqlite3"
        self._output = folder / "jobs.log"
        processes.start("-c", IMPATIENT_CLOCK, output=folder / "clock.log")
        command = ["manage.py", "jobs", "--stale", "15", "--look", "0.3", "--grace", "10"]
        self.supervisor: subprocess.Popen[bytes] = processes.start(*command, output=self._output)

    def cluster(self) -> list[int]:
        """The pids of the cluster: main process, sentinel, then workers, monitor and pusher."""
        return sorted(pid for pid, command in self._processes.alive().items() if command.endswith("qcluster"))

    def beats_after(self, moment: str) -> bool:
        return self.last_beat() > moment

    def last_beat(self) -> str:
        with closing(sqlite3.connect(self._database, timeout=20)) as connection:
            row = connection.execute("SELECT beat_at FROM dsrportal_jobheartbeat WHERE name = 'cluster'").fetchone()
        return row[0] if row else ""

    def log(self) -> str:
        return self._output.read_text()

    def is_well(self) -> bool:
        """Whether a whole cluster works: six processes, and a heartbeat younger than this question."""
        before = self.last_beat()
        return wait_until(lambda: self.beats_after(before), seconds=5) and len(self.cluster()) == 6


@pytest.fixture
def jobs(migrated: Path, tmp_path: Path) -> Iterator[Jobs]:
    shutil.copy(migrated, tmp_path / "jobs.sqlite3")
    settings = {"DATABASE_URL": f"sqlite:///{tmp_path}/jobs.sqlite3", "DJANGO_SETTINGS_MODULE": "dsrportal.settings"}
    with marked(tmp_path, PYTHONPATH=str(ROOT), **settings) as processes:
        started = Jobs(processes, folder=tmp_path)
        assert wait_until(started.is_well), started.log()
        yield started


def test_a_cluster_whose_idle_workers_were_killed_works_again(jobs: Jobs) -> None:
    for pid in jobs.cluster()[2:4]:
        send(pid, signal.SIGKILL)
    assert wait_until(jobs.is_well), jobs.log()


def test_a_hung_cluster_is_replaced_and_then_stops_cleanly(jobs: Jobs) -> None:
    hung = jobs.cluster()
    for pid in hung:
        send(pid, signal.SIGSTOP)
    assert wait_until(jobs.is_well), jobs.log()
    assert not set(hung) & set(jobs.cluster())
    assert "no sign of life" in jobs.log()
    jobs.supervisor.terminate()
    assert jobs.supervisor.wait(timeout=180) == 0
    assert jobs.cluster() == []
    assert jobs.log().endswith("Jobs have stopped.\n")


def test_a_cluster_that_was_killed_is_replaced(jobs: Jobs) -> None:
    killed = jobs.cluster()
    send(killed[0], signal.SIGKILL)
    assert wait_until(lambda: not set(killed) & set(jobs.cluster())), "the children of a dead cluster have to go"
    assert wait_until(jobs.is_well), jobs.log()
    assert "exit code -9" in jobs.log()


def test_nothing_outlives_a_supervisor_that_was_killed(jobs: Jobs) -> None:
    assert len(jobs.cluster()) == 6
    jobs.supervisor.kill()
    jobs.supervisor.wait(timeout=180)
    assert wait_until(lambda: not jobs.cluster())


def test_without_a_database_it_says_what_to_do(tmp_path: Path) -> None:
    with marked(tmp_path, DATABASE_URL=f"sqlite:///{tmp_path}/empty.sqlite3") as processes:
        result = processes.run("manage.py", "jobs")
    assert result.returncode == 1
    assert "manage.py migrate" in result.stderr
    assert "Traceback" not in result.stderr
