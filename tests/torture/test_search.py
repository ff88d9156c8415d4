"""The searching form, for `make torture` alone: Hypothesis finds each seeded bug by itself, with the property that is meant for it."""

from __future__ import annotations

import pytest

from tests.torture.bugs import BUGS, Bug
from tests.torture.judge import PROPERTIES, ViolationError
from tests.torture.machine import run
from tests.torture.stage import Stage

SEQUENCES = 40
SEEDS_FOR_A_BUG = 15
SEQUENCES_OF_A_SEED = 12


def test_every_property_holds(stage: Stage) -> None:
    tally = run(stage, sequences=SEQUENCES, seed_number=21)
    assert tally.checks.keys() == PROPERTIES.keys(), "a property was not looked at"


def look_for(bug: Bug, *, stage: Stage) -> None:
    """Many short runs find more than a long one, whose first sequences are small."""
    for number in range(SEEDS_FOR_A_BUG):
        run(
            stage,
            sequences=SEQUENCES_OF_A_SEED,
            seed_number=number,
            only={bug.caught_by},
            rules=bug.rules,
            steps=6,
        )


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_seeded_bug_is_found(stage: Stage, bug: Bug) -> None:
    with bug.planted(), pytest.raises(ViolationError) as caught:
        look_for(bug, stage=stage)
    assert caught.value.name == bug.caught_by
