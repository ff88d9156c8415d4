"""The board over all workspaces: Dastra's states, every request once, each workspace named, what was not read said."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from dsrportal.models import DataSubjectRequest, Lane, Membership, Role, SyncLane, User, Workspace
from tests.board.conftest import MakeDsrs, MakeStep
from tests.conftest import MakeWorkspace

URL = "/board/"
HTMX = {"HX-Request": "true"}
MOST_QUERIES = 22


@pytest.fixture
def second(make_workspace: MakeWorkspace, officer: User) -> Workspace:
    """Another workspace, in which the officer may only look; read a minute ago."""
    workspace = make_workspace("zeta-benelux", name="Zeta Benelux", upstream_id=103)
    Membership.objects.create(user=officer, workspace=workspace, role=Role.VIEWER)
    at = timezone.now() - timedelta(minutes=1)
    SyncLane.objects.create(workspace=workspace, lane=Lane.ACTIVE, last_attempt_at=at, last_success_at=at)
    return workspace


def shown(html: str) -> list[str]:
    return re.findall(r'data-card="(\d+)"', html)


def test_every_live_request_of_every_own_workspace_is_there_once_and_no_other(
    client: Client,
    officer: User,
    stranger: User,
    fresh: SyncLane,
    second: Workspace,
    make_step: MakeStep,
    make_dsrs: MakeDsrs,
) -> None:
    first = make_dsrs(make_step("Received"), 20, first_due=timezone.now() - timedelta(days=30))
    there = make_dsrs(make_step("Reçu", workspace=second), 20, workspace=second)
    loose = make_dsrs(None, 1, workspace=second)
    make_dsrs(make_step("Closed", final=True), 2, closed_at=timezone.now() - timedelta(days=90))
    other = Membership.objects.get(user=stranger).workspace
    foreign = make_dsrs(make_step("Theirs", workspace=other), 2, workspace=other)
    client.force_login(officer)
    html = client.get(URL).text
    seen = shown(html)
    link = re.search(r'hx-get="(/board/\?state=[^"]+)"', html)
    assert link is not None
    seen += shown(client.get(link[1].replace("&amp;", "&"), headers=HTMX).text)
    assert sorted(seen) == sorted(str(dsr.upstream_id) for dsr in [*first, *there, *loose])
    assert not {str(dsr.upstream_id) for dsr in foreign} & set(seen)
    assert "0 of 2" in html
    assert ">20 overdue<" in html
    assert "· Zeta Benelux" in html
    assert html.count("Z. M.") == 20, "names only where the person may see them"
    assert "data-move=" not in html


def test_a_workspace_that_could_not_be_read_is_named(
    client: Client, officer: User, fresh: SyncLane, second: Workspace, make_step: MakeStep, make_dsrs: MakeDsrs
) -> None:
    make_dsrs(make_step("Received"), 1)
    client.force_login(officer)
    assert "as far as it was read" not in client.get(URL).text
    SyncLane.objects.filter(workspace=second).update(last_error="Dastra could not be reached.")
    html = client.get(URL).text
    assert "Zeta Benelux: " in html
    assert "Dastra could not be reached." in html
    assert "as far as it was read" in html


def test_it_costs_the_same_whatever_the_rows_and_nothing_while_nothing_changed(
    client: Client, officer: User, fresh: SyncLane, second: Workspace, make_step: MakeStep, make_dsrs: MakeDsrs
) -> None:
    step = make_step("Received")
    make_dsrs(step, 3)
    client.force_login(officer)
    numbers = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            html = client.get(URL).text
        numbers.append(len([query for query in queries if query["sql"].startswith("SELECT")]))
        make_dsrs(step, 100)
    assert numbers[0] == numbers[1] <= MOST_QUERIES
    sign = re.search(r"known=(\w+)", html)
    assert sign is not None
    with CaptureQueriesContext(connection) as queries:
        assert client.get(URL, {"known": sign[1]}, headers=HTMX).status_code == 204
    assert len([query for query in queries if query["sql"].startswith("SELECT")]) <= 4
    Workspace.note_change(second.pk)
    assert client.get(URL, {"known": sign[1]}, headers=HTMX).status_code == 200
    assert DataSubjectRequest.objects.count() == 203


def test_nonsense_in_the_address_is_an_empty_column(client: Client, officer: User, fresh: SyncLane) -> None:
    client.force_login(officer)
    for query in ("state=", "state=Nothing&after=x", "state=Closed&after=~1"):
        assert client.get(f"{URL}?{query}", headers=HTMX).status_code == 200
