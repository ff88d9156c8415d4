"""Commands that are killed at boundaries of their work, one after the other. Used by the tests and by `scripts/torture_crash.py`."""

from __future__ import annotations

import random
import uuid
from collections import Counter
from collections.abc import Iterable

from tests.crash.app import CLAIM_SECONDS, LEASE_SECONDS
from tests.crash.deeds import PEOPLE, SLUG
from tests.crash.judge import AHEAD_SECONDS, Click, Window, judge_mirror
from tests.crash.stage import WORKSPACE, Stage
from tests.crash.warm import Job

KILLED = -9
AT_ONCE = 6
WINDOW = 24


def boundaries_of_a_move(stage: Stage) -> list[str]:
    """The boundaries that a move passes when nothing goes wrong."""
    if not stage.boundaries_of_a_move:
        window = Window(stage)
        told = stage.warm.run(move(window.click()))[0]
        assert told.exit == 0, told.output
        window.judged(is_flushed=True)
        stage.boundaries_of_a_move = told.boundaries
    return stage.boundaries_of_a_move


def telling(names: list[str]) -> list[int]:
    """The numbers of the boundaries that differ: to die after one thing is to die before the next."""
    return [
        number for number, name in enumerate(names, start=1) if not name.startswith("after") or number == len(names)
    ]


def kill_moves(stage: Stage, numbers: Iterable[int]) -> Counter[str]:
    """Kill a move at each of these boundaries, several at the same time, each on a request of its own; how they ended. (Where the database
    keeps the pace, now and then a move has a boundary more or less.)"""
    ends: Counter[str] = Counter()
    waiting = list(numbers)
    while waiting:
        part, waiting = waiting[:WINDOW], waiting[WINDOW:]
        window = Window(stage)
        while part:
            some, part = part[:AT_ONCE], part[AT_ONCE:]
            told = stage.warm.run(*[move(window.click(place=number), kill_at=number) for number in some])
            assert all(one.exit in {KILLED, 0} for one in told), [one.output for one in told]
            ends["killed"] += sum(one.exit == KILLED for one in told)
        ends += window.judged(is_flushed=True)
    return ends


def kill_flushes(stage: Stage, *, kills: int, seed: int) -> Counter[str]:
    """Kill `flush_outbox` at boundaries chosen by chance, with several wishes before it, until none is left."""
    chance = random.Random(seed)
    window = Window(stage)
    for kill in range(kills):
        for _wish in range(2):
            keep(stage, window.click(place=chance.randrange(1_000)))
        # Each flush is so much later than the one before that it takes up what that one had claimed.
        stage.warm.command("flush_outbox", kill_at=chance.randint(1, 90), ahead_seconds=kill * 2 * CLAIM_SECONDS)
    return window.judged(is_flushed=True, ahead_seconds=AHEAD_SECONDS + kills * 2 * CLAIM_SECONDS)


def kill_pulls(stage: Stage, *, kills: int, seed: int) -> Counter[str]:
    """Kill pulls at boundaries chosen by chance while Dastra changes; the next one has to be let in when the lease has run out."""
    chance = random.Random(seed)
    reached: Counter[str] = Counter()
    for kill in range(kills):
        change_dastra(stage, chance)
        lane = chance.choice(["--full", "--active", "--overtaking"])
        told = stage.warm.command("sync", SLUG, lane, kill_at=chance.randint(1, 60))
        reached["killed" if told.exit == KILLED else "ended before"] += 1
        left = stage.warm.call("facts")["lease_seconds"]
        assert left <= LEASE_SECONDS, f"kill {kill}: held for {left} s"
        if told.exit == KILLED:
            told = stage.warm.command("sync", SLUG, lane, ahead_seconds=LEASE_SECONDS + 1)
            assert told.exit == 0, told.output
    Window(stage).judged(is_flushed=True)
    return reached


def overtake_pulls(stage: Stage, *, times: int, seed: int) -> Counter[str]:
    """A pull stands still for longer than its lease, at a call to Dastra; meanwhile a card is moved and another pull takes over. What the
    first one still holds is old, and may not be written."""
    chance = random.Random(seed)
    names = stage.warm.command("sync", SLUG, "--full").boundaries
    reads = sum(" GET " in name for name in names)
    met: Counter[str] = Counter()
    window = Window(stage)
    for _time in range(times):
        first = Job(command=["sync", SLUG, "--full"], stop_at=chance.randint(1, reads))
        second = Job(command=["sync", SLUG, "--full"], ahead_seconds=LEASE_SECONDS + 1)
        click = window.click(place=chance.randrange(1_000))
        overtaken, moved, complete = stage.warm.run(first, move(click), second)
        assert (moved.exit, complete.exit) == (0, 0), [moved.output, complete.output]
        click.answers.append(200)
        judge_mirror(stage, stage.warm.call("facts"))
        met["overtaken and told so" if overtaken.exit == 1 else "complete"] += 1
    window.judged(is_flushed=True)
    return met


def change_dastra(stage: Stage, chance: random.Random) -> None:
    """Somebody works in Dastra's own screens: a new request, an edit, a move, a deletion."""
    workspace = stage.server.state[WORKSPACE]
    made = workspace.create()
    ids = stage.live_ids()
    workspace.edit(chance.choice(ids), complex=True)
    workspace.move(chance.choice(ids), chance.choice(stage.steps()))
    workspace.delete(chance.choice([one for one in ids if one != made["id"]]))


def keep(stage: Stage, click: Click) -> None:
    """The person's page is closed right after the click: the wish is kept, and nobody sends it."""
    stage.warm.call("click", upstream_id=click.upstream_id, step=click.step, action_id=str(uuid.uuid4()))
    click.answers.append(200)


def move(click: Click, *, kill_at: int = 0) -> Job:
    """The command that carries out a click at once."""
    command = ["move", SLUG, str(click.upstream_id), str(click.step), "--as", PEOPLE[0], "--now"]
    return Job(command=command, kill_at=kill_at)
