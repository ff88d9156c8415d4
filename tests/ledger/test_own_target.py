"""The team's own target in a request's row and on its page: as the clocks compute it, told in plain words, and of no weight for the law."""

from __future__ import annotations

import re
from datetime import date, datetime
from html import unescape

import pytest
from django.test import Client

from dsrportal.clocks import Policy, compute, own_target
from dsrportal.clocks.profiles import PausePolicy
from dsrportal.mirror.legal import facts_of
from dsrportal.models import DataSubjectRequest, User, Workspace
from dsrportal.queries import new_dates
from tests.ledger.conftest import MakeDsr, noon, pause, resume
from tests.ledger.test_standing import PARIS, TODAYS, make_rows


@pytest.fixture
def aiming(workspace: Workspace) -> Workspace:
    """The workspace, whose team wants to answer within twenty days."""
    workspace.target_days = 20
    workspace.save()
    return workspace


def told(client: Client, dsr: DataSubjectRequest, *, now: datetime, monkeypatch: pytest.MonkeyPatch) -> str:
    """The line of the target on the request's page as of a moment, in words; empty where there is none."""
    monkeypatch.setattr("django.utils.timezone.now", lambda: now)
    page = client.get(f"/w/acme-france/requests/{dsr.upstream_id}/").text
    line = re.search(r'<tr><th scope="row">Own target</th><td>(.*?)</td></tr>', page)
    return unescape(re.sub(r"<[^>]+>", " ", line[1]) if line else "").strip().replace("  ", " ")


def test_the_page_tells_it_in_plain_words(
    client: Client, officer: User, aiming: Workspace, make_dsr: MakeDsr, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Received on 10 February, due on 10 March; twenty days end on Monday 2 March."""
    client.force_login(officer)
    dsr = make_dsr()
    assert told(client, dsr, now=noon(2, 20), monkeypatch=monkeypatch) == (
        "Monday 2 March 2026 8 days before the legal date"
    )
    assert told(client, dsr, now=noon(3, 2), monkeypatch=monkeypatch).endswith("8 days before the legal date")
    assert told(client, dsr, now=noon(3, 5), monkeypatch=monkeypatch) == "Monday 2 March 2026 passed 3 days ago"

    late, early = (make_dsr(state="Closed", closed_at=noon(3, day)) for day in (3, 2))
    assert told(client, late, now=noon(3, 20), monkeypatch=monkeypatch) == "Monday 2 March 2026 closed 1 day after it"
    assert told(client, early, now=noon(3, 20), monkeypatch=monkeypatch).endswith("8 days before the legal date")
    undated = make_dsr(received_at=None, created_at=None)
    assert told(client, undated, now=noon(3, 5), monkeypatch=monkeypatch) == ""

    pause(dsr, asked_on=date(2026, 2, 12), by=officer, now=noon(2, 13))
    assert told(client, dsr, now=noon(2, 20), monkeypatch=monkeypatch) == "stands still while the clock is paused"


def test_a_pause_moves_it_with_the_legal_date(aiming: Workspace, make_dsr: MakeDsr, officer: User) -> None:
    dsr = make_dsr()
    pause(dsr, asked_on=date(2026, 2, 12), by=officer, now=noon(2, 13))
    dsr.refresh_from_db()
    assert (dsr.target_on, dsr.respond_by) == (None, None)
    resume(dsr, answered_on=date(2026, 2, 20), by=officer, now=noon(2, 21))
    dsr.refresh_from_db()
    assert (dsr.target_on, dsr.respond_by) == (date(2026, 3, 10), date(2026, 3, 18))


@pytest.mark.parametrize(("days", "pause_policy"), [(20, PausePolicy.SUSPEND), (30, PausePolicy.RESTART)])
def test_what_is_stored_is_what_the_clocks_compute_on_any_day(
    workspace: Workspace, days: int, pause_policy: PausePolicy
) -> None:
    policy = Policy(pause_policy=pause_policy)
    some = 0
    for row, ledger in make_rows(workspace, count=120, policy=policy, today=TODAYS[0], target_days=days):
        facts = facts_of(row, ledger=ledger, zone=PARIS)
        for today in TODAYS:
            clocks = compute(facts, policy=policy, today=today)
            assert row.target_on == own_target(facts, clocks=clocks, days=days, policy=policy, today=today)
            assert row.target_on is None or clocks.respond_by is None or row.target_on <= clocks.respond_by
        some += row.target_on is not None
    assert 60 < some < 120


def test_the_preview_of_a_new_request_tells_it_under_the_legal_date(aiming: Workspace) -> None:
    def lines(received_on: date) -> list[tuple[str, date | None, str]]:
        found = new_dates.of_receipt(aiming, received_on=received_on, is_complex=False, now=noon(2, 10))
        assert found.answer is not None
        return [(row.label, row.day, row.note) for row in found.answer.rows]

    assert lines(date(2026, 2, 10))[1] == ("Own target", date(2026, 3, 2), "8 days before the legal date")
    aiming.target_days = 300
    assert lines(date(2026, 2, 10))[1] == ("Own target", date(2026, 3, 10), "the legal date itself")
    aiming.target_days = None
    assert "Own target" not in [label for label, _day, _note in lines(date(2026, 2, 10))]
