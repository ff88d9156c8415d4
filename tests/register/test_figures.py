"""The figures above the list: each is the number of requests that its link finds, never more sure than the data, and gives the list back its look."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext

from dsrportal.forms import register as register_form
from dsrportal.models import DataSubjectRequest, Lane, SyncLane, User, Workspace
from dsrportal.models.rules import policy_of
from dsrportal.queries import freshness, register_figures, register_filters
from dsrportal.queries.register_figures import Figure
from tests.overview.stage import make_rows
from tests.register.conftest import URL

NOW = datetime(2026, 4, 30, 9, tzinfo=UTC)
ORDER = ["open", "overdue", "soon", "undecided", "paused", "needs_data"]


def shown(
    workspace: Workspace, query: str = "", *, now: datetime = NOW, read_at: datetime | None = NOW
) -> dict[str, Figure]:
    """The figures over a list; `read_at` None: the workspace was never read."""
    lane = SyncLane(workspace=workspace, lane=Lane.FULL, last_attempt_at=read_at, last_success_at=read_at)
    age = freshness.of_workspace(workspace, lanes=[lane] if read_at else [], now=now)
    filters = register_form.read(QueryDict(query))
    policy = policy_of(workspace)
    found = register_figures.of_workspace(workspace, policy=policy, filters=filters, url=URL, age=age, now=now)
    return {figure.name: figure for figure in found}


def listed(workspace: Workspace, url: str) -> int:
    filters = register_form.read(QueryDict(urlsplit(url).query))
    condition = register_filters.condition(workspace=workspace, filters=filters, search=None, now=NOW)
    return DataSubjectRequest.objects.filter(condition).count()


def test_each_is_the_number_of_requests_behind_it_however_the_list_is_narrowed(workspace: Workspace) -> None:
    make_rows(workspace, count=160, now=NOW)
    for query in ("", "clock=paused&tags=3&q=DSR-1", "archived=true"):
        figures = shown(workspace, query)
        assert list(figures) == ORDER
        assert {name: one.text for name, one in figures.items()} == {
            name: str(listed(workspace, one.url)) for name, one in figures.items()
        }
        assert all(int(one.text) > 0 for one in figures.values()), "the stage has some of everything"


def test_the_one_that_is_on_leads_back_and_the_look_is_kept(workspace: Workspace) -> None:
    look = "columns=clock,operator&density=compact&sortBy=dateDemand&asc=false"
    off = shown(workspace, look)
    assert not any(one.is_chosen for one in off.values())
    query = urlsplit(off["overdue"].url).query
    assert "clock=overdue" in query
    on = shown(workspace, query)
    assert [name for name, one in on.items() if one.is_chosen] == ["overdue"]
    back = urlsplit(on["overdue"].url).query
    assert QueryDict(back) == QueryDict(look)


@pytest.mark.parametrize("hours", [12, None])
def test_old_data_are_never_a_plain_nothing(workspace: Workspace, hours: int | None) -> None:
    make_rows(workspace, count=160, now=NOW)
    read_at = NOW - timedelta(hours=hours) if hours else None
    figures = shown(workspace, read_at=read_at)
    numbers = {name: listed(workspace, one.url) for name, one in figures.items()}
    wanted = {name: f"at least {n}" for name, n in numbers.items()} if hours else dict.fromkeys(ORDER, "?")
    assert {name: one.text for name, one in figures.items()} == wanted
    assert not any(one.is_none for one in figures.values())


def test_an_empty_workspace_says_nothing_only_when_it_was_read(workspace: Workspace) -> None:
    assert {(one.text, one.is_none) for one in shown(workspace).values()} == {("0", True)}
    late = shown(workspace, read_at=NOW - timedelta(hours=12))
    assert {(one.text, one.is_none, one.is_alarming) for one in late.values()} == {("?", False, False)}


def test_they_cost_one_query_and_stand_on_the_page(workspace: Workspace, officer: User) -> None:
    make_rows(workspace, count=40, now=NOW)
    with CaptureQueriesContext(connection) as queries:
        shown(workspace)
    assert len(queries) == 2, "the rules, which the page has read, and the counts"
    client = Client()
    client.force_login(officer)
    page = client.get(URL + "?clock=overdue").text
    assert page.count('class="strip__figure') == len(ORDER)
    assert len(re.findall(r'class="strip__figure[^>]*aria-current="true"', page)) == 1
