"""The rate limit: 500 calls a minute and 10,000 in ten minutes, kept together by every process of the machine.

Asked by `transport.py` before each HTTP call. Never calls anybody. When the shared store cannot be used, no call is made.

A sliding log: the time of each call is kept, and a call is granted only when the window before it has room. The window is
2.5 s longer than Dastra's and the figure lower, since calls do not arrive at the instant they are granted.
"""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from .errors import ConfigurationError, PacingUnavailable, RateLimited

MARGIN_SECONDS = 2.5
LONGEST_PAUSE_SECONDS = 3600.0
# A longer pause is told to the caller instead of slept through, so that no worker is held by it.
LONGEST_PAUSE_SLEPT_SECONDS = 5.0
BULK_SHARE = 0.9
_PER_MINUTE = 480
_PER_TEN_MINUTES = 9_600
_BUSY_SECONDS = 5.0
_SHORTEST_WAIT_SECONDS = 0.005
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_KEY_ID = re.compile(r"[0-9a-f]{8,64}", re.ASCII)
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS calls (at REAL NOT NULL)",
    "CREATE INDEX IF NOT EXISTS calls_at ON calls (at)",
    "CREATE TABLE IF NOT EXISTS shared (name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID",
)
_STORE = "INSERT INTO shared VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `calls` in any span of `seconds`."""

    calls: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PacingState:
    """For a gauge: calls granted in the shortest window, its figure, and the seconds that a shared pause still lasts."""

    used: int
    limit: int
    pause_seconds: float


class Pacer(Protocol):
    """What the transport needs of a rate limit. An implementation is safe between threads, processes and forks."""

    def acquire(self, *, interactive: bool, patience_seconds: float) -> float:
        """Returns when one call may be made, with the seconds waited.

        Raises RateLimited when that would take longer than `patience_seconds`, or a pause is too long to sit out;
        PacingUnavailable when nobody can tell.
        """

    def pause(self, seconds: float) -> None:
        """Nobody calls for so long. Never shortens a pause; at most an hour, so that a long one is probed hourly."""

    def state(self) -> PacingState:
        """Raises PacingUnavailable."""


def dastra_limits(per_minute: int = _PER_MINUTE) -> tuple[Limit, ...]:
    """Dastra's two figures with our margins. `per_minute` is what the operator configured, at most 480."""
    if not 1 <= per_minute <= _PER_MINUTE:
        raise ConfigurationError(f"The limit a minute must be 1 to {_PER_MINUTE}.")
    return Limit(per_minute, 60 + MARGIN_SECONDS), Limit(_PER_TEN_MINUTES, 600 + MARGIN_SECONDS)


