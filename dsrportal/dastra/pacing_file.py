"""The rate limit of every process of one machine: a small SQLite file a credential, in a directory on a local disk.

Made by `mirror.connections` where neither Redis nor PostgreSQL is shared. A damaged file is moved aside, and its successor begins as
if the whole window had just been used.
"""

from __future__ import annotations

import fcntl
import logging
import os
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from . import breaker
from .breaker import Circuit
from .errors import PacingUnavailable
from .pacing import SHORTEST_WAIT_SECONDS, Limit, Shared, StoredPacer, Told, boot_id, machine_clock

logger = logging.getLogger(__name__)

_BUSY_SECONDS = 5.0
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS calls (at REAL NOT NULL)",
    "CREATE INDEX IF NOT EXISTS calls_at ON calls (at)",
    "CREATE TABLE IF NOT EXISTS shared (name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID",
)
_STORE = "INSERT INTO shared VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


class SharedPacer(StoredPacer):
    """A Pacer for one machine. Its clock counts from the machine's start, so that a changed wall clock changes nothing; after a
    restart the shortest window counts as full.

    Raises PacingUnavailable from every method when the file cannot be used.
    """

    def __init__(self, *, directory: Path, boot_id: Callable[[], str] = boot_id, **options: Any) -> None:
        super().__init__(**options)
        self._path = directory / f"pacing-{self._key_id}.sqlite3"
        self._now = self._clock = self._clock or machine_clock
        self._boot_id = boot_id

    def _take(self, *, interactive: bool) -> tuple[float, bool]:
        with self._transaction() as (connection, now):
            paused_seconds = _number(connection, "paused_until") - now
            if paused_seconds > 0:
                return paused_seconds, True
            connection.execute("DELETE FROM calls WHERE at <= ?", (now - max(limit.seconds for limit in self._limits),))
            people = _number(connection, "person_at", absent=-1e9) > now - self._limits[0].seconds
            wait = max(
                _wait(connection, limit, now=now, room=self._room(limit, interactive=interactive, people=people))
                for limit in self._limits
            )
            if wait <= 0:
                connection.execute("INSERT INTO calls VALUES (?)", (now,))
            if interactive:
                connection.execute(_STORE, ("person_at", now))
            return wait, False

    def _pause(self, seconds: float) -> None:
        with self._transaction() as (connection, now):
            connection.execute(_STORE, ("paused_until", max(now + seconds, _number(connection, "paused_until"))))

    def _exchange(self, change: Callable[[Circuit, Shared], tuple[Circuit, Told]]) -> Told:
        with self._transaction() as (connection, now):
            before = breaker.from_text(_value(connection, "circuit"))
            shared = Shared(
                now=now,
                used=_count(connection, since=now - self._limits[0].seconds),
                lately=_count(connection, since=now - breaker.RETRY_WINDOW_SECONDS),
                paused_until=_number(connection, "paused_until"),
            )
            after, told = change(before, shared)
            if after != before:
                connection.execute(_STORE, ("circuit", breaker.to_text(after)))
            return told

    @contextmanager
    def _transaction(self) -> Iterator[tuple[sqlite3.Connection, float]]:
        """One writer at a time, with the time read under its lock. A connection each: nothing to share with a fork."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with closing(self._opened()) as connection:
                now = self._now()
                self._begin_again_after_restart(connection, now=now)
                yield connection, now
                connection.execute("COMMIT")
        except sqlite3.DatabaseError as error:
            if _is_damage(error):
                self._mend()
            raise PacingUnavailable from error
        except (sqlite3.Error, OSError) as error:
            raise PacingUnavailable from error

    def _opened(self) -> sqlite3.Connection:
        """A connection inside a transaction; a file that is damaged is mended first."""
        try:
            return _begun(self._path)
        except sqlite3.DatabaseError as error:
            if not _is_damage(error):
                raise
        self._mend()
        return _begun(self._path)

    def _mend(self) -> None:
        """Puts a new file in the place of a damaged one, whose own log is lost: it counts as full. One process does it."""
        with suppress(OSError, sqlite3.Error), self._path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if _is_sound(self._path):
                return
            aside = self._path.with_name(f"{self._path.name}.damaged")
            fresh = self._path.with_name(f"{self._path.name}.{uuid.uuid4().hex}")
            with closing(sqlite3.connect(fresh, isolation_level=None)) as connection:
                connection.execute("BEGIN")
                for statement in _SCHEMA:
                    connection.execute(statement)
                now = self._now()
                connection.executemany("INSERT INTO calls VALUES (?)", [(now,)] * self._limits[0].calls)
                connection.execute(_STORE, ("boot_id", self._boot_id()))
                connection.execute("COMMIT")
            aside.unlink(missing_ok=True)
            os.link(self._path, aside)
            for suffix in ("-wal", "-shm"):
                self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
            fresh.replace(self._path)
            logger.warning(
                "The file of a rate limit was damaged and begins anew as if the limit had just been used up."
            )

    def _begin_again_after_restart(self, connection: sqlite3.Connection, *, now: float) -> None:
        boot = self._boot_id()
        found = _value(connection, "boot_id")
        if found == boot:
            return
        if found is not None:
            connection.execute("DELETE FROM calls")
            connection.executemany("INSERT INTO calls VALUES (?)", [(now,)] * self._limits[0].calls)
        connection.execute("DELETE FROM shared")
        connection.execute(_STORE, ("boot_id", boot))


def _begun(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        # What a crash of the machine may lose is counted as used when it starts again; a killed process loses nothing.
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("BEGIN IMMEDIATE")
        for statement in _SCHEMA:
            connection.execute(statement)
    except BaseException:
        connection.close()
        raise
    return connection


def _is_sound(path: Path) -> bool:
    try:
        with closing(sqlite3.connect(path, timeout=_BUSY_SECONDS)) as connection:
            (answer,) = connection.execute("PRAGMA quick_check").fetchone()
    except sqlite3.DatabaseError as error:
        return not _is_damage(error)
    return bool(answer == "ok")


def _is_damage(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGED


def _wait(connection: sqlite3.Connection, limit: Limit, *, now: float, room: int) -> float:
    used = _count(connection, since=now - limit.seconds)
    if used < room:
        return 0.0
    (leaves_at,) = connection.execute(
        "SELECT at FROM calls WHERE at > ? ORDER BY at LIMIT 1 OFFSET ?", (now - limit.seconds, used - room)
    ).fetchone()
    return max(float(leaves_at) + limit.seconds - now, SHORTEST_WAIT_SECONDS)


def _count(connection: sqlite3.Connection, *, since: float) -> int:
    (count,) = connection.execute("SELECT count(*) FROM calls WHERE at > ?", (since,)).fetchone()
    return int(count)


def _value(connection: sqlite3.Connection, name: str) -> Any:
    found = connection.execute("SELECT value FROM shared WHERE name = ?", (name,)).fetchone()
    return found[0] if found else None


def _number(connection: sqlite3.Connection, name: str, *, absent: float = 0.0) -> float:
    found = _value(connection, name)
    return absent if found is None else float(found)
