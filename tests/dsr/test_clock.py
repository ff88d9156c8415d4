"""The clock on a request's page: its deeds as forms that work by themselves, refused with the reason and what was typed, for who may act alone."""

from __future__ import annotations

import re
import uuid
from datetime import date, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from dsrportal.mirror.pull import pull
from dsrportal.models import AuditEvent, DataSubjectRequest, Lane, Pause, Role, User, Workspace
from dsrportal.models.runs import SyncOutcome
from dsrportal.sandbox.server import Server
from tests.conftest import make_person


def edit(dastra: Server, workspace: Workspace, row: DataSubjectRequest, **days: int) -> None:
    """Set Dastra's own dates so many days from now, and read them."""
    dates = {name: f"{timezone.now() + timedelta(days=count):%Y-%m-%dT09:00:00}" for name, count in days.items()}
    dastra.state[101].edit(row.upstream_id, **dates)
    assert pull(workspace, lane=Lane.ACTIVE, now=timezone.now).outcome == SyncOutcome.COMPLETE
    row.refresh_from_db()


@pytest.fixture
def dsr(mirrored: Workspace, dastra: Server) -> DataSubjectRequest:
    """A live request, received ten days ago, whose date in Dastra is too late."""
    row = DataSubjectRequest.objects.filter(workspace=mirrored, archived=False, is_closed=False).order_by("pk")[0]
    edit(dastra, mirrored, row, dateDemand=-10, expiryTime=40)
    return row


@pytest.fixture
def page(client: Client, officer: User) -> Client:
    client.force_login(officer)
    return client


def url(dsr: DataSubjectRequest, deed: str = "") -> str:
    base = f"/w/acme-france/requests/{dsr.upstream_id}/"
    return f"{base}clock/{deed}/" if deed else base


def today(days_ago: int = 0) -> str:
    return (timezone.localdate() - timedelta(days=days_ago)).isoformat()


def test_a_pause_and_its_end_are_forms_that_lead_back_to_the_page(page: Client, dsr: DataSubjectRequest) -> None:
    asked = {"action_id": str(uuid.uuid4()), "reason": "identity", "asked_on": today(5), "text": "By e-mail."}
    answer = page.post(f"{url(dsr, 'pause')}?from=unread%3Dtrue", asked, follow=True)
    assert answer.redirect_chain == [(f"{url(dsr)}?from=unread%3Dtrue", 302)], "back to the page of the same list"
    text = answer.content.decode()
    assert "clock--paused" in text
    assert "Waiting for proof of identity" in text
    assert "By e-mail." in text
    assert "End the pause…" in text
    page.post(url(dsr, "resume"), {"action_id": str(uuid.uuid4()), "answered_on": today()})
    assert Pause.objects.get().answered_on == timezone.localdate()


def test_who_may_not_see_identities_does_not_see_the_text(
    page: Client, client: Client, dsr: DataSubjectRequest
) -> None:
    page.post(
        url(dsr, "pause"),
        {"action_id": str(uuid.uuid4()), "reason": "identity", "asked_on": today(5), "text": "Secret words"},
    )
    client.force_login(make_person("marc", workspace=dsr.workspace, role=Role.MANAGER))
    text = client.get(url(dsr)).content.decode()
    assert "Waiting for proof of identity" in text
    assert "Secret words" not in text


@pytest.mark.parametrize(
    ("deed", "values", "sentence"),
    [
        ("pause", {"reason": "identity", "asked_on": today(30)}, "nothing can have happened before"),
        ("resume", {"answered_on": today()}, "The clock is not paused."),
        ("extend", {"ground": "complexity", "notice_on": "soon", "text": "Three systems"}, "Enter a valid date."),
        ("refuse", {"ground": "excessive", "notice_on": today(-1), "text": "The fifth"}, "This day is still to come."),
    ],
)
def test_what_is_refused_comes_back_open_with_the_reason_and_what_was_typed(
    page: Client, dsr: DataSubjectRequest, deed: str, values: dict[str, str], sentence: str
) -> None:
    answer = page.post(url(dsr, deed), {"action_id": str(uuid.uuid4()), **values})
    text = answer.content.decode()
    assert answer.status_code == 422
    assert sentence in text
    assert values.get("text", "") in text
    assert re.search(rf'id="dialog-clock-{deed}"[^>]*data-open', text)
    assert not AuditEvent.objects.exists()


def test_another_workspaces_request_and_another_requests_entry_do_not_exist(
    page: Client, dsr: DataSubjectRequest, mirrored: Workspace, stranger: User, client: Client
) -> None:
    page.post(url(dsr, "pause"), {"action_id": str(uuid.uuid4()), "reason": "identity", "asked_on": today(5)})
    entry = Pause.objects.get()
    other = DataSubjectRequest.objects.filter(workspace=mirrored).exclude(pk=dsr.pk)[0]
    assert page.post(f"{url(other)}clock/pause/{entry.pk}/withdraw/").status_code == 404
    assert page.post(f"{url(dsr)}clock/refusal/{entry.pk}/withdraw/").status_code == 404
    assert page.post(f"{url(dsr)}clock/nothing/{entry.pk}/withdraw/").status_code == 404
    client.force_login(stranger)
    assert client.post(f"{url(dsr)}clock/pause/{entry.pk}/withdraw/").status_code == 404
    assert client.post(f"/w/other-house/requests/{dsr.upstream_id}/clock/pause/{entry.pk}/withdraw/").status_code == 404
    entry.refresh_from_db()
    assert not entry.is_withdrawn


def test_dastras_date_is_set_to_the_legal_one_by_the_form_on_the_page(
    page: Client, dsr: DataSubjectRequest, dastra: Server
) -> None:
    text = page.get(url(dsr)).content.decode()
    form = re.search(r"<form[^>]*>(?:(?!</form>).)*Set Dastra.*?</form>", text, re.DOTALL)
    assert form is not None
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form[0].replace("&quot;", "'")))
    fields["seen"] = fields["seen"].replace("'", '"')
    page.post(f"{url(dsr)}extend/", {name: value for name, value in fields.items() if name != "csrfmiddlewaretoken"})
    dsr.refresh_from_db()
    whole = dastra.state[101].get(dsr.upstream_id)
    legal: date | None = dsr.respond_by
    assert legal is not None
    assert (dsr.upstream_due_on, whole["expiryTime"][:10]) == (legal, legal.isoformat())
    assert "Set Dastra" not in page.get(url(dsr)).content.decode()


def test_an_unexplained_date_is_shown_listed_and_accepted(
    page: Client, dsr: DataSubjectRequest, mirrored: Workspace, dastra: Server
) -> None:
    edit(dastra, mirrored, dsr, expiryTime=90)
    text = page.get(url(dsr)).content.decode()
    assert "changed 1 time without an extension" in text, "the stage's own change came with another receipt"
    assert "Nothing that is recorded here accounts for it." in text
    listed = "/w/acme-france/requests/?unexplained=true"
    assert dsr.reference in page.get(listed).content.decode()
    told = "of 1 request was changed without a reason"
    assert told not in page.get("/w/acme-france/requests/").content.decode(), (
        "an officer is not told of what is a manager's"
    )
    boss = Client()
    boss.force_login(make_person("marc", workspace=mirrored, role=Role.MANAGER))
    assert told in boss.get("/w/acme-france/requests/").content.decode()
    page.post(url(dsr, "accept"))
    assert dsr.reference not in page.get(listed).content.decode()
    assert "accepted" in page.get(url(dsr)).content.decode()
