"""The rate limit: 500 calls a minute and 10,000 in ten minutes, kept together by all processes; with it breaker and retry budget.

Asked by `transport.py` around each HTTP call. Never calls anybody. When the shared store cannot be used, no call is made.

A sliding log: the time of each call is kept, and a call is granted only when the window before it has room. The window is
2.5 s longer than Dastra's and the figure lower, since calls do not arrive at the instant they are granted. Where the log is
kept is the business of the stores: `pacing_file.py` for one machine, `pacing_redis.py` for several.
"""

from __future__ import annotations

import re
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from . import breaker
from .breaker import Circuit, Outcome, Permit
from .errors import ConfigurationError, RateLimited

MARGIN_SECONDS = 2.5
LONGEST_PAUSE_SECONDS = 3600.0
# A longer pause is told to the caller instead of slept through, so that no worker is held by it.
LONGEST_PAUSE_SLEPT_SECONDS = 5.0
# What bulk work may use of a window: less while people are calling too.
BULK_SHARE = 0.9
BULK_SHARE_BESIDE_PEOPLE = 0.6
SHORTEST_WAIT_SECONDS = 0.005
# Clocks of servers are set while they run. A step beyond this is noticed and costs a window; the margin bears a smaller one.
CLOCK_STEP_SECONDS = 1.0
_PER_MINUTE = 480
_PER_TEN_MINUTES = 9_600
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_KEY_ID = re.compile(r"[0-9a-f]{8,64}", re.ASCII)

Told = TypeVar("Told")


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `calls` in any span of `seconds`."""

    calls: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PacingState:
    """For a gauge: calls granted in the shortest window, its figure, the seconds that a shared pause still lasts, and the breaker.

    `circuit` is one of `breaker.State`; `since_seconds` how long it has been open; `next_try_seconds` None where only a person ends it.
    """

    used: int
    limit: int
    pause_seconds: float
    circuit: breaker.State = breaker.State.CLOSED
    since_seconds: float = 0.0
    next_try_seconds: float | None = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What a store tells of one instant: its clock, the calls in the shortest window and in the last 5 minutes, the end of a pause."""

    now: float
    used: int
    lately: int
    paused_until: float


class Pacer(Protocol):
    """What the transport needs. An implementation is safe between threads, processes and forks.

    Every method raises PacingUnavailable when its store cannot be used.
    """

    def acquire(self, *, interactive: bool, patience_seconds: float) -> float:
        """Returns when one call may be made, with the seconds waited.

        Raises RateLimited when that would take longer than `patience_seconds`, or a pause is too long to sit out.
        """

    def pause(self, seconds: float) -> None:
        """Nobody calls for so long. Never shortens a pause; at most an hour, so that a long one is probed hourly."""

    def allow(self, *, insist: bool = False) -> Permit:
        """Asked once for each call, before `acquire`. Raises CircuitOpen; not when a person insists."""

    def record(self, permit: Permit, *, outcome: Outcome) -> None:
        """Told once for each permit, after the last try."""

    def may_retry(self) -> bool:
        """Whether a call that failed may be made again: a tenth of all calls over 5 minutes, and a few always."""

    def reset(self) -> None:
        """A person ends what the breaker holds."""

    def state(self) -> PacingState:
        """For people."""


def dastra_limits(per_minute: int = _PER_MINUTE) -> tuple[Limit, ...]:
    """Dastra's two figures with our margins. `per_minute` is what the operator configured, at most 480."""
    if not 1 <= per_minute <= _PER_MINUTE:
        raise ConfigurationError(f"The limit a minute must be 1 to {_PER_MINUTE}.")
    return Limit(per_minute, 60 + MARGIN_SECONDS), Limit(_PER_TEN_MINUTES, 600 + MARGIN_SECONDS)


