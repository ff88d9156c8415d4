"""The parts of the long run (`scripts/torture_crash.py`): each works on a stage of its own and tells from time to time what it met so far."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.crash import campaign, commands, crowd, duel
from tests.crash.stage import Stage

MOVES_AGAIN = 2
"""How often a move is killed at each of its boundaries."""

PARENTS = 20
FLUSHES = 20
OVERTAKEN = 40
ROUNDS_AT_ONCE = 100
WRITES_EACH = 250


@dataclass(frozen=True, kw_only=True)
class Asked:
    """How much: `kills` of each kind, `rounds` of two people."""

    kills: int
    rounds: int
    seed: int


@dataclass(frozen=True, kw_only=True)
class Part:
    """`is_running`: on a stage whose portal runs. `work` raises AssertionError when something does not hold."""

    work: Callable[[Stage, Asked], Iterator[Counter[str]]]
    is_running: bool = False


def _kills_of(kind: str) -> Callable[[Stage, Asked], Iterator[Counter[str]]]:
    def work(stage: Stage, asked: Asked) -> Iterator[Counter[str]]:
        run = campaign.Campaign(stage, kind=kind, seed=asked.seed)
        while run.kills < asked.kills:
            yield run.run(kills=min(campaign.PER_WINDOW, asked.kills - run.kills))

    return work


def _two_people(stage: Stage, asked: Asked) -> Iterator[Counter[str]]:
    met = Counter[str]()
    while met["rounds"] < asked.rounds:
        some = min(ROUNDS_AT_ONCE, asked.rounds - met["rounds"])
        met += duel.fight(stage, rounds=some, seed=asked.seed + met["rounds"])
        yield met


def _parents(stage: Stage, asked: Asked) -> Iterator[Counter[str]]:
    met = Counter[str]()
    for place in range(min(asked.kills, PARENTS)):
        met += campaign.kill_parents(stage, kills=1, seed=asked.seed + place)
        yield met


def _moves(stage: Stage, asked: Asked) -> Iterator[Counter[str]]:
    count = len(commands.boundaries_of_a_move(stage))
    ends = commands.kill_moves(stage, list(range(1, count + 1)) * MOVES_AGAIN)
    yield ends + Counter({"boundaries": count})


def _flushes(stage: Stage, asked: Asked) -> Iterator[Counter[str]]:
    yield commands.kill_flushes(stage, kills=min(asked.kills, FLUSHES), seed=asked.seed)


def _pulls(stage: Stage, asked: Asked) -> Iterator[Counter[str]]:
    met = commands.kill_pulls(stage, kills=asked.kills, seed=asked.seed)
    yield met
    yield met + commands.overtake_pulls(stage, times=min(asked.kills, OVERTAKEN), seed=asked.seed)


def _crowd(stage: Stage, asked: Asked) -> Iterator[Counter[str]]:
    met = crowd.crowd(stage, times=WRITES_EACH)
    assert not met.errors, f"{len(met.errors)} errors, the first: {met.errors[0]}"
    yield Counter({"wishes kept": met.done, "slowest hundredth, ms": round(met.slowest_hundredth * 1000)})


PARTS = {
    **{kind: Part(work=_kills_of(kind), is_running=True) for kind in campaign.KINDS},
    "two people": Part(work=_two_people, is_running=True),
    "parents": Part(work=_parents, is_running=True),
    "moves": Part(work=_moves),
    "flushes": Part(work=_flushes),
    "pulls": Part(work=_pulls),
    "crowd": Part(work=_crowd),
}
