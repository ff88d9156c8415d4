"""The rate limit tortured: simulated calls by a fake clock, real calls of four processes at a local Dastra, clicks beside bulk work.

`make torture` runs it on a file, Redis and PostgreSQL (`--stores`; PostgreSQL needs TEST_DATABASE_URL, see with_postgres.py). Prints
figures; exit code 1 when a window was passed or a click waited too long. The tests run short forms of the same functions.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import statistics
import sys
import tempfile
import time
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from dsrportal.dastra.auth import ApiKey
from dsrportal.dastra.client import DastraClient
from dsrportal.dastra.errors import RateLimited
from dsrportal.dastra.pacing import Limit, StoredPacer, dastra_limits
from dsrportal.sandbox import Limit as ServerLimit
from dsrportal.sandbox import Sandbox, Switches
from dsrportal.sandbox.limits import violations

STORES = ("file", "redis", "rows")
JITTER_SECONDS = 2.0
LONGEST_CLICK_SECONDS = 2.0
SEED = 20_261_121
PROCESSES = 4
# Windows of a twentieth of Dastra's. Stalls of a busy machine do not shrink with them, so the margin is kept at half a second.
SCALED_SECONDS = (3.0, 30.0)
SCALED_MARGIN_SECONDS = 0.5
# A database is slower than that, and would never reach the limit: a quarter of the calls.
SHARES = {"rows": 4}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a store keeps its things; can be handed to another process. The limits of real runs are a `share`-th of Dastra's, so that a slow
    machine reaches them."""

    store: str
    folder: str
    redis_url: str = ""
    share: int = 1

    @property
    def server_limits(self) -> tuple[ServerLimit, ...]:
        """Dastra's two figures, scaled."""
        counts = (500, 10_000)
        return tuple(ServerLimit(count=n // self.share, seconds=s) for n, s in zip(counts, SCALED_SECONDS, strict=True))

    @property
    def portal_limits(self) -> tuple[Limit, ...]:
        """Ours, scaled alike."""
        return tuple(Limit(int(one.count * 0.96), one.seconds + SCALED_MARGIN_SECONDS) for one in self.server_limits)

    def pacer(self, **options: Any) -> StoredPacer:
        """A pacer of this store, on its own clock unless `clock` is given."""
        is_simulated = "clock" in options
        if self.store == "file":
            from dsrportal.dastra.pacing_file import SharedPacer  # noqa: PLC0415

            return SharedPacer(directory=Path(self.folder), **options)
        machine = {"machine": lambda: ("", 0.0)} if is_simulated else {}
        if self.store == "redis":
            from dsrportal.dastra.pacing_redis import RedisPacer  # noqa: PLC0415

            return RedisPacer(url=self.redis_url, **machine, **options)
        from dsrportal.mirror.pacing_rows import RowsPacer  # noqa: PLC0415

        return RowsPacer(**machine, **options)


class Clock:
    """A clock that moves only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        """Moves it."""
        self.now += seconds


def fullest(calls: Sequence[float], seconds: float) -> int:
    """The most calls in any window of so many seconds."""
    ordered = sorted(calls)
    return max((index + 1 - bisect_left(ordered, at - seconds + 1e-6) for index, at in enumerate(ordered)), default=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """What a simulation found: the fullest windows at Dastra's door, after the jitter of the way there."""

    calls: int
    minute: int
    ten_minutes: int
    hours: float
    seconds: float

    @property
    def is_sound(self) -> bool:
        return self.minute <= 500 and self.ten_minutes <= 10_000  # noqa: PLR2004  Dastra's own figures


def simulate(place: Place, *, calls: int, key_id: str, seed: int = SEED) -> Simulated:
    """Four processes that ask raggedly: bursts, rests long enough to empty every window, people and jobs; each call takes 0 to 2 s to arrive."""
    began = time.monotonic()
    clock, rng = Clock(), random.Random(seed)  # noqa: S311  a simulation is to be repeated
    start = clock.now
    options = {"key_id": key_id, "limits": dastra_limits(), "clock": clock, "sleep": clock.sleep}
    pacers = [place.pacer(**options) for _ in range(PROCESSES)]
    arrivals: list[float] = []
    people = 0.0
    for number in range(calls):
        if number % 2_000 == 0:
            people = rng.choice((0.0, 1 / 3, 1.0))
        if rng.random() < 1 / 3_000:
            clock.now += rng.choice((30.0, 59.0, 61.0, 63.0, 200.0, 700.0))
        elif rng.random() < 1 / 5:
            clock.now += rng.random() * 0.2
        rng.choice(pacers).acquire(interactive=rng.random() < people, patience_seconds=1e9)
        arrivals.append(clock.now + rng.random() * JITTER_SECONDS)
    return Simulated(
        calls=calls,
        minute=fullest(arrivals, 60.0),
        ten_minutes=fullest(arrivals, 600.0),
        hours=(clock.now - start) / 3600,
        seconds=time.monotonic() - began,
    )


def clicks_beside_bulk(place: Place, *, clicks: int, key_id: str, seed: int = SEED) -> list[float]:
    """How long each call of a person waited, in simulated seconds, while bulk work takes whatever it may. A click is three calls."""
    clock, rng = Clock(), random.Random(seed)  # noqa: S311  a simulation is to be repeated
    options = {"key_id": key_id, "limits": dastra_limits(), "clock": clock, "sleep": clock.sleep}
    bulk, person = place.pacer(**options), place.pacer(**options)
    waits: list[float] = []
    bulk_at = clock.now
    click_at = clock.now + 70.0
    while len(waits) < clicks * 3:
        clock.now = max(clock.now, min(bulk_at, click_at))
        if bulk_at < click_at:
            try:
                bulk.acquire(interactive=False, patience_seconds=0)
                bulk_at = clock.now + rng.random() * 0.1
            except RateLimited as full:
                bulk_at = clock.now + full.pause_seconds
        else:
            waits.extend(person.acquire(interactive=True, patience_seconds=1e9) for _ in range(3))
            click_at = clock.now + rng.expovariate(1 / 6)
    return waits


def call_for_real(
    place: Place,
    address: tuple[str, str, str],
    calls: int,
    is_person: bool,  # noqa: FBT001
    everybody: Barrier,
    told: Any,
) -> None:
    """One process: so many calls at the local Dastra, each as soon as it may, once every process is there."""
    _ready(place)
    everybody.wait(timeout=120)
    base_url, host_port, secret = address
    auth = ApiKey(secret)
    client = DastraClient(
        base_url=base_url,
        workspace_id=101,
        auth=auth,
        allowed_hosts=[host_port],
        pacer=place.pacer(key_id=auth.key_id, limits=place.portal_limits),
        interactive=is_person,
    )
    done = refused = 0
    while done < calls:
        try:
            client.me()
            done += 1
        except RateLimited as error:
            refused += error.status is not None
            time.sleep(min(error.pause_seconds, 0.5))
    told.put((client.call_count, refused))


@dataclass(frozen=True, slots=True, kw_only=True)
class Real:
    """What the local Dastra's journal says of a run."""

    arrived: int
    refused: int
    violations: int
    fullest: int
    seconds: float


def run_for_real(place: Place, *, calls: int) -> Real:
    """Four processes against a local Dastra with scaled windows, whose journal is the judge."""
    context = multiprocessing.get_context("spawn")
    told, everybody = context.Queue(), context.Barrier(PROCESSES)
    began = time.monotonic()
    with Sandbox(requests=1, seed=1, settings=Switches(limits=place.server_limits)).serve() as server:
        address = (server.base_url, server.host_port, server.api_key)
        each = calls // PROCESSES
        processes = [
            context.Process(target=call_for_real, args=(place, address, each, number % 2 == 0, everybody, told))
            for number in range(PROCESSES)
        ]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
        if any(process.exitcode for process in processes):
            raise RuntimeError("a process of the run failed")
        results = [told.get(timeout=30) for _ in processes]
        entries = list(server.journal.entries)
    return Real(
        arrived=len(entries),
        refused=sum(refused for _, refused in results),
        violations=len(violations(entries, limits=place.server_limits)),
        fullest=fullest([entry.arrived for entry in entries], place.server_limits[0].seconds),
        seconds=time.monotonic() - began,
    )


def _ready(place: Place) -> None:
    """Django, where rows of a database are the store."""
    if place.store != "rows":
        return
    import tests.environment  # noqa: F401, PLC0415  sets the variables before the settings are read

    os.environ["DJANGO_SETTINGS_MODULE"] = "dsrportal.settings"
    import django  # noqa: PLC0415

    django.setup()


@contextmanager
def places(stores: Sequence[str]) -> Iterator[list[Place]]:
    """The stores, each at a place that is thrown away."""
    from tests.limits.servers import redis_server  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder, redis_server() if "redis" in stores else nullcontext("") as url:
        if "rows" in stores:
            _ready(Place(store="rows", folder=folder))
            from django.core.management import call_command  # noqa: PLC0415

            call_command("migrate", verbosity=0)
        yield [Place(store=store, folder=folder, redis_url=url, share=SHARES.get(store, 1)) for store in stores]


def main() -> int:
    """Run what was asked for, and print it."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--stores", nargs="+", choices=STORES, default=list(STORES))
    options.add_argument("--simulated", type=int, default=1_000_000)
    options.add_argument("--real", type=int, default=20_000)
    options.add_argument("--clicks", type=int, default=1_000)
    options.add_argument("--seed", type=int, default=SEED)
    asked = options.parse_args()
    if "rows" in asked.stores and not os.environ.get("TEST_DATABASE_URL", "").startswith("postgres"):
        options.error("the rows need PostgreSQL: run this by scripts/with_postgres.py")
    faults = 0
    with places(asked.stores) as found:
        for place in found:
            simulated = simulate(place, calls=asked.simulated, key_id="00000001", seed=asked.seed)
            faults += not simulated.is_sound
            print(
                f"{place.store}: {simulated.calls:,} simulated calls in {simulated.hours:.1f} simulated hours, seed {asked.seed}: "
                f"fullest minute {simulated.minute} of 500, fullest ten minutes {simulated.ten_minutes:,} of 10,000 "
                f"({simulated.seconds:.0f} s)",
                flush=True,
            )
            waits = clicks_beside_bulk(place, clicks=asked.clicks, key_id="00000002", seed=asked.seed)
            p99 = statistics.quantiles(waits, n=100)[98]
            faults += p99 > LONGEST_CLICK_SECONDS
            print(
                f"{place.store}: {asked.clicks:,} clicks beside bulk work: p99 {p99:.3f} s, worst {max(waits):.3f} s",
                flush=True,
            )
            if asked.real:
                real = run_for_real(place, calls=asked.real)
                faults += real.violations + real.refused
                print(
                    f"{place.store}: {real.arrived:,} real calls of {PROCESSES} processes in {real.seconds:.0f} s: {real.violations} "
                    f"windows passed, {real.refused} refused, fullest {real.fullest} of {place.server_limits[0].count}",
                    flush=True,
                )
    print(f"{faults} violations")
    return 1 if faults else 0


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        sys.exit(main())
    sys.exit(1)
