"""The overview's pages: for whom they are, what they show in every state, and their tables as CSV."""

from __future__ import annotations

import csv
import io
from datetime import datetime, timedelta

import pytest
from django.test import Client

from dsrportal.models import Area, Lane, Membership, Role, SyncLane, TallyCheck, User, Workspace
from dsrportal.queries import spreadsheet
from tests.conftest import MakeWorkspace, make_person
from tests.overview.stage import make_rows

URL = "/w/acme-france/overview/"


def read(workspace: Workspace, *, at: datetime) -> None:
    """A good read of everything at a moment."""
    SyncLane.objects.create(workspace=workspace, lane=Lane.FULL, last_attempt_at=at, last_success_at=at)


@pytest.mark.parametrize(
    ("role", "status"),
    [(Role.VIEWER, 403), (Role.OFFICER, 403), (Role.AUDITOR, 403), (Role.MANAGER, 200), (Role.ADMIN, 200)],
)
def test_the_overview_is_for_managers_and_admins(client: Client, workspace: Workspace, role: Role, status: int) -> None:
    client.force_login(make_person("pat", workspace=workspace, role=role))
    for url in (URL, f"{URL}figures.csv", "/overview/", "/overview/workspaces.csv"):
        assert client.get(url).status_code == status
    rail = client.get("/w/acme-france/board/").content.decode()
    assert (f'href="{URL}"' in rail) == (status == 200)


def test_all_workspaces_are_those_that_the_person_manages(
    client: Client, manager: User, workspace: Workspace, make_workspace: MakeWorkspace
) -> None:
    mine, seen = make_workspace("mine"), make_workspace("only-seen")
    make_workspace("strange")
    Membership.objects.create(user=manager, workspace=mine, role=Role.ADMIN)
    Membership.objects.create(user=manager, workspace=seen, role=Role.OFFICER)
    client.force_login(manager)
    table = client.get("/overview/").context["page"].table("workspaces")
    assert [row[0].text for row in table.rows] == ["Acme France", "Mine"]
    # In a workspace that is not theirs to manage, the rail leads to those that are.
    assert 'href="/overview/"' in client.get("/w/only-seen/board/").content.decode()


def test_an_empty_workspace_has_an_overview_without_nonsense(
    client: Client, manager: User, workspace: Workspace, now: datetime
) -> None:
    read(workspace, at=now)
    client.force_login(manager)
    answer = client.get(URL)
    assert {figure.text for figure in answer.context["page"].figures} == {"0"}
    page = answer.content.decode()
    assert "Nothing was closed in 26 weeks" in page
    assert "No forecast yet" in page
    assert "100 %" not in page


def test_a_full_overview_in_every_language(client: Client, manager: User, workspace: Workspace, now: datetime) -> None:
    make_rows(workspace, count=60, now=now)
    read(workspace, at=now)
    TallyCheck.objects.update(checked_at=now, differing=0)
    client.force_login(manager)
    for language in ("en", "fr", "nl"):
        page = client.get(URL, headers={"Accept-Language": language}).content.decode()
        assert f'lang="{language}"' in page
        assert page.count('<svg class="chart"') >= 6
        assert "style=" not in page
    assert "all was right" in client.get(URL).content.decode()


def test_an_old_overview_says_since_when(client: Client, manager: User, workspace: Workspace, now: datetime) -> None:
    make_rows(workspace, count=60, now=now)
    read(workspace, at=now - timedelta(hours=5))
    client.force_login(manager)
    page = client.get(URL).content.decode()
    assert "Not read from Dastra since" in page
    assert "at least" in page
    everywhere = client.get("/overview/").content.decode()
    assert "1 workspace unread since" in everywhere


def test_a_table_as_csv_says_what_the_page_says(
    client: Client, manager: User, workspace: Workspace, now: datetime
) -> None:
    make_rows(workspace, count=60, now=now)
    read(workspace, at=now)
    client.force_login(manager)
    tables = client.get(URL).context["page"].tables
    assert len(tables) == 10
    for table in tables:
        answer = client.get(f"{URL}{table.key}.csv")
        assert answer.streaming
        assert answer["Content-Type"] == "text/csv; charset=utf-8"
        assert answer["Content-Disposition"].startswith(f'attachment; filename="overview-acme-france-{table.key}-')
        text = answer.getvalue().decode()
        assert text.startswith("\ufeff")
        lines = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
        assert [line[:-2] for line in lines[1:]] == [[cell.text for cell in row] for row in table.rows]
    assert client.get(f"{URL}nothing.csv").status_code == 404


@pytest.mark.parametrize("label", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "  =1", "\r=1"])
def test_a_cell_is_never_a_formula(
    client: Client, manager: User, workspace: Workspace, now: datetime, label: str
) -> None:
    make_rows(workspace, count=60, now=now)
    Area.objects.update(label=label)
    client.force_login(manager)
    text = client.get(f"{URL}took-area.csv").getvalue().decode()
    lines = list(csv.reader(io.StringIO(text)))
    assert f"'{label}" in [line[0] for line in lines]
    assert not [cell for line in lines for cell in line if cell.lstrip().startswith(spreadsheet.FORMULA_BEGINS)]
