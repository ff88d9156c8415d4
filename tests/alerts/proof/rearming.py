"""Due dates that change in every way that there is: each new date is told once, an unchanged one never again. A state machine, chosen by Hypothesis.

Two requests in the local Dastra, over the line without sockets, in one transaction that is undone. The dates of the law are counted anew here, from what
happened and by the oracle's list of working days; so is what each person should have been told. After every step the ledger has to be that.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from dsrportal.actions.refusals import LedgerError
from dsrportal.alerts import raising
from dsrportal.mirror import connections, refresh
from dsrportal.mirror.pull import pull
from dsrportal.models import Alert, DataSubjectRequest, Lane, Notice, Role, SyncLane
from dsrportal.models.alerts import AlertState, NoticeKind
from tests.alerts.proof.changes import CHANGES, Fact, at_ten
from tests.alerts.proof.oracle import almanac
from tests.alerts.proof.stage import Asked, make_workspace
from tests.alerts.stage import make_member
from tests.torture.stage import START, Stage

SEQUENCES = 10_000
BATCH = 100
STEPS = 12
PARIS = ZoneInfo("Europe/Paris")
HOLDERS = {71: "camille", 72: "yanis"}
"""The Dastra users who have an account here."""

Key = tuple[str, int, str, date]
"""Person, request, threshold, legal date."""


class Scene:
    """What every sequence begins with: a workspace, its people, two requests that were read. Made once, in a transaction that is undone."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        stage.reset(lag_seconds=0.0)
        self.workspace = make_workspace("proof", base_url=stage.server.base_url, secret=stage.server.api_key)
        self.marc = make_member("marc", workspace=self.workspace, role=Role.MANAGER)
        for holder, name in HOLDERS.items():
            address = stage.dastra.users[holder]["email"]
            make_member(name, workspace=self.workspace, role=Role.OFFICER, email=address)
        for upstream_id in list(stage.dastra.records):
            stage.dastra.delete(upstream_id)
        self._facts = [self._new(71, days_ago=0), self._new(None, days_ago=24)]
        pull(self.workspace, lane=Lane.FULL, now=stage.clock.now)
        SyncLane.objects.all().delete()  # nothing is old here: it is read after each step
        self._dastra = json.dumps(stage.server.state.snapshot())

    def _new(self, holder: int | None, *, days_ago: int) -> Fact:
        day = START.date() - timedelta(days_ago)
        made = self.stage.dastra.create(title="A request", operatorId=holder, dateDemand=at_ten(day))
        return Fact(upstream_id=made["id"], received=day, holder=holder)

    def again(self) -> list[Fact]:
        """As at the beginning."""
        self.stage.reset(lag_seconds=0.0)
        self.stage.server.state.load(json.loads(self._dastra))
        return [replace(fact, pauses=[]) for fact in self._facts]


class World:
    """Dastra, the portal, and what everybody should have been told."""

    def __init__(self, scene: Scene, *, met: Counter[str]) -> None:
        self.stage = scene.stage
        self.workspace, self.marc = scene.workspace, scene.marc
        self.met = met
        self._atomic = transaction.atomic()
        self._atomic.__enter__()
        self.facts = scene.again()
        self.told: set[Key] = set()
        self.sent: set[Key] = set()

    def close(self) -> None:
        """Undo it all."""
        connection.set_rollback(True)
        self._atomic.__exit__(None, None, None)

    @property
    def now(self) -> datetime:
        return self.stage.clock.now()

    @property
    def today(self) -> date:
        return self.now.astimezone(PARIS).date()

    # What happens

    def pass_days(self, *, days: int, hour: int) -> None:
        """Later, at that hour of the clock in Paris."""
        day = self.today + timedelta(days)
        later = datetime(day.year, day.month, day.day, hour, tzinfo=PARIS)
        self.stage.clock.seconds = (later - START).total_seconds()
        self.decide()

    def change(self, kind: str, *, n: int, m: int) -> None:
        """Something happens to a request; what cannot be, or is refused, changes nothing. Then it is read, and decided."""
        fact = self.facts[n % len(self.facts)]
        self.stage.clock.seconds += 1
        with suppress(LedgerError):
            CHANGES[kind](self, fact, m)
            self.met[kind] += 1
        with connections.connect(self.workspace) as client:
            refresh.refresh_request(self.workspace, upstream_id=fact.upstream_id, client=client, now=self.now)
        self.decide()

    def send(self) -> None:
        """What waits for a mail goes."""
        waiting = Alert.objects.filter(state=AlertState.WAITING)
        self.sent |= _keys(waiting)
        waiting.update(state=AlertState.SENT, sent_at=self.now)
        again = raising.decide(self.workspace, now=self.now)
        assert again == raising.Decided(), f"decided again, it is something else: {again}"
        self.decide()

    def dsr(self, fact: Fact) -> DataSubjectRequest:
        """Its row."""
        return DataSubjectRequest.objects.get(workspace=self.workspace, upstream_id=fact.upstream_id)

    # What must be

    def decide(self) -> None:
        """Decide, and compare the ledger with what should be in it."""
        raising.decide(self.workspace, now=self.now)
        holds = self._holds()
        self.told |= holds
        rows = Alert.objects.select_related("person")
        states = {_key(row): row.state for row in rows}
        assert len(states) == len(rows), "an alert twice"
        assert states.keys() == self.told, f"missing {self.told - states.keys()}, extra {states.keys() - self.told}"
        for key, state in states.items():
            unsent = AlertState.WAITING if key in holds else AlertState.CANCELLED
            assert state == (AlertState.SENT if key in self.sent else unsent), (key, state)
        notices = Notice.objects.filter(kind=NoticeKind.ALERT).values_list("alert", flat=True)
        assert sorted(filter(None, notices)) == sorted(row.pk for row in rows), "a notice for each alert, and no other"
        self.met["times compared"] += 1

    def _holds(self) -> set[Key]:
        days, today = almanac("FR"), self.today
        found: set[Key] = set()
        for fact in self.facts:
            if fact.is_closed or fact.is_archived:
                continue
            respond_by, extend_by = fact.dates(days)
            latest: dict[str, tuple[date, str, date]] = {}
            for (code, on), day in days.fires(respond_by=respond_by, extend_by=extend_by).items():
                kind = code.partition("_")[0]
                if day <= today and (kind != "extend" or today <= on):
                    latest[kind] = max(latest.get(kind, (date.min, "", on)), (day, code, on))
            holder = HOLDERS.get(fact.holder or 0, "marc")
            for kind, (_day, code, on) in latest.items():
                person = "marc" if kind == "overdue" else holder
                # Who hears that it is overdue need not hear that it is due.
                if kind != "respond" or holder != "marc" or "overdue" not in latest:
                    found.add((person, fact.upstream_id, code, on))
        return found


