"""The portal killed at length, by SIGKILL: `make torture` runs it on SQLite and on PostgreSQL (TEST_DATABASE_URL, see with_postgres.py).

Prints seeds and figures; exit code 1 when something was lost, doubled or left behind. The tests in `tests/crash` run short forms of the
same functions. `--only` repeats one part.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
SEED = 20_261_122
MOVES_AGAIN = 2
"""How often a move is killed at each of its boundaries."""

PARENTS = 20
FLUSHES = 20
ROUNDS_AT_ONCE = 100
WRITES_EACH = 250


def prepare() -> None:
    """Django, since the judge shares its words with the other tests."""
    import tests.environment  # noqa: F401, PLC0415  sets the variables before the settings are read

    os.environ["DJANGO_SETTINGS_MODULE"] = "dsrportal.settings"
    import django  # noqa: PLC0415

    django.setup()


def parts(*, kills: int, rounds: int, seed: int) -> dict[str, tuple[bool, Callable[..., Iterator[Counter[str]]]]]:
    """Each part by name: whether it needs the running portal, and what it does on a stage, telling from time to time what was met so far."""
    from tests.crash import campaign, commands, crowd, duel  # noqa: PLC0415
    from tests.crash.stage import Stage  # noqa: PLC0415

    def moves(stage: Stage) -> Iterator[Counter[str]]:
        count = len(commands.boundaries_of_a_move(stage))
        ends = commands.kill_moves(stage, list(range(1, count + 1)) * MOVES_AGAIN)
        yield ends + Counter({"boundaries": count, "kills": count * MOVES_AGAIN})

    def crowded(stage: Stage) -> Iterator[Counter[str]]:
        met = crowd.crowd(stage, times=WRITES_EACH)
        if met.errors:
            raise AssertionError(f"{len(met.errors)} errors, the first: {met.errors[0]}")
        yield Counter({"wishes kept": met.done, "slowest hundredth, ms": round(met.slowest_hundredth * 1000)})

    def flushes(stage: Stage) -> Iterator[Counter[str]]:
        yield commands.kill_flushes(stage, kills=min(kills, FLUSHES), seed=seed)

    def pulls(stage: Stage) -> Iterator[Counter[str]]:
        yield commands.kill_pulls(stage, kills=kills, seed=seed)

    def kind_of(kind: str) -> Callable[[Stage], Iterator[Counter[str]]]:
        def work(stage: Stage) -> Iterator[Counter[str]]:
            run = campaign.Campaign(stage, kind=kind, seed=seed)
            while run.kills < kills:
                yield run.run(kills=min(campaign.PER_WINDOW, kills - run.kills))

        return work

    def parents(stage: Stage) -> Iterator[Counter[str]]:
        yield campaign.kill_parents(stage, kills=min(kills, PARENTS), seed=seed)

    def two_people(stage: Stage) -> Iterator[Counter[str]]:
        met = Counter[str]()
        while met["rounds"] < rounds:
            some = min(ROUNDS_AT_ONCE, rounds - met["rounds"])
            met += duel.fight(stage, rounds=some, seed=seed + met["rounds"])
            yield met

    return {
        **{kind: (True, kind_of(kind)) for kind in campaign.KINDS},
        "two people": (True, two_people),
        "parents": (True, parents),
        "moves": (False, moves),
        "flushes": (False, flushes),
        "pulls": (False, pulls),
        "crowd": (False, crowded),
    }


def run_part(name: str, *, is_running: bool, work: Callable[..., Iterator[Counter[str]]]) -> bool:
    """One part on a stage of its own; whether all held."""
    from tests.crash.stage import staged  # noqa: PLC0415

    began, met, failure = time.monotonic(), Counter[str](), ""
    with tempfile.TemporaryDirectory(prefix="dsr-portal-crash-") as folder:
        try:
            with staged(Path(folder)) as stage:
                if is_running:
                    stage.start()
                for met in work(stage):
                    print(f"  {name} so far, after {time.monotonic() - began:.0f} s: {told(met)}", flush=True)
        except Exception:  # whatever was raised is a finding
            failure = traceback.format_exc()
    print(f"{name}: {told(met)}; {time.monotonic() - began:.0f} s", flush=True)
    if failure:
        print(f"VIOLATION in “{name}”\n{failure}", flush=True)
    return not failure


def told(met: Counter[str]) -> str:
    """In words."""
    return ", ".join(f"{number} {what}" for what, number in sorted(met.items())) or "nothing"


def main() -> int:
    """Run what was asked for."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--kills", type=int, default=100, help="of each kind: web, worker, cluster, pull")
    options.add_argument("--rounds", type=int, default=1_000, help="of two people at one card")
    options.add_argument("--seed", type=int, default=SEED)
    options.add_argument("--only", action="append", metavar="PART", help="may be given several times")
    asked = options.parse_args()
    prepare()
    offered = parts(kills=asked.kills, rounds=asked.rounds, seed=asked.seed)
    if unknown := set(asked.only or []) - offered.keys():
        options.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(offered)}")
    database = "PostgreSQL" if os.environ.get("TEST_DATABASE_URL") else "SQLite"
    print(f"{database}, seed {asked.seed}, {asked.kills} kills of each kind, {asked.rounds} rounds", flush=True)
    failures = 0
    for name, (is_running, work) in offered.items():
        if not asked.only or name in asked.only:
            failures += not run_part(name, is_running=is_running, work=work)
    print(f"{failures} parts failed", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
