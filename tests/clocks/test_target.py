"""The team's own target: days from receipt, moved by pauses as the legal clock is, and never later than the law's day."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsrportal.clocks import Facts, Pause, PausePolicy, Policy, Profile, compute, own_target
from tests.clocks.saying import FRANCE, day, extended, pause
from tests.clocks.test_properties import DAY, days, policies, requests

RESTART = Policy(pause_policy=PausePolicy.RESTART)


def target(
    received: str | None, *, days: int, policy: Policy = FRANCE, today: str = "2026-12-31", **rest: Any
) -> date | None:
    facts = Facts(received_on=day(received) if received else None, **rest)
    return target_of(facts, days=days, policy=policy, today=day(today))


def target_of(facts: Facts, *, days: int, policy: Policy, today: date) -> date | None:
    clocks = compute(facts, policy=policy, today=today)
    return own_target(facts, clocks=clocks, days=days, policy=policy, today=today)


@pytest.mark.parametrize(
    ("received", "count", "expected"),
    [
        ("Tue 2026-02-10", 20, "Mon 2026-03-02"),
        ("Sat 2026-01-31", 1, "Sun 2026-02-01"),
        ("Sat 2026-01-31", 28, "Sat 2026-02-28"),
        ("Thu 2028-02-10", 19, "Tue 2028-02-29"),
        ("Wed 2025-12-31", 10, "Sat 2026-01-10"),
    ],
)
def test_days_of_the_calendar_count_and_a_day_off_moves_nothing(received: str, count: int, expected: str) -> None:
    assert target(received, days=count) == day(expected)


@pytest.mark.parametrize(("count", "expected"), [(29, "2026-03-01"), (30, "2026-03-02"), (31, "2026-03-02")])
def test_it_is_never_later_than_the_law(count: int, expected: str) -> None:
    """Received on 31 January: the month ends on Saturday 28 February, the answer is due on Monday 2 March."""
    assert target("Sat 2026-01-31", days=count) == day(expected)
    assert target("Sat 2026-01-31", days=365) == day("2026-03-02")


def test_an_extension_moves_the_law_and_not_the_target() -> None:
    told = extended("2026-03-01")
    assert target("Tue 2026-02-10", days=20, extension=told) == day("2026-03-02")
    assert target("Tue 2026-02-10", days=60, extension=told) == day("2026-04-11")


@pytest.mark.parametrize(
    ("pauses", "expected"),
    [
        ((pause("2026-02-12", "2026-02-17"),), "2026-03-07"),
        ((pause("2026-02-12", "2026-02-17"), pause("2026-02-15", "2026-02-19")), "2026-03-09"),
        ((pause("2026-02-01", "2026-02-13"),), "2026-03-05"),
        ((pause("2026-02-12", "2026-02-12"),), "2026-03-02"),
        ((pause("2026-03-02", "2026-03-04"),), "2026-03-04"),
        ((pause("2026-03-03", "2026-03-08"),), "2026-03-02"),
    ],
    ids=["one", "overlapping", "asked before receipt", "same day", "on the last day", "after it has passed"],
)
def test_a_pause_moves_it_as_it_moves_the_legal_clock(pauses: tuple[Pause, ...], expected: str) -> None:
    assert target("Tue 2026-02-10", days=20, pauses=pauses) == day(expected)


def test_a_restart_begins_it_anew() -> None:
    assert target("Tue 2026-02-10", days=20, policy=RESTART, pauses=(pause("2026-02-12", "2026-02-17"),)) == day(
        "2026-03-09"
    )


def test_a_question_that_is_out_leaves_no_day_unless_it_came_too_late() -> None:
    assert target("Tue 2026-02-10", days=20, pauses=(pause("2026-02-12"),)) is None
    assert target("Tue 2026-02-10", days=365, pauses=(pause("2026-02-12"),)) is None, "the law's day moves"
    assert target("Tue 2026-02-10", days=20, pauses=(pause("2026-03-05"),)) == day("2026-03-02"), "it had passed"
    assert target("Tue 2026-02-10", days=60, pauses=(pause("2026-04-01"),)) == day("2026-03-10"), "so had the law's"


def test_the_closing_ends_a_pause() -> None:
    closed_on = day("2026-02-20")
    assert target("Tue 2026-02-10", days=20, pauses=(pause("2026-02-12"),), closed_on=closed_on) == day("2026-03-10")
    assert target("Tue 2026-02-10", days=20, closed_on=closed_on) == day("2026-03-02")


def test_without_a_receipt_there_is_none() -> None:
    assert target(None, days=20) is None
    assert target("0001-01-01", days=20) is None


def test_where_dastras_date_is_the_law_it_bounds_the_target_and_nothing_pauses() -> None:
    trusted = Policy(profile=Profile.UPSTREAM)
    asked = (pause("2026-02-12"),)
    assert target("Tue 2026-02-10", days=20, policy=trusted, pauses=asked) == day("2026-03-02")
    early = day("2026-02-25")
    assert target("Tue 2026-02-10", days=20, policy=trusted, upstream_due_on=early) == early


@given(requests(), policies(), st.integers(1, 365), st.integers(0, 90))
@settings(deadline=None)
def test_it_bounds_itself_by_the_law_and_time_alone_does_not_move_it(
    facts: Facts, policy: Policy, count: int, age: int
) -> None:
    assert facts.received_on is not None
    named = [asked for one in facts.pauses for asked in (one.asked_on, one.answered_on) if asked]
    still = max([facts.received_on, *named])
    found = target_of(facts, days=count, policy=policy, today=still)
    assert found == target_of(facts, days=count, policy=policy, today=still + age * DAY)
    law = compute(facts, policy=policy, today=still).respond_by
    assert law is not None
    assert found is None or found <= law
    if not facts.pauses:
        assert found == min(facts.received_on + count * DAY, law)


@given(days, st.lists(st.tuples(st.integers(0, 20), st.integers(0, 40)), max_size=4), st.integers(20, 60))
@settings(deadline=None)
def test_each_day_of_a_pause_is_a_day_more(received_on: date, spans: list[tuple[int, int]], count: int) -> None:
    pauses = [(received_on + begins * DAY, received_on + (begins + length) * DAY) for begins, length in spans]
    facts = Facts(received_on=received_on, pauses=tuple(Pause(asked_on=one, answered_on=two) for one, two in pauses))
    stopped = {one + n * DAY for one, two in pauses for n in range((two - one).days)}
    answered = received_on + 60 * DAY
    law = compute(facts, policy=FRANCE, today=answered).respond_by
    assert law is not None
    expected = min(received_on + (count + len(stopped)) * DAY, law)
    assert target_of(facts, days=count, policy=FRANCE, today=answered) == expected
