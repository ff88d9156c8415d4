"""One rate limit over processes and machines: what holds for one store holds for each."""

from __future__ import annotations

import random
import uuid
from bisect import bisect_left
from contextlib import suppress

import pytest

from dsrportal.dastra.breaker import FIRST_PAUSE_SECONDS, RETRIES_ALWAYS_ALLOWED, Outcome, State
from dsrportal.dastra.errors import CircuitOpen, CredentialHeld, PacingUnavailable, RateLimited
from dsrportal.dastra.pacing import BULK_SHARE, BULK_SHARE_BESIDE_PEOPLE, LONGEST_PAUSE_SECONDS, Limit, StoredPacer
from dsrportal.dastra.pacing_redis import RedisPacer

from .conftest import REDIS, ROWS, Clock, MakePacer


def fullest(calls: list[float], seconds: float) -> int:
    """The most calls in any window of so many seconds."""
    ordered = sorted(calls)
    return max((index + 1 - bisect_left(ordered, at - seconds + 1e-6) for index, at in enumerate(ordered)), default=0)


def fill(pacer: StoredPacer, *, interactive: bool = True, most: int = 1_000) -> int:
    """Calls until nobody may call at once; how many that were."""
    granted = 0
    with suppress(RateLimited):
        while granted < most:
            pacer.acquire(interactive=interactive, patience_seconds=0)
            granted += 1
    return granted


def fail(pacer: StoredPacer, *, times: int = 1, outcome: Outcome = Outcome.FAILED) -> None:
    for _ in range(times):
        pacer.record(pacer.allow(), outcome=outcome)


def test_a_window_is_filled_and_then_waited_for(pacer: StoredPacer, clock: Clock) -> None:
    assert fill(pacer) == 40
    assert (pacer.state().used, pacer.state().limit) == (40, 40)
    assert pacer.acquire(interactive=True, patience_seconds=100) == pytest.approx(62.5, abs=0.02)


def test_two_pacers_of_one_credential_share_it_and_others_do_not(make_pacer: MakePacer) -> None:
    first, second, other = make_pacer(), make_pacer(), make_pacer(key_id=uuid.uuid4().hex)
    for _ in range(20):
        first.acquire(interactive=True, patience_seconds=0)
        second.acquire(interactive=True, patience_seconds=0)
    assert (fill(first), fill(second), fill(other)) == (0, 0, 40)


def test_no_window_is_ever_too_full(make_pacer: MakePacer, clock: Clock) -> None:
    limits = (Limit(20, 6.25), Limit(60, 60.25))
    pacers = [make_pacer(limits=limits) for _ in range(3)]
    rng = random.Random(20260302)
    calls: list[float] = []
    for _ in range(250):
        clock.now += rng.choice([0.0, 0.0, 0.0, 0.01, 0.5, 7.0])
        rng.choice(pacers).acquire(interactive=rng.random() < 0.3, patience_seconds=10_000)
        calls.append(clock.now)
    assert fullest(calls, 6.25) <= 20
    assert fullest(calls, 60.25) <= 60
    assert fullest(calls, 60.25) >= 60 * BULK_SHARE_BESIDE_PEOPLE


def test_bulk_work_leaves_room_and_more_of_it_while_people_call(pacer: StoredPacer, clock: Clock) -> None:
    assert fill(pacer, interactive=False) == 40 * BULK_SHARE
    assert pacer.acquire(interactive=True, patience_seconds=0) == 0
    clock.now += 40
    pacer.acquire(interactive=True, patience_seconds=0)
    clock.now += 22.6
    assert fill(pacer, interactive=False) == 40 * BULK_SHARE_BESIDE_PEOPLE - 1
    assert fill(pacer) == 40 - 40 * BULK_SHARE_BESIDE_PEOPLE


def test_a_pause_holds_everybody_is_never_shortened_and_lasts_an_hour_at_most(
    make_pacer: MakePacer, clock: Clock
) -> None:
    first, second = make_pacer(), make_pacer()
    first.pause(60)
    first.pause(1)
    with pytest.raises(RateLimited) as caught:
        second.acquire(interactive=True, patience_seconds=1_000)
    assert caught.value.pause_seconds == pytest.approx(60, abs=0.01)
    clock.now += 61
    assert fill(second, most=1) == 1
    first.pause(86_400)
    assert second.state().pause_seconds == pytest.approx(LONGEST_PAUSE_SECONDS, abs=0.01)


def test_five_failures_in_a_row_stop_everybody_until_one_probe_succeeds(make_pacer: MakePacer, clock: Clock) -> None:
    first, second = make_pacer(), make_pacer()
    fail(first, times=4)
    assert second.state().circuit == State.CLOSED
    fail(second)
    for pacer in (first, second):
        with pytest.raises(CircuitOpen) as caught:
            pacer.allow()
        assert (caught.value.outcome_unknown, caught.value.retryable) == (False, True)
        assert caught.value.next_try_seconds == pytest.approx(FIRST_PAUSE_SECONDS, abs=0.01)
    clock.now += 30.1
    probe = first.allow()
    assert probe.probe
    with pytest.raises(CircuitOpen):
        second.allow()
    first.record(probe, outcome=Outcome.ANSWERED)
    assert second.state().circuit == State.CLOSED
    assert not second.allow().probe


