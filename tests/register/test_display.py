"""How the list looks: which columns in which order, how dense, in which groups; in the address, and from then on for one person."""

from __future__ import annotations

import html
import re
from datetime import datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from dsrportal.models import Membership, SyncLane, User, Workspace
from dsrportal.queries import register_columns
from dsrportal.queries.register_columns import COLUMNS, DEFAULT, offered
from dsrportal.queries.register_rows import CELLS
from tests.register.conftest import URL, Ask
from tests.register.stage import make_rows, name_person
from tests.register.test_register_page import HTMX, as_person

pytestmark = pytest.mark.one_database

DISPLAY = f"{URL}display/"


def heads(client: Client, query: str = "") -> list[str]:
    """The heads of the table in order."""
    page = client.get(URL + query, headers=HTMX).content.decode()
    cells = re.findall(r"<th scope=\"col\".*?</th>", page, re.DOTALL)
    return [html.unescape(re.sub(r"<[^>]+>", "", cell)).strip() for cell in cells]


def labels(*keys: str) -> list[str]:
    return [str(COLUMNS[key].label) for key in keys]


def test_an_address_says_which_columns_in_which_order(
    workspace: Workspace, officer: User, now: datetime, read_lately: SyncLane
) -> None:
    make_rows(workspace, count=5, now=now)
    client = as_person(officer)
    assert heads(client) == labels(*DEFAULT)
    assert heads(client, "?columns=operator,clock") == labels("demandId", "operator", "clock")
    assert heads(client, "?columns=clock,demandId,nonsense,clock,__class__") == labels("demandId", "clock")
    assert heads(client, "?columns=nonsense") == labels(*DEFAULT)
    everything = ",".join(COLUMNS)
    assert heads(client, f"?columns={everything}") == labels(*offered(COLUMNS, has_target=False))


def test_every_column_has_its_cell_and_only_what_is_shown_is_read(
    workspace: Workspace, now: datetime, ask: Ask
) -> None:
    make_rows(workspace, count=5, now=now)
    assert set(CELLS) == set(COLUMNS) - {register_columns.LOCKED}
    row = ask("columns=operator,id").rows[0]
    assert list(row.cells) == ["operator", "id"]
    assert row.cells["id"] == str(row.upstream_id)


def test_a_person_who_is_not_shown_is_not_opened(
    workspace: Workspace, now: datetime, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = make_rows(workspace, count=1, now=now)[0]
    name_person(row, given_name="Zoé", family_name="Maraboutin", email="zoe@example.test")

    def opened(*_args: object, **_options: object) -> dict[str, str]:
        raise AssertionError("opened")

    monkeypatch.setattr("dsrportal.credentials.unseal_fields", opened)
    assert ask(f"columns=operator&archived={row.archived}".lower()).rows
    with pytest.raises(AssertionError, match="opened"):
        ask(f"columns=person&archived={row.archived}".lower())


def test_columns_are_kept_for_the_person_and_the_address_stays_clean(
    workspace: Workspace, officer: User, manager: User, now: datetime, read_lately: SyncLane
) -> None:
    make_rows(workspace, count=5, now=now)
    client = as_person(officer)
    posted = {"question": "states=Open&columns=area", "column": ["area", "clock"], "density": "compact", "keep": "true"}
    answer = client.post(DISPLAY, posted)
    assert answer["Location"] == f"{URL}?states=Open"
    assert heads(client) == labels("demandId", "area", "clock")
    assert b'class="ledger ledger--compact"' in client.get(URL).content
    assert b'class="ledger"' in client.get(f"{URL}?density=roomy").content
    assert heads(as_person(manager)) == labels(*DEFAULT), "for nobody else"

    assert client.post(DISPLAY, {"reset": "true"})["Location"] == URL
    assert heads(client) == labels(*DEFAULT)
    membership = Membership.objects.get(user=officer)
    assert (membership.register_columns, membership.has_compact_register) == ("", False)


def test_columns_for_this_once_go_into_the_address(workspace: Workspace, officer: User, now: datetime) -> None:
    posted = {"question": "unread=true&page=3", "column": ["operator", "clock"], "density": "compact", "group": "area"}
    query = urlsplit(as_person(officer).post(DISPLAY, posted)["Location"]).query
    assert parse_qs(query) == {
        "unread": ["true"],
        "columns": ["operator,clock"],
        "density": ["compact"],
        "group": ["area"],
    }
    assert Membership.objects.get(user=officer).register_columns == ""


@pytest.mark.parametrize(
    ("deed", "wanted"),
    [
        ({"up": "area"}, "area,clock,state"),
        ({"down": "clock"}, "area,clock,state"),
        ({"up": "clock"}, "clock,area,state"),
        ({"down": "state"}, "clock,area,state"),
        ({"up": "demandId"}, "clock,area,state"),
        ({"up": "nonsense"}, "clock,area,state"),
    ],
)
def test_a_column_goes_one_place_further_without_a_script(
    deed: dict[str, str], wanted: str, workspace: Workspace, officer: User
) -> None:
    answer = as_person(officer).post(DISPLAY, {"column": ["clock", "area", "state"], **deed})
    assert parse_qs(urlsplit(answer["Location"]).query)["columns"] == [wanted]


def test_links_of_the_list_keep_its_look(workspace: Workspace, now: datetime, ask: Ask) -> None:
    make_rows(workspace, count=80, now=now)
    page = ask("columns=clock,area&density=compact&group=step&size=25&states=Open&states=Closed")
    for url in (page.next_url, page.chips[0].remove_url, page.clear_url, page.heads[1].url):
        kept = parse_qs(urlsplit(url).query)
        assert kept["columns"] == ["clock,area"], url
        assert kept["density"] == ["compact"], url
        assert kept["group"] == ["step"], url
    assert ("columns", "clock,area") in page.kept_by_panel
    assert ("size", "25") not in page.kept_by_sizes
