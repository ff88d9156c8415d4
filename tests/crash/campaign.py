"""kill -9 of the portal's own processes while people click and pulls run. Used by the tests and by `scripts/torture_crash.py`.

Two kills of three come at a boundary, so that every one of a write has its turn; the third at a moment chosen by chance.
"""

from __future__ import annotations

import random
import re
import threading
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field

from tests.crash import commands
from tests.crash.deeds import SLUG
from tests.crash.judge import Click, Window
from tests.crash.stage import NO_ANSWER, Stage
from tests.processes import wait_until

KINDS = ("web", "worker", "cluster")
PROCESSES = {"web": "gunicorn", "worker": "qcluster", "cluster": "qcluster"}
PER_WINDOW = 12
PATIENCE_SECONDS = 15.0


@dataclass
class Campaign:
    """Kills of one kind. `tally` tells what was met: kills at boundaries and by chance, and how the wishes ended."""

    stage: Stage
    kind: str
    seed: int
    boundaries: list[str] = field(default_factory=list)
    tally: Counter[str] = field(default_factory=Counter)
    kills: int = 0

    def __post_init__(self) -> None:
        self._chance = random.Random(f"{self.kind} {self.seed}")
        if not self.boundaries:
            self.boundaries = boundaries_of(self.stage, kind=self.kind)
            self._chance.shuffle(self.boundaries)

    def run(self, *, kills: int) -> Counter[str]:
        """Kill so many times more, and judge after every few kills. Raises AssertionError."""
        for left in range(kills, 0, -PER_WINDOW):
            window = Window(self.stage)
            for _kill in range(min(left, PER_WINDOW)):
                assert wait_until(self.stage.is_up), self.stage.log.read_text()[-3000:]
                self._kill_one(window, place=self.kills)
                self.kills += 1
            self.tally += window.judged(is_flushed=False)
            self.tally["judged"] += 1
        return self.tally

    def _kill_one(self, window: Window, *, place: int) -> None:
        name = self.boundaries[place % len(self.boundaries)] if place % 3 < 2 else ""
        if name:
            process = PROCESSES[self.kind]
            self.stage.arm(f"^{re.escape(name)}$", process=process, whole_group=self.kind == "cluster")
        if self.kind == "web":
            self._while_a_person_waits(window, is_armed=bool(name))
        else:
            self._while_workers_work(window, is_armed=bool(name))
        if name and not self.stage.disarm():
            self.tally["kills at a boundary"] += 1
            return
        if name:  # nobody came that way this time
            self._kill_by_chance()
        self.tally["kills by chance"] += 1

    def _while_a_person_waits(self, window: Window, *, is_armed: bool) -> None:
        """The page sends the form; when nobody answers the person presses again: the same form."""
        click = window.click(place=self._chance.randrange(1_000))
        action_id = uuid.uuid4()
        asking = threading.Thread(target=self._post, kwargs={"click": click, "action_id": action_id})
        asking.start()
        if not is_armed:
            time.sleep(self._chance.uniform(0, 0.4))
            self._kill_by_chance()
        asking.join()
        if click.answers[-1] == NO_ANSWER:
            self.tally["clicks without an answer"] += 1
            again = wait_until(lambda: self._post(click=click, action_id=action_id) != NO_ANSWER)
            assert again, "the web server did not come back"

    def _while_workers_work(self, window: Window, *, is_armed: bool) -> None:
        """Two people click and close their pages; a pull is due."""
        for _person in range(2):
            commands.keep(self.stage, window.click(place=self._chance.randrange(1_000)))
        self.stage.warm.call("queue_pulls", full=self._chance.random() < 0.5)
        if is_armed:
            wait_until(self.stage.has_killed, seconds=PATIENCE_SECONDS)
        else:
            time.sleep(self._chance.uniform(0, 1.5))
            self._kill_by_chance()

    def _kill_by_chance(self) -> None:
        self.stage.kill(self.kind, place=self._chance.randrange(1_000))

    def _post(self, *, click: Click, action_id: uuid.UUID) -> int:
        status, _region = self.stage.move(
            click.upstream_id, step=click.step, seen_step=click.seen_step, action_id=action_id
        )
        click.answers.append(status)
        return status


def boundaries_of(stage: Stage, *, kind: str) -> list[str]:
    """What such a process passes: the web server all of a move, a worker all but the click, and a pull and the queue's own rows."""
    move = commands.boundaries_of_a_move(stage)
    if kind == "web":
        return list(dict.fromkeys(move))
    kept = move.index("after commit of INSERT outboxentry") + 1
    pull = stage.warm.command("sync", SLUG, "--full").boundaries
    queue = ["before DELETE django_q_ormq", "after DELETE django_q_ormq", "before INSERT django_q_task"]
    return list(dict.fromkeys([*move[kept:], *pull, *queue]))


def kill_parents(stage: Stage, *, kills: int, seed: int, is_started_again: bool = True) -> Counter[str]:
    """Kill `manage.py serve` alone: within 10 s nothing of it lives, and what it left undone is done by the next one, or by a flush."""
    chance = random.Random(seed)
    tally: Counter[str] = Counter()
    for _kill in range(kills):
        window = Window(stage)
        for _person in range(2):
            commands.keep(stage, window.click(place=chance.randrange(1_000)))
        time.sleep(chance.uniform(0, 1.5))
        stage.kill_parent()
        assert wait_until(lambda: not stage.orphans()), stage.orphans()
        if is_started_again:
            stage.start()
        tally += window.judged(is_flushed=not is_started_again)
        tally["kills of the parent"] += 1
    return tally
