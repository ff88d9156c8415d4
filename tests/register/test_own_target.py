"""The team's own target in the register: a column, an order, a condition and a line of the export, and nothing of it where a workspace has none."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest

from dsrportal.models import DataSubjectRequest, SyncLane, User, Workspace
from tests.register.conftest import URL, Ask, walk
from tests.register.stage import make_rows
from tests.register.test_export import csv_rows, export
from tests.register.test_paging import naively_sorted
from tests.register.test_register_page import HTMX, as_person

pytestmark = pytest.mark.one_database

FORM = f"{URL}conditions/"
SHOWN = "columns=clock,ownTarget"


@pytest.fixture
def aiming(workspace: Workspace) -> Workspace:
    """The workspace, whose team wants to answer within three days."""
    workspace.target_days = 3
    workspace.save()
    return workspace


def test_it_is_a_column_an_order_and_a_condition_and_goes_with_the_export(
    aiming: Workspace, officer: User, now: datetime, ask: Ask
) -> None:
    rows = [row for row in make_rows(aiming, count=60, now=now) if not row.archived]
    client = as_person(officer)
    page = client.get(f"{URL}?{SHOWN}&sortBy=ownTarget&asc=true&size=100", headers=HTMX).text
    assert re.search(r'<th scope="col"[^>]*aria-sort="ascending".*?Own target', page, re.DOTALL)
    cells = re.findall(r'<td data-label="Own target">(.*?)</td>', page)
    assert len(cells) == len(rows)
    assert not any("clock--" in cell for cell in cells), "the colours of the clocks are the law's"

    for direction in ("true", "false"):
        query = f"{SHOWN}&sortBy=ownTarget&asc={direction}"
        wanted = naively_sorted(rows, sort="ownTarget", ascending=direction == "true")
        assert walk(ask, f"{query}&size=25") == wanted
        by_id = {row.upstream_id: row for row in rows}
        lines = csv_rows(export(client, query))
        assert [line["Own target"] for line in lines] == [str(by_id[one].target_on or "") for one in wanted]

    today = now.astimezone(ZoneInfo(aiming.time_zone)).date()
    days = {row.upstream_id: row.target_on for row in rows}
    for text, fitting in {
        "target.none": {one for one, on in days.items() if on is None},
        "target.next.6": {one for one, on in days.items() if on and today <= on <= today + timedelta(days=6)},
        f"target.until.{today}": {one for one, on in days.items() if on and on <= today},
    }.items():
        found = ask(urlencode({"where": f"all(all({text}))", "size": "100"}))
        assert {row.upstream_id for row in found.rows} == fitting
        assert found.rows
        assert "Own target" in found.chips[0].text
    assert "Own target" in client.get(FORM).text


def test_nothing_of_it_is_there_where_a_workspace_has_none(
    workspace: Workspace, officer: User, now: datetime, read_lately: SyncLane
) -> None:
    make_rows(workspace, count=5, now=now)
    DataSubjectRequest.objects.update(target_on=now.date())  # of closed requests, from the days when there was one
    client = as_person(officer)
    where = urlencode({"where": "all(all(target.none))"})
    for address in (f"{URL}?{SHOWN}", f"{URL}?{where}", FORM):
        answer = client.get(address)
        assert answer.status_code == 200
        assert "Own target" not in answer.text
    row = DataSubjectRequest.objects.order_by("pk")[0]
    assert "Own target" not in client.get(f"{URL}{row.upstream_id}/").text
