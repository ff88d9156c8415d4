"""Looking at real processes: each test marks what it starts through the environment, and finds every descendant by that mark."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MARK = "DSR_TEST_MARK"


class Marked:
    """Processes that carry one mark, whoever started them."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.environment = {**os.environ, "DATA_DIR": str(folder), MARK: uuid.uuid4().hex, **environment}
        self._started: list[subprocess.Popen[bytes]] = []

    def start(self, *arguments: str, output: Path) -> subprocess.Popen[bytes]:
        """`python …` in the project's folder, as a session of its own; what it says goes to a file."""
        with output.open("ab") as file:
            process = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._started.append(process)
        return process

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """`python …` to its end."""
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def alive(self) -> dict[int, str]:
        """Pid and command line of every living process with the mark; zombies have ended."""
        mark = f"{MARK}={self.environment[MARK]}".encode()
        found = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and mark in _read(entry / "environ").split(b"\0"):
                found[int(entry.name)] = _read(entry / "cmdline").replace(b"\0", b" ").decode(errors="replace").strip()
        return found

    def kill_all(self) -> None:
        """Nothing of a failed test may stay."""
        while pids := self.alive():
            for pid in pids:
                send(pid, signal.SIGKILL)
            time.sleep(0.05)
        for process in self._started:
            process.wait()


@contextmanager
def marked(folder: Path, **environment: str) -> Iterator[Marked]:
    """A mark whose processes are gone afterwards, also when the test fails."""
    processes = Marked(folder, **environment)
    try:
        yield processes
    finally:
        processes.kill_all()


def wait_until(is_true: Callable[[], object], *, seconds: float = 180) -> bool:
    """Whether something became true in time; a generous time, since machines are busy."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if is_true():
            return True
        time.sleep(0.1)
    return False


def send(pid: int, number: signal.Signals) -> None:
    """A signal to a process that may have ended meanwhile."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def free_ports(count: int) -> Sequence[int]:
    """Ports that nobody listens on at this moment."""
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
