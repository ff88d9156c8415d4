"""The board's move from a terminal: outcomes, exit codes, and one line of JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from dsrportal.models import DataSubjectRequest, OutboxEntry, User, WorkflowStep
from dsrportal.models.outbox import WishState
from dsrportal.sandbox import Fault, Server
from tests.actions.conftest import MakeWish


def run(*arguments: object) -> tuple[int, str]:
    """Exit code and output of a command."""
    out = StringIO()
    try:
        call_command(*map(str, arguments), stdout=out)
    except SystemExit as end:
        return int(end.code or 0), out.getvalue()
    return 0, out.getvalue()


@pytest.fixture
def move(dsr: DataSubjectRequest, olivia: User) -> Callable[..., tuple[int, dict[str, Any]]]:
    """A function that moves `dsr` by command to a step."""

    def call(step: int, *options: str) -> tuple[int, dict[str, Any]]:
        code, out = run("move", "acme", dsr.upstream_id, step, "--as", olivia.username, "--json", *options)
        said: dict[str, Any] = json.loads(out)
        return code, said

    return call


Move = Callable[..., tuple[int, dict[str, Any]]]


def test_with_now_it_is_done_and_read_back(
    move: Move, steps: list[WorkflowStep], step_in_dastra: Callable[[], int]
) -> None:
    assert move(steps[3].upstream_id, "--now") == (0, {"outcome": "done", "reason": ""})
    assert step_in_dastra() == steps[3].upstream_id


def test_without_now_it_is_held_and_flush_outbox_sends_it_when_its_window_is_over(
    move: Move, steps: list[WorkflowStep], step_in_dastra: Callable[[], int]
) -> None:
    assert move(steps[3].upstream_id) == (3, {"outcome": "held", "reason": ""})
    assert run("flush_outbox")[0] == 3
    OutboxEntry.objects.update(not_before=timezone.now() - timedelta(seconds=1))
    assert run("flush_outbox")[0] == 0
    assert step_in_dastra() == steps[3].upstream_id


def test_a_refusal_is_exit_1_with_the_reason(move: Move, steps: list[WorkflowStep], server: Server) -> None:
    server.faults.add(Fault(kind="refuse", match="POST", reason="Not from here."))
    code, said = move(steps[3].upstream_id, "--now")
    assert (code, said["outcome"]) == (1, "refused")
    assert "Not from here." in said["reason"]


def test_a_step_that_is_not_the_workspaces_is_refused(move: Move) -> None:
    assert move(999_999, "--now")[0] == 1


def test_where_it_is_already_is_done(move: Move, steps: list[WorkflowStep], writes: Callable[[], list[str]]) -> None:
    assert move(steps[0].upstream_id, "--now")[0] == 0
    assert writes() == []


def test_a_lost_answer_is_exit_3_until_flush_outbox_has_settled_it(
    move: Move, steps: list[WorkflowStep], server: Server
) -> None:
    server.faults.add(Fault(kind="close_without_answer", match="POST"))
    code, said = move(steps[3].upstream_id, "--now")
    assert (code, said["outcome"]) == (3, "unknown")
    OutboxEntry.objects.update(claimed_at=timezone.now() - timedelta(minutes=2))
    assert run("flush_outbox")[0] == 0
    assert OutboxEntry.objects.get().state == WishState.REFUSED


def test_what_the_mirror_believes_is_read_back_before_it_is_called_done(
    move: Move, dsr: DataSubjectRequest, steps: list[WorkflowStep], server: Server
) -> None:
    server.state[101].move(dsr.upstream_id, steps[3].upstream_id)
    code, said = move(steps[0].upstream_id, "--now")
    assert (code, said["outcome"]) == (1, "refused")
    assert "changed in Dastra" in said["reason"]
    dsr.refresh_from_db()
    assert dsr.step == steps[3]


def test_unknown_people_and_requests_are_named(dsr: DataSubjectRequest, olivia: User) -> None:
    code, said = run("move", "acme", dsr.upstream_id, 1, "--as", "nobody", "--json")
    assert (code, json.loads(said)["outcome"]) == (1, "refused")
    assert "no account" in said
    code, said = run("move", "acme", 424242, 1, "--as", olivia.username)
    assert code == 1
    assert "no request 424242" in said


def test_open_wishes_of_others_do_not_fail_the_command(
    move: Move, make_wish: MakeWish, steps: list[WorkflowStep]
) -> None:
    make_wish()
    code, said = move(steps[3].upstream_id, "--now")
    assert (code, said["outcome"]) == (1, "refused")
    assert "already changing" in said["reason"]
