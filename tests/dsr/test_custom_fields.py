"""The workspace's own text fields: shown with what Dastra holds in them, changed one by one, never kept here, and a conflict when both changed."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pytest
from django.test import Client

from dsrportal.models import DataSubjectRequest, OutboxEntry, User, Workspace
from dsrportal.models.outbox import WishState
from dsrportal.sandbox import Fault
from dsrportal.sandbox.server import Server
from tests.dsr.test_page import as_person, live

HTMX = {"HX-Request": "true"}


@pytest.fixture
def dsr(mirrored: Workspace) -> DataSubjectRequest:
    return live(mirrored)


@pytest.fixture
def slug(dastra: Server, dsr: DataSubjectRequest) -> str:
    """A text field of the workspace, with something in it."""
    workspace = dastra.state[101]
    slug = next(slug for slug, kind in workspace.custom_fields.items() if kind == "text")
    workspace.edit(dsr.upstream_id, customFields={slug: "Caller was upset"})
    return slug


class Fields:
    """The dialog of the custom fields in the hands of one person."""

    def __init__(self, user: User, dsr: DataSubjectRequest) -> None:
        self.client: Client = as_person(user)
        self.url = f"/w/acme-france/requests/{dsr.upstream_id}/"
        self.text = self.client.post(f"{self.url}texts/", headers=HTMX).text

    def post(self, **values: str) -> Any:
        """Post the dialog with some fields changed."""
        form = self.text.partition(f'action="{self.url}edit-custom/"')[2].partition("</form>")[0]
        inputs = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form)
        data = {name: html.unescape(value) for name, value in inputs if name != "csrfmiddlewaretoken"}
        seen = json.loads(data["seen"])
        return self.client.post(f"{self.url}edit-custom/", {**seen, **data, **values}, headers=HTMX)


def held(dastra: Server, dsr: DataSubjectRequest) -> dict[str, Any]:
    found: dict[str, Any] = dastra.state[101].get(dsr.upstream_id)["customFields"]
    return found


def test_one_field_is_changed_and_the_others_stay(
    officer: User, dsr: DataSubjectRequest, dastra: Server, slug: str
) -> None:
    before = held(dastra, dsr)
    fields = Fields(officer, dsr)
    assert "Caller was upset" in fields.text
    answer = fields.post(**{f"custom:{slug}": "Caller was calm\r\nand kind"})
    assert answer.headers["HX-Refresh"] == "true"
    assert held(dastra, dsr) == {**before, slug: "Caller was calm\nand kind"}
    entry = OutboxEntry.objects.get()
    assert (entry.state, entry.private_sealed, entry.wanted) == (WishState.DONE, None, {f"custom:{slug}": None})


def test_what_both_changed_is_a_conflict(officer: User, dsr: DataSubjectRequest, dastra: Server, slug: str) -> None:
    fields = Fields(officer, dsr)
    dastra.state[101].edit(dsr.upstream_id, customFields={slug: "Theirs"})
    fields.post(**{f"custom:{slug}": "Mine"})
    assert OutboxEntry.objects.get().state == WishState.CONFLICT
    card = fields.client.get(fields.url).text.partition('id="conflict-title"')[2].partition("</section>")[0]
    assert re.search(rf"{slug}</th><td>Caller was upset</td>\s*<td>Mine</td>\s*<td>Theirs</td>", card)
    assert held(dastra, dsr)[slug] == "Theirs"


def test_without_patch_the_whole_is_put_with_the_field_in_it(
    officer: User, dsr: DataSubjectRequest, dastra: Server, slug: str
) -> None:
    dastra.faults.add(Fault(kind="status", status=405, match="PATCH"))
    before = held(dastra, dsr)
    Fields(officer, dsr).post(**{f"custom:{slug}": "Put"})
    assert OutboxEntry.objects.get().state == WishState.DONE
    assert held(dastra, dsr) == {**before, slug: "Put"}


def test_unchanged_and_unknown_fields_send_nothing(
    officer: User, manager: User, dsr: DataSubjectRequest, dastra: Server, slug: str
) -> None:
    fields = Fields(officer, dsr)
    assert "Nothing was different" in html.unescape(fields.post().text)
    assert fields.post(**{"custom:made/up": "x"}).status_code == 200
    assert not OutboxEntry.objects.exists()
    assert as_person(manager).post(f"{fields.url}texts/", headers=HTMX).status_code == 403


def test_no_and_nought_are_answers_and_are_shown_in_words(
    officer: User, dsr: DataSubjectRequest, dastra: Server, slug: str
) -> None:
    state = dastra.state[101]
    kinds = {kind: name for name, kind in state.custom_fields.items()}
    state.edit(dsr.upstream_id, customFields={kinds["flag"]: False, kinds["integer"]: 0, slug: ""})
    shown = re.findall(r"<dt>([^<]*)</dt><dd>([^<]*)</dd>", Fields(officer, dsr).text)
    assert (kinds["flag"], "No") in shown
    assert (kinds["integer"], "0") in shown
    assert slug not in dict(shown)