def _key(row: Alert) -> Key:
    return (row.person.username, row.upstream_id, str(row.threshold), row.due_on)


def _keys(rows: Collection[Alert]) -> set[Key]:
    return {_key(row) for row in rows}


class Machine(RuleBasedStateMachine):
    """Needs `scene` and `met` on the class: see `run`."""

    scene: Scene
    met: Counter[str]

    def __init__(self) -> None:
        super().__init__()
        self.world: World | None = None

    def _do(self, deed: Callable[[World], object]) -> None:
        assert self.world is not None
        self.met["steps"] += 1
        deed(self.world)

    @initialize()
    def begin(self) -> None:
        self.world = World(self.scene, met=self.met)
        self.world.decide()

    @rule(kind=st.sampled_from(sorted(CHANGES)), n=st.integers(0, 1), m=st.integers(0, 11))
    def something_changes(self, kind: str, n: int, m: int) -> None:
        self._do(partial(World.change, kind=kind, n=n, m=m))

    @rule(days=st.integers(0, 12), hour=st.sampled_from([0, 9, 23]))
    def days_pass(self, days: int, hour: int) -> None:
        self._do(partial(World.pass_days, days=days, hour=hour))

    @rule(days=st.sampled_from([20, 24, 27, 29, 30]))
    def weeks_pass(self, days: int) -> None:
        self._do(partial(World.pass_days, days=days, hour=8))

    @rule(
        first=st.sampled_from(sorted(CHANGES)),
        then=st.sampled_from(sorted(CHANGES)),
        n=st.integers(0, 1),
        m=st.integers(0, 3),
    )
    def two_things_change_in_one_day(self, first: str, then: str, n: int, m: int) -> None:
        for kind in (first, then):
            self._do(partial(World.change, kind=kind, n=n, m=m))

    @rule()
    def mails_go(self) -> None:
        self._do(World.send)

    def teardown(self) -> None:
        if self.world is not None:
            self.met["sequences"] += 1
            self.met["alerts, each once"] += len(self.world.told)
            self.world.close()


def run(stage: Stage, *, sequences: int, seed_number: int, met: Counter[str], shrink: bool = True) -> None:
    """So many sequences that follow from the seed. Raises what the first violation raises."""
    with transaction.atomic():
        machine = seed(seed_number)(type("Machine", (Machine,), {"scene": Scene(stage), "met": met}))
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=sequences,
                stateful_step_count=STEPS,
                deadline=None,
                database=None,
                phases=[Phase.generate, Phase.shrink] if shrink else [Phase.generate],
                suppress_health_check=list(HealthCheck),
                report_multiple_bugs=False,
                print_blob=False,
            ),
        )
        transaction.set_rollback(True)


STORY: tuple[Callable[[World], None], ...] = (
    lambda world: world.change("another receipt", n=1, m=7),  # another date at the same distance: told anew
    lambda world: world.change("closing", n=1, m=0),
    lambda world: world.change("reopening", n=1, m=0),
    World.send,
    lambda world: world.change("tick", n=1, m=0),
    lambda world: world.change("another receipt", n=1, m=6),
    lambda world: world.change("extension", n=1, m=0),
    lambda world: world.pass_days(
        days=20, hour=23
    ),  # the evening before the notice of the other one's extension is ten days away
    lambda world: world.pass_days(days=2, hour=9),
    lambda world: world.change("refusal", n=0, m=0),
    lambda world: world.pass_days(days=3, hour=9),
    lambda world: world.pass_days(days=6, hour=9),
    World.send,
    lambda world: world.pass_days(days=4, hour=9),
)
"""In which every seeded bug shows."""


def play(stage: Stage, *, met: Counter[str]) -> None:
    """The story, from the beginning. Raises what the first violation raises."""
    with transaction.atomic():
        world = World(Scene(stage), met=met)
        try:
            world.decide()
            for deed in STORY:
                deed(world)
        finally:
            world.close()
        transaction.set_rollback(True)


def rearm(asked: Asked) -> Iterator[Counter[str]]:
    """All sequences, in batches of one seed each: from the seed on."""
    met: Counter[str] = Counter()
    sequences = asked.part_of(SEQUENCES)
    stage = Stage()
    try:
        with TemporaryDirectory(prefix="dsr-portal-proof-") as folder, stage.connected(data_dir=Path(folder)):
            for nth, begin in enumerate(range(0, sequences, BATCH)):
                run(stage, sequences=min(BATCH, sequences - begin), seed_number=asked.seed + nth, met=met)
                yield met
    finally:
        stage.close()
