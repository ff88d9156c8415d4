"""A command that is killed at any boundary of its work leaves nothing lost, nothing doubled and nothing held."""

from __future__ import annotations

import os

import pytest

from tests.crash import commands
from tests.crash.stage import Stage

pytestmark = pytest.mark.slow
SEED = 20_261_122


def test_a_move_killed_at_a_boundary_is_done_or_refused_and_never_written_twice(stage: Stage) -> None:
    names = commands.boundaries_of_a_move(stage)
    for name in (
        "after commit of INSERT outboxentry",
        "after commit of UPDATE outboxentry sending",
        "before POST /DataSubjectRequests/workflow",
        "at the unread answer of POST /DataSubjectRequests/workflow",
        "after POST /DataSubjectRequests/workflow",
        "before UPDATE outboxentry done",
        "before commit of INSERT auditevent",
    ):
        assert name in names, f"the crash tests no longer see “{name}”: {names}"
    # A half of them on each database; the long run takes all on both.
    numbers = commands.telling(names)[int("TEST_DATABASE_URL" in os.environ) :: 2]
    ends = commands.kill_moves(stage, numbers)
    assert ends["killed"] >= len(numbers) - 1
    assert ends["never kept"] > 0
    assert ends["refused"] > 0
    assert ends["done"] > 0


def test_a_flush_that_is_killed_leaves_each_wish_to_the_next(stage: Stage) -> None:
    ends = commands.kill_flushes(stage, kills=3, seed=SEED)
    assert ends["done"] + ends["refused"] == 6


def test_a_pull_that_is_killed_holds_nobody_up_and_the_next_one_makes_good(stage: Stage) -> None:
    reached = commands.kill_pulls(stage, kills=4, seed=SEED)
    assert reached["killed"] > 0


def test_a_pull_that_stood_still_for_longer_than_its_lease_writes_nothing_old(stage: Stage) -> None:
    assert commands.overtake_pulls(stage, times=3, seed=SEED)["overtaken and told so"] > 0
