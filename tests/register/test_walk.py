"""From request to request within the list one came from: conditions, groups and searches go along, and the place in it is told."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import quote

import pytest

from dsrportal.models import SyncLane, User, Workspace
from dsrportal.queries import walk
from tests.register.conftest import URL
from tests.register.stage import make_rows, name_person
from tests.register.test_register_page import as_person

pytestmark = pytest.mark.one_database


def test_the_way_is_that_of_the_list_with_its_groups_and_conditions(
    workspace: Workspace, officer: User, now: datetime, read_lately: SyncLane
) -> None:
    rows = make_rows(workspace, count=30, now=now)
    for row in rows[::2]:
        name_person(row, given_name="Zoé", family_name="Maraboutin", email="zoe@example.test")
    client = as_person(officer)
    search = client.post(f"{URL}search/", {"q": "Maraboutin"})["Location"].partition("?")[2]
    for query in (
        "group=operator&where=all(any(complex.no,assignee.none))",
        "group=step&sortBy=area&asc=false",
        search,
    ):
        shown = client.get(f"{URL}?{query}&size=100").context["page"].rows
        assert len(shown) > 2, query
        assert all("from=" in row.url for row in shown)
        url, walked = shown[0].url, []
        while url:
            page = client.get(url).context["page"]
            walked.append((page.upstream_id, page.walk.place))
            url = page.walk.next_url
            assert len(walked) <= len(shown)
        assert walked == [(row.upstream_id, f"{place} of {len(shown)}") for place, row in enumerate(shown, start=1)]
        assert "Maraboutin" not in page.walk.previous_url
        assert client.get(page.walk.previous_url).context["page"].upstream_id == shown[-2].upstream_id


def test_a_place_is_told_only_where_there_is_one(
    workspace: Workspace, officer: User, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [row for row in make_rows(workspace, count=12, now=now) if not row.archived]
    client = as_person(officer)
    path = f"{URL}{rows[0].upstream_id}/"
    assert client.get(f"{path}?from={quote('archived=true')}").context["page"].walk.place == ""
    assert client.get(path).context["page"].walk.place.endswith(f" of {len(rows)}")
    monkeypatch.setattr(walk, "MOST_COUNTED", 3)
    assert client.get(path).context["page"].walk.place == ""
