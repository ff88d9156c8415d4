"""What must hold after any kill, once the portal is back and its outbox is empty. Looks from outside: rows, Dastra's state, Dastra's journal."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.crash.stage import Stage
from tests.mirror import truth
from tests.processes import wait_until

AHEAD_SECONDS = 120
"""How much later a flush takes it to be: the portal's longest wait, for a claim of a dead process, is 60 s."""


@dataclass(kw_only=True)
class Click:
    """What a person did. `answers`: the status of each answer to the same form, 0 for none."""

    upstream_id: int
    step: int
    seen_step: int | None
    answers: list[int] = field(default_factory=list)

    @property
    def was_kept(self) -> bool:
        """Whether the person was told so."""
        return any(200 <= status < 300 for status in self.answers)


class Window:
    """From its beginning to `judged` each request is clicked at most once, so that what became of each click can be told."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.clicks: list[Click] = []
        self._unused = stage.live_ids()
        self._writes_before = len(writes_of(stage))
        self._known = {wish["pk"] for wish in stage.warm.call("facts")["wishes"]}

    def click(self, *, place: int = 0) -> Click:
        """A new wish for a request that has had none, to be carried out by the caller. `place` chooses among requests and steps."""
        upstream_id = self._unused.pop(place % len(self._unused))
        here = self.stage.step_in_dastra(upstream_id)
        others = [step for step in self.stage.steps() if step != here]
        click = Click(upstream_id=upstream_id, step=others[place % len(others)], seen_step=here)
        self.clicks.append(click)
        return click

    def judged(self, *, is_flushed: bool, ahead_seconds: float = AHEAD_SECONDS) -> Counter[str]:
        """Raises AssertionError; else tells how often each end was met. `is_flushed`: by the command, a while later; else the portal
        itself has to come to an end with all wishes."""
        stage = self.stage
        if is_flushed:
            told = stage.warm.command("flush_outbox", ahead_seconds=ahead_seconds)
            assert told.exit == 0, told.output
        else:
            assert wait_until(lambda: stage.warm.call("open_wishes") == 0), unsettled(stage)
        facts = quiet_facts(stage)
        judge_database(stage, facts)
        ends = self._judge_wishes([wish for wish in facts["wishes"] if wish["pk"] not in self._known])
        writes = writes_of(stage)[self._writes_before :]
        twice = [call for call, times in Counter(writes).items() if times > 1]
        assert not twice, f"sent more than once: {twice}"
        assert len(writes) <= len(self.clicks), "more writes than clicks"
        return ends

    def _judge_wishes(self, wishes: list[dict[str, Any]]) -> Counter[str]:
        ends: Counter[str] = Counter()
        of = {wish["upstream_id"]: wish for wish in wishes}
        assert len(of) == len(wishes), "two wishes of one click"
        for click in self.clicks:
            wish = of.pop(click.upstream_id, None)
            here = self.stage.step_in_dastra(click.upstream_id)
            if wish is None:
                assert not click.was_kept, f"lost: {click}"
                assert here == click.seen_step, f"written without a wish: {click}"
                ends["never kept"] += 1
                continue
            assert wish["state"] in {"done", "refused"}, wish
            assert wish["audit_lines"] == 1, wish
            if here is None:
                assert wish["state"] == "refused", wish
                ends["gone"] += 1
                continue
            wanted = click.step if wish["state"] == "done" else click.seen_step
            assert here == wanted, f"Dastra is in {here}: {wish}"
            ends[wish["state"]] += 1
        assert not of, f"wishes that nobody had: {of}"
        return ends


def quiet_facts(stage: Stage) -> dict[str, Any]:
    """The facts after a full pull, at a moment when the portal's own jobs pull nothing."""
    found: dict[str, Any] = {}

    def is_quiet() -> bool:
        stage.sync()
        found.update(stage.warm.call("facts"))
        return bool(found["running"] == 0 and found["lease_seconds"] <= 0)

    assert wait_until(is_quiet), "a run that runs no more is not closed, or a lease was kept"
    return found


def writes_of(stage: Stage) -> list[tuple[str, str]]:
    """Each write that reached Dastra: path and the body's hash."""
    return [(entry.path, entry.body_hash) for entry in stage.server.journal.entries if entry.method != "GET"]


def unsettled(stage: Stage) -> str:
    """The wishes that came to no end, and the portal's last words."""
    left = [wish for wish in stage.warm.call("facts")["wishes"] if wish["is_open"]]
    return f"{left}\n{stage.log.read_text()[-3000:] if stage.log.exists() else ''}"


def judge_database(stage: Stage, facts: dict[str, Any]) -> None:
    """After a full pull: the mirror is equal to Dastra, and the database is whole."""
    assert facts["integrity"] == "ok"
    assert facts["counters"], "a counter is off"
    assert not facts["repeated"]
    assert not facts["hold"]
    judge_mirror(stage, facts)


def judge_mirror(stage: Stage, facts: dict[str, Any]) -> None:
    """It is equal to Dastra."""
    upstream = {line["upstream_id"]: line for line in truth.upstream(stage.server)}
    mirror = {line["upstream_id"]: line for line in facts["mirror"]}
    differing = [number for number in upstream.keys() | mirror.keys() if upstream.get(number) != mirror.get(number)]
    assert not differing, f"the mirror differs: {differing}"
