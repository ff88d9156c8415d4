"""The stage of the crash tests: a local Dastra, a portal's database, a warm Django, and, when asked for, the portal itself (`manage.py serve`).

The database is an SQLite file, or a new one on the server of TEST_DATABASE_URL. Used by the tests and by `scripts/torture_crash.py`.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import psycopg

from dsrportal.sandbox import Limit, Sandbox, Server, Switches
from tests.crash import boundaries
from tests.crash.deeds import PEOPLE, SLUG
from tests.crash.warm import Warm
from tests.processes import ROOT, Marked, free_ports, marked, send, wait_until

WORKSPACE = 101
TIMEOUT_SECONDS = 3.0
FORM_TOKEN = "a" * 32
NO_ANSWER = 0


class Stage:
    """`warm` works on the portal's database; `server` is its Dastra; `processes` finds everything that was started."""

    def __init__(self, folder: Path, *, processes: Marked, server: Server) -> None:
        self.folder = folder
        self.processes = processes
        self.server = server
        self.port = int(processes.environment["PORT"])
        self.armed = Path(processes.environment[boundaries.VARIABLE])
        self.log = folder / "portal.log"
        self.boundaries_of_a_move: list[str] = []
        self._portal: subprocess.Popen[bytes] | None = None
        self.warm = Warm(processes, folder=folder)
        made = self.warm.command("migrate", "--verbosity", "0")
        assert made.exit == 0, made.output
        self.sessions: dict[str, str] = self.warm.call("prepare", base_url=server.base_url, secret=server.api_key)
        self.sync()

    def sync(self, *, ahead_seconds: float = 0.0) -> None:
        """Read everything from Dastra once, on a clock that may be ahead; waits for the lease that a killed pull may have left."""
        said: list[str] = []

        def is_complete() -> bool:
            told = self.warm.command("sync", SLUG, "--full", ahead_seconds=ahead_seconds)
            said.append(told.output)
            return told.exit == 0

        assert wait_until(is_complete), said[-1]

    # The portal's own processes

    def start(self) -> None:
        """Web server and jobs, as `make run` starts them."""
        self._portal = self.processes.start("manage.py", "serve", output=self.log)
        assert wait_until(self.is_up), self.log.read_text()[-3000:]

    def is_up(self) -> bool:
        """Whether web server and a whole cluster answer; starts the portal again when all of it has ended."""
        if self._portal is not None and self._portal.poll() is not None:
            self._portal = self.processes.start("manage.py", "serve", output=self.log)
        return len(self.pids("web")) >= 2 and len(self.pids("cluster")) >= 6 and self.get("/healthz") == 200

    def stop(self) -> None:
        """Ask it to end, as an operator would."""
        if self._portal is not None:
            self._portal.terminate()
            self._portal.wait(timeout=180)
            self._portal = None

    def kill_parent(self) -> None:
        """Kill the first process of the portal alone; what hangs on it has to go by itself."""
        assert self._portal is not None
        self._portal.kill()
        self._portal.wait(timeout=180)
        self._portal = None

    def pids(self, kind: str) -> list[int]:
        """Of the workers of the web server (`web`), of all processes of the cluster, or of its workers (`worker`)."""
        alive = self.processes.alive()
        if kind == "web":
            found = [pid for pid, command in alive.items() if "gunicorn" in command]
            return sorted(pid for pid in found if parent_of(pid) in found)
        cluster = sorted(pid for pid, command in alive.items() if command.endswith("qcluster"))
        return cluster if kind == "cluster" else cluster[2:4]

    def orphans(self) -> dict[int, str]:
        """What lives, but for the warm process."""
        return {pid: command for pid, command in self.processes.alive().items() if "tests.crash.warm" not in command}

    # Kills

    def arm(self, name: str, *, process: str, whole_group: bool = False) -> None:
        """The first process whose command line matches dies at the first boundary that matches."""
        awaited = {"name": name, "process": process, "whole_group": whole_group}
        fresh = self.armed.with_suffix(".new")
        fresh.write_text(json.dumps(awaited), encoding="utf-8")
        fresh.replace(self.armed)

    def has_killed(self) -> bool:
        """Whether the armed boundary has had its victim."""
        return not self.armed.exists()

    def disarm(self) -> bool:
        """False when it had killed already."""
        try:
            self.armed.unlink()
        except FileNotFoundError:
            return False
        return True

    def kill(self, kind: str, *, place: int) -> None:
        """Kill one process of a kind, chosen by a number; of the cluster, its whole group."""
        pids = self.pids(kind)
        if kind == "cluster":
            if pids:
                with suppress(ProcessLookupError):
                    os.killpg(os.getpgid(pids[0]), signal.SIGKILL)
        elif pids:
            send(pids[place % len(pids)], signal.SIGKILL)

    # A person's browser

    def get(self, path: str, *, by: str = PEOPLE[0]) -> int:
        """The status of a page; 0 when nobody answered."""
        return self._ask("GET", path, by=by, fields=None)[0]

    def post(self, path: str, *, by: str = PEOPLE[0], **fields: Any) -> tuple[int, str]:
        """What a form of the board gets: status and the region that comes back; 0 when nobody answered."""
        return self._ask("POST", path, by=by, fields={"csrfmiddlewaretoken": FORM_TOKEN, "origin": "board", **fields})

    def move(
        self, upstream_id: int, *, step: int, seen_step: int | None, action_id: uuid.UUID, by: str = PEOPLE[0]
    ) -> tuple[int, str]:
        """Drop a card on a column."""
        path = f"/w/{SLUG}/requests/{upstream_id}/move/"
        return self.post(path, by=by, action_id=action_id, step=step, seen_step=seen_step)

    def _ask(self, method: str, path: str, *, by: str, fields: dict[str, Any] | None) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=180)
        headers = {
            "Host": "localhost",
            "HX-Request": "true",
            "Content-Type": "application/x-www-form-urlencoded",
            "Cookie": f"sessionid={getattr(self, 'sessions', {}).get(by, '')}; csrftoken={FORM_TOKEN}",
        }
        try:
            connection.request(method, path, body=urlencode(fields) if fields else None, headers=headers)
            response = connection.getresponse()
            return response.status, response.read().decode()
        except (OSError, http.client.HTTPException):
            return NO_ANSWER, ""
        finally:
            connection.close()

    # Dastra

    def step_in_dastra(self, upstream_id: int) -> int | None:
        """By Dastra's own word; None when it has no such request."""
        record = self.server.state[WORKSPACE].records.get(upstream_id)
        return None if record is None else int(record.fields["workFlowStepId"])

    def steps(self) -> list[int]:
        """The ids of the steps, in order."""
        return [step["id"] for step in self.server.state[WORKSPACE].ordered_steps()]

    def live_ids(self) -> list[int]:
        """The requests that can be moved."""
        return [one["id"] for one in self.server.state[WORKSPACE].all() if not one["archived"]]


