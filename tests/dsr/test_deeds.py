"""The dialogs of a request's page: what they offer, what their forms become in Dastra, and a conflict settled by the person."""

from __future__ import annotations

import html
import json
import re
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone, translation

from dsrportal.mirror.pull import pull
from dsrportal.models import DataSubjectRequest, Lane, OutboxEntry, User, Workspace
from dsrportal.models.outbox import WishState
from dsrportal.sandbox import Fault
from dsrportal.sandbox.server import Server
from tests.dsr.test_page import as_person, live

HTMX = {"HX-Request": "true"}


class Page:
    """A request's page in the hands of one person: its forms are filled in and posted as a browser would."""

    def __init__(self, user: User, dsr: DataSubjectRequest) -> None:
        self.client = as_person(user)
        self.url = f"/w/acme-france/requests/{dsr.upstream_id}/"
        self.text = self.read()

    def read(self) -> str:
        self.text = self.client.get(self.url).text
        return self.text

    def hidden(self, deed: str) -> dict[str, str]:
        """The hidden fields of a dialog's form."""
        part = self.text.partition(f'<form method="post" action="{self.url}{deed}/"')[2].partition("</form>")[0]
        assert part, f"no form for {deed}"
        inputs = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', part)
        return {name: html.unescape(value) for name, value in inputs if name != "csrfmiddlewaretoken"}

    def post(self, deed: str, **values: Any) -> Any:
        """Post a dialog."""
        return self.client.post(f"{self.url}{deed}/", {**self.hidden(deed), **values}, headers=HTMX)


@pytest.fixture
def dsr(mirrored: Workspace) -> DataSubjectRequest:
    return live(mirrored)


@pytest.fixture
def page(officer: User, dsr: DataSubjectRequest) -> Page:
    return Page(officer, dsr)


def told(dastra: Server, dsr: DataSubjectRequest) -> dict[str, Any]:
    """The whole request by Dastra's own word."""
    whole: dict[str, Any] = dastra.state[101].get(dsr.upstream_id)
    return whole


def test_each_dialog_writes_what_it_asked_for_and_nothing_else(
    page: Page, dsr: DataSubjectRequest, dastra: Server, mirrored: Workspace
) -> None:
    before = told(dastra, dsr)
    operator = mirrored.operators.exclude(pk=dsr.operator_id or 0)[0].upstream_id
    tags = [tag.upstream_id for tag in mirrored.tags.all()][:2]
    assert page.post("assign", operator=operator).headers["HX-Refresh"] == "true"
    page.read()
    page.post("tag", tags=tags)
    page.read()
    page.post("extend", expires="2027-02-01", complex="on")
    page.read()
    area = json.loads(page.hidden("edit")["seen"])["area"]
    zone = ZoneInfo(mirrored.time_zone)
    assert dsr.received_at is not None
    received = dsr.received_at.astimezone(zone).date().isoformat()
    page.post(
        "edit", title="A better title", received=received, purposes=["Access"], area=area, locale="nl", complex="on"
    )
    after = told(dastra, dsr)
    assert [entry.state for entry in OutboxEntry.objects.all()] == [WishState.DONE] * 4
    assert (after["operatorId"], {tag["id"] for tag in after["tags"]}) == (operator, set(tags))
    expires = datetime.fromisoformat(after["expiryTime"]).replace(tzinfo=UTC)
    assert expires.astimezone(zone).date() == date(2027, 2, 1), "the day is the workspace's own"
    assert (after["title"], after["purposes"], after["locale"], after["complex"]) == (
        "A better title", ["Access"], "nl", True,
    )  # fmt: skip
    touched = {"operatorId", "operator", "tags", "expiryTime", "title", "purposes", "locale", "complex"}
    server_set = {"dateUpdate", "remainingDays"}
    assert {name for name in after if after[name] != before[name]} <= touched | server_set


@pytest.mark.parametrize("is_ticked", [False, True])
def test_closing_needs_a_reason_and_writes_to_the_person_only_when_asked(
    page: Page,
    dsr: DataSubjectRequest,
    dastra: Server,
    is_ticked: bool,  # noqa: FBT001  a test's parameter
) -> None:
    assert 'name="notify"' in page.text
    assert 'name="notify" id="close-notify" checked' not in page.text
    today = timezone.localdate().isoformat()
    assert page.post("close", closed_on=today, reason="").status_code == 422
    values = {"notify": "on"} if is_ticked else {}
    page.post("close", closed_on=today, reason="Accepted", message="Done.", description="Checked.", **values)
    after = told(dastra, dsr)
    assert (after["state"], after["closedReason"], after["resolutionMessage"]) == ("Closed", "Accepted", "Done.")
    assert after["sendNotification"] is is_ticked
    assert 'id="dialog-close"' not in page.read()


def test_a_form_sent_unchanged_sends_nothing(page: Page, dsr: DataSubjectRequest, dastra: Server) -> None:
    seen = json.loads(page.hidden("assign")["seen"])
    answer = page.post("assign", operator=seen["operator"] or "")
    assert "Nothing was different" in html.unescape(answer.text)
    assert not OutboxEntry.objects.exists()


