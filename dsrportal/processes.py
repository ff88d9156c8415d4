"""Child processes that cannot outlive their parent. Used by the jobs' supervisor and by the demo; knows nothing of what it runs.

Each child leads a session of its own, so that a signal meant for one process reaches that one alone, and what it starts dies with it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from types import FrameType

LOOK_SECONDS = 0.05


class TiedProcess:
    """A command in its own session whose whole process group is killed when this process ends, however it ends (kill -9 too).

    The tie is a pipe: the child's group is registered for a SIGKILL when the pipe closes, and the only writing end is ours. The kernel
    closes it with us and sends the signal, so no watcher has to survive. Where the system has no such signal (it is Linux's), children
    are stopped by `stop` alone.
    """

    def __init__(
        self, command: list[str], *, name: str, log: Path | None = None, door: socket.socket | None = None
    ) -> None:
        """Start `command`, which inherits `door`; `log` receives its output from the beginning, else it shares ours.

        Raises OSError when it cannot start.
        """
        self.name = name
        self.log = log
        reading, self._writing = os.pipe()
        output = log.open("wb") if log is not None else None
        try:
            self._process = subprocess.Popen(  # noqa: S603  the callers' own commands
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT if output is not None else None,
                start_new_session=True,
                pass_fds=[reading] if door is None else [reading, door.fileno()],
            )
            if hasattr(fcntl, "F_SETSIG"):
                fcntl.fcntl(reading, fcntl.F_SETSIG, signal.SIGKILL)
                fcntl.fcntl(reading, fcntl.F_SETOWN, -self._process.pid)
                fcntl.fcntl(reading, fcntl.F_SETFL, fcntl.fcntl(reading, fcntl.F_GETFL) | os.O_ASYNC)
        except BaseException:
            os.close(self._writing)
            raise
        finally:
            os.close(reading)
            if output is not None:
                output.close()

    @property
    def pid(self) -> int:
        """The id of the command's process, of its group and of its session."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """How the command ended; None while it runs; negative for a signal."""
        return self._process.poll()

    def stop(self, *, grace_seconds: float, hurry: Hurry | None = None) -> bool:
        """Ask the command alone to end (SIGTERM), wait, then kill its whole group. True when it ended by itself within the grace."""
        if self.exit_code is None:
            self._process.terminate()
        ends_at = time.monotonic() + grace_seconds
        while self.exit_code is None and time.monotonic() < ends_at and not (hurry is not None and hurry.kill_asked()):
            time.sleep(LOOK_SECONDS)
        ended_by_itself = self.exit_code is not None
        self.kill()
        return ended_by_itself

    def kill(self) -> None:
        """Kill the command and whatever it left in its group, and let go of the tie. Does nothing the second time."""
        if self._writing < 0:
            return
        with contextlib.suppress(
            ProcessLookupError, PermissionError
        ):  # nobody left (the latter is macOS's word for it)
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._writing)
        self._writing = -1

    def last_lines(self, *, count: int = 10) -> list[str]:
        """The end of the log; nothing without one."""
        if self.log is None or not self.log.exists():
            return []
        return self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-count:]


class Hurry:
    """What the signals have asked for: once to stop (`stop_asked`), twice to stop at once (`kill_asked`).

    A closed terminal (SIGHUP) stops as well, unless the caller was told to ignore it (nohup).
    """

    def __init__(self) -> None:
        self._count = 0

    def stop_asked(self) -> bool:
        """Whether somebody wants an end."""
        return self._count > 0

    def kill_asked(self) -> bool:
        """Whether somebody wants it without waiting."""
        return self._count > 1

    def listen(self) -> None:
        """Take over SIGINT, SIGTERM and SIGHUP, also where a shell started us in the background with SIGINT ignored."""
        signal.signal(signal.SIGINT, self._note)
        signal.signal(signal.SIGTERM, self._note)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            signal.signal(signal.SIGHUP, self._note)

    def _note(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002  the signature of a handler
        self._count += 1
