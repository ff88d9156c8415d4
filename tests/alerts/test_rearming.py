"""Due dates that change: the short form of the state machine, and bugs that it has to notice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.alerts.proof.bugs import BUGS
from tests.alerts.proof.changes import CHANGES
from tests.alerts.proof.rearming import STORY, play, run
from tests.torture.stage import Stage

SEED = 20_261_122


@pytest.fixture(scope="module")
def made_stage() -> Iterator[Stage]:
    """Started once."""
    stage = Stage()
    yield stage
    stage.close()


@pytest.fixture
def stage(made_stage: Stage, db: None, tmp_path: Path) -> Iterator[Stage]:
    """A local Dastra that the portal calls without a socket, and a database."""
    with made_stage.connected(data_dir=tmp_path) as connected:
        yield connected


def test_each_new_date_is_told_once_and_an_unchanged_one_never_again(stage: Stage) -> None:
    met: Counter[str] = Counter()
    run(stage, sequences=30, seed_number=SEED, met=met, shrink=False)
    assert len(CHANGES.keys() & met.keys()) >= 10
    assert met["alerts, each once"] > 50


def test_the_story_of_the_seeded_bugs_holds_without_them(stage: Stage) -> None:
    met: Counter[str] = Counter()
    play(stage, met=met)
    assert met["times compared"] > len(STORY)


@pytest.mark.parametrize("name", BUGS)
def test_a_seeded_bug_is_noticed(stage: Stage, name: str) -> None:
    with BUGS[name](), pytest.raises(AssertionError):
        play(stage, met=Counter())
