"""The demo as a newcomer meets it: one command to a working portal, stopped without a trace, started again where it was."""

from __future__ import annotations

import http.cookiejar
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from dsrportal.demo import ACCOUNTS
from tests.processes import Marked, free_ports, marked, wait_until

pytestmark = pytest.mark.slow


class Running:
    """A demo in a folder of its own, and what it printed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port, self.sandbox_port = free_ports(2)
        ports = {"PORT": str(self.port), "SANDBOX_PORT": str(self.sandbox_port)}
        self.processes = Marked(folder, **ports, REQUESTS="30")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> str:
        """Start it, wait until it says that it is ready, and return what it printed."""
        output = self.folder.with_name(f"output-{time.monotonic_ns()}")
        process = self.process = self.processes.start("manage.py", "demo", output=output)
        wait_until(lambda: "is ready" in output.read_text() or process.poll() is not None)
        assert process.poll() is None, output.read_text()
        wait_until(lambda: "Ctrl-C" in output.read_text())
        return output.read_text()

    def stop(self, number: signal.Signals) -> int:
        """Send a signal to the demo alone and return its exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(timeout=180)

    def get(self, path: str) -> int:
        return status_of(urllib.request.build_opener(), f"http://localhost:{self.port}{path}")


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Running]:
    """A demo that hears a closed terminal, also where the tests themselves were started by nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    running = Running(tmp_path / "var")
    yield running
    running.processes.kill_all()
    signal.signal(signal.SIGHUP, before)


def status_of(opener: urllib.request.OpenerDirector, address: str, data: bytes | None = None) -> int:
    try:
        with opener.open(address, data, timeout=120) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


def sign_in(demo: Running, *, username: str, password: str) -> urllib.request.OpenerDirector:
    """A browser of sorts that has signed in."""
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
    address = f"http://localhost:{demo.port}/accounts/login/"
    with opener.open(address, timeout=120) as page:
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.read().decode())
    assert token is not None
    fields = {"csrfmiddlewaretoken": token[1], "username": username, "password": password}
    with opener.open(address, urllib.parse.urlencode(fields).encode(), timeout=120) as page:
        assert "/accounts/login" not in page.url, "the password was not accepted"
    return opener


def test_one_command_to_a_working_portal_and_no_trace_of_processes_after_it(demo: Running) -> None:
    printed = demo.start()
    assert f"http://localhost:{demo.port}/" in printed
    assert "Acme France: 30 requests, 30 new" in printed
    assert demo.get("/healthz") == 200
    board = f"http://localhost:{demo.port}/w/acme-france/board/"
    for account in ACCOUNTS:
        assert f"{account.username:<10} {account.password}" in printed
        opener = sign_in(demo, username=account.username, password=account.password)
        assert status_of(opener, board) == (404 if account.username == "stranger" else 200), account.username
    assert wait_until(lambda: demo.get("/readyz") == 200), "database, jobs and data have to be well"

    other = demo.processes.run("manage.py", "demo")
    assert other.returncode == 1
    assert "runs already" in other.stderr

    assert demo.stop(signal.SIGHUP) == 0
    assert demo.processes.alive() == {}

    demo.sandbox_port, *_ = free_ports(1)
    demo.processes.environment["SANDBOX_PORT"] = str(demo.sandbox_port)
    again = demo.start()
    assert "as it was left" in again
    assert "0 new or changed" in again, "the workspaces follow the local Dastra to its new port"
    assert demo.stop(signal.SIGKILL) == -signal.SIGKILL
    assert wait_until(lambda: not demo.processes.alive()), demo.processes.alive()

    reset = demo.processes.run("manage.py", "demo", "--reset")
    assert reset.returncode == 0, reset.stderr
    assert [path.name for path in demo.folder.iterdir()] == ["demo.lock"]


def test_ctrl_c_works_while_things_are_prepared(demo: Running) -> None:
    output = demo.folder.with_name("output")
    demo.process = demo.processes.start("manage.py", "demo", output=output)
    assert wait_until(lambda: "Starting a local Dastra" in output.read_text()), output.read_text()
    assert demo.stop(signal.SIGINT) == 0
    assert demo.processes.alive() == {}
    assert "Stopped" in output.read_text()
    assert "Traceback" not in output.read_text()


def test_a_child_that_dies_is_named_with_its_last_words_and_everything_stops(demo: Running) -> None:
    demo.start()
    pids = [pid for pid, command in demo.processes.alive().items() if "manage.py sandbox" in command]
    assert len(pids) == 1
    subprocess.run(["kill", "-KILL", str(pids[0])], check=True)
    assert demo.process is not None
    assert demo.process.wait(timeout=180) == 1
    assert demo.processes.alive() == {}
    said = max(demo.folder.parent.glob("output-*")).read_text()
    assert "sandbox ended unexpectedly (exit code -9)" in said
    assert "Sandbox at http://127.0.0.1" in said


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("PORT", "http", "PORT must be a port"),
        ("SANDBOX_PORT", "70000", "SANDBOX_PORT must be a port"),
        ("REQUESTS", "many", "REQUESTS must be a number"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(tmp_path: Path, name: str, value: str, sentence: str) -> None:
    port, sandbox_port = free_ports(2)
    environment = {"PORT": str(port), "SANDBOX_PORT": str(sandbox_port), name: value}
    with marked(tmp_path, **environment) as processes:
        result = processes.run("manage.py", "demo")
        assert result.returncode == 1
        assert sentence in result.stderr
        assert "Traceback" not in result.stderr
        assert processes.alive() == {}


@pytest.mark.parametrize("name", ["PORT", "SANDBOX_PORT"])
def test_a_taken_port_is_one_sentence_that_names_the_variable(demo: Running, name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as neighbour:
        squatter = neighbour.getsockname()[1]
        demo.processes.environment[name] = str(squatter)
        result = demo.processes.run("manage.py", "demo")
    assert result.returncode == 1
    assert f"Port {squatter} cannot be used" in result.stderr
    assert f"Set {name} to another one" in result.stderr
    assert demo.processes.alive() == {}


def test_the_demo_keeps_away_from_a_real_portal(tmp_path: Path) -> None:
    folder = tmp_path / "var"
    folder.mkdir()
    real = {"portal.sqlite3": "real", "mail": "real"}
    for name, text in real.items():
        (folder / name).write_text(text)
    unsafe = {"DATABASE_URL": f"sqlite:///{folder}/portal.sqlite3", "EMAIL_URL": "smtps://mail.example.org"}
    with marked(folder, **unsafe) as processes:
        result = processes.run("manage.py", "demo", "--reset")
    assert result.returncode == 0, result.stderr
    assert {name: (folder / name).read_text() for name in real} == real
