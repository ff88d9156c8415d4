"""Every hold shows on the workspace and has a way out: the next read where that is safe, else a page's button and a command."""

from __future__ import annotations

import html
import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from dsrportal.models import Lane, Role, User, Workspace
from dsrportal.models.workspaces import Hold
from dsrportal.sandbox.faults import Fault
from dsrportal.sandbox.server import Server
from tests.conftest import make_person
from tests.mirror.conftest import run

pytestmark = pytest.mark.one_database

SETTINGS = "/settings/workspaces/"


@pytest.fixture
def boss(mirrored: Workspace) -> User:
    """An admin of the mirrored workspace."""
    return make_person("boss", workspace=mirrored, role=Role.ADMIN)


def put_on_hold(server: Server, workspace: Workspace, hold: Hold) -> None:
    """Make a complete read, then one that stops short."""
    assert run(workspace).outcome == "complete"
    if hold == Hold.MISSING:
        for upstream_id in sorted(server.state[101].records)[:20]:
            server.state[101].delete(upstream_id)
    elif hold == Hold.REFUSED:
        server.faults.add(Fault(kind="status", status=401, times=None))
    else:
        server.faults.add(Fault(kind="login_page", times=None))
    run(workspace)
    workspace.refresh_from_db()
    assert workspace.hold == hold


def shown(client: Client, boss: User) -> str:
    client.force_login(boss)
    return html.unescape(client.get(SETTINGS).content.decode())


@pytest.mark.parametrize(
    ("hold", "ways"),
    [
        (Hold.MISSING, ["Try again", "Accept what is missing"]),
        (Hold.REFUSED, ["Try again", "Enter a new key"]),
        (Hold.NOT_THE_API, ["Try again"]),
    ],
)
def test_a_hold_shows_with_its_ways_out(
    client: Client, boss: User, mirrored: Workspace, server: Server, hold: Hold, ways: list[str]
) -> None:
    put_on_hold(server, mirrored, hold)
    page = shown(client, boss)
    assert str(hold.label) in page
    for way in ways:
        assert way in page


@pytest.mark.parametrize("hold", [Hold.REFUSED, Hold.NOT_THE_API])
@pytest.mark.parametrize("lane", [Lane.FULL, Lane.ACTIVE])
def test_the_next_read_that_goes_well_ends_it(
    client: Client, boss: User, mirrored: Workspace, server: Server, hold: Hold, lane: Lane
) -> None:
    put_on_hold(server, mirrored, hold)
    server.faults.clear()
    assert run(mirrored, lane, scheduled=True).outcome == "complete"
    mirrored.refresh_from_db()
    assert mirrored.hold == ""
    assert str(hold.label) not in shown(client, boss)


def test_what_is_missing_waits_for_a_decision_which_a_command_can_take(mirrored: Workspace, server: Server) -> None:
    put_on_hold(server, mirrored, Hold.MISSING)
    assert run(mirrored, Lane.FULL).outcome == "held"
    call_command("sync", mirrored.slug, "--accept-missing", stdout=io.StringIO())
    mirrored.refresh_from_db()
    assert mirrored.hold == ""
    assert mirrored.dsrs.count() == 40


def test_a_new_key_can_be_given_on_the_command_line(
    mirrored: Workspace, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_on_hold(server, mirrored, Hold.REFUSED)

    def give(key: str) -> str:
        out = io.StringIO()
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{key}\n"))
        call_command("new_key", mirrored.slug, stdout=out)
        return out.getvalue()

    with pytest.raises(CommandError, match="Nothing was stored"):
        give("wrong-key")
    server.faults.clear()
    said = give(server.api_key)
    assert f"ending in {server.api_key[-4:]}" in said
    assert "manage.py sync acme" in said
    assert server.api_key not in said
    assert run(mirrored, Lane.ACTIVE).outcome == "complete"
    mirrored.refresh_from_db()
    assert mirrored.hold == ""


def test_a_hold_for_missing_requests_is_not_ended_by_a_lighter_read(mirrored: Workspace, server: Server) -> None:
    put_on_hold(server, mirrored, Hold.MISSING)
    outcomes: list[Any] = [run(mirrored, Lane.OVERTAKING).outcome, run(mirrored, Lane.ACTIVE).outcome]
    assert outcomes[0] == "complete"
    mirrored.refresh_from_db()
    assert mirrored.hold == Hold.MISSING
