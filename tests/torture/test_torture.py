"""The short form of `make torture`: a story for each seeded bug, told with the bug and without, and a few sequences that nobody wrote."""

from __future__ import annotations

import pytest

from tests.torture.bugs import BUGS, Bug
from tests.torture.judge import PROPERTIES, ViolationError
from tests.torture.machine import run
from tests.torture.stage import Stage, Tally
from tests.torture.stories import STORIES, play

SEQUENCES = 8


def test_in_the_stories_every_property_is_looked_at_and_holds(stage: Stage) -> None:
    tally = Tally()
    for story in dict.fromkeys(STORIES.values()):
        play(story, stage=stage, tally=tally)
    assert tally.checks.keys() == PROPERTIES.keys(), "a property was not looked at"


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_seeded_bug_is_caught(stage: Stage, bug: Bug) -> None:
    with bug.planted(), pytest.raises(ViolationError) as caught:
        play(STORIES[bug.name], stage=stage, tally=Tally(), only={bug.caught_by})
    assert caught.value.name == bug.caught_by


def test_every_property_holds_in_sequences_that_nobody_wrote(stage: Stage) -> None:
    tally = run(stage, sequences=SEQUENCES, seed_number=21)
    assert tally.happened["sequences"] >= SEQUENCES


def test_the_same_seed_gives_the_same_journal(stage: Stage) -> None:
    first, second = (run(stage, sequences=3, seed_number=46).journals for _ in range(2))
    assert first == second
    assert len(set(first)) > 1
