"""The alerts proved at length: `make torture` runs it on SQLite and on PostgreSQL (TEST_DATABASE_URL, see with_postgres.py).

Prints seeds and figures; exit code 1 when an alert was lost, doubled or early. The tests in `tests/alerts` run short forms of the same functions;
`tests/alerts/proof/parts.py` lists the parts, and `--only` repeats one.
"""

from __future__ import annotations

import argparse
import logging
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
    from tests.alerts.proof.parts import Part
    from tests.alerts.proof.stage import Asked

SEED = 20_261_122


def prepare() -> None:
    """Django, on a database that is thrown away."""
    import tests.environment  # noqa: F401, PLC0415  sets the variables before the settings are read

    os.environ["DJANGO_SETTINGS_MODULE"] = "dsrportal.settings"
    import django  # noqa: PLC0415
    from django.conf import settings  # noqa: PLC0415

    settings.DATABASES["default"].setdefault("TEST", {})["NAME"] = database_name()
    django.setup()
    from django.db import connection  # noqa: PLC0415

    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    logging.getLogger("mail.log").setLevel(logging.WARNING)


def database_name() -> str:
    """A file, or the name of a database on the server."""
    if os.environ.get("TEST_DATABASE_URL"):
        return f"proof_{os.getpid()}"
    return str(Path(tempfile.gettempdir()) / f"dsr-portal-proof-{os.getpid()}.sqlite3")


def run_part(name: str, part: Part, asked: Asked) -> bool:
    """One part on an empty database; whether all held."""
    from django.core.management import call_command  # noqa: PLC0415

    began, met, failure = time.monotonic(), Counter[str](), ""
    call_command("flush", interactive=False, verbosity=0)
    try:
        for met in part(asked):
            print(f"  {name} so far, after {time.monotonic() - began:.0f} s: {told(met)}", flush=True)
    except Exception:  # whatever was raised is a finding
        failure = traceback.format_exc()
    except SystemExit:
        print(f"{name}, interrupted after {time.monotonic() - began:.0f} s: {told(met)}", flush=True)
        raise
    print(f"{name}: {told(met)}; {time.monotonic() - began:.0f} s", flush=True)
    if failure:
        print(f"VIOLATION in “{name}”\n{failure}", flush=True)
    return not failure


def told(met: Counter[str]) -> str:
    """In words."""
    return ", ".join(f"{number:,} {what}" for what, number in sorted(met.items())) or "nothing"


def main() -> int:
    """Run what was asked for."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--kills", type=int, default=100, help="by chance, beside one at each boundary")
    options.add_argument("--share", type=float, default=1.0, help="of everything else; 1 is all of it")
    options.add_argument("--seed", type=int, default=SEED)
    options.add_argument("--only", action="append", metavar="PART", help="may be given several times")
    given = options.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):  # so that nothing that was started stays
        signal.signal(number, lambda received, _frame: sys.exit(128 + received))
    prepare()
    from django.db import connection  # noqa: PLC0415

    from tests.alerts.proof.parts import PARTS, PURE  # noqa: PLC0415
    from tests.alerts.proof.stage import Asked  # noqa: PLC0415

    if unknown := set(given.only or []) - PARTS.keys():
        options.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    database = "PostgreSQL" if os.environ.get("TEST_DATABASE_URL") else "SQLite"
    print(f"{database}, seed {given.seed}, {given.kills} kills by chance, a share of {given.share:g}", flush=True)
    asked = Asked(kills=given.kills, share=given.share, seed=given.seed)
    # What asks no database is the same on every one.
    wanted = given.only or [name for name in PARTS if database == "SQLite" or name not in PURE]
    try:
        failures = sum(not run_part(name, PARTS[name], asked) for name in wanted)
    finally:
        connection.creation.destroy_test_db(database_name(), verbosity=0)
    print(f"{failures} parts failed", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
