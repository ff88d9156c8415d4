"""The dialog that deletes for good: who gets it, what has to be typed, and where the person is brought."""

from __future__ import annotations

import pytest
from django.test import Client

from dsrportal.models import DataSubjectRequest, OutboxEntry, User, Workspace
from dsrportal.sandbox.server import Server
from tests.dsr.test_deeds import Page
from tests.dsr.test_page import as_person, live

LIST = "/w/acme-france/requests/"


@pytest.fixture
def dsr(mirrored: Workspace) -> DataSubjectRequest:
    return live(mirrored)


def test_the_reference_has_to_be_typed(admin: User, dsr: DataSubjectRequest, dastra: Server) -> None:
    page = Page(admin, dsr)
    for typed in ("", "no", dsr.reference[:-1]):
        assert page.post("delete", reference=typed).status_code == 422
    assert not OutboxEntry.objects.exists()
    answer = page.post("delete", reference=f" {dsr.reference.lower()} ")
    assert answer.headers["HX-Redirect"] == LIST
    assert dsr.upstream_id not in dastra.state[101].records
    assert page.client.get(page.url).status_code == 404
    assert "Deleted in Dastra." in page.client.get(LIST).text


def test_without_scripts_it_ends_at_the_list(admin: User, dsr: DataSubjectRequest, dastra: Server) -> None:
    page = Page(admin, dsr)
    answer = page.client.post(f"{page.url}delete/", {**page.hidden("delete"), "reference": dsr.reference})
    assert (answer.status_code, answer.headers["Location"]) == (302, LIST)
    assert dsr.upstream_id not in dastra.state[101].records


def test_an_officer_has_no_such_dialog_and_is_refused(officer: User, dsr: DataSubjectRequest, dastra: Server) -> None:
    page = Page(officer, dsr)
    assert "dialog-delete" not in page.text
    client: Client = as_person(officer)
    assert client.post(f"{page.url}delete/", {"reference": dsr.reference}).status_code == 403
    assert dsr.upstream_id in dastra.state[101].records