def test_a_probe_that_fails_doubles_the_time_to_ten_minutes(pacer: StoredPacer, clock: Clock) -> None:
    fail(pacer, times=5)
    waits = []
    for _ in range(7):
        wait = pacer.state().next_try_seconds
        assert wait is not None
        waits.append(round(wait))
        clock.now += wait + 0.01
        fail(pacer)
    assert waits == [30, 60, 120, 240, 480, 600, 600]


def test_a_credential_that_is_refused_is_tried_once_more_and_then_waits_for_a_person(
    make_pacer: MakePacer, clock: Clock
) -> None:
    pacer = make_pacer()
    fail(pacer, outcome=Outcome.REFUSED)
    with pytest.raises(CredentialHeld) as caught:
        pacer.allow()
    assert not caught.value.retryable
    clock.now += 31
    fail(pacer, outcome=Outcome.REFUSED)
    for _ in range(5):
        clock.now += 86_400
        with pytest.raises(CredentialHeld):
            make_pacer().allow()
    assert pacer.state().next_try_seconds is None
    assert pacer.allow(insist=True).probe
    make_pacer().reset()
    assert pacer.allow().clean


def test_a_probe_whose_process_died_does_not_hold_the_others_for_ever(make_pacer: MakePacer, clock: Clock) -> None:
    pacer = make_pacer()
    fail(pacer, times=5)
    clock.now += 31
    assert pacer.allow().probe
    clock.now += 100
    with pytest.raises(CircuitOpen):
        make_pacer().allow()
    clock.now += 101
    assert make_pacer().allow().probe


def test_retries_are_a_tenth_of_all_calls_and_a_few_always(make_pacer: MakePacer, clock: Clock) -> None:
    pacer = make_pacer(limits=(Limit(10_000, 602.5),))
    assert [pacer.may_retry() for _ in range(RETRIES_ALWAYS_ALLOWED + 1)] == [True] * RETRIES_ALWAYS_ALLOWED + [False]
    for _ in range(199):
        pacer.acquire(interactive=True, patience_seconds=0)
    allowed = sum(make_pacer(limits=(Limit(10_000, 602.5),)).may_retry() for _ in range(50))
    assert RETRIES_ALWAYS_ALLOWED + allowed == 20
    clock.now += 400
    assert pacer.may_retry()


@pytest.mark.parametrize("step", [3_600.0, 5.0, -5.0, -3_600.0])
@pytest.mark.parametrize("make_pacer", [REDIS, ROWS], indirect=True)
def test_a_server_clock_that_is_set_passes_no_window_and_recovers_within_one(
    make_pacer: MakePacer, clock: Clock, step: float
) -> None:
    """`real` is the machine's own clock; the file's store has no other."""
    real = Clock(50.0)
    pacer = make_pacer(machine=lambda: ("machine", real.now))
    pacer.pause(10)
    fail(pacer, times=5)
    clock.now, real.now = clock.now + 20, real.now + 20
    assert fill(pacer) == 40
    clock.now, real.now = clock.now + 30 + step, real.now + 30
    assert fill(make_pacer(machine=lambda: ("machine", real.now))) == 0
    clock.now, real.now = clock.now + 62.6, real.now + 62.6
    assert pacer.acquire(interactive=True, patience_seconds=0) == 0
    assert pacer.allow().probe
    with pytest.raises(CircuitOpen):
        pacer.allow()


@pytest.mark.parametrize("step", [3_600.0, -3_600.0])
@pytest.mark.parametrize("make_pacer", [REDIS, ROWS], indirect=True)
def test_a_pause_outlasts_a_change_of_the_servers_clock(make_pacer: MakePacer, clock: Clock, step: float) -> None:
    real = Clock(50.0)
    pacer = make_pacer(machine=lambda: ("machine", real.now))
    pacer.pause(60)
    clock.now, real.now = clock.now + 20 + step, real.now + 20
    assert pacer.state().pause_seconds == pytest.approx(40, abs=0.01)


@pytest.mark.redis
def test_without_redis_nobody_calls(tmp_path: object) -> None:
    pacer = RedisPacer(url=f"unix://{tmp_path}/nobody.sock", key_id="0123456789abcdef")
    for call in (lambda: pacer.acquire(interactive=True, patience_seconds=0), lambda: pacer.pause(1), pacer.state):
        with pytest.raises(PacingUnavailable):
            call()


@pytest.mark.redis
def test_a_redis_that_has_just_started_may_have_lost_its_log_and_grants_nothing_yet(redis_url: str) -> None:
    pacer = RedisPacer(url=redis_url, key_id="fedcba9876543210", limits=(Limit(40, 3_000.0),))
    with pytest.raises(RateLimited) as caught:
        pacer.acquire(interactive=True, patience_seconds=0)
    assert 0 < caught.value.pause_seconds <= 3_000