def test_a_conflict_shows_all_three_and_the_person_decides(
    page: Page, dsr: DataSubjectRequest, dastra: Server, mirrored: Workspace
) -> None:
    mine, theirs = mirrored.operators.exclude(pk=dsr.operator_id or 0)[:2]
    dastra.state[101].edit(dsr.upstream_id, operatorId=theirs.upstream_id)
    assert page.post("assign", operator=mine.upstream_id).headers["HX-Refresh"] == "true"
    card = page.read().partition('id="conflict-title"')[2].partition("</section>")[0]
    assert mine.display_name in card
    assert theirs.display_name in card
    assert told(dastra, dsr)["operatorId"] == theirs.upstream_id
    entry = OutboxEntry.objects.get()
    page.client.post(f"/w/acme-france/wishes/{entry.pk}/keep/", {"origin": "dsr"}, headers=HTMX)
    assert told(dastra, dsr)["operatorId"] == mine.upstream_id
    assert 'id="conflict-title"' not in page.read()
    again = page.client.post(f"/w/acme-france/wishes/{entry.pk}/keep/", {"origin": "dsr"}, headers=HTMX)
    assert again.headers.get("HX-Refresh") == "true", "twice is once"
    assert OutboxEntry.objects.count() == 2


def test_leaving_a_conflict_leaves_dastra_alone(page: Page, dsr: DataSubjectRequest, dastra: Server) -> None:
    seen = json.loads(page.hidden("edit")["seen"])
    dastra.state[101].edit(dsr.upstream_id, title="Theirs")
    received = seen["received"][:10]
    page.post(
        "edit", title="Mine", received=received, purposes=seen["purposes"], area=seen["area"], locale=seen["locale"]
    )
    entry = OutboxEntry.objects.get(state=WishState.CONFLICT)
    card = page.read().partition('id="conflict-title"')[2].partition("</section>")[0]
    assert re.search(r"<td>Mine</td>\s*<td>Theirs</td>", card)
    page.client.post(f"/w/acme-france/wishes/{entry.pk}/dismiss/", {"origin": "dsr"}, headers=HTMX)
    assert told(dastra, dsr)["title"] == "Theirs"
    assert 'id="conflict-title"' not in page.read()


def test_a_refusal_is_kept_in_english_and_read_in_the_readers_language(
    page: Page, dsr: DataSubjectRequest, dastra: Server, mirrored: Workspace
) -> None:
    dastra.faults.add(Fault(kind="status", status=403, match="PATCH"))
    mine = mirrored.operators.exclude(pk=dsr.operator_id or 0)[0]
    with translation.override("fr"):
        page.client.cookies["django_language"] = "fr"
        page.post("assign", operator=mine.upstream_id)
    assert OutboxEntry.objects.get().reason.endswith("Nothing was changed.")
    assert "Rien n’a été modifié." in page.read()


def test_who_may_not_see_a_title_is_not_asked_for_it_and_who_only_looks_gets_no_dialog(
    manager: User, officer: User, dsr: DataSubjectRequest
) -> None:
    masked = Page(manager, dsr)
    assert 'name="title"' not in masked.text
    assert "title" not in json.loads(masked.hidden("edit")["seen"])
    officer.memberships.update(role="viewer")
    assert "<dialog" not in Page(officer, dsr).text


@pytest.mark.parametrize("deed", ["assign", "tag", "extend", "edit", "close"])
def test_strangers_get_404_lookers_403_and_nonsense_422(
    deed: str, page: Page, officer: User, stranger: User, dsr: DataSubjectRequest
) -> None:
    url = f"{page.url}{deed}/"
    assert as_person(stranger).post(url).status_code == 404
    client: Client = page.client
    assert client.get(url).status_code == 405
    absurd = ("9" * 9_000, "[" * 39_000, "9" * 90_000)
    for seen in ("", "[]", "{", '{"operator": {"a": 1}}', '{"purposes": 5, "tags": 5}', '{"tags": [[]]}', *absurd):
        posted = {**page.hidden(deed), "seen": seen, "expires": "x", "operator": "x", "tags": "x", "purposes": "x"}
        assert client.post(url, posted, headers=HTMX).status_code == 422, seen[:40]
    officer.memberships.update(role="viewer")
    assert client.post(url).status_code == 403
    assert not OutboxEntry.objects.exists()


def test_without_scripts_a_dialog_leads_back_to_the_page(
    page: Page, mirrored: Workspace, dsr: DataSubjectRequest
) -> None:
    mine = mirrored.operators.exclude(pk=dsr.operator_id or 0)[0]
    answer = page.client.post(f"{page.url}assign/", {**page.hidden("assign"), "operator": mine.upstream_id})
    assert (answer.status_code, answer.headers["Location"]) == (302, page.url)
    assert pull(mirrored, lane=Lane.FULL, now=timezone.now).stored == 0, "the mirror knows already"
