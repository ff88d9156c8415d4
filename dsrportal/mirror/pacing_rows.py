"""The rate limit of every process of several machines that share a PostgreSQL: a row a credential, and one a call.

Made by `connections.py`. Implements `dastra.pacing.Pacer`, and lives here because `dastra` knows no Django. Each grant is a short
transaction of its own under the credential's row, by the database's clock; it may not be called inside another transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import DatabaseError, InterfaceError, connection, transaction
from django.db.models import QuerySet

from dsrportal.dastra import breaker
from dsrportal.dastra.breaker import Circuit
from dsrportal.dastra.errors import PacingUnavailable
from dsrportal.dastra.pacing import (
    CLOCK_STEP_SECONDS,
    LONGEST_PAUSE_SECONDS,
    SHORTEST_WAIT_SECONDS,
    Limit,
    Shared,
    StoredPacer,
    Told,
    boot_id,
    machine_clock,
)
from dsrportal.models.pacing import PacedCall, PacedKey

MOST_MACHINES = 20


class RowsPacer(StoredPacer):
    """A Pacer for all machines that share a database. Raises PacingUnavailable from every method when it cannot be used.

    The database's clock may be set while it runs: noticed by comparing with the clock of the machine that asks, and then every call counts
    as called now; so does a call that seems to come from the future. That costs a window and passes none.
    """

    def __init__(self, *, machine: Callable[[], tuple[str, float]] | None = None, **options: Any) -> None:
        super().__init__(**options)
        self._machine = machine or (lambda: (boot_id(), machine_clock()))

    def _take(self, *, interactive: bool) -> tuple[float, bool]:
        with self._locked() as (key, now):
            if key.paused_until > now:
                return key.paused_until - now, True
            calls = self._calls()
            calls.filter(at__lte=now - max(limit.seconds for limit in self._limits)).delete()
            people = key.person_at > now - self._limits[0].seconds
            wait = max(
                _wait(calls, limit, now=now, room=self._room(limit, interactive=interactive, people=people))
                for limit in self._limits
            )
            if wait <= 0:
                PacedCall.objects.create(key_id=self._key_id, at=now)
            if interactive:
                PacedKey.objects.filter(pk=self._key_id).update(person_at=now)
            return wait, False

    def _pause(self, seconds: float) -> None:
        with self._locked() as (key, now):
            until = max(key.paused_until, now + seconds)
            PacedKey.objects.filter(pk=self._key_id).update(paused_until=until)

    def _exchange(self, change: Callable[[Circuit, Shared], tuple[Circuit, Told]]) -> Told:
        with self._locked() as (key, now):
            calls = self._calls()
            before = breaker.from_text(key.circuit)
            shared = Shared(
                now=now,
                used=calls.filter(at__gt=now - self._limits[0].seconds).count(),
                lately=calls.filter(at__gt=now - breaker.RETRY_WINDOW_SECONDS).count(),
                paused_until=key.paused_until,
            )
            after, told = change(before, shared)
            if after != before:
                PacedKey.objects.filter(pk=self._key_id).update(circuit=breaker.to_text(after))
            return told

    def _calls(self) -> QuerySet[PacedCall]:
        return PacedCall.objects.filter(key_id=self._key_id)

    @contextmanager
    def _locked(self) -> Iterator[tuple[PacedKey, float]]:
        """The credential's row, and the time as it is under its lock."""
        try:
            with transaction.atomic(durable=True):
                if connection.vendor == "postgresql":
                    with connection.cursor() as cursor:
                        cursor.execute("SET LOCAL lock_timeout = '5s'")
                key = PacedKey.objects.select_for_update().filter(pk=self._key_id).first() or self._created()
                now = self._clock() if self._clock else _database_clock()
                self._mind_the_clock(key, now=now)
                yield key, now
        except (DatabaseError, InterfaceError) as error:
            raise PacingUnavailable from error

    def _created(self) -> PacedKey:
        PacedKey.objects.bulk_create([PacedKey(key_id=self._key_id)], ignore_conflicts=True)
        return PacedKey.objects.select_for_update().get(pk=self._key_id)

    def _mind_the_clock(self, key: PacedKey, *, now: float) -> None:
        changes: dict[str, Any] = {}
        machine, machine_now = self._machine()
        offset = now - machine_now
        moved = offset - key.offsets.get(machine, offset)
        if machine and (machine not in key.offsets or abs(moved) > CLOCK_STEP_SECONDS / 4):
            others = [(name, apart) for name, apart in key.offsets.items() if name != machine]
            changes["offsets"] = dict([*others, (machine, offset)][-MOST_MACHINES:])
        if machine and abs(moved) > CLOCK_STEP_SECONDS:
            self._calls().update(at=now)
            key.paused_until = changes["paused_until"] = key.paused_until + moved
        else:
            self._calls().filter(at__gt=now).update(at=now)
        if key.paused_until > now + LONGEST_PAUSE_SECONDS:
            key.paused_until = changes["paused_until"] = now + LONGEST_PAUSE_SECONDS
        if changes:
            PacedKey.objects.filter(pk=self._key_id).update(**changes)


def _wait(calls: QuerySet[PacedCall], limit: Limit, *, now: float, room: int) -> float:
    inside = calls.filter(at__gt=now - limit.seconds)
    used = inside.count()
    if used < room:
        return 0.0
    leaves_at = inside.order_by("at").values_list("at", flat=True)[used - room]
    return max(leaves_at + limit.seconds - now, SHORTEST_WAIT_SECONDS)


def _database_clock() -> float:
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM clock_timestamp())")
        return float(cursor.fetchone()[0])