class SharedPacer:
    """A Pacer for every process of one machine: a small SQLite file a credential, in a directory on a local disk.

    `key_id` names the credential without telling it (`auth.key_id`). The clock counts from the machine's start, so that
    a changed wall clock changes nothing; after a restart what was called before it counts as called now.
    Raises PacingUnavailable from every method when the file cannot be used.
    """

    def __init__(
        self,
        *,
        directory: Path,
        key_id: str,
        per_minute: int = _PER_MINUTE,
        limits: Sequence[Limit] | None = None,
        clock: Callable[[], float] | None = None,
        sleep: Callable[[float], None] = time.sleep,
        boot_id: Callable[[], str] | None = None,
    ) -> None:
        if not _KEY_ID.fullmatch(key_id):
            raise ConfigurationError("The name of the credential's rate limit is not one that auth.key_id makes.")
        self._path = directory / f"pacing-{key_id}.sqlite3"
        self._limits = tuple(limits or dastra_limits(per_minute))
        self._clock = clock or _machine_clock
        self._sleep = sleep
        self._boot_id = boot_id or _boot_id

    def acquire(self, *, interactive: bool, patience_seconds: float) -> float:
        began = self._clock()
        while True:
            wait, paused = self._try(interactive=interactive)
            if wait <= 0:
                return self._clock() - began
            left = began + patience_seconds - self._clock()
            if wait > left or (paused and wait > LONGEST_PAUSE_SLEPT_SECONDS):
                sentence = "" if paused else "The calls that Dastra allows are used up for the moment."
                raise RateLimited(sentence, pause_seconds=wait)
            self._sleep(wait)

    def pause(self, seconds: float) -> None:
        with self._transaction() as (connection, now):
            until = now + min(max(seconds, 0.0), LONGEST_PAUSE_SECONDS)
            connection.execute(_STORE, ("paused_until", max(until, _paused_until(connection))))

    def state(self) -> PacingState:
        tightest = self._limits[0]
        with self._transaction() as (connection, now):
            return PacingState(
                used=_count(connection, since=now - tightest.seconds),
                limit=tightest.calls,
                pause_seconds=max(0.0, _paused_until(connection) - now),
            )

    def _try(self, *, interactive: bool) -> tuple[float, bool]:
        """Takes a call if there is room. Otherwise the seconds until there may be, and whether a pause is the reason."""
        with self._transaction() as (connection, now):
            paused_seconds = _paused_until(connection) - now
            if paused_seconds > 0:
                return paused_seconds, True
            connection.execute("DELETE FROM calls WHERE at <= ?", (now - max(limit.seconds for limit in self._limits),))
            wait = max(self._wait(connection, limit, now=now, interactive=interactive) for limit in self._limits)
            if wait <= 0:
                connection.execute("INSERT INTO calls VALUES (?)", (now,))
            return wait, False

    def _wait(self, connection: sqlite3.Connection, limit: Limit, *, now: float, interactive: bool) -> float:
        room = limit.calls if interactive else max(1, int(limit.calls * BULK_SHARE))
        used = _count(connection, since=now - limit.seconds)
        if used < room:
            return 0.0
        (leaves_at,) = connection.execute(
            "SELECT at FROM calls WHERE at > ? ORDER BY at LIMIT 1 OFFSET ?", (now - limit.seconds, used - room)
        ).fetchone()
        return max(float(leaves_at) + limit.seconds - now, _SHORTEST_WAIT_SECONDS)

    @contextmanager
    def _transaction(self) -> Iterator[tuple[sqlite3.Connection, float]]:
        """One writer at a time, with the time read under its lock. A connection each: nothing to share with a fork."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self._path, timeout=_BUSY_SECONDS, isolation_level=None)) as connection:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = NORMAL")
                connection.execute("BEGIN IMMEDIATE")
                for statement in _SCHEMA:
                    connection.execute(statement)
                now = self._clock()
                self._begin_again_after_restart(connection, now=now)
                yield connection, now
                connection.execute("COMMIT")
        except (sqlite3.Error, OSError) as error:
            raise PacingUnavailable from error

    def _begin_again_after_restart(self, connection: sqlite3.Connection, *, now: float) -> None:
        boot_id = self._boot_id()
        found = connection.execute("SELECT value FROM shared WHERE name = 'boot_id'").fetchone()
        if found is not None and found[0] == boot_id:
            return
        connection.execute("UPDATE calls SET at = ?", (now,))
        connection.execute("DELETE FROM shared WHERE name = 'paused_until'")
        connection.execute(_STORE, ("boot_id", boot_id))


def _count(connection: sqlite3.Connection, *, since: float) -> int:
    (count,) = connection.execute("SELECT count(*) FROM calls WHERE at > ?", (since,)).fetchone()
    return int(count)


def _paused_until(connection: sqlite3.Connection) -> float:
    found = connection.execute("SELECT value FROM shared WHERE name = 'paused_until'").fetchone()
    return float(found[0]) if found else 0.0


def _machine_clock() -> float:
    """Seconds since the machine started, the same for all its processes, sleep included."""
    boot_time = getattr(time, "CLOCK_BOOTTIME", None)
    return time.clock_gettime(boot_time) if boot_time is not None else time.monotonic()


def _boot_id() -> str:
    return _BOOT_ID.read_text().strip() if _BOOT_ID.exists() else ""
