"""The palette finds references in the person's own workspaces and nothing else; the map of keys is one table and can be turned off."""

from __future__ import annotations

import json
import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from dsrportal.models import Membership, Role, User, Workspace
from dsrportal.queries import keymap, palette
from tests.board.conftest import MakeDsrs, MakeStep
from tests.conftest import MakeWorkspace

pytestmark = pytest.mark.one_database

URL = "/palette/"
HTMX = {"HX-Request": "true"}
MOST_QUERIES = 5


@pytest.fixture
def reader(client: Client, officer: User) -> Client:
    client.force_login(officer)
    return client


def found(client: Client, text: str) -> list[str]:
    html = client.post(URL, {"q": text}, headers=HTMX).text
    return re.findall(r'data-href="([^"]+)"', html)


def test_references_of_all_own_workspaces_are_found_and_of_no_other(
    reader: Client,
    officer: User,
    workspace: Workspace,
    stranger: User,
    make_workspace: MakeWorkspace,
    make_step: MakeStep,
    make_dsrs: MakeDsrs,
) -> None:
    second = make_workspace("zeta-benelux", upstream_id=103)
    Membership.objects.create(user=officer, workspace=second, role=Role.VIEWER)
    step = make_step("Received")
    make_dsrs(step, 1, reference="DSR-7A")
    make_dsrs(None, 1, reference="DSR-7B", workspace=second, archived=True)
    make_dsrs(None, 1, reference="DSR-7C", workspace=Membership.objects.get(user=stranger).workspace)
    assert found(reader, "dsr-7") == ["/w/acme-france/requests/1001/", "/w/zeta-benelux/requests/1002/"]
    assert found(reader, "1002") == ["/w/zeta-benelux/requests/1002/"]


@pytest.mark.parametrize("text", ["", "   ", "Martin", "zoe@example.org", "DSR%", "\x00", "x" * 500, "9" * 40])
def test_names_addresses_and_nonsense_find_nothing(reader: Client, text: str, make_dsrs: MakeDsrs) -> None:
    make_dsrs(None, 1)
    assert found(reader, text) == []


def test_a_search_costs_the_same_whatever_the_number_of_rows(
    reader: Client,
    make_dsrs: MakeDsrs,
) -> None:
    make_dsrs(None, 60)
    with CaptureQueriesContext(connection) as queries:
        assert len(found(reader, "REF1")) == palette.MOST_FOUND
    assert len(queries) <= MOST_QUERIES, [query["sql"] for query in queries]


def test_the_dialog_names_pages_and_other_workspaces(
    reader: Client, officer: User, make_workspace: MakeWorkspace
) -> None:
    Membership.objects.create(user=officer, workspace=make_workspace("zeta", upstream_id=103), role=Role.VIEWER)
    html = reader.get(URL, {"in": "acme-france"}, headers=HTMX).text
    assert 'data-href="/w/acme-france/requests/"' in html
    assert 'data-href="/w/zeta/board/"' in html
    assert "/overview/" not in html, "an officer has none"
    assert 'action="/w/zeta/requests/search/"' in reader.get(URL, {"in": "zeta"}, headers=HTMX).text
    assert reader.get(URL).status_code == 302


def test_the_page_is_told_the_whole_map_and_the_help_shows_the_same(reader: Client, officer: User) -> None:
    page = reader.get("/keys/").text
    told = json.loads(re.findall(r'<script id="keymap"[^>]*>(.*?)</script>', page, re.DOTALL)[0])
    assert told["deeds"] == {key.keys: key.deed for group in keymap.GROUPS for key in group.keys if key.deed}
    assert told["places"]["register"] == "/w/acme-france/requests/"
    for group in keymap.GROUPS:
        for key in group.keys:
            assert str(key.label) in page
            assert all(f"<kbd>{cap}</kbd>" in page for cap in key.caps)
    deeds = list(told["deeds"])
    assert not {deed.partition(" ")[0] for deed in deeds if " " in deed} & set(deeds), "a first key does nothing alone"


def test_a_person_turns_the_keys_off_and_on_again(reader: Client, officer: User) -> None:
    reader.post("/keys/", {"on": "no"})
    assert '"deeds": {}' in reader.get("/keys/").text
    officer.refresh_from_db()
    assert not officer.uses_keys
    reader.post("/keys/", {"on": "yes"})
    assert '"deeds": {}' not in reader.get("/keys/").text
