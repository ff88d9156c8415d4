"""The short form of `make torture`: every property holds, each seeded bug breaks the one that is meant for it, and a seed tells all."""

from __future__ import annotations

import pytest

from tests.torture.bugs import BUGS, Bug
from tests.torture.judge import PROPERTIES, ViolationError
from tests.torture.machine import run
from tests.torture.stage import Stage

SEQUENCES = 40
MOST_FOR_A_BUG = 200


def test_every_property_holds(stage: Stage) -> None:
    tally = run(stage, sequences=SEQUENCES, seed_number=21)
    assert tally.checks.keys() == PROPERTIES.keys(), "a property was not looked at"


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_seeded_bug_is_caught(stage: Stage, bug: Bug) -> None:
    with bug.planted(), pytest.raises(ViolationError) as caught:
        run(stage, sequences=MOST_FOR_A_BUG, seed_number=bug.seed, only={bug.caught_by})
    assert caught.value.name == bug.caught_by


def test_the_same_seed_gives_the_same_journal(stage: Stage) -> None:
    first, second = (run(stage, sequences=6, seed_number=46).journals for _ in range(2))
    assert first == second
    assert len(set(first)) > 1
