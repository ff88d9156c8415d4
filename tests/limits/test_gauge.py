"""The jobs page shows how much of the rate limit is used, and why Dastra is not called where it is not."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from dsrportal.dastra.breaker import Outcome
from dsrportal.dastra.errors import PacingUnavailable
from dsrportal.mirror import connections
from dsrportal.models import User, Workspace
from dsrportal.queries.budgets import gauge

JOBS = "/settings/jobs/"


@pytest.fixture
def pacer(workspace: Workspace, settings: Any, tmp_path: Any) -> Any:
    """The pacer of the workspace's own credential."""
    settings.DATA_DIR = tmp_path
    return connections._pacer(connections._auth_of(workspace))


def test_the_page_counts_the_calls_and_names_the_trouble(client: Client, admin: User, pacer: Any) -> None:
    client.force_login(admin)
    for _ in range(3):
        pacer.acquire(interactive=True, patience_seconds=0)
    first = client.get(JOBS)
    assert "3 of 480" in first.content.decode()
    for _ in range(5):
        pacer.record(pacer.allow(), outcome=Outcome.FAILED)
    changed = client.get(JOBS, {"seen": first.context["jobs"].version}, headers={"HX-Request": "true"})
    assert changed.status_code == 200
    assert "tried again in" in changed.content.decode()


def test_a_count_that_cannot_be_read_is_said_so(
    client: Client, admin: User, pacer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.force_login(admin)

    def fail(_pacer: Any) -> None:
        raise PacingUnavailable

    monkeypatch.setattr(type(pacer), "state", fail)
    assert "cannot be read" in client.get(JOBS).content.decode()


@pytest.mark.parametrize(
    ("circuit", "next_try_seconds", "pause_seconds", "told"),
    [
        ("closed", 0.0, 0.0, ""),
        ("closed", 0.0, 30.4, "Calls go on in 30 s."),
        ("open", 240.0, 0.0, "tried again in 4 min."),
        ("refused", 12.0, 0.0, "One more try in 12 s."),
        ("refused", None, 0.0, "until an admin"),
    ],
)
def test_each_trouble_has_its_words(
    circuit: str, next_try_seconds: float | None, pause_seconds: float, told: str
) -> None:
    found = gauge(
        name="Acme",
        used=1,
        limit=480,
        pause_seconds=pause_seconds,
        circuit=circuit,
        next_try_seconds=next_try_seconds,
    )
    assert told in found.trouble
    assert bool(told) == bool(found.trouble)
