"""The running portal – web server, supervisor, cluster – whose processes are killed while people click: short forms of the long runs.

One test, since to start a portal costs more than all that is done to it here.
"""

from __future__ import annotations

import pytest

from tests.crash.campaign import Campaign, kill_parents
from tests.crash.duel import fight
from tests.crash.stage import Stage

pytestmark = pytest.mark.slow
SEED = 20_261_122
ROUNDS = 16
KILLS = {
    "web": ["after commit of INSERT outboxentry", "at the unread answer of POST /DataSubjectRequests/workflow"],
    "worker": ["at the unread answer of POST /DataSubjectRequests/workflow"],
    "cluster": ["before UPDATE outboxentry done"],
}


def test_a_portal_that_is_killed_under_its_people_loses_nothing_and_doubles_nothing(stage: Stage) -> None:
    stage.start()
    _of_two_people_who_move_one_card_at_once_one_wins_and_the_other_is_told(stage)
    for kind, boundaries in KILLS.items():
        tally = Campaign(stage, kind=kind, seed=SEED, boundaries=boundaries).run(kills=len(boundaries))
        assert tally["kills at a boundary"] + tally["kills by chance"] == len(boundaries)
        assert tally["kills at a boundary"] > 0
        assert tally["done"] + tally["refused"] > 0
    assert kill_parents(stage, kills=1, seed=SEED, is_started_again=False)["kills of the parent"] == 1


def _of_two_people_who_move_one_card_at_once_one_wins_and_the_other_is_told(stage: Stage) -> None:
    tally = fight(stage, rounds=ROUNDS, seed=SEED)
    assert tally["rounds"] == ROUNDS
    assert tally["edited in Dastra"] > 0
    assert tally["done"] > 0
    assert tally["refused at the click"] + tally["conflict"] > 0
