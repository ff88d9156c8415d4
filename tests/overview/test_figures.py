"""Every figure of the overview is the number of requests in the list that it links to, on any day, and never more sure than the data."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext

from dsrportal.forms import register as register_form
from dsrportal.mirror import figures
from dsrportal.models import DataSubjectRequest, Lane, StepChange, SyncLane, WorkflowStep, Workspace
from dsrportal.queries import forecast, freshness, overview, register_filters
from dsrportal.queries.overview import Overview
from dsrportal.queries.overview_cells import Cell
from tests.conftest import MakeWorkspace
from tests.overview.stage import make_rows

URL = "/w/acme-france/requests/"
A_THURSDAY = datetime(2026, 4, 30, 9, tzinfo=UTC)
A_SUNDAY_LATE = datetime(2026, 5, 3, 22, 30, tzinfo=UTC)  # in Paris it is Monday already


def looked_at(workspace: Workspace, *, now: datetime, read_at: datetime | None = None) -> Overview:
    """The overview at a moment, of data that were read then unless said otherwise."""
    lane = SyncLane(workspace=workspace, lane=Lane.FULL, last_attempt_at=read_at or now, last_success_at=read_at or now)
    age = freshness.of_workspace(workspace, lanes=[lane], now=now)
    return overview.of_workspace(workspace, url=URL, age=age, now=now)


def listed(workspace: Workspace, url: str, *, now: datetime) -> int:
    """How many requests the register lists under an address."""
    filters = register_form.read(QueryDict(urlsplit(url).query))
    found = register_filters.condition(workspace=workspace, filters=filters, search=None, now=now)
    return DataSubjectRequest.objects.filter(found).count()


def linked(page: Overview) -> list[tuple[str, str, Cell]]:
    """Every cell that has a list, with its table and row."""
    return [(table.key, row[0].text, cell) for table in page.tables for row in table.rows for cell in row if cell.url]


def agrees(text: str, number: int) -> bool:
    """Whether what a cell says is true of a number."""
    if text == "< 5":
        return 0 < number < 5
    if text == "5 or more":
        return number >= 5
    return text == f"{number:,}"


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("now", [A_THURSDAY, A_SUNDAY_LATE, A_THURSDAY + timedelta(days=75)])
def test_every_figure_is_the_number_of_requests_in_its_list(workspace: Workspace, now: datetime, seed: int) -> None:
    make_rows(workspace, count=160, now=min(now, A_SUNDAY_LATE), seed=seed)
    page = looked_at(workspace, now=now)
    cells = linked(page)
    assert {key for key, _row, _cell in cells} == {table.key for table in page.tables}
    counts = {cell.url: listed(workspace, cell.url, now=now) for _key, _row, cell in cells}
    assert [
        (key, row, cell.text, counts[cell.url]) for key, row, cell in cells if not agrees(cell.text, counts[cell.url])
    ] == []
    assert [figure.text for figure in page.figures] == [
        f"{listed(workspace, one.url, now=now):,}" for one in page.figures
    ]


def test_the_stage_shows_something_of_everything(workspace: Workspace) -> None:
    make_rows(workspace, count=160, now=A_THURSDAY)
    page = looked_at(workspace, now=A_THURSDAY)
    assert [figure.name for figure in page.figures if figure.text == "0"] == []
    for key in ("forecast", "load", "weeks", "answers", "steps", "took-right", "took-area", "took-assignee"):
        table = page.table(key)
        assert table is not None
        assert any(cell.text not in {"0", "–", ""} for row in table.rows for cell in row[1:]), key


def test_a_workspace_that_was_not_read_lately_never_says_a_plain_number_of_now(workspace: Workspace) -> None:
    make_rows(workspace, count=80, now=A_THURSDAY)
    DataSubjectRequest.objects.update(paused_since=None)
    read_at = A_THURSDAY - timedelta(hours=3)
    page = looked_at(workspace, now=A_THURSDAY, read_at=read_at)
    assert "08:00" in page.note
    texts = [figure.text for figure in page.figures]
    assert all(text == "?" or text.startswith("at least ") for text in texts), texts
    for key in ("load", "ages", "forecast"):
        table = page.table(key)
        assert table is not None
        numbers = [cell.text for row in table.rows for cell in row[1:] if cell.url]
        assert not [text for text in numbers if text.isdigit() or text == "< 5"], key
    weeks = page.table("weeks")
    assert weeks is not None
    assert weeks.rows[0][1].text.isdigit()
    assert not weeks.rows[-1][1].text.isdigit()


def test_a_workspace_that_was_never_read_knows_nothing(workspace: Workspace) -> None:
    age = freshness.of_workspace(workspace, lanes=[], now=A_THURSDAY)
    page = overview.of_workspace(workspace, url=URL, age=age, now=A_THURSDAY)
    assert {figure.text for figure in page.figures} == {"?"}


def test_the_sums_over_workspaces_are_lower_bounds_when_one_is_unread(
    workspace: Workspace, make_workspace: MakeWorkspace
) -> None:
    other, off = make_workspace("other"), make_workspace("off", disabled_at=A_THURSDAY)
    for one in (workspace, other, off):
        make_rows(one, count=60, now=A_THURSDAY)
    houses = [workspace, other, off]
    urls = {one.pk: (f"/w/{one.slug}/overview/", f"/w/{one.slug}/requests/") for one in houses}
    moments = {workspace: A_THURSDAY, other: A_THURSDAY - timedelta(hours=2), off: A_THURSDAY}

    def look() -> Overview:
        lanes = [
            SyncLane(workspace=house, lane=Lane.FULL, last_attempt_at=at, last_success_at=at)
            for house, at in moments.items()
        ]
        return overview.of_workspaces(houses, urls=urls, lanes=lanes, now=A_THURSDAY)

    page = look()
    table = page.table("workspaces")
    assert table is not None
    alone = {row[0].text: [cell.text for cell in row[1:7]] for row in table.rows}
    assert page.note == "1 workspace unread since 09:00."
    sure, unsure = (alone[one.name] for one in (workspace, other))
    for figure, first, two in zip(page.figures, sure, unsure, strict=True):
        known = int(first) + (0 if two == "?" else int(two.removeprefix("at least ")))
        assert figure.text == (f"at least {known}" if known else "?")
    moments[other] = A_THURSDAY
    page = look()
    assert page.note == ""
    assert all(figure.text.isdigit() for figure in page.figures)


def test_the_overview_costs_the_same_queries_for_few_and_for_many(
    workspace: Workspace, make_workspace: MakeWorkspace
) -> None:
    other = make_workspace("other")
    make_rows(workspace, count=50, now=A_THURSDAY)
    make_rows(other, count=2000, now=A_THURSDAY)
    counts = []
    for one in (workspace, other):
        with CaptureQueriesContext(connection) as queries:
            looked_at(one, now=A_THURSDAY)
        counts.append(len(queries))
        assert not [query for query in queries if "dsrportal_datasubjectrequest" in query["sql"]]
    assert counts[0] == counts[1] <= 11


def test_the_forecast_adds_up_the_steps_that_are_still_to_come(workspace: Workspace) -> None:
    make_rows(workspace, count=120, now=A_THURSDAY)
    paces = forecast.of_workspace(workspace, today=A_THURSDAY.date()).paces
    highs = [pace.high or 0 for pace in paces]
    assert [pace.remaining for pace in paces] == [sum(highs), sum(highs[1:]), sum(highs[2:]), None]
    assert all(highs[:3])
    assert all(pace.median is not None and pace.median <= (pace.high or 0) for pace in paces[:3])


def test_a_step_that_few_go_through_is_not_on_the_way_of_the_others(workspace: Workspace) -> None:
    make_rows(workspace, count=120, now=A_THURSDAY)
    steps = WorkflowStep.objects.filter(workspace=workspace).order_by("position")
    beside = steps[2]
    left = list(StepChange.objects.filter(from_step_upstream_id=beside.upstream_id).exclude(entered_at=None))
    StepChange.objects.filter(pk__in=[change.pk for change in left[8:]]).delete()
    figures.recount(workspace, now=A_THURSDAY)
    paces = forecast.of_workspace(workspace, today=A_THURSDAY.date()).paces
    highs = [pace.high or 0 for pace in paces]
    assert [pace.remaining for pace in paces] == [sum(highs[:2]), highs[1], highs[2], None]
    assert highs[2]


def test_a_rate_counts_what_is_open_and_late(workspace: Workspace, settings: Any) -> None:
    make_rows(workspace, count=160, now=A_THURSDAY)
    table = looked_at(workspace, now=A_THURSDAY).table("answers")
    assert table is not None
    for column in (1, 2):
        in_time, late, overdue = (int(row[column].text) for row in table.rows[:3])
        assert overdue
        assert table.rows[3][column].text == f"{in_time * 100 // (in_time + late + overdue)} %"
