"""What may stop the clock, and what may not."""

from __future__ import annotations

import pytest

from dsrportal.clocks import Pause, PausePolicy, Policy, Profile, State, StepCode
from tests.clocks.saying import clocks, day, extended, pause

RESTART = Policy(pause_policy=PausePolicy.RESTART)
JUNE = "Mon 2026-06-01"


def codes(found: object) -> list[StepCode]:
    return [step.code for step in found.trace]  # type: ignore[attr-defined]


def test_an_open_pause_moves_the_answer_by_a_day_a_day_and_keeps_the_date_without_it() -> None:
    for today, expected in [("Wed 2026-06-10", "Wed 2026-07-08"), ("Thu 2026-06-11", "Thu 2026-07-09")]:
        found = clocks(JUNE, today=today, pauses=(pause("2026-06-03"),))
        assert found.respond_by == day(expected)
        assert found.without_pauses == found.extend_by == day("2026-07-01")
        assert (found.state, found.paused_since) == (State.PAUSED, day("2026-06-03"))


def test_a_pause_that_was_asked_today_counts_no_day_yet_and_stops_the_clock() -> None:
    found = clocks(JUNE, today="2026-06-03", pauses=(pause("2026-06-03"),))
    assert (found.pause_days, found.is_paused, found.respond_by) == (0, True, day("2026-07-01"))


def test_a_question_that_is_answered_on_the_same_day_counts_nothing() -> None:
    for policy in (Policy(), RESTART):
        found = clocks(JUNE, policy=policy, today="2026-06-20", pauses=(pause("2026-06-03", "2026-06-03"),))
        assert (found.pause_days, found.respond_by, found.is_paused) == (0, day("2026-07-01"), False)


def test_a_question_before_receipt_counts_from_receipt_on_and_is_told() -> None:
    found = clocks(JUNE, pauses=(pause("2026-05-20", "2026-06-04"),))
    assert (found.pause_days, found.respond_by) == (3, day("Mon 2026-07-06"))
    assert StepCode.PAUSE_BEFORE_RECEIPT in codes(found)


def test_a_question_and_answer_before_receipt_count_nothing() -> None:
    found = clocks(JUNE, pauses=(pause("2026-05-20", "2026-05-30"),))
    assert (found.pause_days, found.respond_by) == (0, day("2026-07-01"))


@pytest.mark.parametrize(("asked", "counts"), [("Wed 2026-07-01", True), ("Thu 2026-07-02", False)])
def test_a_question_after_the_clock_has_run_out_counts_nothing(asked: str, *, counts: bool) -> None:
    found = clocks(JUNE, today="2026-07-10", pauses=(pause(asked, "2026-07-08"),))
    assert (found.pause_days > 0) is counts
    assert found.ignored_pauses == (() if counts else (day(asked),))
    assert (StepCode.PAUSE_AFTER_END in codes(found)) is not counts


def test_a_question_in_time_by_an_earlier_pause_counts() -> None:
    found = clocks(JUNE, pauses=(pause("2026-07-08", "2026-07-10"), pause("2026-06-03", "2026-06-13")))
    assert (found.pause_days, found.respond_by) == (12, day("Mon 2026-07-13"))


def test_a_question_within_the_extended_period_counts() -> None:
    found = clocks("2026-02-10", pauses=(pause("2026-04-01", "2026-04-03"),), extension=extended("2026-03-06"))
    assert (found.pause_days, found.respond_by) == (2, day("Tue 2026-05-12"))


@pytest.mark.parametrize(("asked", "is_late"), [("2026-06-08", False), ("2026-06-09", True)])
def test_a_question_more_than_seven_days_after_receipt_is_marked(asked: str, *, is_late: bool) -> None:
    found = clocks(JUNE, pauses=(pause(asked, "2026-06-12"),))
    assert found.late_pauses == ((day(asked),) if is_late else ())
    assert (StepCode.PAUSE_LATE in codes(found)) is is_late
    assert found.pause_days == (day("2026-06-12") - day(asked)).days


def test_a_pause_cannot_end_before_it_begins() -> None:
    with pytest.raises(ValueError, match="cannot end before"):
        Pause(asked_on=day("2026-06-03"), answered_on=day("2026-06-02"))


def test_pauses_that_touch_are_one() -> None:
    two = clocks(JUNE, pauses=(pause("2026-06-03", "2026-06-05"), pause("2026-06-05", "2026-06-09")))
    one = clocks(JUNE, pauses=(pause("2026-06-03", "2026-06-09"),))
    assert (two.pause_days, two.respond_by) == (one.pause_days, one.respond_by) == (6, day("2026-07-07"))


def test_a_pause_ends_with_the_request() -> None:
    for one in (pause("2026-06-03"), pause("2026-06-03", "2026-06-20")):
        found = clocks(JUNE, today="2026-08-01", pauses=(one,), closed_on=day("2026-06-10"))
        assert (found.pause_days, found.is_paused, found.state) == (7, False, State.CLOSED_EARLY)
    after = clocks(JUNE, pauses=(pause("2026-06-12", "2026-06-20"),), closed_on=day("2026-06-10"))
    assert (after.pause_days, after.ignored_pauses) == (0, (day("2026-06-12"),))


def test_a_pause_of_the_future_is_counted_once_it_has_an_end() -> None:
    assert clocks(JUNE, today="2026-06-02", pauses=(pause("2026-06-05", "2026-06-09"),)).pause_days == 4
    assert clocks(JUNE, today="2026-06-02", pauses=(pause("2026-06-05"),)).pause_days == 0


def test_under_restart_the_last_answer_counts_and_an_extension_has_three_months_from_it() -> None:
    pauses = (pause("2026-02-12", "2026-02-16"), pause("2026-02-18", "2026-02-20"))
    assert clocks("2026-02-10", policy=RESTART, pauses=pauses).respond_by == day("Fri 2026-03-20")
    longer = clocks("2026-02-10", policy=RESTART, pauses=pauses, extension=extended("2026-03-06"))
    assert (longer.respond_by, longer.extend_by) == (day("Wed 2026-05-20"), day("2026-03-10"))


def test_the_law_of_california_knows_no_pause() -> None:
    policy = Policy(profile=Profile.CCPA)
    found = clocks("2026-03-02", policy=policy, today="2026-03-10", pauses=(pause("2026-03-04"),))
    assert (found.respond_by, found.pause_days, found.is_paused) == (day("Thu 2026-04-16"), 0, False)
    assert found.ignored_pauses == (day("2026-03-04"),)
    assert [step.rules for step in found.trace if step.code == StepCode.PAUSES_IGNORED] == [("R21",)]


def test_a_pause_without_end_in_a_far_year_stays_a_date() -> None:
    found = clocks(JUNE, today="9999-12-31", pauses=(pause("2026-06-03"),))
    assert found.respond_by is not None
    assert found.respond_by.year == 2200
