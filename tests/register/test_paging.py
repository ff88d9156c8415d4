"""Every order shows every row exactly once, by page and by cursor, forwards and backwards, with ties and gaps."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from dsrportal.models import DataSubjectRequest, Workspace
from dsrportal.queries import register as register_query
from dsrportal.queries import register_slices, register_sorts
from dsrportal.queries.register_sorts import SORTS
from tests.register.conftest import Ask, walk
from tests.register.stage import make_rows


def naive_key(row: DataSubjectRequest, path: str) -> Any:
    value: Any = row
    for name in path.split("__"):
        value = None if value is None else getattr(value, name)
    return value


def naively_sorted(rows: list[DataSubjectRequest], *, sort: str, ascending: bool) -> list[int]:
    """Sorted in Python, column by column from the last to the first; what is absent comes last."""
    rows = sorted(rows, key=lambda row: row.pk, reverse=not ascending)
    for column in reversed(SORTS[sort]):
        downwards = column.turns and not ascending
        known = [row for row in rows if naive_key(row, column.path) is not None]
        gaps = [row for row in rows if naive_key(row, column.path) is None]
        rows = sorted(known, key=lambda row: naive_key(row, column.path), reverse=downwards) + gaps
    return [row.upstream_id for row in rows]


@pytest.fixture
def short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two numbered pages of 25, so that cursors begin soon."""
    monkeypatch.setattr(register_slices, "LAST_PAGE", 2)


@pytest.mark.parametrize("sort", sorted(SORTS))
@pytest.mark.parametrize("direction", ["asc=true", "asc=false"])
def test_every_order_visits_each_row_once_by_pages_and_cursors(
    sort: str, direction: str, workspace: Workspace, now: datetime, ask: Ask, short_pages: None
) -> None:
    rows = [row for row in make_rows(workspace, count=170, now=now) if not row.archived]
    wanted = naively_sorted(rows, sort=sort, ascending=direction == "asc=true")
    query = f"size=25&sortBy={sort}&{direction}"
    assert walk(ask, query) == wanted
    assert walk(ask, query, backwards=True) == wanted


def test_the_plain_list_begins_with_what_needs_data_then_the_most_urgent_and_ends_with_closed_ones(
    workspace: Workspace, now: datetime, ask: Ask
) -> None:
    make_rows(workspace, count=60, now=now)
    shown = {row.upstream_id: row for row in DataSubjectRequest.objects.all()}
    order = [shown[upstream_id] for upstream_id in walk(ask, "")]
    closed = [row.is_closed for row in order]
    assert closed == sorted(closed)
    assert True in closed
    clocks = [(row.clock_rank, row.clock_on) for row in order]
    assert clocks == sorted(clocks)
    assert {rank for rank, _day in clocks} == {
        DataSubjectRequest.NEEDS_DATA,
        DataSubjectRequest.RUNNING,
        DataSubjectRequest.CLOSED,
    }


def test_a_cursor_holds_its_place_while_rows_come_and_go(
    workspace: Workspace, now: datetime, ask: Ask, short_pages: None
) -> None:
    make_rows(workspace, count=160, now=now)
    first = ask("size=25")
    second = ask(first.next_url.partition("?")[2])
    third = ask(second.next_url.partition("?")[2])
    assert "after=" in second.next_url
    shown = [row.upstream_id for row in third.rows]
    gone = [row.pk for row in [*first.rows[:5], second.rows[-1]]]
    DataSubjectRequest.objects.filter(pk__in=gone).delete()
    assert [row.upstream_id for row in ask(second.next_url.partition("?")[2]).rows] == shown


def test_the_words_beneath_the_list_say_where_it_is(
    workspace: Workspace, now: datetime, ask: Ask, short_pages: None
) -> None:
    live = sum(not row.archived for row in make_rows(workspace, count=170, now=now))
    texts, page = [], ask("size=25")
    texts.append(page.shown)
    while page.next_url:
        page = ask(page.next_url.partition("?")[2])
        texts.append(page.shown)
    assert texts[0] == f"1–25 of {live}"
    assert texts[2] == f"51–75 of {live}"
    assert texts[-1].endswith(f"–{live} of {live}")


def test_a_page_past_the_end_is_the_last_one(workspace: Workspace, now: datetime, ask: Ask) -> None:
    live = sum(not row.archived for row in make_rows(workspace, count=70, now=now))
    page = ask("size=25&page=20")
    assert page.shown.endswith(f"–{live} of {live}")
    assert not page.next_url
    assert page.previous_url


def test_counts_come_from_the_counters_or_are_capped_until_asked(
    workspace: Workspace, now: datetime, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = make_rows(workspace, count=90, now=now)
    live = [row for row in rows if not row.archived]
    assert ask("").count.number == len(live)
    assert ask("archived=true").count.number == len(rows) - len(live)
    assert ask("workflows=2").count.number == sum(row.step is not None and row.step.upstream_id == 2 for row in live)
    monkeypatch.setattr(register_query, "COUNT_CAP", 10)
    capped = ask("mail=true")
    confirmed = sum(not row.mail_validated for row in live)
    assert (capped.count.number, capped.count.is_exact, capped.count.text) == (10, False, "10+ requests")
    exact = ask(capped.count_url.partition("?")[2])
    assert (exact.count.number, exact.count.is_exact) == (confirmed, True)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "e30",
        "W10",
        "WzEsW10sMSwwXQ",
        "bnVsbA",
        "WzEsWyJhIiwiYiJdLDEsMF0",
        "WzEsW251bGwsbnVsbF0sMSwwXQ",
        "é",
        "W" * 500,
    ],
)
def test_a_cursor_that_was_made_up_is_none(text: str) -> None:
    assert register_sorts.read_cursor(text, columns=SORTS["expiryTime"]) is None


def test_a_cursor_reads_what_it_wrote(now: datetime) -> None:
    cursor = register_sorts.Cursor(forward=False, values=(True, now + timedelta(microseconds=1)), pk=7, start=50)
    columns = SORTS["expiryTime"]
    assert register_sorts.read_cursor(cursor.encode(columns=columns), columns=columns) == cursor


def test_cursors_and_addresses_name_no_assignee(
    workspace: Workspace, now: datetime, ask: Ask, short_pages: None
) -> None:
    make_rows(workspace, count=170, now=now)
    page = ask("size=25&sortBy=operator&asc=true")
    while page.next_url:
        cursor = register_sorts.read_cursor(page.filters.after, columns=SORTS["operator"])
        assert cursor is None or not any(isinstance(value, str) for value in cursor.values)
        page = ask(page.next_url.partition("?")[2])


@pytest.mark.parametrize(
    ("asked", "given"), [("1", 25), ("25", 25), ("26", 50), ("100", 100), ("5000", 100), ("x", 50)]
)
def test_the_size_is_one_of_those_on_offer(
    asked: str, given: int, workspace: Workspace, now: datetime, ask: Ask
) -> None:
    make_rows(workspace, count=160, now=now)
    assert len(ask(f"size={asked}").rows) == given
