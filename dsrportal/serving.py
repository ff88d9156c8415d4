"""The portal's processes on one machine: how each is started, watched and stopped together. Used by the commands `serve` and `demo`."""

from __future__ import annotations

import hashlib
import http.client
import os
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.core.management import call_command

from dsrportal.processes import Hurry, TiedProcess

LOOPBACK = "127.0.0.1"
START_SECONDS = 60.0
STOP_SECONDS = 12.0
LOOK_SECONDS = 0.2


class ServingError(Exception):
    """The processes cannot run, or one ended by itself. `str()` is for a person."""


class StoppedError(Exception):
    """Somebody asked for the end while something was being prepared."""


def manage(*arguments: str) -> list[str]:
    """The command line of a management command, from any folder."""
    return [sys.executable, str(settings.BASE_DIR / "manage.py"), *arguments]


def web_server(door: socket.socket) -> list[str]:
    """The command line of the web server behind a listening socket, whose descriptor it has to inherit."""
    options = (
        "--worker-class gthread --workers 2 --threads 4 --no-control-socket --graceful-timeout 5 --log-level warning"
    )
    bind = ["--bind", f"fd://{door.fileno()}", "--chdir", str(settings.BASE_DIR)]
    return [sys.executable, "-m", "gunicorn", *bind, *options.split(), "dsrportal.wsgi:application"]


def port_of(name: str, *, default: int) -> int:
    """The port that an environment variable names. Raises `ServingError` when it is none."""
    text = os.environ.get(name) or str(default)
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 2**16:
        raise ServingError(f"{name} must be a port, a number from 1 to 65535, not {text!r}.")
    return int(text)


def open_door(name: str, *, default: int) -> socket.socket:
    """Listen on loopback (a proxy, or the person at this machine, speaks to it) on the port that an environment variable names.

    Held from the first moment, so that nobody takes the port while things are being prepared. Raises `ServingError` when it is taken.
    """
    port = port_of(name, default=default)
    door = socket.socket()
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        door.bind((LOOPBACK, port))
        door.listen(128)
    except OSError as error:
        door.close()
        raise ServingError(f"Port {port} cannot be used ({error.strerror}). Set {name} to another one.") from error
    return door


def collect_static() -> bool:
    """Gather, hash and compress the static files; False when nothing changed since the last time."""
    paths = sorted(path for folder in settings.STATICFILES_DIRS for path in Path(folder).rglob("*") if path.is_file())
    facts = "\n".join(f"{path} {path.stat().st_size} {path.stat().st_mtime_ns}" for path in paths)
    stamp = settings.STATIC_ROOT.with_name("static.stamp")
    print_of_files = hashlib.sha256(f"{facts}\n{settings.STORAGES['staticfiles']['BACKEND']}".encode()).hexdigest()
    if stamp.exists() and settings.STATIC_ROOT.is_dir() and stamp.read_text(encoding="utf-8") == print_of_files:
        return False
    call_command("collectstatic", interactive=False, verbosity=0, clear=settings.STATIC_ROOT.is_dir())
    stamp.write_text(print_of_files, encoding="utf-8")
    return True


class Household:
    """Several tied processes: if one ends by itself all do, and none is left behind. A context; leaving it stops them all.

    Those started last are stopped first, each with time to finish; a second signal cuts that short.
    """

    def __init__(self, *, hurry: Hurry, log_folder: Path | None = None) -> None:
        self._hurry = hurry
        self._log_folder = log_folder
        self._processes: list[TiedProcess] = []

    def __enter__(self) -> Household:
        return self

    def __exit__(self, *exc_info: object) -> None:
        while self._processes:
            self._processes.pop().stop(grace_seconds=STOP_SECONDS, hurry=self._hurry)

    def start(self, command: list[str], *, name: str, door: socket.socket | None = None) -> None:
        """Add a process, which inherits `door`; with a log folder its output goes to `<name>.log`. Raises `ServingError` when it cannot start."""
        log = None
        if self._log_folder is not None:
            self._log_folder.mkdir(parents=True, exist_ok=True)
            log = self._log_folder / f"{name}.log"
        try:
            self._processes.append(TiedProcess(command, name=name, log=log, door=door))
        except OSError as error:
            raise ServingError(f"{name} cannot start: {error.strerror}.") from error

    def look(self) -> None:
        """Raise `StoppedError` when somebody wants the end, `ServingError` with the last log lines when a process has ended by itself."""
        if self._hurry.stop_asked():
            raise StoppedError
        for process in self._processes:
            if process.exit_code is not None:
                lines = [f"{process.name} ended unexpectedly (exit code {process.exit_code})."]
                if process.log is not None:
                    lines += [f"Its last lines, from {process.log}:", *(f"  {line}" for line in process.last_lines())]
                raise ServingError("\n".join(lines))

    def wait_for(self, is_ready: Callable[[], bool], *, name: str) -> None:
        """Wait until a process answers. Raises `ServingError` after a minute, and what `look` raises."""
        until = time.monotonic() + START_SECONDS
        while not is_ready():
            self.look()
            if time.monotonic() > until:
                raise ServingError(f"{name} did not answer within {START_SECONDS:.0f} seconds.")
            time.sleep(LOOK_SECONDS)

    def watch(self) -> None:
        """Block until somebody asks for the end. Raises `ServingError` when a process ends by itself."""
        try:
            while True:
                self.look()
                time.sleep(LOOK_SECONDS)
        except StoppedError:
            return


def accepts(port: int) -> bool:
    """Whether something listens on a port of this machine."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((LOOPBACK, port)) == 0


def is_healthy(door: socket.socket) -> bool:
    """Whether the portal answers `/healthz` behind its door."""
    host, port = door.getsockname()
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", "/healthz", headers={"Host": "localhost"})
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
