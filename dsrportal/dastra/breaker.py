"""The circuit breaker and the retry budget of one credential: rules without a store, a clock or a network.

Called by `pacing.py`, whose stores keep one `Circuit` for all processes and change it under their lock. Five calls that fail in a
row, or more than half of twenty, stop all calls for 30 s; then one call tries, and each that fails doubles the time, to 10 minutes.
A credential that is refused is tried once more and then waits for a person. Instants are seconds of the store's clock.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields, replace
from enum import StrEnum

from .errors import (
    CircuitOpen,
    CredentialHeld,
    DastraError,
    MalformedAnswer,
    NotTheApi,
    ServerFailure,
    Unauthorized,
    Unreachable,
)

FAILURES_IN_A_ROW = 5
REMEMBERED = 20
FIRST_PAUSE_SECONDS = 30.0
LONGEST_PAUSE_SECONDS = 600.0
# Longer than any call with its retries: a probe whose process died is given up then.
PROBE_SECONDS = 200.0
RETRY_SHARE = 0.1
RETRY_WINDOW_SECONDS = 300.0
# So that a portal that hardly calls may retry at all.
RETRIES_ALWAYS_ALLOWED = 6
_BUCKET_SECONDS = 30.0
_BAD, _GOOD = "x", "."


class Outcome(StrEnum):
    """How a call ended, as far as the breaker cares. `NEUTRAL`: it says nothing about the other side."""

    ANSWERED = "answered"
    FAILED = "failed"
    REFUSED = "refused"
    NEUTRAL = "neutral"


class State(StrEnum):
    """`OPEN`: no calls but a probe now and then. `REFUSED`: the credential is; after one more try it waits for a person."""

    CLOSED = "closed"
    OPEN = "open"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Circuit:
    """What all processes know of one credential's calls. `next_probe_at` is None where only a person ends it.

    `recent` has one letter a call, the latest last; calls that went well while none had failed are not in it. `retries` are pairs
    of (number of a stretch of 30 s, how often a call was made again in it).
    """

    state: State = State.CLOSED
    recent: str = ""
    since: float = 0.0
    pause_seconds: float = 0.0
    next_probe_at: float | None = 0.0
    probing_until: float = 0.0
    retries: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Permit:
    """The right to make one call. `probe`: it is the one that decides. `clean`: success need not be told."""

    probe: bool = False
    clean: bool = False


def outcome_of(error: BaseException | None) -> Outcome:
    """Dastra that refuses, finds nothing or asks to slow down is there and works: only what tells of no Dastra counts against it."""
    if error is None:
        return Outcome.ANSWERED
    if isinstance(error, Unauthorized):
        return Outcome.REFUSED
    if isinstance(error, Unreachable | ServerFailure | NotTheApi | MalformedAnswer):
        return Outcome.FAILED
    if isinstance(error, DastraError) and error.status is not None and not error.retryable:
        return Outcome.ANSWERED
    return Outcome.NEUTRAL


def allow(circuit: Circuit, *, now: float, insist: bool) -> tuple[Circuit, Permit]:
    """Raises CircuitOpen, or CredentialHeld. `insist`: a person tries, whatever the circuit says."""
    if circuit.state == State.CLOSED:
        return circuit, Permit(clean=_BAD not in circuit.recent)
    if insist:
        return circuit, Permit(probe=True)
    due_at = circuit.next_probe_at
    # A store's clock that was set back would make it wait for what is now far in the future.
    is_due = due_at is not None and (now >= due_at or now < circuit.since)
    is_probing = now < circuit.probing_until <= now + PROBE_SECONDS
    if is_due and not is_probing:
        return replace(circuit, probing_until=now + PROBE_SECONDS), Permit(probe=True)
    wait = None if due_at is None else max(0.0, (circuit.probing_until if is_probing else due_at) - now)
    kind = CredentialHeld if circuit.state == State.REFUSED else CircuitOpen
    raise kind(since_seconds=max(0.0, now - circuit.since), next_try_seconds=wait)


def record(circuit: Circuit, permit: Permit, *, outcome: Outcome, now: float) -> Circuit:
    """The circuit after a call. While it is open only its probe counts: other calls began before it opened."""
    if circuit.state == State.CLOSED:
        return _counted(circuit, outcome=outcome, now=now)
    if not permit.probe:
        return circuit
    if outcome == Outcome.ANSWERED:
        return Circuit(retries=circuit.retries)
    if outcome == Outcome.NEUTRAL:
        return replace(circuit, probing_until=0.0)
    if outcome == Outcome.REFUSED:
        since = min(circuit.since, now) if circuit.state == State.REFUSED else now
        return replace(circuit, state=State.REFUSED, since=since, next_probe_at=None, probing_until=0.0)
    pause = min(LONGEST_PAUSE_SECONDS, circuit.pause_seconds * 2)
    since = min(circuit.since, now)
    return replace(circuit, since=since, pause_seconds=pause, next_probe_at=now + pause, probing_until=0.0)


def closed(circuit: Circuit) -> Circuit:
    """A person ends whatever it was."""
    return Circuit(retries=circuit.retries)


def retry(circuit: Circuit, *, now: float, call_count: int) -> tuple[Circuit, bool]:
    """Whether a call may be made again, and then it is counted. `call_count` is how many were made in the last 5 minutes."""
    this = int(now // _BUCKET_SECONDS)
    oldest = int((now - RETRY_WINDOW_SECONDS) // _BUCKET_SECONDS)
    retries = {bucket: times for bucket, times in circuit.retries if oldest <= bucket <= this}
    # A retry is a call itself: a tenth of all of them.
    if sum(retries.values()) + 1 > max(RETRIES_ALWAYS_ALLOWED, int((call_count + 1) * RETRY_SHARE)):
        return circuit, False
    retries[this] = retries.get(this, 0) + 1
    return replace(circuit, retries=tuple(sorted(retries.items()))), True


def to_text(circuit: Circuit) -> str:
    """For a store."""
    return json.dumps(asdict(circuit))


def from_text(text: str | None) -> Circuit:
    """What a store kept. A text that is not ours stands for a closed circuit: the rate limit itself is kept elsewhere."""
    try:
        found = json.loads(text or "{}")
        known = {field.name: found[field.name] for field in fields(Circuit) if field.name in found}
        known["state"] = State(known.get("state", State.CLOSED))
        known["retries"] = tuple((int(bucket), int(times)) for bucket, times in known.get("retries", ()))
        return Circuit(**known)
    except (ValueError, TypeError):
        return Circuit()


def _counted(circuit: Circuit, *, outcome: Outcome, now: float) -> Circuit:
    if outcome == Outcome.NEUTRAL:
        return circuit
    if outcome == Outcome.REFUSED:
        return _opened(circuit, state=State.REFUSED, now=now)
    recent = (circuit.recent + (_BAD if outcome == Outcome.FAILED else _GOOD))[-REMEMBERED:]
    recent = recent if _BAD in recent else ""
    if recent.endswith(_BAD * FAILURES_IN_A_ROW) or recent.count(_BAD) * 2 > REMEMBERED:
        return _opened(circuit, state=State.OPEN, now=now)
    return replace(circuit, recent=recent)


def _opened(circuit: Circuit, *, state: State, now: float) -> Circuit:
    return Circuit(
        state=state,
        since=now,
        pause_seconds=FIRST_PAUSE_SECONDS,
        next_probe_at=now + FIRST_PAUSE_SECONDS,
        retries=circuit.retries,
    )
