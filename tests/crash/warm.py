"""A Django process that is warm: it forks for each order, so that a command that is to be killed costs a tenth of a second.

`python -m tests.crash.warm` reads orders from standard input; `Warm` is the hand that gives them. An order is a list of jobs that run at
the same time, each a management command or a function, perhaps with a boundary at which it dies, perhaps with a clock that is ahead.
A job that stands still at a boundary goes on when the others have ended.
"""

from __future__ import annotations

import io
import json
import os
import pydoc
import signal
import subprocess
import sys
import traceback
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.processes import Marked

FAILED = 70


@dataclass(kw_only=True)
class Job:
    """`command` or `call` (a dotted function with `given` as its arguments). `ahead_seconds`: how late it is for this job."""

    command: list[str] = field(default_factory=list)
    call: str = ""
    given: dict[str, Any] = field(default_factory=dict)
    kill_at: int = 0
    stop_at: int = 0
    ahead_seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Told:
    """How a job ended: exit code (negative for a signal), what the function answered, what the command printed, the boundaries reached."""

    exit: int
    answer: Any
    output: str
    boundaries: list[str]


class Warm:
    """The warm process of one portal."""

    def __init__(self, processes: Marked, *, folder: Path) -> None:
        self._folder = folder
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.warm", str(folder)],
            env=processes.environment,
            cwd=Path(__file__).resolve().parent.parent.parent,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, *jobs: Job) -> list[Told]:
        """Run jobs, all at once, and wait for their ends."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([asdict(job) for job in jobs]) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the warm process has ended"
        return [self._told(place, exit_code) for place, exit_code in enumerate(json.loads(line))]

    def command(self, *words: object, kill_at: int = 0, ahead_seconds: float = 0.0) -> Told:
        """One management command."""
        return self.run(Job(command=[str(word) for word in words], kill_at=kill_at, ahead_seconds=ahead_seconds))[0]

    def call(self, name: str, *, ahead_seconds: float = 0.0, **given: Any) -> Any:
        """One function of `tests.crash.deeds`; its answer."""
        told = self.run(Job(call=f"tests.crash.deeds.{name}", given=given, ahead_seconds=ahead_seconds))[0]
        assert told.exit == 0, told.output
        return told.answer

    def close(self) -> None:
        """End it."""
        if self._process.stdin is not None and self._process.stdout is not None:
            self._process.stdin.close()
            self._process.wait(timeout=120)
            self._process.stdout.close()

    def _told(self, place: int, exit_code: int) -> Told:
        result, trace = self._folder / f"{place}.result", self._folder / f"{place}.trace"
        said = json.loads(result.read_text(encoding="utf-8")) if result.exists() else {"answer": None, "output": ""}
        return Told(exit=exit_code, boundaries=trace.read_text(encoding="utf-8").splitlines(), **said)


def main(folder: Path) -> None:
    """Serve orders until standard input ends."""
    import django  # noqa: PLC0415

    django.setup()
    from django.core.checks import run_checks  # noqa: PLC0415
    from django.core.management import get_commands, load_command_class  # noqa: PLC0415
    from django.db import connections  # noqa: PLC0415

    run_checks()  # it loads the addresses and all views, which each command would do anew
    for name, app in get_commands().items():
        if app == "dsrportal":
            load_command_class("dsrportal", name)
    connections.close_all()
    for line in sys.stdin:
        ends = _run_all([Job(**job) for job in json.loads(line)], folder=folder)
        sys.stdout.write(json.dumps(ends) + "\n")
        sys.stdout.flush()


def _run_all(jobs: list[Job], *, folder: Path) -> list[int]:
    ends: dict[int, int] = {}
    running: dict[int, int] = {}
    stopped: dict[int, int] = {}
    for place, job in enumerate(jobs):
        pid = os.fork()
        if pid == 0:
            os._exit(_run(job, place=place, folder=folder))
        if job.stop_at:
            status = os.waitpid(pid, os.WUNTRACED)[1]
            if os.WIFSTOPPED(status):
                stopped[place] = pid
            else:
                ends[place] = os.waitstatus_to_exitcode(status)
        else:
            running[place] = pid
    for place, pid in running.items():
        ends[place] = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    for place, pid in stopped.items():
        os.kill(pid, signal.SIGCONT)
        ends[place] = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return [ends[place] for place in range(len(jobs))]


def _run(job: Job, *, place: int, folder: Path) -> int:
    from django.core.management import ManagementUtility  # noqa: PLC0415
    from django.utils import timezone  # noqa: PLC0415

    from tests.crash import boundaries  # noqa: PLC0415

    result = folder / f"{place}.result"
    result.unlink(missing_ok=True)
    trace = os.open(folder / f"{place}.trace", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    if job.ahead_seconds:
        real, ahead = timezone.now, timedelta(seconds=job.ahead_seconds)
        timezone.now = lambda: real() + ahead
    boundaries.arm(kill_at=job.kill_at, stop_at=job.stop_at, trace=trace)
    output, answer, code = io.StringIO(), None, 0
    with redirect_stdout(output), redirect_stderr(output):
        try:
            if job.command:
                ManagementUtility(["manage.py", *job.command]).execute()
            else:
                answer = pydoc.locate(job.call)(**job.given)  # type: ignore[operator]
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        except BaseException:
            traceback.print_exc()
            code = FAILED
    result.write_text(json.dumps({"answer": answer, "output": output.getvalue()}), encoding="utf-8")
    return code


if __name__ == "__main__":
    main(Path(sys.argv[1]))
