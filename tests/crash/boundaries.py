"""The boundaries of the portal's work, at each of which its process can be killed: before and after every statement that writes, before and
after every commit, before every call to Dastra, when its answer is there but not read, and after.

Installed by `app.py`. A process dies at the boundary with the number that `arm` named, or at the one that the file CRASH_FILE names: the
first process that gets there takes the file away, so that an armed boundary kills once.
"""

from __future__ import annotations

import json
import os
import re
import select
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from urllib3.connection import HTTPConnection

VARIABLE = "CRASH_FILE"
_WRITES = re.compile(r'\s*(INSERT|UPDATE|DELETE)\b[^"]*"(\w+)"')
_STATE = re.compile(r' SET (.*?)"state" = %s')


class _Course(threading.local):
    """What this thread did last."""

    written = "nothing"


_course = _Course()
_count = 0
_reads = 0
_kill_at = 0
_stop_at = 0
_trace: int | None = None


def arm(*, kill_at: int, stop_at: int = 0, trace: int | None = None) -> None:
    """Die at the boundary with this number, counted from here on, or stand still at the one with this number among those of reads from Dastra,
    where no transaction is open; 0 for none. Each is told to `trace`, a file descriptor, before."""
    global _count, _reads, _kill_at, _stop_at, _trace
    _count, _reads, _kill_at, _stop_at, _trace = 0, 0, kill_at, stop_at, trace


def install() -> None:
    """Hook into the database's and HTTP's lowest floors."""
    connection_created.connect(_watch, dispatch_uid="crash")
    BaseDatabaseWrapper._commit = _around_commit(BaseDatabaseWrapper._commit)  # type: ignore[attr-defined]
    HTTPConnection.request = _around_request(HTTPConnection.request)  # type: ignore[method-assign]
    HTTPConnection.getresponse = _around_answer(HTTPConnection.getresponse)  # type: ignore[method-assign]


def reach(name: str) -> None:
    """The process has come to a boundary; perhaps it goes no further."""
    global _count, _reads  # noqa: PLW0603
    _count += 1
    if _trace is not None:
        os.write(_trace, f"{name}\n".encode())
    if _count == _kill_at or _is_awaited(name):
        os.kill(os.getpid(), signal.SIGKILL)
    _reads += " GET " in name
    if _reads == _stop_at and " GET " in name:
        os.kill(os.getpid(), signal.SIGSTOP)


def _is_awaited(name: str) -> bool:
    path = os.environ.get(VARIABLE)
    if not path:
        return False
    try:
        awaited = json.loads(Path(path).read_text(encoding="utf-8"))
        if not re.search(awaited["name"], name) or not re.search(awaited["process"], _command_line()):
            return False
        Path(path).rename(f"{path}.{os.getpid()}")
    except OSError:  # nothing is armed, or another process was first
        return False
    if awaited["whole_group"]:
        os.killpg(os.getpgrp(), signal.SIGKILL)
    return True


def _command_line() -> str:
    return Path("/proc/self/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")


def _watch(connection: BaseDatabaseWrapper, **_: Any) -> None:
    if _statement not in connection.execute_wrappers:
        connection.execute_wrappers.append(_statement)


def _statement(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:  # noqa: FBT001  Django's signature
    found = _WRITES.match(sql)
    if found is None:
        return execute(sql, params, many, context)
    name = f"{found[1]} {found[2].removeprefix('dsrportal_')}"
    if state := _STATE.search(sql):
        name = f"{name} {params[state[1].count('%s')]}"
    reach(f"before {name}")
    result = execute(sql, params, many, context)
    _course.written = name
    reach(f"after {name}")
    return result


def _around_commit(commit: Callable[[Any], None]) -> Callable[[Any], None]:
    def _commit(self: BaseDatabaseWrapper) -> None:
        name = f"commit of {_course.written}"
        reach(f"before {name}")
        commit(self)
        reach(f"after {name}")

    return _commit


def _around_request(request: Callable[..., None]) -> Callable[..., None]:
    def _request(self: HTTPConnection, method: str, url: str, *args: Any, **kwargs: Any) -> None:
        self.crash_name = f"{method} {re.sub(r'[0-9]+', '#', url.partition('?')[0]).removeprefix('/v#/ws/#')}"  # type: ignore[attr-defined]
        reach(f"before {self.crash_name}")  # type: ignore[attr-defined]
        request(self, method, url, *args, **kwargs)

    return _request


def _around_answer(getresponse: Callable[..., Any]) -> Callable[..., Any]:
    def _getresponse(self: HTTPConnection) -> Any:
        name = self.crash_name  # type: ignore[attr-defined]
        select.select([self.sock], [], [], self.sock.gettimeout() if self.sock else 0)
        reach(f"at the unread answer of {name}")
        response = getresponse(self)
        reach(f"after {name}")
        return response

    return _getresponse
