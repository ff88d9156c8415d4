"""Searching: whole words of names, e-mail addresses and references are found; the text is in no address, session or log."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.test import Client

from dsrportal.models import AuditEvent, DataSubjectRequest, Membership, Role, SyncLane, User, Workspace
from dsrportal.models.audit import Operation
from dsrportal.sandbox import Sandbox
from dsrportal.sandbox.server import Server
from tests.conftest import MakeWorkspace
from tests.register.conftest import URL
from tests.register.stage import make_rows, name_person
from tests.register.test_register_page import as_person


@pytest.fixture
def people(workspace: Workspace, now: datetime, read_lately: SyncLane) -> dict[str, DataSubjectRequest]:
    """Three live requests with a person each."""
    rows = [row for row in make_rows(workspace, count=30, now=now) if not row.archived]
    DataSubjectRequest.objects.filter(pk=rows[2].pk).update(reference="QA7ZEBRA")
    names = [
        ("Zoé", "Quillivéré", "zoe.q@example.test"),
        ("Jean-Luc", "Quillivéré", "jl@example.test"),
        ("Ada", "Vermeer", "ada@example.test"),
    ]
    for row, (given, family, email) in zip(rows, names, strict=False):
        name_person(row, given_name=given, family_name=family, email=email)
    return {given: row for row, (given, _family, _email) in zip(rows, names, strict=False)}


def look_for(client: Client, text: str) -> tuple[str, set[int]]:
    """Post a search; the address it leads to, and the upstream ids of the rows there."""
    answer = client.post(f"{URL}search/", {"q": text})
    assert answer.status_code == 302
    address: str = answer.headers["Location"]
    page = client.get(address)
    assert page.status_code == 200
    return address, {row.upstream_id for row in page.context["page"].rows}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("quillivere", {"Zoé", "Jean-Luc"}),
        ("QUILLIVÉRÉ", {"Zoé", "Jean-Luc"}),
        ("zoe quillivéré", {"Zoé"}),
        ("quillivere ada", set()),
        ("jean-luc", {"Jean-Luc"}),
        ("Z quillivere", {"Zoé", "Jean-Luc"}),
        ("ada@example.test", {"Ada"}),
        ("ADA@Example.test", {"Ada"}),
        ("ada@example", set()),
        ("quilli", set()),
        ("example", set()),
        ("qa7z", {"Ada"}),
        ("%", set()),
        ("_", set()),
        ("' OR 1=1 --", set()),
        ("(a+)+$", set()),
        ('NEAR/ * " AND', set()),
        ("\x00", None),
        ("a" * 10_000, set()),
        (" ".join(["quillivere"] * 500), {"Zoé", "Jean-Luc"}),
    ],
)
def test_whole_words_addresses_and_beginnings_of_references_are_found(
    text: str, found: set[str] | None, people: dict[str, DataSubjectRequest], officer: User
) -> None:
    _address, shown = look_for(as_person(officer), text)
    if found is not None:
        assert shown == {people[name].upstream_id for name in found}


def test_a_whole_reference_leads_to_its_request(people: dict[str, DataSubjectRequest], officer: User) -> None:
    answer = as_person(officer).post(f"{URL}search/", {"q": " qa7zebra "})
    assert answer.headers["Location"] == f"{URL}{people['Ada'].upstream_id}/"


def test_what_was_typed_is_in_no_address_session_or_log(
    people: dict[str, DataSubjectRequest], officer: User, caplog: pytest.LogCaptureFixture
) -> None:
    client = as_person(officer)
    with caplog.at_level(logging.DEBUG):
        for text in ("Quillivéré", "zoe.q@example.test", "QA"):
            address, _shown = look_for(client, text)
            assert set(parse_qs(urlsplit(address).query)) <= {"search"}
            kept = str([session.get_decoded() for session in Session.objects.all()]).casefold()
            for word in ("quilliv", "zoe", "example", "'qa'"):
                assert word not in address.casefold()
                assert word not in kept
                assert word not in caplog.text.casefold()


def test_roles_that_may_not_see_names_cannot_find_them(people: dict[str, DataSubjectRequest], manager: User) -> None:
    client = as_person(manager)
    for text in ("quillivere", "ada@example.test", "vermeer", "z quillivere"):
        address, shown = look_for(client, text)
        assert shown == set()
        assert "by the beginning of their reference only" in client.get(address).content.decode()
        assert "Ask Dastra" not in client.get(address).content.decode()
    assert look_for(client, "qa7z")[1] == {people["Ada"].upstream_id}
    assert client.post(f"{URL}ask/", {"search": "x" * 16}).status_code == 403


def test_a_search_belongs_to_its_session(people: dict[str, DataSubjectRequest], officer: User, admin: User) -> None:
    address, shown = look_for(as_person(officer), "vermeer")
    assert shown
    other = as_person(admin).get(address)
    assert "This search has expired" in other.content.decode()
    assert "0 requests" not in other.content.decode()


def test_another_workspaces_search_is_expired_here(
    people: dict[str, DataSubjectRequest], officer: User, make_workspace: MakeWorkspace
) -> None:
    other = make_workspace("second", upstream_id=103)
    Membership.objects.create(user=officer, workspace=other, role=Role.OFFICER)
    client = as_person(officer)
    address, _shown = look_for(client, "vermeer")
    assert "expired" in client.get(address.replace("acme-france", "second")).content.decode()


@pytest.fixture
def dastra(settings: Any, tmp_path: Path) -> Iterator[Server]:
    """A local Dastra."""
    settings.DATA_DIR = tmp_path
    with Sandbox(requests=40, seed=3).serve() as server:
        settings.UPSTREAM_ALLOWED_HOSTS = [server.host_port]
        yield server


def test_dastra_is_asked_where_nothing_is_found_and_its_answer_is_listed(
    dastra: Server, workspace: Workspace, officer: User, read_lately: SyncLane
) -> None:
    workspace.base_url = dastra.base_url
    workspace.set_secret(dastra.api_key)
    workspace.set_search_key("00" * 32)
    workspace.save()
    record = next(one for one in dastra.state[101].as_listed() if not one.fields["archived"])
    word = record.fields["title"].split()[-1][:5]
    client = as_person(officer)
    address, shown = look_for(client, word)
    assert shown == set()
    page = client.get(address)
    assert "Ask Dastra" in page.content.decode()
    token = parse_qs(urlsplit(address).query)["search"][0]
    answer = client.post(f"{URL}ask/", {"search": token})
    assert word.casefold() not in answer.headers["Location"].casefold()
    listed = client.get(answer.headers["Location"])
    assert record.fields["id"] in {row.upstream_id for row in listed.context["page"].rows}
    event = AuditEvent.objects.get(operation=Operation.ASK_DASTRA)
    assert (event.by, event.outcome) == (officer, "done")
    assert word.casefold() not in str(event.details).casefold()


def test_a_dastra_that_cannot_be_asked_is_said(
    people: dict[str, DataSubjectRequest], officer: User, settings: Any, tmp_path: Path
) -> None:
    settings.DATA_DIR = tmp_path
    settings.UPSTREAM_ALLOWED_HOSTS = ["127.0.0.1:9"]
    client = as_person(officer)
    address, _shown = look_for(client, "nobody")
    token = parse_qs(urlsplit(address).query)["search"][0]
    answer = client.post(f"{URL}ask/", {"search": token}, follow=True)
    assert "toast--error" in answer.content.decode()
    assert AuditEvent.objects.get(operation=Operation.ASK_DASTRA).outcome == "failed"


def test_the_text_is_forgotten_after_some_minutes(
    people: dict[str, DataSubjectRequest], officer: User, now: datetime
) -> None:
    client = as_person(officer)
    address, _shown = look_for(client, "nobody")
    token = parse_qs(urlsplit(address).query)["search"][0]
    with time_machine.travel(now + timedelta(minutes=11), tick=False):
        answer = client.post(f"{URL}ask/", {"search": token}, follow=True)
    assert "This search is too old" in answer.content.decode()
    assert not AuditEvent.objects.exists()
