"""The board in lanes: every request in one cell, whatever the lanes are cut by; counts are true; a constant number of queries."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from dsrportal.forms import board as board_form
from dsrportal.models import Area, DataSubjectRequest, Membership, Operator, SyncLane, User, Workspace
from dsrportal.models.outbox import WishKind
from dsrportal.queries import board_lanes
from dsrportal.queries.board_question import LANES
from tests.board.conftest import MakeDsrs, MakeStep
from tests.board.test_board_query import viewer, wish_of

__all__ = ["viewer"]
URL = "/w/acme-france/board/"
HTMX = {"HX-Request": "true"}
MOST_QUERIES = 18


@pytest.fixture
def rows(workspace: Workspace, make_step: MakeStep, make_dsrs: MakeDsrs) -> list[DataSubjectRequest]:
    """Requests of every kind of lane, in two open steps, a closing, and no step."""
    anna = Operator.objects.create(workspace=workspace, upstream_id=7, display_name="Anna")
    north = Area.objects.create(workspace=workspace, upstream_id=3, label="North")
    now = timezone.now()
    first, second, closing = make_step("Received"), make_step("Checked"), make_step("Closed", final=True)
    made = [
        *make_dsrs(first, 9, operator=anna, purposes="|Access|"),
        *make_dsrs(first, 3, area=north, first_due=now - timedelta(days=9)),
        *make_dsrs(second, 2, purposes="", first_due=now + timedelta(days=60)),
        *make_dsrs(second, 2, operator=anna, first_due=None, purposes="|Erasure|"),
        *make_dsrs(None, 2, purposes="|Access|"),
        *make_dsrs(closing, 3, area=north),
    ]
    make_dsrs(closing, 2, closed_at=now - timedelta(days=40))  # not on the board
    return made


def drawn(viewer: Membership, query: str) -> board_lanes.Laned:
    lanes = list(SyncLane.objects.filter(workspace=viewer.workspace))
    question = board_form.read(QueryDict(query))
    return board_lanes.of_workspace(viewer.workspace, viewer=viewer, lanes=lanes, now=timezone.now(), question=question)


@pytest.mark.parametrize("kind", LANES)
def test_every_request_is_reached_once_and_the_counts_say_so(
    viewer: Membership, rows: list[DataSubjectRequest], kind: str
) -> None:
    laned = drawn(viewer, f"lanes={kind}")
    seen: list[int] = []
    for lane in laned.lanes:
        total = 0
        for cell in lane.cells:
            cards, more_url = list(cell.cards), cell.more_url
            while more_url:
                following = board_lanes.more(
                    viewer.workspace,
                    viewer=viewer,
                    key=cell.key,
                    lane=lane.key,
                    after=cards[-1].cursor,
                    now=timezone.now(),
                    question=board_form.read(QueryDict(f"lanes={kind}")),
                )
                assert following is not None
                cards += following.cards
                more_url = following.more_url
            assert {card.column for card in cards} <= {cell.key}
            assert (cell.count or "0") == str(len(cards))
            total += len(cards)
            seen += [card.pk for card in cards]
        assert lane.count == str(total)
    assert sorted(seen) == sorted(dsr.pk for dsr in rows)


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("assignee", ["Unassigned", "Anna"]),
        ("right", ["Access", "Erasure", "Several rights", "No right named"]),
        ("area", ["Without an area", "North"]),
        ("urgency", ["Needs data", "Overdue", "Due within 5 working days", "Due later", "Closed"]),
    ],
)
def test_lanes_have_names_an_order_and_their_overdue_ones(
    viewer: Membership, rows: list[DataSubjectRequest], kind: str, names: list[str]
) -> None:
    laned = drawn(viewer, f"lanes={kind}")
    assert [lane.name for lane in laned.lanes] == names
    late = [lane.overdue for lane in laned.lanes if lane.overdue]
    assert late == ([] if kind == "urgency" else ["3 overdue"]), "a lane that is called so need not say it twice"


def test_a_card_on_the_move_stays_in_its_lane_on_top_of_where_it_goes(
    viewer: Membership, rows: list[DataSubjectRequest]
) -> None:
    target = rows[12].step
    assert target is not None
    wish_of(rows[8], to=target, viewer=viewer)
    lane = next(lane for lane in drawn(viewer, "lanes=assignee").lanes if lane.name == "Anna")
    cell = next(cell for cell in lane.cells if cell.key == str(target.upstream_id))
    assert cell.cards[0].pk == rows[8].pk


def test_lanes_cost_the_same_whatever_the_number_of_rows(
    client: Client, officer: User, fresh: SyncLane, rows: list[DataSubjectRequest], make_dsrs: MakeDsrs
) -> None:
    client.force_login(officer)
    numbers = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            assert client.get(URL, {"lanes": "assignee"}).status_code == 200
        numbers.append(len([query for query in queries if query["sql"].startswith("SELECT")]))
        make_dsrs(rows[0].step, 200)
    assert numbers[0] == numbers[1] <= MOST_QUERIES


def test_a_page_in_lanes_that_is_up_to_date_gets_204_and_else_its_lanes(
    client: Client, officer: User, fresh: SyncLane, rows: list[DataSubjectRequest], make_dsrs: MakeDsrs
) -> None:
    client.force_login(officer)
    html = client.get(URL, {"lanes": "right"}).text
    found = re.search(r'id="lanes" data-digest="(\w+)"', html)
    assert found is not None
    asked = {"lanes": "right", "since": f"lanes:{found[1]}"}
    assert client.get(URL, asked, headers=HTMX).status_code == 204
    make_dsrs(rows[0].step, 1)
    answer = client.get(URL, asked, headers=HTMX).text
    assert 'id="lanes"' in answer
    assert "hx-swap-oob" in answer
    assert client.get(URL, {**asked, "since": "1:abc:25"}, headers=HTMX).status_code == 200


@pytest.mark.parametrize(
    "query",
    ["step=999&lane=none", "step=1&lane=x", "step=1&lane=" + "9" * 40, "step=1", "step=none&lane=-1"],
)
def test_a_cell_that_cannot_be_is_404(
    client: Client, officer: User, fresh: SyncLane, rows: list[DataSubjectRequest], query: str
) -> None:
    client.force_login(officer)
    assert client.get(f"{URL}?lanes=assignee&{query}", headers=HTMX).status_code == 404
    assert client.get(f"{URL}?lanes=assignee&step=1&lane=none&after=x", headers=HTMX).status_code == 200


def test_a_card_that_is_being_assigned_is_on_top_of_where_it_goes_and_in_no_other_lane(
    viewer: Membership, rows: list[DataSubjectRequest]
) -> None:
    for row, whose in (
        (rows[10], 7),
        (rows[0], None),
    ):  # nobody's to Anna, who has more than a cell shows, and one of Anna's to nobody
        wish_of(row, viewer=viewer, kind=WishKind.ASSIGN, wanted={"operator": whose})
    assert rows[0].step is not None
    key = str(rows[0].step.upstream_id)
    lanes = {
        lane.name: next(cell for cell in lane.cells if cell.key == key)
        for lane in drawn(viewer, "lanes=assignee").lanes
    }
    assert lanes["Anna"].cards[0].pk == rows[10].pk
    assert lanes["Unassigned"].cards[0].pk == rows[0].pk
    shown = [card.pk for cell in lanes.values() for card in cell.cards]
    assert len(shown) == len(set(shown))
    following = board_lanes.more(
        viewer.workspace,
        viewer=viewer,
        key=key,
        lane=next(lane.key for lane in drawn(viewer, "lanes=assignee").lanes if lane.name == "Anna"),
        after=lanes["Anna"].cards[-1].cursor,
        now=timezone.now(),
        question=board_form.read(QueryDict("lanes=assignee")),
    )
    assert following is not None
    assert {card.pk for card in [*lanes["Anna"].cards, *following.cards]} == {row.pk for row in [*rows[1:9], rows[10]]}
    by_right = [card.pk for lane in drawn(viewer, "lanes=right").lanes for cell in lane.cells for card in cell.cards]
    assert len(by_right) == len(set(by_right))
