"""The dates that the law gives, case by case: France and the time zone of Paris unless stated."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from dsrportal.clocks import PausePolicy, Policy, Refusal, StepCode, day_of, upstream_rule
from tests.clocks.saying import FRANCE, GERMANY, UK, clocks, day, extended, pause, respond_by

PARIS = ZoneInfo("Europe/Paris")


@pytest.mark.parametrize(
    ("received", "expected"),
    [
        pytest.param("Mon 2025-08-18", "Thu 2025-09-18", id="the same day of the next month"),
        pytest.param("Thu 2026-03-05", "Tue 2026-04-07", id="Easter Sunday, and Easter Monday after it"),
        pytest.param("Sun 2025-08-31", "Tue 2025-09-30", id="no 31st in September; a receipt on a Sunday counts"),
        pytest.param("Sat 2026-01-31", "Mon 2026-03-02", id="the last day of February is a Saturday"),
        pytest.param("Fri 2025-01-31", "Fri 2025-02-28", id="the last day of February"),
        pytest.param("Mon 2028-01-31", "Tue 2028-02-29", id="the last day of a leap year's February"),
        pytest.param("Tue 2026-02-10", "Tue 2026-03-10", id="February is short"),
        pytest.param("Wed 2026-04-01", "Mon 2026-05-04", id="a holiday before a weekend"),
        pytest.param("Sun 2026-06-14", "Wed 2026-07-15", id="the national day"),
        pytest.param("Wed 2026-11-25", "Mon 2026-12-28", id="Christmas before a weekend"),
        pytest.param("Mon 2025-12-01", "Fri 2026-01-02", id="New Year's Day"),
    ],
)
def test_the_answer_is_due_a_month_after_receipt_on_a_working_day(received: str, expected: str) -> None:
    assert respond_by(received) == day(expected)


@pytest.mark.parametrize(
    ("received", "policy", "expected"),
    [
        pytest.param("Wed 2026-04-01", UK, "Fri 2026-05-01", id="1 May is no holiday in England"),
        pytest.param("Sun 2026-06-14", GERMANY, "Tue 2026-07-14", id="14 July is France's alone"),
        pytest.param("Wed 2026-11-25", GERMANY, "Mon 2026-12-28", id="the second day of Christmas is a Saturday"),
        pytest.param("Wed 2026-11-25", UK, "Tue 2026-12-29", id="Boxing Day on a Saturday is made up for on Monday"),
        pytest.param("Fri 2026-03-06", UK, "Tue 2026-04-07", id="England keeps Easter Monday"),
        pytest.param("Fri 2026-03-06", Policy(country="GB"), "Tue 2026-04-07", id="plain GB is England"),
        pytest.param("Fri 2026-03-06", Policy(country="GB", region="SCT"), "Mon 2026-04-06", id="Scotland does not"),
        pytest.param("Tue 2026-03-03", Policy(region="57"), "Tue 2026-04-07", id="Good Friday in Moselle"),
        pytest.param("Tue 2026-03-03", Policy(region="6AE"), "Tue 2026-04-07", id="Good Friday in Alsace"),
        pytest.param("Tue 2026-03-03", FRANCE, "Fri 2026-04-03", id="no Good Friday elsewhere in France"),
    ],
)
def test_the_holidays_are_those_of_the_country_and_region(received: str, policy: Policy, expected: str) -> None:
    assert respond_by(received, policy=policy) == day(expected)


@pytest.mark.parametrize(
    ("received", "expected", "later"),
    [("2025-08-18", "2025-09-17", -1), ("2025-01-31", "2025-03-02", 2), ("2026-02-10", "2026-03-12", 2)],
)
def test_dastras_thirty_days_are_told_beside_the_law(received: str, expected: str, later: int) -> None:
    found = clocks(received)
    assert found.upstream_rule == upstream_rule(day(received), is_complex=False) == day(expected)
    steps = [step.params for step in found.trace if step.code == StepCode.UPSTREAM_RULE]
    assert steps == [{"days": 30, "on": day(expected), "later": later}]


def test_a_complex_request_has_ninety_days_in_dastra_and_no_more_by_the_law() -> None:
    found = clocks("2026-02-10", is_complex=True)
    assert (found.upstream_rule, found.respond_by) == (day("2026-05-11"), day("2026-03-10"))


@pytest.mark.parametrize(
    ("received", "notice", "extend_by", "expected"),
    [
        pytest.param("2026-02-10", "2026-03-06", "2026-03-10", "Mon 2026-05-11", id="three months end on a Sunday"),
        pytest.param("2025-12-31", "2026-01-30", "Mon 2026-02-02", "Tue 2026-03-31", id="counted from receipt"),
        pytest.param("2026-01-31", "2026-03-02", "Mon 2026-03-02", "Thu 2026-04-30", id="told on the last day"),
    ],
)
def test_an_extension_gives_three_months_from_receipt(
    received: str, notice: str, extend_by: str, expected: str
) -> None:
    found = clocks(received, extension=extended(notice))
    assert found.extension_valid is True
    assert (found.extend_by, found.respond_by, found.without_pauses) == (day(extend_by), day(expected), day(expected))
    assert found.refuse_by == found.extend_by


def test_an_extension_told_too_late_does_not_exist() -> None:
    found = clocks("Wed 2026-04-15", extension=extended("2026-05-18"))
    assert found.extension_valid is False
    assert found.extend_by == found.respond_by == day("Fri 2026-05-15")
    assert StepCode.EXTENSION_LATE in {step.code for step in found.trace}


@pytest.mark.parametrize(
    ("extension", "code"),
    [
        (extended("2026-03-01", has_ground=False), StepCode.EXTENSION_WITHOUT_GROUND),
        (extended(None), StepCode.EXTENSION_WITHOUT_NOTICE),
    ],
)
def test_an_extension_needs_a_ground_and_a_notice(extension: object, code: StepCode) -> None:
    found = clocks("2026-02-10", extension=extension)
    assert found.extension_valid is False
    assert found.respond_by == day("2026-03-10")
    assert code in {step.code for step in found.trace}


def test_a_refusal_has_the_first_month_alone_even_when_the_answer_has_three() -> None:
    found = clocks(
        "2026-02-10",
        extension=extended("2026-03-06"),
        refusal=Refusal(notice_on=day("2026-04-20")),
        closed_on=day("2026-04-20"),
    )
    assert found.refuse_by == day("2026-03-10")
    assert found.refusal_in_time is False
    assert found.days_late == (day("2026-04-20") - day("2026-05-11")).days
    assert [step.rules for step in found.trace if step.code == StepCode.REFUSAL_LATE] == [("R10",)]


def test_a_refusal_on_the_last_day_is_in_time() -> None:
    assert clocks("2026-02-10", refusal=Refusal(notice_on=day("2026-03-10"))).refusal_in_time is True
    assert clocks("2026-02-10").refusal_in_time is None


@pytest.mark.parametrize(
    ("instant", "received", "expected"),
    [
        (datetime(2026, 3, 31, 22, 30, tzinfo=UTC), "2026-04-01", "Mon 2026-05-04"),
        (datetime(2026, 3, 31, 21, 30, tzinfo=UTC), "2026-03-31", "Thu 2026-04-30"),
    ],
)
def test_the_day_of_receipt_is_that_of_the_workspaces_zone(instant: datetime, received: str, expected: str) -> None:
    received_on = day_of(instant, zone=PARIS)
    assert received_on == day(received)
    assert respond_by(received_on.isoformat()) == day(expected)


@pytest.mark.parametrize(
    ("instant", "expected"),
    [
        pytest.param(datetime(2026, 5, 4, 21, 59, tzinfo=UTC), (0, False), id="the due day's last minute"),
        pytest.param(datetime(2026, 5, 4, 22, 0, tzinfo=UTC), (-1, True), id="a minute later"),
    ],
)
def test_a_request_is_overdue_from_the_day_after(instant: datetime, expected: tuple[int, bool]) -> None:
    found = clocks("2026-04-01", today=day_of(instant, zone=PARIS).isoformat())
    assert (found.days_left, found.overdue) == expected


@pytest.mark.parametrize(
    ("instant", "late"),
    [(datetime(2026, 5, 4, 21, 30, tzinfo=UTC), 0), (datetime(2026, 5, 4, 22, 30, tzinfo=UTC), 1)],
)
def test_a_closed_request_is_judged_by_the_day_of_its_closing(instant: datetime, late: int) -> None:
    found = clocks("2026-04-01", today="2027-01-01", closed_on=day_of(instant, zone=PARIS))
    assert found.days_late == late
    assert (found.overdue, found.days_left, found.next_event) == (False, None, None)


def test_the_clock_change_costs_no_day() -> None:
    assert clocks("2026-02-28", today="2026-03-28").days_left == 2


def test_working_days_are_counted_beside_the_days() -> None:
    found = clocks("2026-04-01", today="Thu 2026-04-30")
    assert (found.days_left, found.working_days_left) == (4, 1)
    late = clocks("2026-04-01", today="Mon 2026-05-11")
    assert (late.days_left, late.working_days_left) == (-7, -4)  # 8 May is a holiday


def test_without_a_receipt_nothing_is_known() -> None:
    found = clocks(None)
    assert (found.state, found.respond_by, found.extend_by, found.days_left) == ("unknown", None, None, None)
    assert [step.code for step in found.trace] == [StepCode.NO_RECEIPT]


@pytest.mark.parametrize("received", [date.min, date(1969, 12, 31), date(2200, 1, 1), date.max])
def test_a_receipt_of_another_age_is_no_receipt(received: date) -> None:
    found = clocks(received.isoformat())
    assert (found.state, found.respond_by) == ("unknown", None)
    assert [step.code for step in found.trace] == [StepCode.SENSELESS_RECEIPT]


def test_the_trace_says_where_the_receipt_came_from() -> None:
    assert clocks("2026-03-02").trace[0].code == StepCode.RECEIPT
    assert clocks("2026-03-02", is_receipt_from_creation=True).trace[0].code == StepCode.RECEIPT_FROM_CREATION


def test_pauses_come_on_top_of_the_raw_date_and_the_roll_is_done_once() -> None:
    found = clocks("Mon 2026-03-02", pauses=(pause("2026-03-04", "2026-03-16"),))
    assert (found.pause_days, found.respond_by) == (12, day("Tue 2026-04-14"))
    assert found.without_pauses == found.extend_by == day("Thu 2026-04-02")


def test_under_restart_a_new_month_begins_with_the_answer() -> None:
    policy = Policy(pause_policy=PausePolicy.RESTART)
    found = clocks("Mon 2026-03-02", policy=policy, pauses=(pause("2026-03-04", "2026-03-16"),))
    assert (found.respond_by, found.without_pauses) == (day("Thu 2026-04-16"), day("Thu 2026-04-02"))


def test_pauses_that_overlap_count_once() -> None:
    found = clocks("Mon 2026-06-01", pauses=(pause("2026-06-03", "2026-06-10"), pause("2026-06-08", "2026-06-12")))
    assert (found.pause_days, found.respond_by) == (9, day("Fri 2026-07-10"))


def test_a_pause_moves_the_extended_answer_and_not_the_notice() -> None:
    found = clocks("2026-02-10", pauses=(pause("2026-02-12", "2026-02-20"),), extension=extended("2026-03-06"))
    assert (found.raw_on, found.respond_by) == (day("Mon 2026-05-18"), day("Mon 2026-05-18"))
    assert (found.extend_by, found.without_pauses) == (day("2026-03-10"), day("2026-05-11"))


def test_a_holiday_that_is_added_moves_what_is_due_on_it_and_the_trace_says_so() -> None:
    policy = Policy(added_holidays=frozenset({day("Thu 2025-09-18")}))
    found = clocks("2025-08-18", policy=policy)
    assert found.respond_by == day("Fri 2025-09-19")
    (rolled,) = [step.params["skipped"] for step in found.trace if step.code == StepCode.ROLLED]
    assert rolled == ((day("2025-09-18"), "added"),)
