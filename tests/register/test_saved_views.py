"""Saved views: what one holds, who sees it, who may change it, and what the list begins with."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.messages import get_messages
from django.test import Client

from dsrportal.actions import saved_views
from dsrportal.models import Membership, Role, SavedView, SyncLane, User, Workspace
from dsrportal.models.saved_views import ViewShape
from tests.conftest import MakeWorkspace, make_person
from tests.register.conftest import URL
from tests.register.stage import make_rows
from tests.register.test_register_page import as_person

pytestmark = pytest.mark.one_database

VIEWS = "/w/acme-france/views/"
ASKED = "states=Open&workflows=1&sortBy=operator&asc=false&group=area&columns=operator,clock&density=compact"


def save(client: Client, name: str, query: str = ASKED, **fields: str) -> str:
    """Save a view; where it led."""
    return str(client.post(VIEWS, {"name": name, "question": query, **fields})["Location"])


def said(client: Client, path: str, **posted: str) -> tuple[str, str]:
    """What a post said, and where it led."""
    answer = client.post(path, posted)
    words = [str(message) for message in get_messages(answer.wsgi_request)]
    return words[-1], answer["Location"]


def view_of(name: str) -> SavedView:
    return SavedView.objects.get(name=name)


def test_a_view_holds_filters_columns_order_groups_and_density(
    workspace: Workspace, officer: User, now: datetime, read_lately: SyncLane
) -> None:
    make_rows(workspace, count=40, now=now)
    client = as_person(officer)
    url = save(client, "Mine", f"{ASKED}&page=2&after=abc&count=exact")
    assert parse_qs(urlsplit(url).query) == {**parse_qs(ASKED), "view": [str(view_of("Mine").pk)]}
    page = client.get(url)
    assert page.context["views"].current.name == "Mine"
    assert not page.context["views"].is_changed
    assert page.context["page"].columns == ("demandId", "operator", "clock")
    assert [chip.text for chip in page.context["page"].chips] == ["Step 1", "Qualification"]
    assert client.get(f"{URL}?view={view_of('Mine').pk}")["Location"] == url, "a short address is the whole one"

    less = client.get(page.context["page"].chips[0].remove_url)
    assert less.context["views"].is_changed
    words, back = said(client, f"{VIEWS}{view_of('Mine').pk}/", deed="update", question=less.context["question"])
    assert (words, "workflows" in back) == ("The view is saved.", False)
    assert not client.get(back).context["views"].is_changed


def test_a_view_keeps_the_look_that_its_maker_sees(workspace: Workspace, officer: User, manager: User) -> None:
    officers = Membership.objects.get(user=officer)
    saved_views.remember_look(officers, columns=("demandId", "area", "clock"), is_compact=True)
    save(as_person(officer), "Areas", "states=Open", is_shared="true")
    assert parse_qs(view_of("Areas").query) == {
        "states": ["Open"],
        "columns": ["area,clock"],
        "density": ["compact"],
    }
    page = as_person(manager).get(f"{URL}?{view_of('Areas').query}&view={view_of('Areas').pk}").context["page"]
    assert (page.columns, page.is_compact) == (("demandId", "area", "clock"), True)


def test_a_search_is_never_saved(workspace: Workspace, officer: User, now: datetime, read_lately: SyncLane) -> None:
    make_rows(workspace, count=5, now=now)
    client = as_person(officer)
    found = client.post(f"{URL}search/", {"q": "Maraboutin"})["Location"]
    token = parse_qs(urlsplit(found).query)["search"][0]
    for shared in ("", "true"):
        save(client, f"Found {shared}", f"search={token}&unread=true", is_shared=shared)
    page = client.get(f"{found}&unread=true")
    assert "The search is not saved" in page.content.decode()
    for view in SavedView.objects.all():
        assert "search" not in view.query
        assert token not in view.query
        assert "unread=true" in view.query


def test_shared_ones_are_seen_by_members_and_nobody_else(
    workspace: Workspace, officer: User, manager: User, stranger: User
) -> None:
    client = as_person(officer)
    save(client, "Ours", is_shared="true")
    save(client, "Mine")
    assert [tab.name for tab in client.get(URL).context["views"].tabs] == ["Mine", "Ours"]
    tabs = as_person(manager).get(URL).context["views"].tabs
    assert [(tab.name, tab.owner) for tab in tabs] == [("Ours", "olivia")]
    mine, ours = view_of("Mine"), view_of("Ours")
    assert as_person(manager).post(f"{VIEWS}{mine.pk}/", {"deed": "delete"}).status_code == 404
    assert as_person(stranger).post(f"{VIEWS}{ours.pk}/", {"deed": "delete"}).status_code == 404
    assert as_person(stranger).post(f"/w/other-house/views/{ours.pk}/", {"deed": "delete"}).status_code == 404
    assert SavedView.objects.count() == 2


@pytest.mark.parametrize("deed", ["update", "rename", "delete"])
def test_a_shared_one_is_changed_by_its_owner_and_admins_alone(
    deed: str, workspace: Workspace, officer: User, manager: User, admin: User
) -> None:
    save(as_person(officer), "Ours", is_shared="true")
    ours = view_of("Ours")
    path = f"{VIEWS}{ours.pk}/"
    posted = {"deed": deed, "name": "Others'", "is_shared": "true", "question": "unread=true"}
    words, _url = said(as_person(manager), path, **posted)
    assert words == "Only its owner or an admin changes this view."
    assert (view_of("Ours").query, view_of("Ours").owner) == (ours.query, officer)
    words, _url = said(as_person(admin), path, **posted)
    assert words in {"The view is saved.", "The view is deleted."}


def test_names_are_unique_for_their_owner_and_nonsense_is_refused_with_a_sentence(
    workspace: Workspace, officer: User, manager: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = as_person(officer)
    save(client, "Urgent")
    words, back = said(client, VIEWS, name="  uRGENT ", question="unread=true")
    assert (words, back) == ("You have a view of this name already.", f"{URL}?unread=true")
    assert said(client, VIEWS, name=" ", question="")[0] == "Give the view a name."
    assert said(client, VIEWS, name="x" * 41, question="")[0] == "A name has at most 40 characters."
    assert said(client, VIEWS, name="x", shape="cube")[0] == "This form is incomplete. Please try again."
    assert (
        said(client, f"{VIEWS}{view_of('Urgent').pk}/", deed="cube")[0] == "This form is incomplete. Please try again."
    )
    many = "&".join(f"ids={10**17 + number}" for number in range(400))
    assert said(client, VIEWS, name="Many", question=many)[0] == "These are more filters than a view can hold."
    save(as_person(manager), "Urgent")
    monkeypatch.setattr(saved_views, "MOST_VIEWS", 1)
    assert "Delete one first" in said(client, VIEWS, name="Another", question="")[0]
    assert [view.owner for view in SavedView.objects.filter(name="Urgent").order_by("pk")] == [officer, manager]
    assert SavedView.objects.count() == 2
    assert client.post(VIEWS, {"name": "Longer", "question": "x" * 50_000}).status_code == 400


def test_a_renamed_view_keeps_what_it_asks(workspace: Workspace, officer: User) -> None:
    client = as_person(officer)
    save(client, "Old")
    view = view_of("Old")
    said(client, f"{VIEWS}{view.pk}/", deed="rename", name="New", is_shared="true", shape="board", question=ASKED)
    changed = view_of("New")
    assert (changed.pk, changed.query, changed.is_shared, changed.shape) == (view.pk, view.query, True, ViewShape.BOARD)
    tab = client.get(URL).context["views"].tabs[0]
    assert tab.url.startswith("/w/acme-france/board/?states=Open")


def test_the_list_begins_with_the_view_one_chose_and_all_requests_stay_a_click_away(
    workspace: Workspace, officer: User, manager: User, now: datetime, read_lately: SyncLane
) -> None:
    make_rows(workspace, count=20, now=now)
    client = as_person(officer)
    url = save(client, "Ours", is_shared="true")
    view = view_of("Ours")
    said(client, f"{VIEWS}{view.pk}/", deed="begin")
    assert client.get(URL)["Location"] == url
    assert as_person(manager).get(URL).status_code == 200, "for this person alone"
    page = client.get(url)
    everything = client.get(page.context["views"].all_url)
    assert everything.context["page"].chips == []
    assert everything.context["views"].is_all
    cleared = client.get(client.get(f"{URL}?unread=true&complex=true").context["page"].clear_url)
    assert (cleared.status_code, cleared.context["page"].chips) == (200, [])

    said(as_person(officer), f"{VIEWS}{view.pk}/", deed="no_beginning")
    assert client.get(URL).status_code == 200
    said(client, f"{VIEWS}{view.pk}/", deed="begin")
    said(client, f"{VIEWS}{view.pk}/", deed="delete")
    assert client.get(URL).status_code == 200


def test_a_view_that_is_no_longer_shared_begins_nobody_elses_list(
    workspace: Workspace, officer: User, make_workspace: MakeWorkspace
) -> None:
    save(as_person(officer), "Ours", is_shared="true")
    view = view_of("Ours")
    vera = make_person("vera", workspace=workspace, role=Role.VIEWER)
    said(as_person(vera), f"{VIEWS}{view.pk}/", deed="begin")
    SavedView.objects.filter(pk=view.pk).update(is_shared=False)
    assert as_person(vera).get(URL).status_code == 200
