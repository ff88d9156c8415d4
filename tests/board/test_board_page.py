"""The board's page over HTTP: who sees it, in which skin, at which cost."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from dsrportal.models import DataSubjectRequest, SyncLane, User, WorkflowStep
from tests.board.conftest import MakeDsrs, MakeStep

pytestmark = pytest.mark.one_database

URL = "/w/acme-france/board/"
MOST_QUERIES = 12
HTMX = {"HX-Request": "true"}


@pytest.fixture
def column(fresh: SyncLane, make_step: MakeStep, make_dsrs: MakeDsrs) -> WorkflowStep:
    """One step with 30 requests."""
    step = make_step("Received")
    make_dsrs(step, 30)
    return step


def as_(client: Client, user: User) -> Client:
    client.force_login(user)
    return client


def since(html: str) -> str:
    """What the page's script sends when it asks for changes."""
    found = re.findall(r'data-column="(\w+)" data-digest="(\w+)"', html)
    return ",".join(f"{key}:{digest}:25" for key, digest in found)


def test_a_stranger_gets_404_and_nobody_is_sent_to_sign_in(
    client: Client, column: WorkflowStep, stranger: User
) -> None:
    assert client.get(URL).status_code == 302
    assert as_(client, stranger).get(URL).status_code == 404


def test_who_may_not_act_gets_no_forms(client: Client, column: WorkflowStep, officer: User) -> None:
    assert 'id="move-form"' in as_(client, officer).get(URL).text
    officer.memberships.update(role="viewer")
    html = client.get(URL).text
    assert 'id="move-form"' not in html
    assert "data-menu" not in html
    assert "data-move" not in html


@pytest.mark.parametrize("number", [50, 3_000])
def test_the_number_of_queries_does_not_grow(
    client: Client, officer: User, fresh: SyncLane, make_step: MakeStep, make_dsrs: MakeDsrs, number: int
) -> None:
    past = timezone.now() - timedelta(days=4)
    for name in ("Received", "Checked", "Working", "Answering"):
        make_dsrs(make_step(name), number // 5, first_due=past)
    make_dsrs(make_step("Closed", final=True), number // 5)
    assert DataSubjectRequest.objects.count() == number
    as_(client, officer)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(URL).status_code == 200
    statements = [query["sql"] for query in queries if not query["sql"].startswith(("BEGIN", "SAVEPOINT", "RELEASE"))]
    assert len(statements) <= MOST_QUERIES, "\n".join(statements)


def test_htmx_gets_the_fragment_and_a_restored_or_boosted_page_the_whole(
    client: Client, column: WorkflowStep, officer: User
) -> None:
    as_(client, officer)
    assert "<html" not in client.get(URL, headers=HTMX).text
    assert "HX-Request" in client.get(URL).headers["Vary"]
    assert "<html" in client.get(URL, headers={**HTMX, "HX-History-Restore-Request": "true"}).text
    assert "<html" in client.get(URL, headers={**HTMX, "HX-Boosted": "true"}).text


def test_more_is_a_fragment_with_scripts_and_a_page_without(
    client: Client, column: WorkflowStep, officer: User
) -> None:
    html = as_(client, officer).get(URL).text
    link = re.search(r'href="([^"]*step=[^"]*)"', html)
    assert link is not None
    url = link[1].replace("&amp;", "&")
    assert client.get(url, headers=HTMX).text.count('class="card"') == 5
    page = client.get(url).text
    assert "<html" in page
    assert page.count('class="card"') == 5


@pytest.mark.parametrize("after", ["", "~", "x~1", "2026-01-01~1", "2026-01-01T00:00:00+00:00~" + "9" * 40, "\x00"])
def test_a_cursor_that_makes_no_sense_starts_at_the_top(
    client: Client, column: WorkflowStep, officer: User, after: str
) -> None:
    response = as_(client, officer).get(URL, {"step": str(column.upstream_id), "after": after}, headers=HTMX)
    assert (response.status_code, response.text.count('class="card"')) == (200, 25)


@pytest.mark.parametrize("step", ["999", "abc", "-1", "9" * 40, ""])
def test_a_step_that_is_not_there_is_404(client: Client, column: WorkflowStep, officer: User, step: str) -> None:
    assert as_(client, officer).get(URL, {"step": step}).status_code == 404


def test_a_page_that_is_up_to_date_gets_204_and_else_the_columns_that_changed(
    client: Client, column: WorkflowStep, officer: User, make_step: MakeStep, make_dsrs: MakeDsrs
) -> None:
    other = make_step("Checked")
    known = since(as_(client, officer).get(URL).text)
    assert client.get(URL, {"since": known}, headers=HTMX).status_code == 204
    make_dsrs(other, 1)
    answer = client.get(URL, {"since": known}, headers=HTMX)
    assert f'id="column-{other.upstream_id}"' in answer.text
    assert f'id="column-{column.upstream_id}"' not in answer.text


def test_a_page_that_does_not_know_a_column_loads_itself_again(
    client: Client, column: WorkflowStep, officer: User, make_step: MakeStep
) -> None:
    known = since(as_(client, officer).get(URL).text)
    make_step("Checked")
    for text in (known, "", "::,,", "x" * 9_000):
        assert client.get(URL, {"since": text}, headers=HTMX).headers["HX-Refresh"] == "true"


def test_a_card_opens_its_own_form_without_scripts(client: Client, column: WorkflowStep, officer: User) -> None:
    html = as_(client, officer).get(URL, {"move": "1001"}).text
    assert html.count('class="card__form"') == 1
    assert 'action="/w/acme-france/requests/1001/move/"' in html


def test_text_from_dastra_is_escaped(
    client: Client, officer: User, fresh: SyncLane, make_step: MakeStep, make_dsrs: MakeDsrs
) -> None:
    make_dsrs(make_step("<script>alert(1)</script>"), 1, reference='"><img src=x>', purposes="|<b>New</b>|")
    html = as_(client, officer).get(URL).text
    for text in ("<script>alert", "<img src=x", "<b>New"):
        assert text not in html


def test_a_workspace_that_could_not_be_read_says_so_on_the_board(
    client: Client, column: WorkflowStep, officer: User, fresh: SyncLane
) -> None:
    fresh.last_error = "Dastra could not be reached."
    fresh.save()
    html = as_(client, officer).get(URL).text
    assert html.count("Dastra could not be reached.") >= 2
    assert "as of " in html


def test_an_empty_board_says_why(client: Client, officer: User, make_step: MakeStep, fresh: SyncLane) -> None:
    as_(client, officer)
    assert "No steps yet" in client.get(URL).text
    make_step("Received")
    assert "Nothing waits here." in client.get(URL).text
    fresh.delete()
    assert "Nothing has been read from Dastra yet" in client.get(URL).text
