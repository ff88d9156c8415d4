"""The shared rate limit: never a window too full, whoever calls and whatever the clock does."""

from __future__ import annotations

import contextlib
import multiprocessing
import random
import sqlite3
import threading
import time
from bisect import bisect_left
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from dsrportal.dastra.auth import ApiKey, key_id
from dsrportal.dastra.errors import ConfigurationError, PacingUnavailable, RateLimited
from dsrportal.dastra.pacing import BULK_SHARE, LONGEST_PAUSE_SECONDS, Limit, dastra_limits
from dsrportal.dastra.pacing_file import SharedPacer

KEY = key_id("synthetic")


class Clock:
    """A clock that moves only when somebody sleeps, or is told to."""

    def __init__(self, now: float = 1_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pacer(tmp_path: Path, clock: Clock) -> SharedPacer:
    return made(tmp_path, clock, limits=(Limit(40, 62.5),))


def made(folder: Path, clock: Clock, *, boot: str = "one", limits: tuple[Limit, ...] | None = None) -> SharedPacer:
    return SharedPacer(
        directory=folder, key_id=KEY, limits=limits, clock=clock, sleep=clock.sleep, boot_id=lambda: boot
    )


def fullest(calls: list[float], seconds: float) -> int:
    """The most calls in any window of so many seconds."""
    ordered = sorted(calls)
    return max((index + 1 - bisect_left(ordered, at - seconds + 1e-9) for index, at in enumerate(ordered)), default=0)


def test_the_margins_hold_the_promise() -> None:
    minute, ten_minutes = dastra_limits()
    assert (minute.calls, minute.seconds) == (480, 62.5)
    assert (ten_minutes.calls, ten_minutes.seconds) == (9_600, 602.5)
    assert dastra_limits(100)[0].calls == 100


@pytest.mark.parametrize("per_minute", [0, -1, 481, 10_000])
def test_a_configured_figure_above_dastras_is_refused(per_minute: int) -> None:
    with pytest.raises(ConfigurationError):
        dastra_limits(per_minute)


def test_a_burst_is_granted_at_once_and_the_next_call_waits_for_the_window(pacer: SharedPacer, clock: Clock) -> None:
    for _ in range(40):
        assert pacer.acquire(interactive=True, patience_seconds=100) == 0
    assert pacer.acquire(interactive=True, patience_seconds=100) == pytest.approx(62.5, abs=0.01)


def test_no_window_is_ever_too_full(tmp_path: Path, clock: Clock) -> None:
    """Ragged demand, many times the limit, from people and from jobs: judged afterwards over every window."""
    limits = (Limit(20, 6.25), Limit(60, 60.25))
    pacer = made(tmp_path, clock, limits=limits)
    rng = random.Random(20260302)
    calls: list[float] = []
    for _ in range(250):
        clock.now += rng.choice([0.0, 0.0, 0.0, 0.01, 0.5, 7.0])
        pacer.acquire(interactive=rng.random() < 0.3, patience_seconds=10_000)
        calls.append(clock.now)
    assert fullest(calls, 6.25) <= 20
    assert fullest(calls, 60.25) <= 60
    assert fullest(calls, 60.25) >= 36


def test_a_saturated_job_leaves_room_for_a_person(pacer: SharedPacer, clock: Clock) -> None:
    granted = int(40 * BULK_SHARE)
    for _ in range(granted):
        pacer.acquire(interactive=False, patience_seconds=0)
    with pytest.raises(RateLimited):
        pacer.acquire(interactive=False, patience_seconds=0)
    assert pacer.acquire(interactive=True, patience_seconds=0) == 0
    assert 480 * BULK_SHARE / 62.5 * 60 >= 400


def test_patience_is_told_instead_of_slept(pacer: SharedPacer, clock: Clock) -> None:
    for _ in range(40):
        pacer.acquire(interactive=True, patience_seconds=0)
    before = clock.now
    with pytest.raises(RateLimited) as caught:
        pacer.acquire(interactive=True, patience_seconds=10)
    assert caught.value.pause_seconds == pytest.approx(62.5)
    assert clock.now == before


def test_a_pause_holds_everybody_and_is_never_shortened(tmp_path: Path, clock: Clock, pacer: SharedPacer) -> None:
    pacer.pause(60)
    pacer.pause(1)
    other = made(tmp_path, clock)
    with pytest.raises(RateLimited) as caught:
        other.acquire(interactive=True, patience_seconds=1_000)
    assert caught.value.pause_seconds == pytest.approx(60)
    assert other.state().pause_seconds == pytest.approx(60)
    clock.now += 56
    assert other.acquire(interactive=True, patience_seconds=1_000) == pytest.approx(4)
    assert other.state().pause_seconds == 0


def test_a_very_long_pause_is_probed_hourly(pacer: SharedPacer, clock: Clock) -> None:
    pacer.pause(86_400)
    assert pacer.state().pause_seconds == LONGEST_PAUSE_SECONDS
    clock.now += LONGEST_PAUSE_SECONDS
    assert pacer.acquire(interactive=False, patience_seconds=0) == 0


@pytest.mark.parametrize("seconds", [0, -5])
def test_no_pause_is_no_pause(seconds: float, pacer: SharedPacer) -> None:
    pacer.pause(seconds)
    assert pacer.acquire(interactive=False, patience_seconds=0) == 0


def test_the_gauge_tells_what_is_used(pacer: SharedPacer, clock: Clock) -> None:
    for _ in range(3):
        pacer.acquire(interactive=False, patience_seconds=0)
    assert (pacer.state().used, pacer.state().limit) == (3, 40)
    clock.now += 63
    assert pacer.state().used == 0


def test_after_a_restart_of_the_machine_what_was_called_counts_as_called_now(tmp_path: Path) -> None:
    before = Clock(90_000.0)
    few = (Limit(40, 62.5),)
    pacer = made(tmp_path, before, limits=few)
    for _ in range(40):
        pacer.acquire(interactive=True, patience_seconds=0)
    pacer.pause(3_000)
    after = Clock(12.0)
    restarted = made(tmp_path, after, boot="two", limits=few)
    with pytest.raises(RateLimited) as caught:
        restarted.acquire(interactive=True, patience_seconds=0)
    assert caught.value.pause_seconds == pytest.approx(62.5)
    after.now += 62.5
    assert restarted.acquire(interactive=True, patience_seconds=0) == 0


def test_the_wall_clock_plays_no_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pacer = SharedPacer(directory=tmp_path, key_id=KEY, limits=(Limit(2, 500.0),))
    pacer.acquire(interactive=True, patience_seconds=0)
    monkeypatch.setattr(time, "time", lambda: 0.0)
    pacer.acquire(interactive=True, patience_seconds=0)
    monkeypatch.setattr(time, "time", lambda: 4e9)
    with pytest.raises(RateLimited):
        pacer.acquire(interactive=True, patience_seconds=0)


def test_each_credential_has_its_own_limit_and_no_file_tells_it(tmp_path: Path, clock: Clock) -> None:
    for secret in ("synthetic-one", "synthetic-two"):
        auth = ApiKey(secret)
        SharedPacer(
            directory=tmp_path, key_id=auth.key_id, limits=(Limit(1, 60.0),), clock=clock, boot_id=lambda: "one"
        ).acquire(interactive=True, patience_seconds=0)
    names = [path.name for path in tmp_path.glob("*.sqlite3")]
    assert len(names) == 2
    assert not any("synthetic" in name for name in names)
    assert not any(b"synthetic" in path.read_bytes() for path in tmp_path.iterdir())


@pytest.mark.parametrize("bad", ["", "../../etc/x", "ABCDEF12", "a" * 65])
def test_a_file_is_named_by_a_key_id_and_nothing_else(bad: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError):
        SharedPacer(directory=tmp_path, key_id=bad)


def test_without_its_store_it_lets_nobody_through(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "file").write_text("not a directory")
    pacer = made(tmp_path / "file", clock)
    for call in (lambda: pacer.acquire(interactive=True, patience_seconds=0), lambda: pacer.pause(1), pacer.state):
        with pytest.raises(PacingUnavailable):
            call()


def test_a_damaged_store_is_put_aside_and_its_successor_begins_with_a_full_window(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / f"pacing-{KEY}.sqlite3"
    path.write_bytes(b"this is no database" * 500)
    pacer = made(tmp_path, clock, limits=(Limit(40, 62.5),))
    with pytest.raises(RateLimited) as caught:
        pacer.acquire(interactive=True, patience_seconds=0)
    assert caught.value.pause_seconds == pytest.approx(62.5)
    assert pacer.state().used == 40
    clock.now += 62.5
    assert pacer.acquire(interactive=True, patience_seconds=0) == 0
    assert path.with_name(f"{path.name}.damaged").read_bytes().startswith(b"this is no database")


def test_a_store_damaged_in_its_middle_lets_nobody_through_a_full_window(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / f"pacing-{KEY}.sqlite3"
    pacer = made(tmp_path, clock, limits=(Limit(2_000, 62.5),))
    for _ in range(400):
        pacer.acquire(interactive=True, patience_seconds=0)
    content = bytearray(path.read_bytes())
    content[4096 : 4096 * 3] = b"\xff" * 8192
    path.write_bytes(content)
    granted = 0
    for _ in range(2_500):
        with contextlib.suppress(RateLimited, PacingUnavailable):
            pacer.acquire(interactive=True, patience_seconds=0)
            granted += 1
    assert granted == 0
    clock.now += 62.5
    assert pacer.acquire(interactive=True, patience_seconds=0) == 0


def test_a_locked_store_lets_nobody_through_and_recovers_by_itself(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dsrportal.dastra.pacing_file._BUSY_SECONDS", 0.05)
    pacer = made(tmp_path, clock)
    pacer.acquire(interactive=True, patience_seconds=0)
    holder = sqlite3.connect(tmp_path / f"pacing-{KEY}.sqlite3", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(PacingUnavailable):
        pacer.acquire(interactive=True, patience_seconds=0)
    holder.execute("ROLLBACK")
    holder.close()
    assert pacer.acquire(interactive=True, patience_seconds=0) == 0


# The third keeps the log whole, so that every window of the run can be judged afterwards.
SCALED = (Limit(40, 0.5), Limit(150, 2.0), Limit(1_000_000, 3_600.0))


def call_for_a_while(folder: Path, everybody: Barrier, counted: multiprocessing.Queue[int]) -> None:
    """Two threads of one process, calling as fast as they may for five seconds, from when every process is there."""
    pacer = SharedPacer(directory=folder, key_id=KEY, limits=SCALED)
    calls: list[float] = []
    everybody.wait(timeout=120)
    until = time.monotonic() + 5

    def run() -> None:
        while time.monotonic() < until or not calls:
            with contextlib.suppress(RateLimited):
                calls.append(pacer.acquire(interactive=True, patience_seconds=5))

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counted.put(len(calls))


def test_four_processes_of_two_threads_keep_one_limit(tmp_path: Path) -> None:
    """The real clock, with windows scaled down."""
    context = multiprocessing.get_context("spawn")
    counted: multiprocessing.Queue[int] = context.Queue()
    everybody = context.Barrier(4)
    processes = [context.Process(target=call_for_a_while, args=(tmp_path, everybody, counted)) for _ in range(4)]
    for process in processes:
        process.start()
    calls = [counted.get(timeout=180) for _ in processes]
    for process in processes:
        process.join()
    with contextlib.closing(sqlite3.connect(tmp_path / f"pacing-{KEY}.sqlite3")) as connection:
        granted = [at for (at,) in connection.execute("SELECT at FROM calls")]
    assert len(granted) == sum(calls)
    assert min(calls) > 0
    assert fullest(granted, 0.5) <= 40
    assert fullest(granted, 2.0) <= 150
    assert {process.exitcode for process in processes} == {0}
