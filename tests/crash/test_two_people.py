"""Two people, one card: one of them gets it, the other is told, and Dastra is written to at most once for each click."""

from __future__ import annotations

import pytest

from tests.crash.duel import fight
from tests.crash.stage import Stage

pytestmark = pytest.mark.slow


def test_of_two_people_who_move_one_card_at_once_one_wins_and_the_other_is_told(portal: Stage) -> None:
    tally = fight(portal, rounds=30, seed=20_261_122)
    assert tally["rounds"] == 30
    assert tally["edited in Dastra"] > 0
    assert tally["done"] > 0
    assert tally["refused at the click"] + tally["conflict"] > 0