class StoredPacer(ABC):
    """A Pacer over some store: the rules, without where things are kept.

    `key_id` names the credential without telling it (`auth.key_id`). `limits` and `clock` are for tests and simulations.
    """

    def __init__(
        self,
        *,
        key_id: str,
        per_minute: int = _PER_MINUTE,
        limits: Sequence[Limit] | None = None,
        clock: Callable[[], float] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if not _KEY_ID.fullmatch(key_id):
            raise ConfigurationError("The name of the credential's rate limit is not one that auth.key_id makes.")
        self._key_id = key_id
        self._limits = tuple(limits or dastra_limits(per_minute))
        self._clock = clock
        self._sleep = sleep

    def acquire(self, *, interactive: bool, patience_seconds: float) -> float:
        watch = self._clock or time.monotonic
        began = watch()
        while True:
            wait, paused = self._take(interactive=interactive)
            if wait <= 0:
                return watch() - began
            left = began + patience_seconds - watch()
            if wait > left or (paused and wait > LONGEST_PAUSE_SLEPT_SECONDS):
                sentence = "" if paused else "The calls that Dastra allows are used up for the moment."
                raise RateLimited(sentence, pause_seconds=wait)
            self._sleep(wait)

    def pause(self, seconds: float) -> None:
        self._pause(min(max(seconds, 0.0), LONGEST_PAUSE_SECONDS))

    def allow(self, *, insist: bool = False) -> Permit:
        return self._exchange(lambda circuit, shared: breaker.allow(circuit, now=shared.now, insist=insist))

    def record(self, permit: Permit, *, outcome: Outcome) -> None:
        if permit.clean and outcome in {Outcome.ANSWERED, Outcome.NEUTRAL}:
            return  # the usual case costs the store nothing
        self._exchange(lambda circuit, shared: (breaker.record(circuit, permit, outcome=outcome, now=shared.now), None))

    def may_retry(self) -> bool:
        return self._exchange(lambda circuit, shared: breaker.retry(circuit, now=shared.now, call_count=shared.lately))

    def reset(self) -> None:
        self._exchange(lambda circuit, _shared: (breaker.closed(circuit), None))

    def state(self) -> PacingState:
        return self._exchange(lambda circuit, shared: (circuit, self._told(circuit, shared)))

    def _told(self, circuit: Circuit, shared: Shared) -> PacingState:
        is_open = circuit.state != breaker.State.CLOSED
        due_at = circuit.next_probe_at
        return PacingState(
            used=shared.used,
            limit=self._limits[0].calls,
            pause_seconds=max(0.0, shared.paused_until - shared.now),
            circuit=circuit.state,
            since_seconds=max(0.0, shared.now - circuit.since) if is_open else 0.0,
            next_try_seconds=None if due_at is None else max(0.0, due_at - shared.now) if is_open else 0.0,
        )

    def _room(self, limit: Limit, *, interactive: bool, people: bool) -> int:
        """How many calls of a window this caller may fill. `people`: somebody waited for a call within the shortest window."""
        if interactive:
            return limit.calls
        return max(1, int(limit.calls * (BULK_SHARE_BESIDE_PEOPLE if people else BULK_SHARE)))

    @abstractmethod
    def _take(self, *, interactive: bool) -> tuple[float, bool]:
        """Takes a call if there is room: 0. Otherwise the seconds until there may be, and whether a pause is the reason."""

    @abstractmethod
    def _pause(self, seconds: float) -> None:
        """Extends the shared pause."""

    @abstractmethod
    def _exchange(self, change: Callable[[Circuit, Shared], tuple[Circuit, Told]]) -> Told:
        """Replaces the circuit by what `change` makes of it, nobody in between; stores nothing when it raises."""


def machine_clock() -> float:
    """Seconds since the machine started, the same for all its processes, sleep included."""
    boot_time = getattr(time, "CLOCK_BOOTTIME", None)
    return time.clock_gettime(boot_time) if boot_time is not None else time.monotonic()


def boot_id() -> str:
    """Names this run of the machine; "" where the system does not tell."""
    with suppress(OSError):
        return _BOOT_ID.read_text().strip()
    return ""
