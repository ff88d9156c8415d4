"""Two people who move one card at the same moment through the web server, and sometimes somebody else in Dastra's own screens.

Used by the tests and by `scripts/torture_crash.py`.
"""

from __future__ import annotations

import html
import random
import re
import threading
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.crash.deeds import PEOPLE
from tests.crash.judge import judge_database, quiet_facts, writes_of
from tests.crash.stage import WORKSPACE, Stage

PER_WINDOW = 25
OFFSET_SECONDS = 0.05
THIRD_HAND = 0.3
KEPT = 200
REFUSED = 422
WHY_NOT = re.compile(r"meanwhile|already changing this request")
"""What the region says when the click was not kept."""


@dataclass(kw_only=True)
class Side:
    """One person's click and what they were told."""

    username: str
    step: int
    action_id: uuid.UUID = field(default_factory=uuid.uuid4)
    status: int = 0
    region: str = ""


@dataclass(kw_only=True)
class Round:
    """One card. `third` is the step that somebody chose in Dastra, if anybody did."""

    upstream_id: int
    seen_step: int | None
    sides: list[Side]
    third: int | None = None
    final: int | None = None


def fight(stage: Stage, *, rounds: int, seed: int) -> Counter[str]:
    """So many rounds, judged as they go; what was met. Raises AssertionError."""
    chance = random.Random(seed)
    tally: Counter[str] = Counter()
    for begin in range(0, rounds, PER_WINDOW):
        writes_before = len(writes_of(stage))
        ids = chance.sample(stage.live_ids(), min(PER_WINDOW, rounds - begin))
        fought = [_fight(stage, upstream_id=upstream_id, chance=chance) for upstream_id in ids]
        before = {line["upstream_id"]: line["step"] for line in stage.warm.call("facts")["mirror"]}
        for one in fought:
            if one.third is None:
                assert before[one.upstream_id] == one.final, f"the board shows {before[one.upstream_id]}: {one}"
        facts = quiet_facts(stage)
        judge_database(stage, facts)
        wishes = {wish["action_id"]: wish for wish in facts["wishes"]}
        for one in fought:
            tally += _judge(one, wishes)
        twice = [call for call, times in Counter(writes_of(stage)[writes_before:]).items() if times > 1]
        assert not twice, f"sent more than once: {twice}"
    return tally


def _fight(stage: Stage, *, upstream_id: int, chance: random.Random) -> Round:
    here = stage.step_in_dastra(upstream_id)
    steps = chance.sample([step for step in stage.steps() if step != here], 3)
    sides = [Side(username=name, step=step) for name, step in zip(PEOPLE, steps, strict=False)]
    one = Round(upstream_id=upstream_id, seen_step=here, sides=sides)
    deeds = [
        threading.Thread(target=_click, args=(stage, one, side, chance.uniform(0, OFFSET_SECONDS))) for side in sides
    ]
    if chance.random() < THIRD_HAND:
        one.third = steps[2]
        wait = chance.uniform(0, 6 * OFFSET_SECONDS)
        deeds.append(threading.Thread(target=_move_in_dastra, args=(stage, one, wait)))
    for deed in deeds:
        deed.start()
    for deed in deeds:
        deed.join()
    one.final = stage.step_in_dastra(upstream_id)
    return one


def _click(stage: Stage, one: Round, side: Side, wait: float) -> None:
    time.sleep(wait)
    side.status, region = stage.move(
        one.upstream_id, step=side.step, seen_step=one.seen_step, action_id=side.action_id, by=side.username
    )
    side.region = html.unescape(region)


def _move_in_dastra(stage: Stage, one: Round, wait: float) -> None:
    time.sleep(wait)
    assert one.third is not None
    stage.server.state[WORKSPACE].move(one.upstream_id, one.third)


def _judge(one: Round, wishes: dict[str, dict[str, Any]]) -> Counter[str]:
    tally = Counter({"rounds": 1, "edited in Dastra": int(one.third is not None)})
    done = []
    for side in one.sides:
        wish = wishes.get(str(side.action_id))
        if wish is None:
            assert side.status == REFUSED, f"neither kept nor refused: {one}"
            assert WHY_NOT.search(side.region), f"not told why: {side}"
            tally["refused at the click"] += 1
            continue
        assert side.status == KEPT, f"kept, and told {side.status}: {one}"
        assert wish["audit_lines"] == 1, wish
        if wish["state"] == "done":
            done.append(side.step)
            tally["done"] += 1
            continue
        assert wish["state"] in {"conflict", "refused"}, wish
        assert wish["reason"], wish
        assert wish["reason"] in side.region, f"not told why: {wish}"
        tally[wish["state"]] += 1
    assert len(done) <= 1, f"both are done: {one}"
    asked_for = {*done, *([one.third] if one.third is not None else [])}
    assert one.final in asked_for, f"in {one.final}, which nobody has: {one}"
    return tally
