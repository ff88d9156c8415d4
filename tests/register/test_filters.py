"""The register answers what its address asks: each filter, alone and together, against a plain filter over the same rows."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlencode

import pytest

from dsrportal.models import DataSubjectRequest, Workspace
from tests.register.conftest import Ask, walk
from tests.register.stage import make_rows

Test = Callable[[DataSubjectRequest], bool]


def filters(rows: list[DataSubjectRequest], *, now: datetime) -> list[tuple[list[tuple[str, str]], Test]]:
    """Every filter of the register, as the pairs of an address and as what it means."""
    live, archived = ({row.reference[:1] for row in rows if row.archived == kind} for kind in (False, True))
    prefix = min((live & archived) - {""})
    some = {row.upstream_id for row in rows[::7]}
    return [
        ([("states", "Open"), ("states", "Closed")], lambda row: row.state in {"Open", "Closed"}),
        ([("states", "Suspended")], lambda row: row.state == "Suspended"),
        ([("purposes", "Access"), ("purposes", "NewRight")], lambda row: {"Access", "NewRight"} & {*row.purpose_list()} != set()),
        ([("workflows", "2"), ("workflows", "5")], lambda row: row.step is not None and row.step.upstream_id in {2, 5}),
        ([("tags", "3")], lambda row: 3 in row.tag_id_list()),
        ([("tags", "3"), ("tags", "17")], lambda row: {3, 17} <= {*row.tag_id_list()}),
        ([("users", "50"), ("users", "52")], lambda row: row.operator is not None and row.operator.upstream_id in {50, 52}),
        ([("unassigned", "true")], lambda row: row.operator is None),
        ([("areaId", "71")], lambda row: row.area is not None and row.area.upstream_id == 71),
        ([("widgetId", "3008")], lambda row: row.widget_id == 3008),
        ([("ids", str(one)) for one in some], lambda row: row.upstream_id in some),
        ([("overtaking", "true")], lambda row: row.state != "Closed" and row.expires_at is not None and row.expires_at < now),
        ([("unread", "true")], lambda row: row.unread_message_count > 0),
        ([("complex", "true")], lambda row: row.complex),
        ([("mail", "true")], lambda row: not row.mail_validated),
        ([("q", prefix)], lambda row: row.reference.startswith(prefix)),
    ]  # fmt: skip


def test_each_filter_shows_exactly_the_rows_it_means(workspace: Workspace, now: datetime, ask: Ask) -> None:
    rows = make_rows(workspace, count=160, now=now)
    for archived in (False, True):
        place = [("archived", "true")] if archived else []
        for pairs, fits in filters(rows, now=now):
            wanted = sorted(row.upstream_id for row in rows if row.archived == archived and fits(row))
            assert wanted, pairs
            assert sorted(walk(ask, urlencode([*pairs, *place, ("size", "100")]))) == wanted, pairs


def test_filters_together_show_the_rows_that_fit_all_of_them(workspace: Workspace, now: datetime, ask: Ask) -> None:
    rows = make_rows(workspace, count=200, now=now)
    chance = random.Random(5)
    known = filters(rows, now=now)
    found_some = 0
    for _ in range(60):
        chosen = {pairs[0][0]: (pairs, fits) for pairs, fits in chance.sample(known, chance.choice([2, 2, 3]))}
        if {"users", "unassigned"} <= set(chosen):
            continue  # those two widen each other
        query = urlencode([pair for pairs, _fits in chosen.values() for pair in pairs])
        wanted = sorted(
            row.upstream_id for row in rows if not row.archived and all(fits(row) for _pairs, fits in chosen.values())
        )
        found_some += bool(wanted)
        assert sorted(walk(ask, query)) == wanted, query
        assert ask(query).count.number == len(wanted)
    assert found_some > 20


def test_unassigned_and_people_widen_each_other(workspace: Workspace, now: datetime, ask: Ask) -> None:
    rows = make_rows(workspace, count=60, now=now)
    wanted = sorted(
        row.upstream_id for row in rows if not row.archived and (row.operator is None or row.operator.upstream_id == 51)
    )
    assert sorted(walk(ask, "users=51&unassigned=true&size=100")) == wanted


def test_another_workspace_never_shows(
    workspace: Workspace, now: datetime, ask: Ask, make_workspace: Callable[..., Workspace]
) -> None:
    make_rows(make_workspace("other", upstream_id=102), count=30, now=now, seed=3)
    mine = make_rows(workspace, count=10, now=now)
    for query in ("size=100", "size=100&unread=true", "ids=5001&ids=5025", "workflows=1", "q=A"):
        assert set(walk(ask, query)) <= {row.upstream_id for row in mine}
    assert ask("ids=5025").count.number == 0


@pytest.mark.parametrize(
    "query",
    [
        "page=0", "page=-1", "page=abc", "page=999999999", "page=1&page=2", "page=" + "9" * 400, "size=0", "size=-5", "size=x",
        "size=99999", "sortBy=__class__", "sortBy=password", "sortBy=-", "sortBy=title", "sortBy=&asc=maybe", "after=garbage",
        "after=WzEsW10sMSwwXQ", "after=" + "A" * 9000, "areaId=%00", "areaId=-1", "areaId=9999999999999999999999", "widgetId=1e3",
        "users=9223372036854775808", "tags=%27%3B--", "tags=", "ids=abc&ids=", "states=%00", "states=%3Cscript%3E", "archived=perhaps",
        "purposes[]=Access", "q=%25", "q=_", "q=%27", "q=%5C", "q=(a%2B)%2B%24", "q=" + "x" * 10_000, "q=%00", "search=%00", "filter[]=",
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_left_out_and_the_plain_list_is_shown(
    query: str, workspace: Workspace, now: datetime, ask: Ask
) -> None:
    rows = make_rows(workspace, count=12, now=now)
    page = ask(query)
    assert {row.upstream_id for row in page.rows} == {row.upstream_id for row in rows if not row.archived}
    assert page.chips == []


def test_what_the_workspace_does_not_have_is_left_out_and_said(workspace: Workspace, now: datetime, ask: Ask) -> None:
    make_rows(workspace, count=12, now=now)
    page = ask("workflows=999&tags=998&users=997&areaId=996&workflows=1")
    assert page.has_left_out
    assert [chip.text for chip in page.chips] == ["Step 1"]


def test_every_active_filter_is_a_chip_that_takes_away_itself_alone(
    workspace: Workspace, now: datetime, ask: Ask
) -> None:
    make_rows(workspace, count=12, now=now)
    query = (
        "states=Open&states=Closed&purposes=Access&workflows=1&tags=3&tags=17&users=50&areaId=70&widgetId=3008"
        "&ids=5001&ids=5002&overtaking=true&archived=true&unassigned=true&unread=true&complex=true&mail=true&q=AB"
        "&sortBy=dateDemand&asc=false&size=25"
    )
    page = ask(query)
    assert len(page.chips) == 17
    for chip in page.chips:
        less = ask(chip.remove_url.partition("?")[2])
        assert len(less.chips) == 16
        assert (chip.name, chip.text) not in [(other.name, other.text) for other in less.chips]
        assert (less.filters.sort_by, less.filters.asc, less.filters.size) == ("dateDemand", False, 25)
    plain = ask(page.clear_url.partition("?")[2])
    assert plain.chips == []
    assert plain.filters.sort_by == "dateDemand"
