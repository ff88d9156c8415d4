"""The list in groups: each row once, whatever the page, beneath its heading; the counts are those of the whole list."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

import pytest

from dsrportal.models import DataSubjectRequest, Workspace
from dsrportal.queries import register_slices
from dsrportal.queries.register_groups import GROUPS
from tests.register.conftest import Ask, walk
from tests.register.stage import make_rows

FIELDS = {"step": "step_id", "operator": "operator_id", "area": "area_id", "right": "purposes"}


def value_of(row: DataSubjectRequest, group: str) -> Any:
    return getattr(row, FIELDS[group])


@pytest.mark.parametrize("group", sorted(GROUPS))
@pytest.mark.parametrize("sort", ["", "&sortBy=operator&asc=false", "&sortBy=workFlowStep&asc=true"])
def test_each_row_comes_once_beneath_its_own_heading(
    group: str, sort: str, workspace: Workspace, now: datetime, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(register_slices, "LAST_PAGE", 1)
    rows = {row.upstream_id: row for row in make_rows(workspace, count=90, now=now) if not row.archived}
    wanted = Counter(value_of(row, group) for row in rows.values())
    query = f"group={group}&size=25{sort}"
    order = walk(ask, query)
    assert sorted(order) == sorted(rows)
    assert walk(ask, query, backwards=True) == order
    values = [value_of(rows[upstream_id], group) for upstream_id in order]
    assert len([n for n in range(len(values)) if n == 0 or values[n] != values[n - 1]]) == len(wanted)

    page, seen = ask(query), 0
    while True:
        for section in page.sections:
            kinds = {value_of(rows[row.upstream_id], group) for row in section.rows}
            assert len(kinds) == 1
            assert section.count == wanted[kinds.pop()]
            seen += len(section.rows)
        assert page.count.number == len(rows)
        if not page.next_url:
            break
        page = ask(page.next_url.partition("?")[2])
    assert seen == len(rows)


@pytest.mark.parametrize("group", sorted(GROUPS))
def test_a_heading_leads_to_its_group_alone(group: str, workspace: Workspace, now: datetime, ask: Ask) -> None:
    make_rows(workspace, count=60, now=now)
    linked = 0
    for section in ask(f"group={group}&size=100").sections:
        if section.filters is None:
            assert group == "right"
            continue
        alone = ask(section.filters.query_string())
        assert sorted(row.upstream_id for row in alone.rows) == sorted(row.upstream_id for row in section.rows)
        assert alone.filters.group == ""
        linked += 1
    assert linked


def test_two_people_of_one_name_are_two_groups(workspace: Workspace, now: datetime, ask: Ask) -> None:
    make_rows(workspace, count=80, now=now)
    named = [section.label for section in ask("group=operator&size=100").sections]
    assert named.count("Luc Bernard") == 2
    assert named[-1] == "Unassigned"


def test_nonsense_is_no_group(workspace: Workspace, now: datetime, ask: Ask) -> None:
    make_rows(workspace, count=5, now=now)
    page = ask("group=__class__")
    assert page.filters.group == ""
    assert [section.label for section in page.sections] == [""]
