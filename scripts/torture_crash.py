"""The portal killed at length, by SIGKILL: `make torture` runs it on SQLite and on PostgreSQL (TEST_DATABASE_URL, see with_postgres.py).

Prints seeds and figures; exit code 1 when something was lost, doubled or left behind. The tests in `tests/crash` run short forms of the
same functions; `tests/crash/parts.py` lists the parts, and `--only` repeats one.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
if TYPE_CHECKING:
    from tests.crash.parts import Asked, Part

SEED = 20_261_122


def prepare() -> None:
    """Django, since the judge shares its words with the other tests."""
    import tests.environment  # noqa: F401, PLC0415  sets the variables before the settings are read

    os.environ["DJANGO_SETTINGS_MODULE"] = "dsrportal.settings"
    import django  # noqa: PLC0415

    django.setup()


def run_part(name: str, part: Part, asked: Asked) -> bool:
    """One part on a stage of its own; whether all held."""
    from tests.crash.stage import staged  # noqa: PLC0415

    began, met, failure = time.monotonic(), Counter[str](), ""
    with tempfile.TemporaryDirectory(prefix="dsr-portal-crash-") as folder:
        try:
            with staged(Path(folder)) as stage:
                if part.is_running:
                    stage.start()
                for met in part.work(stage, asked):
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
    given = options.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):  # so that nothing that was started stays
        signal.signal(number, lambda received, _frame: sys.exit(128 + received))
    prepare()
    from tests.crash.parts import PARTS, Asked  # noqa: PLC0415

    if unknown := set(given.only or []) - PARTS.keys():
        options.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    database = "PostgreSQL" if os.environ.get("TEST_DATABASE_URL") else "SQLite"
    print(f"{database}, seed {given.seed}, {given.kills} kills of each kind, {given.rounds} rounds", flush=True)
    asked = Asked(kills=given.kills, rounds=given.rounds, seed=given.seed)
    wanted = {name: part for name, part in PARTS.items() if not given.only or name in given.only}
    failures = sum(not run_part(name, part, asked) for name, part in wanted.items())
    print(f"{failures} parts failed", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
