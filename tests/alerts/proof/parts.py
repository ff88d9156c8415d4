"""The parts of the long run (`scripts/torture_alerts.py`): each begins on an empty database and tells from time to time what it met so far."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from tests.alerts.proof import crowd, failing, killing, outage, rearming, storm, table
from tests.alerts.proof.stage import Asked

Part = Callable[[Asked], Iterator[Counter[str]]]

PARTS: dict[str, Part] = {
    "table": table.check,
    "table in the database": table.sample,
    "kills": killing.kill,
    "deciders": crowd.decide_at_once,
    "senders": crowd.send_at_once,
    "storm": storm.overwhelm,
    "failures": failing.fail,
    "outage": outage.outlast,
    "new dates": rearming.rearm,
}
PURE = frozenset({"table"})
"""What no database takes part in."""
