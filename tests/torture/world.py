"""One sequence: a workspace in Dastra, its mirror by the real engine, a person who clicks, faults, and a judge who watches.

Driven by `machine.py`. All happens in one thread, at moments that the sequence chooses: also what happens "meanwhile", which is run
from within a call of the engine, before the call is made (`early`) or when its answer is on its way (`late`).
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import count

from django.db import connection, transaction

from dsrportal import credentials
from dsrportal.actions import outbox
from dsrportal.dastra import schema
from dsrportal.dastra.errors import DastraError
from dsrportal.mirror import refresh, store
from dsrportal.mirror.connections import connect
from dsrportal.mirror.pull import BusyError, pull
from dsrportal.models import DataSubjectRequest, Lane, Membership, OutboxEntry, Role, SyncRun, User, Workspace
from dsrportal.models.outbox import WishKind
from dsrportal.sandbox.wire import Reply, Request
from tests.torture import deeds
from tests.torture.judge import Judge, PassBegin, Sent
from tests.torture.line import LostAnswerError
from tests.torture.stage import Stage, Tally

LONGEST_WORK_SECONDS = 35.0
"""How long Dastra may take over a write whose answer was given up, and still apply it."""


@dataclass(frozen=True)
class Meanwhile:
    """Something to happen at the `at`-th call of the next act of the portal."""

    at: int
    late: bool
    deed: Callable[[], object]


@dataclass
class LateWrite:
    """A write that Dastra still works on after the portal gave its answer up."""

    request: Request
    sent: Sent
    lands_at: float


@dataclass
class Kept:
    """A page that was fetched and is not stored yet."""

    sequence: int
    items: Sequence[schema.DataSubjectRequest]


@dataclass
class Armed:
    """The next write's answer is lost; it is applied at once (`delay` 0), so many seconds later, or never (None)."""

    delay: float | None


@dataclass
class _Level:
    """An act of the portal that is under way, and what was planned for it."""

    plan: list[Meanwhile] = field(default_factory=list)
    calls: int = 0
    begin: PassBegin | None = None


