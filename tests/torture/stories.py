"""One short sequence for each seeded bug, written down: it shows the bug at once, and breaks nothing where there is none.

Used by the tests that run with every `make test`; that the search finds the bugs by itself too is tested by `make torture`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from dsrportal.models import Lane
from dsrportal.models.outbox import WishKind
from tests.torture import deeds
from tests.torture.machine import Machine, Plan, Strike
from tests.torture.stage import Stage, Tally

Story = Callable[[Machine], None]
NOTHING_LISTED: Strike = ("lists say that there is nothing", 0, 0, None, 0)
POISON = "row with a number that is none"


def play(story: Story, *, stage: Stage, tally: Tally, only: Collection[str] = frozenset()) -> None:
    """Tell one story to its end, fair weather included. Raises ViolationError, or whatever the engine raised."""
    made = type("Machine", (Machine,), {"stage": stage, "tally": tally, "only": frozenset(only)})()
    try:
        story(made)
    finally:
        made.teardown()


def _mirrored(machine: Machine, *, lag: float = 0.0) -> None:
    machine.begin(lag=lag, first=(([], False), []))


def _nothing_but_the_end(machine: Machine) -> None:
    machine.begin(lag=0.0, first=None)


def _deleted(number: int) -> Story:
    def story(machine: Machine) -> None:
        _mirrored(machine)
        machine.some_are_deleted(number=number, n=0, lane=Lane.FULL)

    return story


def _one_cannot_be_read(name: str, *, times: int) -> Story:
    def story(machine: Machine) -> None:
        _mirrored(machine)
        faults: list[Strike] = [NOTHING_LISTED, (name, deeds.place_of(name, deeds.ONE), 0, times, 0)]
        machine.lists_leave_everything_out(faults=faults, lane=Lane.FULL)

    return story


def _a_list_breaks_off(machine: Machine) -> None:
    machine.begin(lag=0.0, first=None)
    machine.a_list_breaks_off(name="garbage", n=0)


def _rows_move_up(machine: Machine) -> None:
    machine.begin(lag=0.0, first=None)
    machine.rows_move_up_between_two_pages(rows=3, before=8, n=0)


def _bad_row(machine: Machine) -> None:
    machine.begin(lag=0.0, first=None)
    machine.a_row_is_bad_for_two_reads(name=POISON, n=0, m=0)


def _late_page(kind: str) -> Story:
    def story(machine: Machine) -> None:
        _mirrored(machine)
        machine.a_page_comes_late(kind=kind, n=0, m=0)

    return story


def _lists_lag(machine: Machine) -> None:
    _mirrored(machine, lag=20.0)
    machine.time_passes_and_jobs_run(seconds=45.0, storm=([], False))
    machine.pull(lane=Lane.FULL, accept=False, storm=([], False), plans=[])
    machine.act_then_open_then_pull(kind="archive", n=0, m=0, lane=Lane.FULL)


def _changed(kind: str, *, m: int = 0) -> Story:
    def story(machine: Machine) -> None:
        _mirrored(machine)
        machine.people_act_in_dastra(acts=[(kind, 0, m)])

    return story


def _meanwhile(name: str) -> Story:
    def story(machine: Machine) -> None:
        _mirrored(machine)
        plans: list[Plan] = [(8, True, name, 0, 0)]
        machine.pull(lane=Lane.FULL, accept=False, storm=([], False), plans=plans)

    return story


def _lost_answer(*, delay: float | None, waited: float = 0.0) -> Story:
    def story(machine: Machine) -> None:
        _mirrored(machine)
        machine.click_and_lose_the_answer(delay=delay, kind=WishKind.MOVE, n=0, m=1, waited=waited)

    return story


def _overtaken_click(machine: Machine) -> None:
    _mirrored(machine)
    machine.a_click_is_overtaken(kind=WishKind.MOVE, n=0, m=0, act="move")


def _click(machine: Machine) -> None:
    _mirrored(machine)
    machine.click(kind=WishKind.MOVE, n=0, m=1, at_once=True, storm=([], False), plans=[])


STORIES: dict[str, Story] = {
    "forgets what the lists leave out, without asking for it": _deleted(1),
    "takes any error for gone": _one_cannot_be_read("500", times=4),
    "takes 403 for gone": _one_cannot_be_read("403", times=1),
    "forgets more than a fifth unasked": _deleted(3),
    "forgets as it goes, before the pass is over": _deleted(3),
    "reads the first page alone": _nothing_but_the_end,
    "takes an error for the end of a list": _a_list_breaks_off,
    "does not read a list again that changed meanwhile": _rows_move_up,
    "drops a page for one bad row": _bad_row,
    "stores an old page over a newer read": _late_page("edit"),
    "believes lists that lag": _lists_lag,
    "stores an old page of what is forgotten": _late_page("delete"),
    "its digest leaves a field out": _changed("archive"),
    "does not keep the counters": _nothing_but_the_end,
    "adds words and takes none away": _changed("edit", m=4),
    "writes what did not change": _nothing_but_the_end,
    "keeps notes of bad rows for ever": _bad_row,
    "notes a bad row with each read": _bad_row,
    "goes on without its lease and says complete": _meanwhile("take over"),
    "takes a lease that is held": _meanwhile("pull"),
    "calls Dastra inside a transaction": _deleted(1),
    "sends a failed write once more": _lost_answer(delay=None),
    "sends again what may have been applied": _lost_answer(delay=None, waited=6.0),
    "takes a lost answer for a failure": _lost_answer(delay=0.0),
    "takes one early read for proof": _lost_answer(delay=30.0, waited=6.0),
    "says done without reading back": _lost_answer(delay=None),
    "never settles what is unknown": _lost_answer(delay=None),
    "writes without comparing": _overtaken_click,
    "does not mirror what it wrote": _click,
}
"""By the name of the bug."""
