"""A workspace that Dastra refuses is tried less and less often, until a try goes well or somebody asks."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from dsrportal import jobs
from dsrportal.models import Lane, User, Workspace
from dsrportal.models.workspaces import Hold
from dsrportal.sandbox.faults import Fault
from dsrportal.sandbox.server import Server
from tests.jobs.conftest import work_off

START = timezone.now()
DOUBLING = [0, 5, 10, 20, 40, 80, 160, 320, 560, 800]


def pull_at(workspace: Workspace, minutes: int, *, lane: Lane = Lane.ACTIVE) -> str:
    """What becomes of a pull that the timetable queues then."""
    with time_machine.travel(_moment(minutes), tick=False):
        return jobs.run_pull(workspace.pk, lane, timezone.now().isoformat())


def _moment(minutes: int) -> datetime:
    return START + timedelta(minutes=minutes)


def refuse(server: Server) -> None:
    server.faults.add(Fault(kind="status", status=403, times=None))


@pytest.mark.parametrize("fault", [Fault(kind="status", status=403, times=None), Fault(kind="login_page", times=None)])
def test_the_tries_of_a_held_workspace_grow_apart(mirrored: Workspace, server: Server, fault: Fault) -> None:
    server.faults.add(replace(fault))
    answers = {minutes: pull_at(mirrored, minutes) for minutes in range(0, 801, 5)}
    assert [minutes for minutes, answer in answers.items() if answer == "failed"] == DOUBLING
    assert set(answers.values()) == {"failed", "on hold"}


def test_a_rest_makes_no_call_and_no_run(mirrored: Workspace, server: Server) -> None:
    refuse(server)
    for minutes in (0, 5):
        pull_at(mirrored, minutes)
    calls, runs = len(server.journal), mirrored.runs.count()
    assert pull_at(mirrored, 9) == "on hold"
    assert pull_at(mirrored, 9, lane=Lane.OVERTAKING) == "on hold"
    assert (len(server.journal), mirrored.runs.count()) == (calls, runs)


def test_the_first_try_that_goes_well_ends_the_hold_and_the_rests(mirrored: Workspace, server: Server) -> None:
    refuse(server)
    for minutes in (0, 5, 10):
        pull_at(mirrored, minutes)
    server.faults.clear()
    assert [pull_at(mirrored, minutes) for minutes in (15, 20, 25, 30)] == ["on hold", *["complete"] * 3]
    mirrored.refresh_from_db()
    assert mirrored.hold == ""


def test_the_nightly_pull_and_whoever_asks_need_not_wait(mirrored: Workspace, server: Server, admin: User) -> None:
    refuse(server)
    for minutes in (0, 5, 10):
        pull_at(mirrored, minutes)
    assert pull_at(mirrored, 11, lane=Lane.FULL) == "failed"
    assert pull_at(mirrored, 12) == "on hold"
    with time_machine.travel(_moment(12), tick=False):
        jobs.request_run(workspace_id=mirrored.pk, lane=Lane.ACTIVE, by=admin, now=timezone.now())
        assert work_off() == ["failed"]


def test_missing_requests_are_no_reason_to_rest(mirrored: Workspace, server: Server) -> None:
    pull_at(mirrored, 0, lane=Lane.FULL)
    for upstream_id in sorted(server.state[101].records)[:20]:
        server.state[101].delete(upstream_id)
    assert [pull_at(mirrored, minutes, lane=Lane.FULL) for minutes in (5, 10)] == ["held", "held"]
    mirrored.refresh_from_db()
    assert mirrored.hold == Hold.MISSING
    assert "on hold" not in [pull_at(mirrored, minutes) for minutes in (15, 20, 25)]
