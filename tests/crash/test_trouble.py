"""A move whose process was killed survives what happens before anybody looks again: Dastra is down, the key is revoked, step or request go."""

from __future__ import annotations

import pytest

from dsrportal.sandbox import Fault
from tests.crash import commands
from tests.crash.judge import AHEAD_SECONDS, Window
from tests.crash.stage import WORKSPACE, Stage

pytestmark = pytest.mark.slow
KEPT = "after commit of INSERT outboxentry"
APPLIED = "at the unread answer of POST /DataSubjectRequests/workflow"
OPEN_EXIT = 3


def killed_move(stage: Stage, *, at: str, step: int = 0) -> Window:
    """A window with one click, whose process died."""
    number = commands.boundaries_of_a_move(stage).index(at) + 1
    window = Window(stage)
    click = window.click()
    click.step = step or click.step
    assert stage.warm.run(commands.move(click, kill_at=number))[0].exit == commands.KILLED
    return window


def flush(stage: Stage, *, ahead_seconds: float) -> int:
    """Its exit code."""
    return stage.warm.command("flush_outbox", ahead_seconds=ahead_seconds).exit


def test_a_minute_without_dastra_between_click_and_write_delays_the_move(stage: Stage) -> None:
    window = killed_move(stage, at=KEPT)
    stage.server.faults.add(Fault(kind="close_without_answer", times=None))
    assert flush(stage, ahead_seconds=0) == OPEN_EXIT
    assert flush(stage, ahead_seconds=20) == OPEN_EXIT
    stage.server.faults.clear()
    stage.sync()  # a person's wish to read ends the breaker's pause
    assert flush(stage, ahead_seconds=50) == 0
    assert window.judged(is_flushed=True)["done"] == 1


def test_what_dastra_applied_before_it_went_down_is_found_when_it_is_back(stage: Stage) -> None:
    window = killed_move(stage, at=APPLIED)
    stage.server.faults.add(Fault(kind="close_without_answer", times=None))
    assert flush(stage, ahead_seconds=AHEAD_SECONDS) == OPEN_EXIT
    stage.server.faults.clear()
    stage.sync()
    assert window.judged(is_flushed=True)["done"] == 1


def test_a_key_that_is_revoked_between_click_and_write_refuses_the_move(stage: Stage) -> None:
    window = killed_move(stage, at=KEPT)
    key = stage.server.keys.pop("full")
    assert flush(stage, ahead_seconds=0) == 0
    stage.server.keys["full"] = key
    stage.sync()
    assert window.judged(is_flushed=True)["refused"] == 1


def test_what_was_applied_before_the_key_was_revoked_is_found_with_a_key_again(stage: Stage) -> None:
    window = killed_move(stage, at=APPLIED)
    key = stage.server.keys.pop("full")
    assert flush(stage, ahead_seconds=AHEAD_SECONDS) == OPEN_EXIT
    stage.server.keys["full"] = key
    stage.sync()
    assert window.judged(is_flushed=True)["done"] == 1


def test_a_step_that_is_deleted_between_click_and_write_refuses_the_move(stage: Stage) -> None:
    dastra = stage.server.state[WORKSPACE]
    new_step = dastra.add_step("Second look", mapped_state=dastra.ordered_steps()[0]["mappedState"])["id"]
    stage.sync()
    window = killed_move(stage, at=KEPT, step=new_step)
    dastra.delete_step(new_step)
    assert window.judged(is_flushed=True)["refused"] == 1


@pytest.mark.parametrize("at", [KEPT, APPLIED])
def test_a_request_that_is_deleted_meanwhile_ends_the_move(stage: Stage, at: str) -> None:
    window = killed_move(stage, at=at)
    stage.server.state[WORKSPACE].delete(window.clicks[0].upstream_id)
    assert window.judged(is_flushed=True)["gone"] == 1
