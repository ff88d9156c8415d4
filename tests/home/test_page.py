"""My day over HTTP: the page and its fragment, which costs little while nothing changes; wishes with Undo; whose name is shown."""

from __future__ import annotations

import json
import re
from datetime import date, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from dsrportal import credentials
from dsrportal.models import Membership, OutboxEntry, Role, User, Workspace
from dsrportal.models.outbox import WishState
from dsrportal.models.requests import identity_context
from tests.home.conftest import MakeDsr, MakePlace
from tests.home.test_lists import wish

HTMX = {"HX-Request": "true"}
DAY = timedelta(days=1)
MOST_QUERIES_OF_NOTHING = 3


def address(page: str) -> str:
    """Where the page asks for itself."""
    found = re.search(r'hx-get="(/\?[^"]+)"', page)
    assert found is not None
    return found[1].replace("&amp;", "&")


def test_nothing_new_is_204_with_few_queries_and_a_change_is_the_fragment_and_spoken(
    reader: Client, workspace: Workspace, make_dsr: MakeDsr, today: date
) -> None:
    url = address(reader.get("/").text)
    with CaptureQueriesContext(connection) as queries:
        answer = reader.get(url, headers=HTMX)
    assert (answer.status_code, answer.content) == (204, b"")
    assert len(queries) <= MOST_QUERIES_OF_NOTHING
    Workspace.note_change(workspace.pk)
    same = reader.get(url, headers=HTMX)
    assert same.status_code == 200
    assert "data-announce" not in same.text, "what is shown is the same"
    make_dsr(today)
    Workspace.note_change(workspace.pk)
    fresh = reader.get(address(same.text), headers=HTMX)
    assert fresh.text.lstrip().startswith('<div class="day" id="day"')
    assert 'data-announce="My day has changed: Act today 1."' in fresh.text


def test_ones_own_wishes_stand_there_with_undo_and_what_failed_comes_first(
    reader: Client, olivia: User, manager: User, make_dsr: MakeDsr, now: datetime, today: date
) -> None:
    held, refused, others = make_dsr(today), make_dsr(today), make_dsr(today)
    wish(olivia, held, now=now)
    wish(olivia, refused, now=now)
    wish(manager, others, now=now)
    OutboxEntry.objects.filter(dsr=refused).update(state=WishState.REFUSED, reason="Dastra does not know this step.")
    day = reader.get("/").context["day"]
    assert [(row.reference, bool(row.wish.undo_url)) for row in day.pending.rows] == [
        (refused.reference, False),
        (held.reference, True),
    ]
    assert [more.text for more in day.pending.more] == ["Need you: 1", "Under way: 1"]
    for more in day.pending.more:
        assert reader.get(more.url).context["page"].total == 1
    undo, dismiss = day.pending.rows[1].wish.undo_url, day.pending.rows[0].wish.dismiss_url
    answer = reader.post(undo, {"origin": "home"}, headers=HTMX)
    assert answer.status_code == 204
    assert json.loads(answer["HX-Trigger"]) == {"day:look": {"said": "Undone. Nothing was changed."}}
    plain = reader.post(dismiss, {"origin": "home"})
    assert (plain.status_code, plain["Location"]) == (302, "/")
    assert reader.get("/").context["day"].pending is None


@pytest.mark.parametrize(("role", "shown"), [(Role.OFFICER, "Z. M."), (Role.MANAGER, "Name hidden")])
def test_names_are_masked_as_on_a_card(
    reader: Client, olivia: User, workspace: Workspace, make_dsr: MakeDsr, today: date, role: Role, shown: str
) -> None:
    Membership.objects.filter(user=olivia).update(role=role)
    dsr = make_dsr(today)
    dsr.identity_sealed = credentials.seal_fields(
        {"given_name": "Zoé", "family_name": "Martin", "email": "zoe@example.org", "title": "x"},
        context=identity_context(workspace_id=workspace.pk, upstream_id=dsr.upstream_id),
    )
    dsr.save(update_fields=["identity_sealed"])
    page = reader.get("/").text
    assert shown in page
    assert "zoe@example.org" not in page
    assert "Zoé" not in page


def test_a_disabled_workspace_is_said_and_not_counted(
    reader: Client, make_place: MakePlace, make_dsr: MakeDsr, now: datetime, today: date
) -> None:
    place = make_place("zeta-house")
    make_dsr(today, workspace=place)
    Workspace.objects.filter(pk=place.pk).update(disabled_at=now)
    page = reader.get("/")
    assert page.context["day"].first[0].count == "0"
    assert "Zeta House is disabled and not shown" in page.text
    Workspace.objects.update(disabled_at=now)
    assert "No workspace of yours is being read." in reader.get("/").text


def test_the_rail_begins_with_my_day_and_who_has_no_workspace_is_told_what_to_do(
    reader: Client, client: Client, olivia: User
) -> None:
    nav = reader.get("/").context["frame"]["nav"]
    assert (nav[0].url, nav[0].is_current) == ("/", True)
    Membership.objects.filter(user=olivia).delete()
    assert "Nobody gave you a role yet" in reader.get("/").text


def test_the_page_speaks_other_languages(reader: Client, make_dsr: MakeDsr, today: date) -> None:
    make_dsr(today - DAY)
    for language in ("fr", "nl"):
        with translation.override(language):
            reader.cookies["django_language"] = language
            assert reader.get("/").status_code == 200
