"""The state machine: which things may happen in a sequence. Hypothesis chooses them, and makes a failing sequence small."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial
from typing import Any

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from dsrportal.models import Lane
from dsrportal.models.outbox import WishKind
from tests.torture import deeds
from tests.torture.stage import Stage, Tally
from tests.torture.world import LONGEST_WORK_SECONDS, Meanwhile, World

STEPS = 12

Strike = tuple[str, int, int, int | None, int]
Storm = tuple[list[Strike], bool]
Plan = tuple[int, bool, str, int, int]

MEANWHILE = (
    "act",
    "delete",
    "delete",
    "delete and see",
    "move and see",
    "click",
    "jobs",
    "search",
    "pull",
    "take over",
)

small = st.integers(0, 11)
calls = st.one_of(
    st.integers(7, 9), st.integers(1, 11)
)  # a full pass reads the first pages of requests with calls 7 to 9
lanes = st.sampled_from([Lane.FULL, Lane.ACTIVE, Lane.ACTIVE, Lane.OVERTAKING])
kinds = st.sampled_from(deeds.KINDS)
wishes = st.sampled_from([WishKind.MOVE, WishKind.MOVE, WishKind.ARCHIVE, WishKind.RESTORE])
delays = st.one_of(st.none(), st.just(0.0), st.floats(0.1, LONGEST_WORK_SECONDS))
fault = st.tuples(
    st.sampled_from(sorted(deeds.FAULTS)), small, st.integers(0, 5), st.sampled_from([1, 1, 4, 9, None]), small
)
# Lists that leave everything out make the portal ask for each request: the moment at which a mistake would forget.
asked_one_by_one: list[list[Strike]] = [
    [("lists say that there is nothing", 0, 0, None, 0), (name, deeds.place_of(name, deeds.ONE), after, times, 0)]
    for name, times in (("500", 4), ("reset", 4), ("401", 1), ("403", 1), ("redirect", 1), ("garbage", 1))
    for after in (0, 2)
]
storms = st.tuples(st.one_of(st.lists(fault, max_size=2), st.sampled_from(asked_one_by_one)), st.booleans())
plans = st.lists(st.tuples(calls, st.booleans(), st.sampled_from(MEANWHILE), small, small), max_size=3)


def _meanwhile(world: World, *, name: str, n: int, m: int) -> None:
    """Something that happens within a call of the engine."""
    kind = {"act": deeds.KINDS[(n + m) % len(deeds.KINDS)], "move and see": "move"}.get(name, "delete")
    if name in {"act", "delete", "delete and see", "move and see"}:
        world.act(kind, n=n, m=m)
    if name.endswith("and see"):
        world.refresh(n)
    if name == "click":
        world.wish(WishKind.MOVE, n=n, m=m, at_once=True)
    if name == "jobs":
        world.jobs()
    if name == "search":
        world.search()
    if name == "take over":
        world.pass_time(61.0)
    if name in {"pull", "take over"}:
        world.pull(Lane.ACTIVE if n % 2 else Lane.FULL)


def _planned(world: World, *, at: int, late: bool, name: str, n: int, m: int) -> None:
    world.plan.append(Meanwhile(at, late, partial(_meanwhile, world, name=name, n=n, m=m)))


class Machine(RuleBasedStateMachine):
    """Needs `stage`, `tally` and `only` on the class: see `run`."""

    stage: Stage
    tally: Tally
    only: Collection[str] = frozenset()

    def __init__(self) -> None:
        super().__init__()
        self.world: World | None = None
        self.is_over = False

    def _do(self, deed: Callable[[World], object]) -> None:
        assert self.world is not None
        self.tally.happened["steps"] += 1
        try:
            deed(self.world)
        except BaseException:
            self.is_over = True
            raise

    @initialize(lag=st.sampled_from([0.0, 20.0]), first=st.one_of(st.none(), st.tuples(storms, plans)))
    def begin(self, lag: float, first: tuple[Storm, list[Plan]] | None) -> None:
        self.world = World(self.stage, tally=self.tally, lag_seconds=lag, only=self.only)
        if first is not None:
            self._in(*first, lambda world: world.pull(Lane.FULL))

    @rule(acts=st.lists(st.tuples(kinds, small, small), min_size=1, max_size=4))
    def people_act_in_dastra(self, acts: list[tuple[str, int, int]]) -> None:
        for kind, n, m in acts:
            self._do(partial(World.act, kind=kind, n=n, m=m))

    @rule(kind=kinds, n=small, m=small, lane=lanes)
    def act_then_open_then_pull(self, kind: str, n: int, m: int, lane: Lane) -> None:
        self._do(lambda world: world.act(kind, n=n, m=m))
        self._do(lambda world: world.refresh(n))
        self._do(lambda world: world.pull(lane))

    @rule(lane=lanes, accept=st.sampled_from([False, False, False, True]), storm=storms, plans=plans)
    def pull(self, *, lane: Lane, accept: bool, storm: Storm, plans: list[Plan]) -> None:
        self._in(storm, plans, lambda world: world.pull(lane, accept_missing=accept))

    @rule(n=small, storm=storms, plans=plans)
    def open_a_request(self, n: int, storm: Storm, plans: list[Plan]) -> None:
        self._in(storm, plans, lambda world: world.refresh(n))

    @rule(kind=wishes, n=small, m=small, at_once=st.booleans(), storm=storms, plans=plans)
    def click(self, *, kind: WishKind, n: int, m: int, at_once: bool, storm: Storm, plans: list[Plan]) -> None:
        self._in(storm, plans, lambda world: world.wish(kind, n=n, m=m, at_once=at_once))

    @rule(delay=delays, kind=wishes, n=small, m=small, waited=st.sampled_from([0.0, 1.0, 6.0, 45.0]))
    def click_and_lose_the_answer(self, delay: float | None, kind: WishKind, n: int, m: int, waited: float) -> None:
        self._do(lambda world: world.lose_answer(delay=delay))
        self._do(lambda world: world.wish(kind, n=n, m=m, at_once=True))
        self._do(lambda world: world.pass_time(waited))
        self._do(lambda world: world.jobs())

    @rule(seconds=st.sampled_from([1.0, 6.0, 21.0, 45.0, 61.0, 3600.0]), storm=storms)
    def time_passes_and_jobs_run(self, seconds: float, storm: Storm) -> None:
        self._do(lambda world: world.pass_time(seconds))
        self._in(storm, [], lambda world: world.jobs())

    @rule(archived=st.booleans())
    def fetch_a_page(self, *, archived: bool) -> None:
        self._do(lambda world: world.keep_page(archived=archived))

    @rule(kind=st.sampled_from(["edit", "move", "archive", "anonymise", "delete", "delete"]), n=small, m=small)
    def a_page_comes_late(self, kind: str, n: int, m: int) -> None:
        self._do(lambda world: world.keep_page(archived=False))
        self._do(lambda world: world.act(kind, n=n, m=m))
        self._do(lambda world: world.refresh(n))
        self._do(lambda world: world.store_kept())

    @rule(rows=st.integers(3, 5), before=st.integers(8, 9), n=small)
    def rows_move_up_between_two_pages(self, rows: int, before: int, n: int) -> None:
        for _ in range(rows):
            self._do(lambda world: world.act("create", n=n, m=n))
        self._in(([], True), [(before, False, "delete", n, 0)], lambda world: world.pull(Lane.FULL))

    @rule(kind=wishes, n=small, m=small, act=st.sampled_from(["move", "move", "archive", "delete"]))
    def a_click_is_overtaken(self, kind: WishKind, n: int, m: int, act: str) -> None:
        self._do(lambda world: world.wish(kind, n=n, m=m, at_once=False))
        self._do(lambda world: world.act(act, n=n, m=m + 1))
        self._do(lambda world: world.jobs())

    @rule(name=st.sampled_from(sorted(deeds.POISON)), n=small, m=small)
    def a_row_is_bad_for_two_reads(self, name: str, n: int, m: int) -> None:
        for kind in ("create", "edit", "move"):
            self._do(partial(World.act, kind=kind, n=n + 1, m=m))
        faults: Storm = ([(name, 0, 0, None, n)], False)
        self._in(faults, [], lambda world: world.pull(Lane.FULL))
        self._in(([], True), [], lambda world: world.pull(Lane.FULL))

    @rule(faults=st.sampled_from(asked_one_by_one), lane=st.sampled_from([Lane.FULL, Lane.ACTIVE]))
    def lists_leave_everything_out(self, faults: list[Strike], lane: Lane) -> None:
        self._in((faults, True), [], lambda world: world.pull(lane))

    @rule(name=st.sampled_from(["garbage", "redirect", "login page", "403"]), n=small)
    def a_list_breaks_off(self, name: str, n: int) -> None:
        for _ in range(3):
            self._do(lambda world: world.act("create", n=n, m=n))
        on_its_second_page: Storm = ([(name, deeds.place_of(name, deeds.LISTS), 1, None, 0)], True)
        self._in(on_its_second_page, [], lambda world: world.pull(Lane.FULL))

    @rule(number=st.integers(1, 4), n=small, lane=st.sampled_from([Lane.FULL, Lane.ACTIVE]))
    def some_are_deleted(self, number: int, n: int, lane: Lane) -> None:
        for _ in range(number):
            self._do(lambda world: world.act("delete", n=n, m=0))
        self._do(lambda world: world.pull(lane))

    @rule()
    def store_the_page(self) -> None:
        self._do(lambda world: world.store_kept())

    def _in(self, storm: Storm, plans: list[Plan], deed: Callable[[World], object]) -> None:
        """Do something while faults strike and other things happen; the storm may stay or be over then."""
        faults, is_over = storm
        for name, where, after, times, n in faults:
            self._do(partial(World.fault, name=name, where=where, after=after, times=times, n=n))
        for at, late, name, n, m in plans:
            self._do(partial(_planned, at=at, late=late, name=name, n=n, m=m))
        self._do(deed)
        if is_over:
            self._do(World.fair_weather)

    def teardown(self) -> None:
        if self.world is None:
            return
        try:
            if not self.is_over:
                self.world.finish()
        finally:
            self.world.close()


def run(
    stage: Stage,
    *,
    sequences: int,
    seed_number: int,
    tally: Tally | None = None,
    only: Collection[str] = frozenset(),
    rules: Collection[str] = (),
    steps: int = STEPS,
    shrink: bool = False,
) -> Tally:
    """So many sequences that follow from the seed. Raises ViolationError, or whatever the engine raised.

    `only` names the properties that are checked, `rules` what may happen; empty: all.
    """
    tally = tally or Tally()
    names: dict[str, Any] = {"stage": stage, "tally": tally, "only": frozenset(only)}
    if rules:
        always = {"only", "begin", "teardown"}
        names |= {name: None for name in vars(Machine) if name not in {*rules, *always} and not name.startswith("_")}
    machine = seed(seed_number)(type("Machine", (Machine,), names))
    phases = [Phase.generate, Phase.shrink] if shrink else [Phase.generate]
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=sequences,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            phases=phases,
            suppress_health_check=list(HealthCheck),
            report_multiple_bugs=False,
            print_blob=False,
        ),
    )
    return tally
