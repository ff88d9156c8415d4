"""The properties, each a check of its own: what may never be seen in the mirror, in a wish, or in the journal of the local Dastra.

Used by `world.py`, which tells it of everything that happens. `only` leaves all but the named properties out, so that a
seeded bug has to be caught by the one that is meant for it.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection

from dsrportal.models import AuditEvent, OutboxEntry, SyncRun, WorkflowStep, Workspace
from dsrportal.models.outbox import FAILED_STATES, OPEN_STATES, WishKind, WishState
from dsrportal.models.runs import SyncOutcome
from dsrportal.sandbox.wire import Reply, Request
from tests.mirror import truth
from tests.torture import history
from tests.torture.history import History, Line, Mirror
from tests.torture.stage import Stage, Tally

PROPERTIES = {
    "P1": "convergence: in fair weather two full passes make the mirror equal to Dastra",
    "P2": "completeness: after a complete pass all it covers is there, and not older than its start",
    "P3": "no false forgetting: each row that goes was answered 404 or 410 by itself; never more than a fifth unasked",
    "P5": "no resurrection: what was forgotten and is gone in Dastra stays away",
    "P6": "monotonic rows: no row goes back to what it was before",
    "P7": "no wish is lost: each ends as done or refused once Dastra can be read",
    "P8": "truthful outcomes: done means that Dastra had it, refused that the portal did not change it",
    "P9": "no blind overwrite: nothing is written when the read before it shows another step than the person saw",
    "P10": "read your writes: when a wish is done, the mirror shows it",
    "P11": "at most once: a write is sent again only after an answer that says that it was not processed",
    "P12": "idempotence: a second pass over the same requests writes nothing",
    "P13": "one bad row spoils nothing: it is noted once, the others are stored, and the note goes by itself",
    "P17": "clean abort: a pass that does not end well forgets nothing and holds nothing up",
    "P32": "one at a time: a pull that lost its lease says so, and nobody gets a lease that is held",
    "P42": "no call to Dastra is made inside a transaction",
    "counters": "the counters of the steps equal a recount",
    "words": "the searchable words are those of the kept identities",
}
_ONE_REQUEST = re.compile(r".*/datasubjectrequests/(\d+)", re.IGNORECASE)
_OF_A_WRITE = re.compile(r".*/datasubjectrequests/(?:archive|restore)/(\d+)", re.IGNORECASE)
NOT_PROCESSED = 429


class ViolationError(AssertionError):
    """A property does not hold."""

    def __init__(self, name: str, sentence: str) -> None:
        super().__init__(f"{name} ({PROPERTIES[name]}): {sentence}")
        self.name = name


@dataclass
class Sent:
    """One write that left the portal. `status` is None while no answer was made; `applied` once it changed the request."""

    status: int | None = None
    applied: bool = False


@dataclass
class PassBegin:
    """What has to be known of the moment at which a pass began."""

    covered: dict[int, int]
    at: float
    mirror_ids: set[int]
    journal_mark: int
    lease_is_free: bool
    takeovers: int = 0
    vanished: set[int] = field(default_factory=set)


class Judge:
    """Watches one sequence."""

    def __init__(self, stage: Stage, *, workspace: Workspace, tally: Tally, only: Collection[str]) -> None:
        self.history = History()
        self.mirror: dict[int, Line] = {}
        self.writes: dict[int, list[Sent]] = defaultdict(list)
        self.poisoned: set[int] = set()
        self._stage = stage
        self._workspace = workspace
        self._tally = tally
        self._only = only
        self._places: dict[int, int] = {}
        self._buried: set[int] = set()
        self._done: set[int] = set()
        self._rows = Mirror(workspace)
        self._served: list[dict[int, Line | None]] = [{}]
        self._mark = 0
        self._noted = -1
        self._violation: ViolationError | None = None
        self._savepoints = len(connection.savepoint_ids)
        self.note()

    def check(self, name: str, *, holds: bool, sentence: str) -> None:
        """Raises ViolationError."""
        if self._only and name not in self._only:
            return
        self._tally.checks[name] += 1
        if not holds:
            self._violation = ViolationError(name, sentence)
            raise self._violation

    def note(self) -> None:
        """Something may have changed in Dastra."""
        changes = self._stage.server.state.changes
        if changes != self._noted:
            self._noted = changes
            self.history.note(self._stage.dastra, at=self._stage.clock.seconds)

    # What passes on the line

    def enter(self) -> None:
        """An act of the portal begins, perhaps within a call of another one: each remembers only what it was answered itself."""
        self._served.append({})

    def leave(self) -> None:
        self._served.pop()

    def before_call(self, request: Request) -> Sent | None:
        """The write that this call is, if it is one."""
        depth = len(connection.savepoint_ids)
        self.check("P42", holds=depth == self._savepoints, sentence=f"{request.method} {request.path}")
        return None if request.method == "GET" else self._before_write(request)

    def _before_write(self, request: Request) -> Sent:
        one = _OF_A_WRITE.fullmatch(request.path)
        upstream_id = int(one[1]) if one else json.loads(request.body)["id"]
        entry = OutboxEntry.objects.filter(
            workspace=self._workspace, upstream_id=upstream_id, state=WishState.SENDING
        ).first()
        self.check("P11", holds=entry is not None, sentence="a write without a wish that is being sent")
        self.check("P11", holds=b"sendNotification" not in request.body, sentence="a write that sends a notice")
        key = entry.pk if entry else 0
        sent = Sent()
        self.writes[key].append(sent)
        earlier = [one.status for one in self.writes[key][:-1]]
        self.check(
            "P11", holds=all(status == NOT_PROCESSED for status in earlier), sentence=f"sent again after {earlier}"
        )
        if entry is not None:
            shown = self._served[-1].get(upstream_id)
            same = shown is not None and shown["step"] == entry.seen_step_upstream_id
            self.check("P9", holds=same, sentence=f"request {upstream_id} was written over")
        return sent

    def after_call(self, request: Request, reply: Reply) -> None:
        self.note()
        one = _ONE_REQUEST.fullmatch(request.path)
        if one and request.method == "GET":
            found = self.history.of.get(int(one[1]))
            self._served[-1][int(one[1])] = found[-1].line if found and reply.answer.status == 200 else None

    # What the mirror shows

    def observe(self) -> set[int]:
        """Look at the mirror after an act of the portal; the ids of the rows that went since the last look."""
        if self._violation is not None:
            raise self._violation  # a job goes on when one wish raises, and may have swallowed it
        shown = self._rows.lines()
        vanished = self.mirror.keys() - shown.keys()
        entries = self._stage.server.journal.entries
        answers = {
            int(one[1])
            for entry in entries[self._mark :]
            if entry.status in {404, 410} and (one := _ONE_REQUEST.fullmatch(entry.path)) and entry.method == "GET"
        }
        if len(self._served) == 1:  # while an act is under way, what it was answered still counts
            self._mark = len(entries)
        for upstream_id in vanished:
            self.check("P3", holds=upstream_id in answers, sentence=f"request {upstream_id} was not asked for")
            self._places.pop(upstream_id, None)
            if upstream_id not in self._stage.dastra.records:
                self._buried.add(upstream_id)
        for upstream_id, line in shown.items():
            self.check("P5", holds=upstream_id not in self._buried, sentence=f"request {upstream_id} is back")
            self._check_place(upstream_id, line)
        self.mirror = shown
        counted = truth.counters_are_right(self._workspace)
        self.check("counters", holds=counted, sentence="a counter is off")
        if self.poisoned:
            notes = list(self._workspace.set_aside_rows.values_list("upstream_id", "reason"))
            self.check("P13", holds=len(notes) == len(set(notes)), sentence=f"noted more than once: {notes}")
        self._judge_wishes()
        return vanished

    def _check_place(self, upstream_id: int, line: Line) -> None:
        before = self._places.get(upstream_id, 0)
        places = self.history.places(upstream_id, line)
        later = [place for place in places if place >= before]
        self.check("P6", holds=bool(later), sentence=f"request {upstream_id}: at {places}, was at {before}")
        self._places[upstream_id] = later[0] if later else before

    # Passes

    def begin_pass(self, *, lag_seconds: float) -> PassBegin:
        """To be kept and given back with the run."""
        at = self._stage.clock.seconds
        places = {i: self.history.place_at(i, at - lag_seconds) for i in self.history.present()}
        row = Workspace.objects.get(pk=self._workspace.pk)
        return PassBegin(
            covered={i: place for i, place in places.items() if place is not None},
            at=at - lag_seconds,
            mirror_ids=set(self.mirror),
            journal_mark=len(self._stage.server.journal.entries),
            lease_is_free=row.lease_until is None or row.lease_until <= self._stage.clock.now(),
        )

    def end_pass(self, run: SyncRun, *, begin: PassBegin, accept_missing: bool) -> None:
        """The mirror was observed since."""
        self.check("P32", holds=begin.lease_is_free, sentence="a lease that was held was given away")
        if begin.takeovers:
            self.check("P32", holds=run.error_code == "lease_lost", sentence=f"overtaken, and {run.outcome}")
        self.check("P17", holds=run.outcome != SyncOutcome.RUNNING, sentence="a run that runs no more is not closed")
        row = Workspace.objects.get(pk=self._workspace.pk)
        self.check("P17", holds=bool(begin.takeovers) or row.lease_until is None, sentence="the lease was kept")
        if run.outcome != SyncOutcome.COMPLETE:
            self.check("P17", holds=not begin.vanished and not run.gone, sentence=f"forgot {begin.vanished}")
        most = len(begin.mirror_ids | self.mirror.keys()) // 5
        few = accept_missing or len(begin.vanished) <= most
        self.check("P3", holds=few, sentence=f"{len(begin.vanished)} of {len(begin.mirror_ids)} forgotten unasked")
        if run.outcome == SyncOutcome.COMPLETE and run.lane != "overtaking":
            self._check_complete(run, begin=begin)

    def _check_complete(self, run: SyncRun, *, begin: PassBegin) -> None:
        kinds = {entry.fault for entry in self._stage.server.journal.entries[begin.journal_mark :]}
        if "mutate_envelope" in kinds:
            return  # lists that lie consistently cannot be seen through; what they leave out is asked for and stays
        for upstream_id, place in begin.covered.items():
            since = self.history.lines_since(upstream_id, begin.at)
            if None in since or (upstream_id in self.poisoned and "mutate_rows" in kinds):
                continue
            if run.lane == "active" and any(line["archived"] or line["state"] == "Closed" for line in since if line):
                continue
            line = self.mirror.get(upstream_id)
            is_there = line is not None and max(self.history.places(upstream_id, line), default=-1) >= place
            self.check("P2", holds=is_there, sentence=f"request {upstream_id} after a complete pass ({run.lane})")

    # Wishes

    def _judge_wishes(self) -> None:
        for entry in OutboxEntry.objects.filter(workspace=self._workspace):
            if entry.state == WishState.DONE and entry.pk not in self._done:
                self._done.add(entry.pk)
                self._judge_done(entry)
            elif entry.state in FAILED_STATES and any(sent.applied for sent in self.writes[entry.pk]):
                code = self._code_of(entry)
                told = code in {"gone", "overtaken"}  # these say where the request is now, not that nothing was changed
                self.check("P8", holds=told, sentence=f"refused ({code}), and yet applied")

    def _judge_done(self, entry: OutboxEntry) -> None:
        began = self.seconds_of(entry.created_at)
        versions = self.history.of[entry.target]
        first = next((place for place in range(len(versions)) if self._is_met(entry, place=place, began=began)), None)
        self.check("P8", holds=first is not None, sentence=f"done, but request {entry.target} never was so")
        line = self.mirror.get(entry.target)
        if line is not None and first is not None:
            shows = max(self.history.places(entry.target, line), default=-1) >= first
            self.check("P10", holds=shows, sentence=f"request {entry.target} is shown as before")

    def _is_met(self, entry: OutboxEntry, *, place: int, began: float) -> bool:
        """Whether Dastra had at this place of the request's history, after the wish, what was wished."""
        versions = self.history.of[entry.target]
        ended = versions[place + 1].at if place + 1 < len(versions) else began
        line = versions[place].line
        if line is None or ended < began:
            return False
        if entry.kind == WishKind.MOVE:
            return bool(line["step"] == entry.step_upstream_id and not line["archived"])
        return bool(line["archived"] == (entry.kind == WishKind.ARCHIVE))

    def _code_of(self, entry: OutboxEntry) -> str:
        events = AuditEvent.objects.filter(upstream_id=entry.target, outcome=entry.state).order_by("-pk")
        return next((str(event.details["code"]) for event in events if event.details.get("wish") == entry.pk), "")

    def seconds_of(self, moment: datetime) -> float:
        """An instant in seconds of the world's clock."""
        return self._stage.clock.seconds - (self._stage.clock.now() - moment).total_seconds()

    # The end

    def end(self, first: SyncRun, second: SyncRun) -> None:
        """After two full passes in fair weather, with nothing left to send."""
        open_wishes = OutboxEntry.objects.filter(workspace=self._workspace, state__in=OPEN_STATES)
        left = [(entry.kind, entry.state, entry.reason) for entry in open_wishes]
        self.check("P7", holds=not left, sentence=f"still open: {left}")
        outcomes = (first.outcome, second.outcome)
        self.check("P1", holds=outcomes == ("complete", "complete"), sentence=f"{outcomes}: {first.error}")
        self.check("P12", holds=not second.stored and not second.gone, sentence=f"{second.stored} written again")
        present = self.history.present()
        differing = [i for i in present.keys() | self.mirror.keys() if present.get(i) != self.mirror.get(i)]
        self.check("P1", holds=not differing, sentence=f"requests {differing} differ")
        self.check("P1", holds=self._steps_are_right(), sentence="the steps differ")
        row = Workspace.objects.get(pk=self._workspace.pk)
        self.check("P1", holds=not row.hold, sentence=f"still on hold: {row.hold}")
        self.check("words", holds=history.words_are_right(self._workspace), sentence="words differ")
        self.check("P13", holds=not self._workspace.set_aside_rows.exists(), sentence="a note was not cleared")

    def _steps_are_right(self) -> bool:
        kept = WorkflowStep.objects.filter(workspace=self._workspace, is_gone=False)
        shown = {step.upstream_id: (step.label, step.position, step.mapped_state) for step in kept}
        wanted = self._stage.dastra.steps
        return shown == {i: (step["label"], step["order"], step["mappedState"]) for i, step in wanted.items()}
