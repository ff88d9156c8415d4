"""The page of a workspace's clocks: a change moves open requests at once and says so, and closed ones keep their verdict."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.test import Client

from dsrportal import jobs
from dsrportal.actions import rules
from dsrportal.actions.workspaces import change
from dsrportal.mirror import reckoning
from dsrportal.models import AddedHoliday, AuditEvent, DataSubjectRequest, User, Workspace
from dsrportal.models.workspaces import ClockProfile, PauseRule
from tests.ledger.conftest import dsr, make_dsr, noon  # noqa: F401  fixtures

URL = "/settings/workspaces/acme-france/clocks/"
DUE = date(2026, 3, 10)


@pytest.fixture
def page(client: Client, admin: User) -> Client:
    client.force_login(admin)
    return client


@pytest.fixture
def closed(make_dsr: Any) -> DataSubjectRequest:  # noqa: F811
    row: DataSubjectRequest = make_dsr(state="Closed", closed_at=noon(3, 11))
    return row


def test_a_holiday_on_the_due_day_moves_open_requests_and_no_verdict(
    page: Client,
    dsr: DataSubjectRequest,  # noqa: F811
    closed: DataSubjectRequest,
) -> None:
    answer = page.post(URL, {"deed": "add", "on": "2026-03-10", "name": "Founders' day"}, follow=True)
    assert "Saved. 1 date moved." in answer.content.decode()
    assert "Founders&#x27; day" in answer.content.decode()
    dsr.refresh_from_db()
    closed.refresh_from_db()
    assert (dsr.respond_by, dsr.restated_from) == (date(2026, 3, 11), DUE)
    assert (closed.respond_by, closed.late_days, closed.restated_at) == (DUE, 1, None)

    request = page.get(f"/w/acme-france/requests/{dsr.upstream_id}/").content.decode()
    assert "the rules of the workspace were changed, and the date moved from Tuesday 10 March 2026" in request
    verdict = page.get(f"/w/acme-france/requests/{closed.upstream_id}/").content.decode()
    assert "it keeps the dates and the verdict of then" in verdict
    assert "1 d late" in verdict

    page.post(URL, {"deed": "remove", "on": "2026-03-10"})
    dsr.refresh_from_db()
    assert dsr.respond_by == DUE
    assert not AddedHoliday.objects.exists()
    assert AuditEvent.objects.filter(operation="rules_changed").count() == 2


def test_another_law_is_another_date(page: Client, dsr: DataSubjectRequest) -> None:  # noqa: F811
    page.post(URL, {"deed": "save", "profile": "upstream", "pause_policy": "restart"})
    dsr.refresh_from_db()
    assert dsr.respond_by == dsr.upstream_due_on == date(2026, 3, 12)
    workspace = Workspace.objects.get(pk=dsr.workspace_id)
    assert (workspace.profile, workspace.pause_policy) == (ClockProfile.UPSTREAM, PauseRule.RESTART)


def test_an_own_target_is_set_shown_and_taken_away_and_moves_no_legal_date(
    page: Client,
    dsr: DataSubjectRequest,  # noqa: F811
    closed: DataSubjectRequest,
) -> None:
    rules = {"deed": "save", "profile": "gdpr", "pause_policy": "suspend"}
    settings = "/settings/workspaces/acme-france/"
    assert "own target" not in page.get(settings).text
    answer = page.post(URL, {**rules, "target_days": " 20 "}, follow=True)
    assert "Saved." in answer.text
    assert "moved" not in answer.text
    assert 'value="20"' in answer.text
    assert "own target: 20 days" in page.get(settings).text
    dsr.refresh_from_db()
    closed.refresh_from_db()
    assert (dsr.target_on, dsr.respond_by, dsr.restated_at) == (date(2026, 3, 2), DUE, None)
    assert closed.target_on is None, "what is closed keeps what was told of it"
    said = AuditEvent.objects.get(operation="rules_changed").details
    assert said == {"profile": "gdpr", "pause_policy": "suspend", "target_days": "20"}

    page.post(URL, {**rules, "target_days": "20"})
    assert AuditEvent.objects.filter(operation="rules_changed").count() == 1, "nothing was changed"
    page.post(URL, {**rules, "target_days": ""})
    dsr.refresh_from_db()
    assert (dsr.target_on, dsr.rules_number) == (None, 3)


@pytest.mark.parametrize(
    "typed",
    [
        {"deed": "add", "on": "yesterday"},
        {"deed": "add", "on": "0001-01-01"},
        {"deed": "save", "profile": "martian", "pause_policy": "restart"},
        *(
            {"deed": "save", "profile": "gdpr", "pause_policy": "suspend", "target_days": days}
            for days in ("0", "366", "-1", "3.5", "soon", "9" * 400)
        ),
    ],
)
def test_nonsense_is_refused_beside_its_field(page: Client, dsr: DataSubjectRequest, typed: dict[str, str]) -> None:  # noqa: F811
    answer = page.post(URL, typed)
    assert answer.status_code == 422
    assert "field__error" in answer.content.decode() or "error" in answer.content.decode()
    assert Workspace.objects.get(pk=dsr.workspace_id).rules_number == 1


def test_another_zone_or_country_counts_too(dsr: DataSubjectRequest, make_dsr: Any, admin: User) -> None:  # noqa: F811
    """23:30 in London on 28 February is 1 March in Paris."""
    night = make_dsr(received_at=noon(2, 28).replace(hour=23, minute=30))
    assert night.received_on == date(2026, 3, 1)
    change(Workspace.objects.get(pk=dsr.workspace_id), by=admin, now=noon(3, 2), time_zone="Europe/London")
    night.refresh_from_db()
    assert (night.received_on, night.respond_by) == (date(2026, 2, 28), date(2026, 3, 30))


def test_what_one_request_leaves_behind_a_job_finishes(
    dsr: DataSubjectRequest,  # noqa: F811
    make_dsr: Any,  # noqa: F811
    admin: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    others = [make_dsr() for _number in range(4)]
    monkeypatch.setattr(reckoning, "BATCH", 2)
    moved = rules.add_holiday(dsr.workspace, on=DUE, name="", by=admin, now=noon(3, 1))
    assert moved == 2
    assert reckoning.is_behind(dsr.workspace)
    assert jobs.restate_clocks() == 3
    assert {DataSubjectRequest.objects.get(pk=one.pk).respond_by for one in [dsr, *others]} == {date(2026, 3, 11)}
    assert jobs.restate_clocks() == 0
