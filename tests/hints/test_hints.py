"""A hint for each of three pages, until its person has dismissed it: for good, for that person alone, and without a script too."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from dsrportal.actions import preferences
from dsrportal.models import Role, User, Workspace
from dsrportal.queries import hints
from tests.conftest import make_person

pytestmark = pytest.mark.one_database

BOARD, REGISTER = "/w/acme-france/board/", "/w/acme-france/requests/"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def reader(client: Client, officer: User) -> Client:
    client.force_login(officer)
    return client


def hinted(client: Client, url: str) -> bool:
    return 'id="hint"' in client.get(url).text


def test_a_hint_is_dismissed_by_a_plain_form_and_the_person_stays_on_the_page(reader: Client, officer: User) -> None:
    answer = reader.post("/hints/", {"dismiss": "board", "next": f"{BOARD}?lanes=assignee"})
    assert (answer.status_code, answer["Location"]) == (302, f"{BOARD}?lanes=assignee")
    assert not hinted(reader, BOARD)
    assert hinted(reader, REGISTER), "one hint dismissed is one"
    officer.refresh_from_db()
    assert officer.dismissed_hints == "|board|"


def test_a_script_is_answered_with_nothing(reader: Client) -> None:
    answer = reader.post("/hints/", {"dismiss": "register", "next": REGISTER}, headers=HTMX)
    assert (answer.status_code, answer.content) == (200, b"")
    assert not hinted(reader, REGISTER)


def test_dismissing_twice_and_names_of_nothing_change_nothing(reader: Client, officer: User) -> None:
    for name in ("dsr", "board", "dsr", "", "none", "board|dsr", "x" * 500):
        reader.post("/hints/", {"dismiss": name})
    officer.refresh_from_db()
    assert officer.dismissed_hints == "|board|dsr|"


def test_hints_come_back_from_the_page_of_the_keys(reader: Client) -> None:
    assert "Show the hints" not in reader.get("/keys/").text, "there is nothing to bring back"
    reader.post("/hints/", {"dismiss": "board"})
    assert "Show the hints" in reader.get("/keys/").text
    assert "Show the hints" in reader.get("/keys/", headers=HTMX).text
    assert reader.post("/hints/", {"again": "yes"})["Location"] == reverse("palette.keys")
    assert hinted(reader, BOARD)


def test_a_way_back_leads_nowhere_else(reader: Client) -> None:
    for target in ("https://example.test/", "//example.test/", "/\\example.test", ""):
        assert reader.post("/hints/", {"dismiss": "board", "next": target})["Location"] == reverse("palette.keys")


def test_what_is_dismissed_is_the_persons_own(client: Client, officer: User, manager: User) -> None:
    preferences.dismiss_hint(officer, name="board")
    client.force_login(manager)
    assert hinted(client, BOARD)


def test_who_may_only_look_is_not_told_to_drag(client: Client, workspace: Workspace, officer: User) -> None:
    client.force_login(make_person("vera", workspace=workspace, role=Role.VIEWER))
    assert "Drag a card" not in client.get(BOARD).text
    client.force_login(officer)
    assert "Drag a card" in client.get(BOARD).text


def test_pages_without_a_hint_have_none(reader: Client) -> None:
    assert not hinted(reader, "/keys/")


def test_all_hints_fit_into_the_column_and_belong_to_pages_that_exist() -> None:
    User._meta.get_field("dismissed_hints").clean("|".join(["", *hints.NAMES, ""]), User())
    assert all(reverse(hint.view, kwargs=_places(hint.view)) for hint in hints.HINTS)


def _places(view: str) -> dict[str, object]:
    return {"slug": "acme-france", **({"upstream_id": 1} if view == "dsr.dsr" else {})}
