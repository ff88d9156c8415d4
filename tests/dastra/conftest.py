"""What every test of the client needs: a scripted server, a pace that never waits, and a client between the two."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dsrportal.dastra.auth import ApiKey, Auth
from dsrportal.dastra.breaker import Outcome, Permit
from dsrportal.dastra.client import DastraClient
from dsrportal.dastra.connections import Exchange
from dsrportal.dastra.pacing import PacingState
from dsrportal.dastra.transport import Transport

from .wire import Wire


@pytest.fixture(autouse=True)
def _nothing_stays_open(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A call that is not brought to its end is found here, and not minutes later by the collector, in another test."""
    still_open: list[Exchange] = []
    enter, leave = Exchange.__enter__, Exchange.__exit__

    def entered(exchange: Exchange) -> Exchange:
        still_open.append(exchange)
        return enter(exchange)

    def left(exchange: Exchange, *error: Any) -> None:
        still_open.remove(exchange)
        leave(exchange, *error)

    monkeypatch.setattr(Exchange, "__enter__", entered)
    monkeypatch.setattr(Exchange, "__exit__", left)
    yield
    assert still_open == []


class OpenPace:
    """A pace without a limit; remembers what it was told."""

    def __init__(self) -> None:
        self.acquired: list[bool] = []
        self.pauses: list[float] = []
        self.outcomes: list[Outcome] = []
        self.retries = 0

    def acquire(self, *, interactive: bool, patience_seconds: float) -> float:
        self.acquired.append(interactive)
        return 0.0

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)

    def allow(self, *, insist: bool = False) -> Permit:
        return Permit()

    def record(self, permit: Permit, *, outcome: Outcome) -> None:
        self.outcomes.append(outcome)

    def may_retry(self) -> bool:
        self.retries += 1
        return True

    def reset(self) -> None:
        self.outcomes.clear()

    def state(self) -> PacingState:
        return PacingState(used=len(self.acquired), limit=480, pause_seconds=0.0)


@pytest.fixture
def wire() -> Iterator[Wire]:
    server = Wire()
    yield server
    server.stop()


@pytest.fixture
def pace() -> OpenPace:
    return OpenPace()


@pytest.fixture
def transport(wire: Wire, pace: OpenPace) -> Iterator[Callable[..., Transport]]:
    made: list[Transport] = []

    def make(auth: Auth | None = None, **options: Any) -> Transport:
        options.setdefault("base_url", wire.url)
        options.setdefault("allowed_hosts", (wire.host,))
        options.setdefault("sleep", lambda _seconds: None)
        made.append(Transport(auth=auth or ApiKey("synthetic-key-0001"), pacer=pace, **options))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def client(wire: Wire, pace: OpenPace) -> Iterator[DastraClient]:
    with DastraClient(
        base_url=wire.url,
        workspace_id=42,
        auth=ApiKey("synthetic-key-0001"),
        allowed_hosts=(wire.host,),
        pacer=pace,
        timeout_seconds=30,
    ) as made:
        yield made
