"""The form of a new request: what it asks, what it becomes in Dastra, and where the person is brought."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from dsrportal.models import DataSubjectRequest, OutboxEntry, User, Workspace
from dsrportal.models.outbox import WishState
from dsrportal.sandbox import Fault
from dsrportal.sandbox.server import Server
from tests.dsr.test_page import as_person

URL = "/w/acme-france/requests/new/"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def client(officer: User, mirrored: Workspace) -> Client:
    return as_person(officer)


def filled(client: Client, workspace: Workspace, **changes: Any) -> dict[str, Any]:
    """The form as a person fills it in."""
    action_id = re.search(r'name="action_id" value="([0-9a-f-]+)"', client.get(URL).text)
    assert action_id
    return {
        "action_id": action_id[1],
        "title": "By letter: access",
        "given_name": "Ana",
        "family_name": "Costa",
        "email": "ana@example.org",
        "purposes": ["Access"],
        "received": timezone.localdate().isoformat(),
        "channel": "Internal",
        "area": workspace.areas.all()[0].upstream_id,
        "locale": "fr",
        **changes,
    }


def test_ten_posts_of_one_form_make_one_request_and_lead_to_it(
    client: Client, mirrored: Workspace, dastra: Server
) -> None:
    data = filled(client, mirrored)
    targets = {client.post(URL, data).headers["Location"] for _time in range(10)}
    dsr = DataSubjectRequest.objects.get(upstream_id=OutboxEntry.objects.get().upstream_id or 0)
    assert targets == {f"/w/acme-france/requests/{dsr.upstream_id}/"}
    made = [one for one in dastra.state[101].all() if one["title"] == "By letter: access"]
    assert [one["id"] for one in made] == [dsr.upstream_id]
    assert (made[0]["givenName"], made[0]["channel"], made[0]["state"]) == ("Ana", "Internal", "Open")


def test_while_it_is_held_it_can_be_taken_back_and_edited(
    client: Client, mirrored: Workspace, dastra: Server, settings: Any
) -> None:
    settings.UNDO_SECONDS = 8
    page = client.post(URL, filled(client, mirrored)).headers["Location"]
    entry = OutboxEntry.objects.get()
    assert page == f"/w/acme-france/entered/{entry.pk}/"
    assert "Undo and edit" in client.get(page).text
    assert client.post(f"{page}send/", headers=HTMX).text.count("Sending in") >= 1, "too early"
    form = client.post(f"{page}back/").text
    assert 'value="By letter: access"' in form
    assert 'value="ana@example.org"' in form
    entry.refresh_from_db()
    assert (entry.state, entry.private_sealed) == (WishState.CANCELLED, None)
    assert client.get(page).headers["Location"] == URL
    assert client.post(f"{page}back/").status_code == 302, "too late"
    assert not [call for call in dastra.journal.entries if call.method == "POST"]


def test_the_waiting_page_leads_on_when_dastra_has_it(
    client: Client, mirrored: Workspace, dastra: Server, settings: Any
) -> None:
    settings.UNDO_SECONDS = 8
    page = client.post(URL, filled(client, mirrored)).headers["Location"]
    OutboxEntry.objects.update(not_before=timezone.now())
    answer = client.post(f"{page}send/", headers=HTMX)
    upstream_id = OutboxEntry.objects.get().upstream_id
    assert answer.headers["HX-Redirect"] == f"/w/acme-france/requests/{upstream_id}/"
    assert "The new request is in Dastra." in client.get(answer.headers["HX-Redirect"]).text


def test_a_refusal_is_said_where_the_person_waits_and_in_the_list(
    client: Client, mirrored: Workspace, dastra: Server
) -> None:
    dastra.faults.add(Fault(kind="refuse", match="POST", reason="Not today."))
    page = client.post(URL, filled(client, mirrored)).headers["Location"]
    assert "Not today." in client.get(page).text
    changes = html.unescape(client.get("/w/acme-france/changes/?show=attention").text)
    assert "New request" in changes
    assert "Not today." in changes


@pytest.mark.parametrize(
    "change",
    [
        {"title": ""},
        {"title": "x" * 241},
        {"email": "nobody"},
        {"purposes": []},
        {"area": ""},
        {"area": "999999"},
        {"received": "2999-01-01"},
        {"locale": "xx"},
        {"given_name": "x" * 181},
        {"action_id": "x"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(
    client: Client, mirrored: Workspace, change: dict[str, Any]
) -> None:
    answer = client.post(URL, filled(client, mirrored, message="As I said on the phone", **change))
    assert answer.status_code == 422
    assert "error-summary" in answer.text
    assert "As I said on the phone" in answer.text
    assert not OutboxEntry.objects.exists()


def test_a_colleague_and_a_stranger_cannot_look_into_it(
    client: Client, mirrored: Workspace, manager: User, admin: User, stranger: User, settings: Any
) -> None:
    settings.UNDO_SECONDS = 8
    page = client.post(URL, filled(client, mirrored)).headers["Location"]
    assert as_person(stranger).get(page).status_code == 404
    for colleague in (manager, admin):
        assert as_person(colleague).get(page).status_code == 404
    assert as_person(admin).post(f"{page}back/").status_code == 404
    assert as_person(manager).get(URL).status_code == 403