class World:
    """Everything is undone by `close`: the sequence lives in one transaction."""

    def __init__(
        self, stage: Stage, *, tally: Tally, lag_seconds: float = 0.0, only: Collection[str] = frozenset()
    ) -> None:
        self.stage = stage
        self.tally = tally
        self.lag_seconds = lag_seconds
        self.plan: list[Meanwhile] = []
        self._atomic = transaction.atomic()
        self._atomic.__enter__()
        stage.reset(lag_seconds=lag_seconds)
        self.workspace, self.officer = self._cast()
        self.judge = Judge(stage, workspace=self.workspace, tally=tally, only=only)
        self._levels: list[_Level] = []
        self._armed: list[Armed] = []
        self._late_writes: list[LateWrite] = []
        self._kept: list[Kept] = []
        self._nonces = count(1)
        self._now_writing: tuple[Request, Sent, int] | None = None
        stage.line.before = self._before
        stage.line.after = self._after

    def close(self) -> None:
        """Undo it all; keep what the journal said."""
        lines = repr([entry.line() for entry in self.stage.server.journal.entries])
        self.tally.journals.append(sha256(lines.encode()).hexdigest())
        self.tally.happened["sequences"] += 1
        self.tally.happened["calls"] += len(self.stage.server.journal)
        connection.set_rollback(True)
        self._atomic.__exit__(None, None, None)

    def _cast(self) -> tuple[Workspace, User]:
        now = self.stage.clock.now()
        workspace = Workspace(
            slug="torture",
            name="Torture",
            upstream_id=101,
            base_url=self.stage.server.base_url,
            created_at=now,
            secret_changed_at=now,
        )
        workspace.set_secret(self.stage.server.api_key)
        workspace.set_search_key(credentials.new_search_key())
        workspace.save()
        officer = User.objects.create(username="torture")
        Membership.objects.create(user=officer, workspace=workspace, role=Role.OFFICER)
        return workspace, officer

    # Time and Dastra

    def pass_time(self, seconds: float) -> None:
        """Late writes land when their time comes."""
        until = self.stage.clock.seconds + seconds
        for late in sorted(self._late_writes, key=lambda one: one.lands_at):
            if late.lands_at <= until:
                self._late_writes.remove(late)
                self.stage.clock.seconds = max(self.stage.clock.seconds, late.lands_at)
                self._land(late)
        self.stage.clock.seconds = until

    def act(self, kind: str, *, n: int, m: int) -> None:
        """Somebody does something in Dastra."""
        if kind == "delete_step" and self.lag_seconds:
            return
        self.pass_time(0.5)
        nonce = next(self._nonces)
        is_refused = deeds.refused(lambda: deeds.act(self.stage.dastra, kind, n=n, m=m, nonce=nonce))
        self.tally.happened["acts refused in Dastra" if is_refused else "acts in Dastra"] += 1
        self.judge.note()

    def fault(self, name: str, *, where: int, after: int, times: int | None, n: int) -> None:
        """The line or the server will fail."""
        make, places = deeds.FAULTS[name]
        more = {}
        if name in deeds.POISON:
            ids = sorted(self.stage.dastra.records)
            if not ids:
                return
            chosen = ids[n % len(ids)]
            self.judge.poisoned.add(chosen)
            more = {"ids": frozenset({chosen})}
        self.stage.server.faults.add(make(match=places[where % len(places)], after=after, times=times, **more))

    def lose_answer(self, *, delay: float | None) -> None:
        """The next write's answer will be lost."""
        self._armed.append(Armed(delay))

    def fair_weather(self) -> None:
        self.stage.server.faults.clear()
        self._armed.clear()

    # The portal

    def pull(self, lane: Lane, *, accept_missing: bool = False) -> SyncRun | None:
        """One pull; None when another holds the lease."""
        begin = self.judge.begin_pass(lag_seconds=self.lag_seconds + 0.001 if self.lag_seconds else 0.0)
        self._enter(begin=begin)
        run: SyncRun | None = None
        try:
            run = pull(
                Workspace.objects.get(pk=self.workspace.pk),
                lane=lane,
                now=self.stage.clock.now,
                accept_missing=accept_missing,
                scheduled=True,
            )
        except BusyError:
            self.tally.happened["pulls refused: the lease is held"] += 1
        finally:
            begin.vanished |= self._leave()
        if run is None:
            return None
        for level in self._levels:
            if level.begin is not None:
                level.begin.takeovers += 1
        self.tally.happened[f"pulls {run.outcome}" if run.error_code != "lease_lost" else "pulls overtaken"] += 1
        self.tally.happened["rows forgotten"] += len(begin.vanished)
        self.judge.end_pass(run, begin=begin, accept_missing=accept_missing)
        return run

    def refresh(self, n: int) -> None:
        """Somebody opens a request."""
        if chosen := self._mirrored(n):
            self._read(lambda client: refresh.refresh_request(
                self.workspace, upstream_id=chosen.upstream_id, client=client, now=self.stage.clock.now()
            ))  # fmt: skip

    def search(self) -> None:
        """Somebody lets Dastra search."""
        self._read(lambda client: refresh.find_upstream(
            self.workspace, text="e", client=client, now=self.stage.clock.now()
        ))  # fmt: skip

    def keep_page(self, *, archived: bool) -> None:
        """Fetch a page, as a process does that is stopped before it can store it."""

        def fetch(client: object) -> None:
            sequence = store.next_sequence(self.workspace)
            page = next(client.iter_request_pages(sort_by="id", asc=True, archived=archived or None), None)  # type: ignore[attr-defined]
            if page is not None:
                self._kept.append(Kept(sequence=sequence, items=page.items))

        self._read(fetch)

    def store_kept(self) -> None:
        """The stopped process goes on."""
        if self._kept:
            self._enter()
            kept = self._kept.pop(0)
            store.store_requests(
                self.workspace, kept.items, sequence=kept.sequence, now=self.stage.clock.now(), is_list=True
            )
            self.tally.happened["pages stored late"] += 1
            self._leave()

    def wish(self, kind: WishKind, *, n: int, m: int, at_once: bool) -> None:
        """Somebody moves, archives or restores what the mirror shows them."""
        chosen = self._mirrored(n)
        if chosen is None:
            return
        steps = list(self.workspace.steps.filter(is_gone=False).order_by("position", "pk"))
        step = steps[m % len(steps)] if kind == WishKind.MOVE and steps else None
        self._enter()
        try:
            entry = outbox.wish(
                action_id=uuid.uuid4(),
                kind=kind,
                dsr=chosen,
                step=step,
                by=self.officer,
                seen_step_upstream_id=chosen.step.upstream_id if chosen.step else None,
                seen_updated_at=chosen.updated_at,
                now=self.stage.clock.now(),
            )
            if at_once:
                outbox.send(entry.pk, now=self.stage.clock.now())
            self.tally.happened[f"wishes to {kind}"] += 1
        except outbox.WishError:
            self.tally.happened["wishes not taken"] += 1
        finally:
            self._leave()

    def jobs(self) -> None:
        """The worker sends what is due and settles what is unknown."""
        if not outbox.open_count():
            return
        self._enter()
        outbox.send_due(now=self.stage.clock.now())
        outbox.settle_unknown(now=self.stage.clock.now())
        self._leave()

    def finish(self) -> None:
        """Fair weather until all is quiet, and the last word."""
        self.fair_weather()
        self.plan.clear()
        for _ in range(3):
            self.pass_time(120.0)
            self.jobs()
        runs = [self.pull(Lane.FULL, accept_missing=True) for _ in range(2)]
        for entry in OutboxEntry.objects.filter(workspace=self.workspace):
            self.tally.happened[f"wishes {entry.state}"] += 1
        first, second = (run or SyncRun(outcome="busy") for run in runs)
        self.judge.end(first, second)

    def _mirrored(self, n: int) -> DataSubjectRequest | None:
        rows = DataSubjectRequest.objects.filter(workspace=self.workspace).select_related("step", "workspace")
        found = list(rows.order_by("upstream_id"))
        return found[n % len(found)] if found else None

    def _read(self, read: Callable[..., object]) -> None:
        self._enter()
        try:
            with connect(self.workspace, interactive=True) as client:
                read(client)
        except DastraError:
            self.tally.happened["reads failed"] += 1
        finally:
            self._leave()

    # The line

    def _enter(self, *, begin: PassBegin | None = None) -> None:
        level = _Level(plan=[], begin=begin)
        if not self._levels:
            level.plan, self.plan = self.plan, []
        self._levels.append(level)
        self.judge.enter()

    def _leave(self) -> set[int]:
        self._levels.pop()
        self.judge.leave()
        return self.judge.observe()

    def _before(self, request: Request) -> None:
        level = self._levels[-1]
        level.calls += 1
        self._run_planned(level, late=False)
        sent = self.judge.before_call(request)
        if sent is None:
            return
        if self._armed and self._armed[0].delay != 0.0:
            delay = self._armed.pop(0).delay
            self.tally.happened["writes whose answer was lost"] += 1
            if delay is not None:
                self._late_writes.append(LateWrite(request, sent, self.stage.clock.seconds + delay))
            raise LostAnswerError
        self._now_writing = (request, sent, self._version(request))

    def _after(self, request: Request, reply: Reply) -> None:
        self.judge.after_call(request, reply)
        if reply.answer.status >= 400 or reply.delivery != "whole":
            self.tally.happened["calls that failed"] += 1
        if self._now_writing is not None:
            _, sent, before = self._now_writing
            self._now_writing = None
            sent.status = reply.answer.status
            sent.applied = self._version(request) != before
            if self._armed:
                self._armed.pop(0)
                self.tally.happened["writes whose answer was lost"] += 1
                sent.status = None
                raise LostAnswerError
        self._run_planned(self._levels[-1], late=True)

    def _run_planned(self, level: _Level, *, late: bool) -> None:
        if len(self._levels) > 1:
            return
        due = [one for one in level.plan if one.at == level.calls and one.late == late]
        level.plan = [one for one in level.plan if one not in due]
        for one in due:
            self.tally.happened["things done meanwhile"] += 1
            vanished = self.judge.observe()
            if level.begin is not None:
                level.begin.vanished |= vanished
            one.deed()

    def _land(self, late: LateWrite) -> None:
        before = self._version(late.request)
        self.stage.server._exchange(late.request)
        self.judge.note()
        late.sent.applied = self._version(late.request) != before
        self.tally.happened["writes applied late"] += late.sent.applied

    def _version(self, _: Request) -> int:
        return sum(record.version for record in self.stage.dastra.records.values())
