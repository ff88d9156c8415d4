"""The mirror and the outbox tortured at length: `make torture`. Prints seeds and figures; exit code 1 when a property does not hold.

Each worker is a process with a database of its own in memory (SQLite), or a test database on the server of TEST_DATABASE_URL. Sequences
come in batches of one seed each; `--seed N --batches 1` (with the same `--batch`) runs a batch again.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
BATCH = 100


@dataclass
class Batch:
    """What one worker tells of one seed."""

    seed: int
    seconds: float = 0.0
    failure: str = ""
    checks: Counter[str] = field(default_factory=Counter)
    happened: Counter[str] = field(default_factory=Counter)


def prepare() -> None:
    """Django, on a database that is thrown away."""
    import tests.environment  # noqa: F401, PLC0415  sets the variables before the settings are read

    os.environ["DJANGO_SETTINGS_MODULE"] = "dsrportal.settings"
    import django  # noqa: PLC0415
    from django.conf import settings  # noqa: PLC0415

    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        database["NAME"] = ":memory:"
    else:
        database["TEST"] = {"NAME": f"torture_{os.getpid()}"}
    django.setup()
    from django.db import connection  # noqa: PLC0415

    if connection.vendor == "postgresql":
        connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    else:
        from django.core.management import call_command  # noqa: PLC0415

        call_command("migrate", verbosity=0)


def run_batch(seed: int, sequences: int) -> Batch:
    """One seed; a violation is told with the smallest sequence that Hypothesis found for it."""
    from tests.torture.machine import run  # noqa: PLC0415
    from tests.torture.stage import Stage, Tally  # noqa: PLC0415

    began, tally, batch = time.monotonic(), Tally(), Batch(seed=seed)
    stage = Stage()
    try:
        with tempfile.TemporaryDirectory() as folder, stage.connected(data_dir=Path(folder)):
            run(stage, sequences=sequences, seed_number=seed, tally=tally, shrink=True)
    except Exception as error:  # whatever the engine raised is a finding
        notes = "\n".join(getattr(error, "__notes__", ()))
        where = "".join(traceback.format_tb(error.__traceback__)[-2:])
        batch.failure = f"{where}{type(error).__name__}: {error}\n{notes}"
    finally:
        stage.close()
    batch.seconds, batch.checks, batch.happened = time.monotonic() - began, tally.checks, tally.happened
    return batch


def main() -> int:
    """Run what was asked for, and print it."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--sequences", type=int, default=10_000)
    options.add_argument("--seed", type=int, default=1, help="of the first batch; each further one has the next number")
    options.add_argument("--batches", type=int, default=None, help="instead of --sequences")
    options.add_argument("--batch", type=int, default=BATCH, help="sequences of one seed")
    options.add_argument("--workers", type=int, default=2)
    asked = options.parse_args()
    batches = asked.batches or -(-asked.sequences // asked.batch)
    seeds = range(asked.seed, asked.seed + batches)
    print(f"{batches * asked.batch} sequences, seeds {seeds[0]} to {seeds[-1]}, {asked.workers} workers", flush=True)
    began, failures = time.monotonic(), 0
    checks: Counter[str] = Counter()
    happened: Counter[str] = Counter()
    for way_out in (signal.SIGINT, signal.SIGTERM):  # a shell's background jobs ignore the first
        signal.signal(way_out, signal.default_int_handler)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(asked.workers, mp_context=context, initializer=prepare) as pool:
        try:
            for done in as_completed([pool.submit(run_batch, seed, asked.batch) for seed in seeds]):
                batch = done.result()
                checks += batch.checks
                happened += batch.happened
                print(f"seed {batch.seed}: {batch.happened['sequences']} sequences, {batch.seconds:.0f} s", flush=True)
                if batch.failure:
                    failures += 1
                    print(f"VIOLATION with seed {batch.seed}\n{batch.failure}", flush=True)
        except KeyboardInterrupt:
            print("Interrupted: what follows is of the seeds above.", flush=True)
            pool.shutdown(wait=False, cancel_futures=True)
    print(f"{time.monotonic() - began:.0f} s in all; {failures} violations")
    for title, counts in (("What happened", happened), ("How often each property was checked", checks)):
        print(f"\n{title}")
        for name, number in sorted(counts.items()):
            print(f"  {name:45} {number:>10,}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
