"""Heads of columns: limits count everything, a closing shows its last days and says what it leaves out, open work is never left out."""

from __future__ import annotations

from datetime import timedelta

from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from dsrportal.forms import board as board_form
from dsrportal.models import DataSubjectRequest, Membership, Operator, SyncLane, User, Workspace
from dsrportal.queries import board
from tests.board.conftest import MakeDsrs, MakeStep
from tests.board.test_board_query import shown, viewer, walk

__all__ = ["viewer"]
URL = "/w/acme-france/board/"
HTMX = {"HX-Request": "true"}
MOST_QUERIES = 16
"""Four more than without a filter: the words of its chips; and one for its counts."""


def asked(query: str, viewer: Membership) -> board.Board:
    return shown(viewer, question=board_form.read(QueryDict(query)))


def test_a_limit_counts_all_cards_also_under_a_filter(
    viewer: Membership,
    workspace: Workspace,
    make_step: MakeStep,
    make_dsrs: MakeDsrs,
) -> None:
    step = make_step("Processing", item_limit=5)
    anna = Operator.objects.create(workspace=workspace, upstream_id=7, display_name="Anna")
    make_dsrs(step, 3, operator=anna)
    make_dsrs(step, 4)
    column = asked("users=7", viewer).columns[0]
    assert (column.count, column.is_over, len(column.cards)) == ("7 / 5", True, 3)
    assert "3 shown" in column.notes
    assert [len(column.cards) for column in asked("unassigned=true&purposes=Access", viewer).columns] == [4]
    assert asked("purposes=Portability", viewer).columns[0].cards == ()


def test_more_cards_under_a_filter_are_those_of_the_filter(
    viewer: Membership,
    make_step: MakeStep,
    make_dsrs: MakeDsrs,
) -> None:
    step = make_step("Received")
    make_dsrs(step, 30)
    wanted = make_dsrs(step, 30, complex=True)
    question = board_form.read(QueryDict("complex=true"))
    column = shown(viewer, question=question).columns[0]
    assert column.more_text == "Show 25 more (of 30)"
    assert "complex=true" in column.more_url
    following = board.more(
        viewer.workspace,
        viewer=viewer,
        key=column.key,
        after=column.cards[-1].cursor,
        now=timezone.now(),
        question=question,
    )
    assert following is not None
    assert [card.pk for card in (*column.cards, *following.cards)] == [dsr.pk for dsr in wanted]


def test_a_closing_shows_two_weeks_and_says_where_the_rest_is(
    viewer: Membership,
    make_step: MakeStep,
    make_dsrs: MakeDsrs,
) -> None:
    step = make_step("Closed", final=True)
    now = timezone.now()
    make_dsrs(step, 3)
    make_dsrs(step, 2, closed_at=now - timedelta(days=40))
    column = shown(viewer).columns[0]
    assert (column.count, len(column.cards)) == ("3 of 5", 3)
    assert column.spoken_count == "3 of 5 requests, those of the last 14 days"
    assert column.rest_text == "All 5 are in the list"
    assert column.rest_url == f"/w/acme-france/requests/?workflows={step.upstream_id}&view=0"


def test_open_work_is_never_left_out(
    viewer: Membership,
    make_step: MakeStep,
    make_dsrs: MakeDsrs,
) -> None:
    closing, step = make_step("Closed", final=True), make_step("Received")
    long_ago = timezone.now() - timedelta(days=400)
    kept = [
        *make_dsrs(closing, 27, state="Processing", closed_at=long_ago),
        *make_dsrs(closing, 2, state="Processing", closed_at=None),
    ]
    undated = make_dsrs(step, 2, first_due=None, received_at=None, updated_at=long_ago)
    make_dsrs(closing, 3, closed_at=long_ago)
    columns = shown(viewer).columns
    assert sorted(walk(viewer, columns[0])) == sorted(dsr.upstream_id for dsr in kept)
    assert columns[0].count == "29 of 32"
    assert [card.pk for card in columns[1].cards] == [dsr.pk for dsr in undated]


def test_the_age_of_the_oldest_open_request_is_said(
    viewer: Membership,
    make_step: MakeStep,
    make_dsrs: MakeDsrs,
) -> None:
    step = make_step("Received")
    make_dsrs(step, 2)
    make_dsrs(step, 1, received_at=timezone.now() - timedelta(days=41))
    assert shown(viewer).columns[0].notes == ("none overdue", "oldest 41 d")


def test_folded_columns_and_low_cards_are_remembered(
    client: Client, officer: User, fresh: SyncLane, make_step: MakeStep, make_dsrs: MakeDsrs
) -> None:
    step = make_step("Received")
    make_dsrs(step, 2, first_due=timezone.now() - timedelta(days=3))
    client.force_login(officer)
    assert "column--folded" not in client.get(URL).text
    look = f"{URL}look/"
    assert client.post(look, {"column": step.upstream_id, "folded": "yes"}, headers=HTMX).status_code == 204
    for nonsense in ("", "|", "x" * 40, "9" * 60, "1|2"):
        client.post(look, {"column": nonsense, "folded": "yes"}, headers=HTMX)
    assert Membership.objects.get(user=officer).folded_columns == f"|{step.upstream_id}|"
    html = client.get(URL).text
    assert "column--folded" in html
    assert 'title="2 overdue"' in html, "a folded column still tells"
    answer = client.post(look, {"compact": "yes", "query": "complex=true&next=//evil.example"})
    assert answer.headers["Location"] == f"{URL}?complex=true"
    assert "board--compact" in client.get(URL).text
    client.post(look, {"column": step.upstream_id, "folded": "no"}, headers=HTMX)
    assert Membership.objects.get(user=officer).folded_columns == ""


def test_the_panel_and_the_chips_say_what_is_filtered(
    client: Client, officer: User, workspace: Workspace, fresh: SyncLane, make_step: MakeStep, make_dsrs: MakeDsrs
) -> None:
    Operator.objects.create(workspace=workspace, upstream_id=7, display_name="Anna")
    make_dsrs(make_step("Received"), 30)
    client.force_login(officer)
    with CaptureQueriesContext(connection) as queries:
        html = client.get(URL, {"users": ["7", "999"], "clock": "overdue", "lanes": "nonsense"}).text
    assert len([query for query in queries if query["sql"].startswith("SELECT")]) <= MOST_QUERIES
    assert f'href="{URL}?clock=overdue" aria-label="Remove the filter Assignee Anna"' in html
    assert "It was left out" in html
    assert "Nothing here fits the filter." in html
    panel = client.get(f"{URL}filters/", {"users": "7", "q": "AB", "lanes": "area"}, headers=HTMX).text
    assert 'name="users" value="7" checked' in panel
    assert 'type="hidden" name="q" value="AB"' in panel
    assert 'type="hidden" name="lanes" value="area"' in panel
    assert "<html" in client.get(f"{URL}filters/").text
    assert DataSubjectRequest.objects.count() == 30
