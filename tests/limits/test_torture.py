"""The short forms of `scripts/torture_limits.py`: simulated and real calls of several processes, and clicks beside bulk work."""

from __future__ import annotations

import os
import statistics
import uuid
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings as django_settings
from django.db import connection

from scripts import torture_limits
from scripts.torture_limits import LONGEST_CLICK_SECONDS, Place

from .conftest import FILE, REDIS

# 50 calls in three seconds: a limit that any machine reaches.
SHARE = 10


@pytest.fixture(
    params=[FILE, REDIS, pytest.param("rows", marks=pytest.mark.django_db(transaction=True))],
)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """A store for one test."""
    url = request.getfixturevalue("redis_url") if request.param == "redis" else ""
    return Place(store=request.param, folder=str(tmp_path), redis_url=url)


def test_no_window_is_passed_at_dastra_s_door_whatever_the_way_there_takes(place: Place) -> None:
    calls = 600 if place.store == "rows" else 3_000
    found = torture_limits.simulate(place, calls=calls, key_id=uuid.uuid4().hex, seed=7)
    assert found.is_sound
    assert found.minute >= 280, "the limit was not even tried"


def test_a_click_does_not_wait_for_bulk_work(place: Place) -> None:
    clicks = 8 if place.store == "rows" else 25
    waits = torture_limits.clicks_beside_bulk(place, clicks=clicks, key_id=uuid.uuid4().hex, seed=7)
    assert statistics.quantiles(waits, n=100)[98] <= LONGEST_CLICK_SECONDS


def holds(place: Place, *, calls: int) -> None:
    found = torture_limits.run_for_real(place, calls=calls)
    assert (found.arrived, found.refused, found.violations) == (calls, 0, 0)
    assert found.fullest >= place.server_limits[0].count * 0.8, "the limit was not even tried"


@pytest.mark.parametrize("store", [FILE, REDIS])
def test_four_processes_keep_one_limit_by_the_journal_of_the_other_side(
    store: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue("redis_url") if store == "redis" else ""
    holds(Place(store=store, folder=str(tmp_path), redis_url=url, share=SHARE), calls=120)


if django_settings.DATABASES["default"]["ENGINE"].endswith("postgresql"):
    # On SQLite nobody chooses the rows, and it has no clock that several machines share.
    @pytest.mark.postgres
    @pytest.mark.django_db(transaction=True)
    def test_four_processes_keep_one_limit_in_the_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        url = urlsplit(os.environ["TEST_DATABASE_URL"])
        monkeypatch.setenv("TEST_DATABASE_URL", url._replace(path=f"/{connection.settings_dict['NAME']}").geturl())
        holds(Place(store="rows", folder=str(tmp_path), share=SHARE), calls=120)