@contextmanager
def staged(folder: Path, *, requests: int = 60, seed: int = 5, rate: float = 0.0) -> Iterator[Stage]:
    """A stage, nothing of which is left afterwards."""
    switches = Switches(limits=(Limit(count=10_000_000, seconds=60),))
    with (
        Sandbox(requests=requests, seed=seed, settings=switches, fault_rate=rate).serve() as server,
        _database(folder) as url,
    ):
        environment = {
            "DATABASE_URL": url,
            "DJANGO_SETTINGS_MODULE": "tests.crash.hurried",
            "PYTHONPATH": str(ROOT),
            "PORT": str(free_ports(1)[0]),
            "UPSTREAM_ALLOWED_HOSTS": server.host_port,
            "UPSTREAM_TIMEOUT_SECONDS": str(TIMEOUT_SECONDS),
            "UNDO_SECONDS": "0",
            "LOG_LEVEL": "WARNING",
            boundaries.VARIABLE: str(folder / "armed.json"),
        }
        with marked(folder, **environment) as processes:
            stage = Stage(folder, processes=processes, server=server)
            try:
                yield stage
            finally:
                stage.stop()
                stage.warm.close()


@contextmanager
def _database(folder: Path) -> Iterator[str]:
    """The address of a new database."""
    server = os.environ.get("TEST_DATABASE_URL", "")
    if not server:
        yield f"sqlite:///{folder}/portal.sqlite3"
        return
    name = f"crash_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
        try:
            yield urlsplit(server)._replace(path=f"/{name}").geturl()
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def parent_of(pid: int) -> int:
    """0 when it has ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return 0
    return int(stat.rpartition(")")[2].split()[1])
