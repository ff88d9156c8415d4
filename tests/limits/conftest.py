"""The stores of the rate limit, each behind the same function: a file, Redis, and rows of whichever database the tests run on."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dsrportal.dastra.pacing import Limit, StoredPacer
from dsrportal.dastra.pacing_file import SharedPacer
from dsrportal.dastra.pacing_redis import RedisPacer
from dsrportal.mirror.pacing_rows import RowsPacer

from .servers import redis_server

MakePacer = Callable[..., StoredPacer]
FEW = (Limit(40, 62.5), Limit(300, 602.5))


class Clock:
    """A clock that moves only when somebody sleeps, or is told to."""

    def __init__(self, now: float = 1_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    with redis_server() as url:
        yield url


FILE = pytest.param("file", marks=pytest.mark.one_database)
REDIS = pytest.param("redis", marks=[pytest.mark.redis, pytest.mark.one_database])
ROWS = pytest.param("rows", marks=pytest.mark.django_db)


@pytest.fixture(params=[FILE, REDIS, ROWS])
def make_pacer(request: pytest.FixtureRequest, clock: Clock, tmp_path: Path) -> MakePacer:
    """A function that makes a pacer of one credential of this test; all that it makes share one store."""
    key_id = uuid.uuid4().hex

    def make(**options: Any) -> StoredPacer:
        options = {"key_id": key_id, "limits": FEW, "clock": clock, "sleep": clock.sleep, **options}
        if request.param == "file":
            options.pop("machine", None)
            return SharedPacer(directory=tmp_path, boot_id=lambda: "one", **options)
        options.setdefault("machine", lambda: ("", 0.0))
        if request.param == "redis":
            return RedisPacer(url=request.getfixturevalue("redis_url"), **options)
        return RowsPacer(**options)

    return make


@pytest.fixture
def pacer(make_pacer: MakePacer) -> StoredPacer:
    return make_pacer()
