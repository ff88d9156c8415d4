"""What all sequences of one process share: a local Dastra, the line to it, and the settings of the portal. Used by `world.py` and the runs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.test import override_settings

from dsrportal.sandbox import Sandbox
from dsrportal.sandbox.seeding import BENELUX, FRANCE
from dsrportal.sandbox.server import Server
from dsrportal.sandbox.store import Workspace as DastraWorkspace
from dsrportal.sandbox.switches import Switches
from tests.torture.line import Line

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
REQUESTS = 7
PAGE_SIZE = 4


class Clock:
    """Time that passes only when somebody says so; both Dastra and the portal live by it."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)


@dataclass
class Tally:
    """What was tried, over all sequences: how often each property was looked at, and how often each thing happened."""

    checks: Counter[str] = field(default_factory=Counter)
    happened: Counter[str] = field(default_factory=Counter)
    journals: list[str] = field(default_factory=list)


class Stage:
    """One server for all sequences; `reset` gives it back its first requests, and its clock the first hour."""

    def __init__(self) -> None:
        self.clock = Clock()
        switches = Switches(max_size=PAGE_SIZE, limits_enforced=False)
        sandbox = Sandbox(requests=REQUESTS, seed=1, now=self.clock.now, settings=switches)
        sandbox.state.monotonic = lambda: self.clock.seconds
        sandbox.state.workspaces.pop(BENELUX)
        self._first = json.dumps(sandbox.state.snapshot())
        self._switches = switches
        self.server: Server = sandbox.serve()
        self.line = Line(self.server)

    @property
    def dastra(self) -> DastraWorkspace:
        """The workspace, as people change it in Dastra's own screens."""
        return self.server.state[FRANCE]

    def reset(self, *, lag_seconds: float) -> None:
        """As at the beginning; lists show what was `lag_seconds` ago."""
        self.clock.seconds = 0.0
        self.server.faults.clear()
        self.server.journal.clear()
        state = self.server.state
        state.load(json.loads(self._first))
        state.settings = replace(self._switches, list_lag_seconds=lag_seconds)

    @contextmanager
    def connected(self, *, data_dir: Path) -> Iterator[Stage]:
        """Within, the portal is set up to call this Dastra, over the line."""
        chosen: dict[str, Any] = {
            "UPSTREAM_ALLOWED_HOSTS": [self.server.host_port],
            "UPSTREAM_TIMEOUT_SECONDS": 30.0,
            "UNDO_SECONDS": 0,
            "DATA_DIR": data_dir,
        }
        with override_settings(**chosen), self.line.connected():
            yield self

    def close(self) -> None:
        """Stop the server."""
        self.server.stop()
