"""The texts of a request: read from Dastra when it is opened, shown escaped, kept nowhere, each opening audited."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib.sessions.models import Session
from django.core import serializers

from dsrportal.models import AuditEvent, DataSubjectRequest, User, Workspace
from dsrportal.models.audit import Operation
from dsrportal.sandbox.faults import Fault
from dsrportal.sandbox.server import Server
from tests.dsr.test_page import LIST, as_person, live

HTMX = {"HX-Request": "true", "HX-Target": "texts"}
MARKERS = {
    "message": "Marker-message-ptarmigan\nsecond line <b>bold</b>",
    "description": "Marker-description-ocelot",
    "phoneNumber": "+33 1 99 00 77 55",
    "address": "17 rue Marker-axolotl",
    "resolutionMessage": "Marker-resolution-narwhal",
    "refId": "Marker-ref-quokka",
}
WORDS = ("ptarmigan", "ocelot", "99 00 77 55", "axolotl", "narwhal", "quokka")


@pytest.fixture
def marked(mirrored: Workspace, dastra: Server) -> DataSubjectRequest:
    """A request whose texts hold markers; the mirror has not read them."""
    dsr = live(mirrored)
    dastra.state[101].edit(dsr.upstream_id, **MARKERS)
    return dsr


def test_they_are_shown_escaped_with_their_lines(marked: DataSubjectRequest, officer: User) -> None:
    answer = as_person(officer).post(f"{LIST}{marked.upstream_id}/texts/", headers=HTMX)
    page = answer.content.decode()
    for word in WORDS:
        assert word in page
    assert "ptarmigan\nsecond line &lt;b&gt;bold&lt;/b&gt;" in page
    assert page.lstrip().startswith('<section class="request-texts" id="texts"')
    assert "no-store" in answer.headers["Cache-Control"]


def test_without_scripts_the_whole_page_comes_with_them(marked: DataSubjectRequest, officer: User) -> None:
    page = as_person(officer).post(f"{LIST}{marked.upstream_id}/texts/").content.decode()
    assert page.startswith("<!doctype html>")
    assert "ocelot" in page


def test_they_are_kept_nowhere(
    marked: DataSubjectRequest, officer: User, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    client = as_person(officer)
    with caplog.at_level(logging.DEBUG):
        for headers in ({}, HTMX):
            assert "ptarmigan" in client.post(f"{LIST}{marked.upstream_id}/texts/", headers=headers).content.decode()
    stored = "".join(
        serializers.serialize("json", model._default_manager.all())
        for model in apps.get_models(include_auto_created=True)
    )
    sessions = str([session.get_decoded() for session in Session.objects.all()])
    files = b"".join(path.read_bytes() for path in Path(settings.DATA_DIR).rglob("*") if path.is_file())
    for word in WORDS:
        assert word not in stored
        assert word not in sessions
        assert word not in caplog.text
        assert word.encode() not in files


def test_each_opening_leaves_one_line_without_content(marked: DataSubjectRequest, officer: User) -> None:
    client = as_person(officer)
    client.get(f"{LIST}{marked.upstream_id}/")
    client.post(f"{LIST}{marked.upstream_id}/texts/", headers=HTMX)
    event = AuditEvent.objects.get(operation=Operation.OPEN)
    assert (event.by, event.workspace, event.upstream_id) == (officer, marked.workspace, marked.upstream_id)
    assert (event.reference, event.outcome, event.details) == (marked.reference, "done", {})


def test_a_newer_state_is_mirrored_and_said(marked: DataSubjectRequest, dastra: Server, officer: User) -> None:
    client = as_person(officer)
    url = f"{LIST}{marked.upstream_id}/texts/"
    assert "had changed in Dastra" in client.post(url, headers=HTMX).content.decode()
    assert "had changed in Dastra" not in client.post(url, headers=HTMX).content.decode()
    other = next(step for step in dastra.state[101].ordered_steps() if step["id"] != marked.step.upstream_id)  # type: ignore[union-attr]
    dastra.state[101].move(marked.upstream_id, other["id"])
    assert "had changed in Dastra" in client.post(url, headers=HTMX).content.decode()
    marked.refresh_from_db()
    assert marked.step is not None
    assert marked.step.upstream_id == other["id"]


@pytest.mark.parametrize(
    "fault",
    [Fault(kind="reset"), Fault(kind="login_page"), Fault(kind="status", status=403), Fault(kind="garbage_json")],
)
def test_a_dastra_that_cannot_be_read_leaves_the_page_with_a_way_to_try_again(
    fault: Fault, marked: DataSubjectRequest, dastra: Server, officer: User
) -> None:
    fault.times = 10
    dastra.faults.add(fault)
    client = as_person(officer)
    for headers in ({}, HTMX):
        answer = client.post(f"{LIST}{marked.upstream_id}/texts/", headers=headers)
        assert answer.status_code == 200
        page = answer.content.decode()
        assert "The texts could not be read from Dastra" in page
        assert "Try again" in page
    assert {event.outcome for event in AuditEvent.objects.filter(operation=Operation.OPEN)} == {"failed"}
    assert DataSubjectRequest.objects.filter(pk=marked.pk).exists()


def test_a_request_that_dastra_no_longer_has_is_forgotten_and_said(
    marked: DataSubjectRequest, dastra: Server, officer: User
) -> None:
    dastra.state[101].delete(marked.upstream_id)
    client = as_person(officer)
    answer = client.post(f"{LIST}{marked.upstream_id}/texts/", headers=HTMX)
    assert answer.status_code == 200
    assert answer.headers["HX-Retarget"] == "#content"
    assert "Dastra no longer has" in answer.content.decode()
    assert not DataSubjectRequest.objects.filter(pk=marked.pk).exists()
    assert client.get(f"{LIST}{marked.upstream_id}/").status_code == 404
    assert AuditEvent.objects.get(operation=Operation.OPEN).outcome == "gone"


def test_without_scripts_a_request_that_is_gone_is_said_on_a_page(
    marked: DataSubjectRequest, dastra: Server, officer: User
) -> None:
    dastra.state[101].delete(marked.upstream_id)
    answer = as_person(officer).post(f"{LIST}{marked.upstream_id}/texts/")
    assert answer.status_code == 410
    assert "Dastra no longer has" in answer.content.decode()
