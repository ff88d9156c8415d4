"""The register over HTTP: who sees it, page or fragment, how many queries, what it says where there is nothing."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from dsrportal.models import Area, DataSubjectRequest, Lane, Operator, SyncLane, Tag, User, WorkflowStep, Workspace
from tests.register.conftest import URL
from tests.register.stage import make_rows, name_person

pytestmark = pytest.mark.one_database

MOST_QUERIES = 16
HTMX = {"HX-Request": "true", "HX-Target": "register"}


def as_person(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_only_members_see_it(workspace: Workspace, officer: User, manager: User, stranger: User) -> None:
    assert as_person(officer).get(URL).status_code == 200
    assert as_person(manager).get(URL).status_code == 200
    for headers in ({}, HTMX):
        assert as_person(stranger).get(URL, headers=headers).status_code == 404
        assert as_person(officer).get("/w/no-such/requests/", headers=headers).status_code == 404
    assert Client().get(URL).status_code == 302


def test_one_address_gives_the_page_or_the_list_alone(workspace: Workspace, officer: User, now: datetime) -> None:
    make_rows(workspace, count=5, now=now)
    client = as_person(officer)
    for headers in ({}, {**HTMX, "HX-Boosted": "true"}, {**HTMX, "HX-History-Restore-Request": "true"}):
        answer = client.get(URL, headers=headers)
        assert answer.content.lstrip().startswith(b"<!doctype html>"), headers
        assert "HX-Request" in answer.headers["Vary"]
    fragment = client.get(URL, headers=HTMX)
    assert fragment.content.lstrip().startswith(b'<section class="register" id="register"')
    assert b"<html" not in fragment.content
    assert "HX-Request" in fragment.headers["Vary"]
    assert "no-store" in fragment.headers["Cache-Control"]


def test_the_number_of_queries_does_not_grow(
    workspace: Workspace, officer: User, now: datetime, read_lately: SyncLane
) -> None:
    client = as_person(officer)

    def counted(query: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(URL + query).status_code == 200
        return len(queries)

    addresses = ["", "?unread=true&sortBy=operator&asc=true", "?states=Open&tags=3&page=2&size=25"]
    make_rows(workspace, count=50, now=now)
    few = [counted(query) for query in addresses]
    for model in (WorkflowStep, Operator, Area, Tag, DataSubjectRequest):
        model.objects.filter(workspace=workspace).delete()
    make_rows(workspace, count=700, now=now)
    assert [counted(query) for query in addresses] == few
    assert max(few) <= MOST_QUERIES


def test_names_are_shown_to_those_who_may_and_initials_to_the_rest(
    workspace: Workspace, officer: User, manager: User, now: datetime
) -> None:
    row = next(row for row in make_rows(workspace, count=20, now=now) if not row.archived)
    name_person(row, given_name="Zoé", family_name="Maraboutin", email="zoe@example.test")
    assert "Zoé Maraboutin" in as_person(officer).get(URL).content.decode()
    masked = as_person(manager).get(URL).content.decode()
    assert "Maraboutin" not in masked
    assert "zoe@" not in masked
    assert "Z. M." in masked


def test_a_workspace_that_was_never_read_shows_no_healthy_zero(workspace: Workspace, officer: User) -> None:
    page = as_person(officer).get(URL).content.decode()
    assert "has not been read yet" in page
    assert "No requests" not in page
    assert "0 requests" not in page


def test_a_workspace_that_cannot_be_read_says_so_over_its_list(
    workspace: Workspace, officer: User, now: datetime, read_lately: SyncLane
) -> None:
    make_rows(workspace, count=5, now=now)
    read_lately.last_error = "Dastra does not accept the credential."
    read_lately.save()
    for headers in ({}, HTMX):
        page = as_person(officer).get(URL, headers=headers).content.decode()
        assert "Dastra does not accept the credential." in page
        assert "banner--warn" in page


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", "No requests"),
        ("?archived=true", "No archived requests"),
        ("?unread=true", "No request fits all of these filters"),
        ("?q=ZZZZZZZZ", "Nothing found"),
        ("?search=not-of-this-session", "This search has expired"),
    ],
)
def test_nothing_says_why(query: str, words: str, workspace: Workspace, officer: User, read_lately: SyncLane) -> None:
    assert words in as_person(officer).get(URL + query).content.decode()


def test_old_data_is_not_called_new(workspace: Workspace, officer: User, now: datetime) -> None:
    moment = now - timedelta(hours=5)
    SyncLane.objects.create(workspace=workspace, lane=Lane.ACTIVE, last_attempt_at=moment, last_success_at=moment)
    assert "Read from Dastra 5 h ago" in as_person(officer).get(URL).content.decode()


def test_it_is_read_only(workspace: Workspace, officer: User) -> None:
    client = as_person(officer)
    assert client.post(URL).status_code == 405
    assert client.get(f"{URL}search/").status_code == 405
    assert client.get(f"{URL}ask/").status_code == 405


def test_text_of_dastra_is_escaped(workspace: Workspace, officer: User, now: datetime) -> None:
    rows = make_rows(workspace, count=10, now=now)
    nasty = "<script>alert(1)</script>{{7*7}}"
    WorkflowStep.objects.filter(workspace=workspace).update(label=nasty, color="red;}</")
    Tag.objects.filter(workspace=workspace).update(label=nasty)
    Operator.objects.filter(workspace=workspace).update(display_name=nasty)
    Area.objects.filter(workspace=workspace).update(label=nasty)
    name_person(rows[0], given_name=nasty, family_name=nasty, email=nasty)
    page = as_person(officer).get(URL).content.decode()
    assert "<script>alert" not in page
    assert "red;" not in page
