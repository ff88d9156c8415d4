"""How a request stands, what is legally next, and the laws beside the GDPR."""

from __future__ import annotations

from typing import Any

import pytest

from dsrportal.clocks import Event, EventKind, Policy, Profile, Refusal, State, UnknownCalendarError
from tests.clocks.saying import UK, clocks, day, extended, pause

RECEIVED = "2026-04-01"  # due Mon 2026-05-04
CALIFORNIA = Policy(profile=Profile.CCPA)
TRUSTING = Policy(profile=Profile.UPSTREAM)


@pytest.mark.parametrize(
    ("today", "state"),
    [
        ("Tue 2026-05-05", State.OVERDUE),
        ("Mon 2026-05-04", State.DUE_NOW),
        ("Sun 2026-05-03", State.DUE_NOW),
        ("Thu 2026-04-30", State.DUE_NOW),
        ("Wed 2026-04-29", State.SOON),
        ("Fri 2026-04-24", State.SOON),
        ("Thu 2026-04-23", State.ON_TRACK),
        ("Wed 2026-04-01", State.ON_TRACK),
    ],
)
def test_working_days_decide_how_urgent_it_is(today: str, state: State) -> None:
    assert clocks(RECEIVED, today=today).state == state


@pytest.mark.parametrize(("today", "decides"), [("2026-04-23", False), ("2026-04-24", True), ("2026-05-04", True)])
def test_ten_days_before_the_notice_the_extension_is_to_be_decided(today: str, *, decides: bool) -> None:
    found = clocks(RECEIVED, today=today)
    assert found.decide_extension is decides
    kind = EventKind.EXTEND if decides else EventKind.RESPOND
    assert found.next_event == Event(kind=kind, on=day("2026-05-04"))


def test_what_is_extended_refused_closed_or_too_late_decides_nothing() -> None:
    assert not clocks(RECEIVED, today="2026-04-30", extension=extended("2026-04-20")).decide_extension
    assert not clocks(RECEIVED, today="2026-04-30", refusal=Refusal(notice_on=day("2026-04-20"))).decide_extension
    assert not clocks(RECEIVED, today="2026-04-30", closed_on=day("2026-04-30")).decide_extension
    assert not clocks(RECEIVED, today="2026-05-05").decide_extension
    assert clocks(RECEIVED, today="2026-04-30", extension=extended(None)).decide_extension


def test_a_pause_does_not_spare_the_decision_on_the_extension() -> None:
    found = clocks(RECEIVED, today="2026-04-30", pauses=(pause("2026-04-03"),))
    assert (found.state, found.decide_extension) == (State.PAUSED, True)
    assert found.next_event == Event(kind=EventKind.EXTEND, on=day("2026-05-04"))


@pytest.mark.parametrize(
    ("today", "facts", "expected"),
    [
        pytest.param("2026-04-02", {}, ("respond", "2026-05-04"), id="the answer"),
        pytest.param("2026-05-20", {}, ("respond", "2026-05-04"), id="the answer that is overdue"),
        pytest.param(
            "2026-04-15",
            {"pauses": (pause("2026-04-03", "2026-04-13"),)},
            ("extend", "2026-05-04"),
            id="the notice, which pauses do not move",
        ),
        pytest.param(
            "2026-05-05",
            {"pauses": (pause("2026-04-03", "2026-04-13"),)},
            ("respond", "2026-05-11"),
            id="the answer, when the notice is over",
        ),
        pytest.param(
            "2026-04-22",
            {"extension": extended("2026-04-20")},
            ("refuse", "2026-05-04"),
            id="the last day for a refusal of what is extended",
        ),
        pytest.param(
            "2026-05-05", {"extension": extended("2026-04-20")}, ("respond", "2026-07-01"), id="the extended answer"
        ),
        pytest.param(
            "2026-04-22",
            {"extension": extended("2026-04-20"), "refusal": Refusal(notice_on=day("2026-04-21"))},
            ("respond", "2026-07-01"),
            id="what was refused waits for its closing",
        ),
    ],
)
def test_the_next_event_is_the_nearest_clock(today: str, facts: dict[str, Any], expected: tuple[str, str]) -> None:
    found = clocks(RECEIVED, today=today, **facts).next_event
    assert found is not None
    assert (found.kind, found.on) == (expected[0], day(expected[1]))


@pytest.mark.parametrize(
    ("closed", "state", "late"),
    [
        ("2026-04-20", State.CLOSED_EARLY, -14),
        ("2026-05-04", State.CLOSED_EARLY, 0),
        ("2026-05-06", State.CLOSED_LATE, 2),
    ],
)
def test_the_verdict_of_a_closing(closed: str, state: State, late: int) -> None:
    found = clocks(RECEIVED, today="2027-01-01", closed_on=day(closed))
    assert (found.state, found.days_late, found.overdue) == (state, late, False)


def test_what_is_closed_without_a_receipt_is_closed_and_not_unknown() -> None:
    found = clocks(None, closed_on=day("2026-04-20"))
    assert (found.state, found.days_late) == (State.CLOSED, None)


def test_california_counts_days_and_extends_by_as_many() -> None:
    found = clocks("Mon 2026-03-02", policy=CALIFORNIA)
    assert (found.respond_by, found.extend_by) == (day("Thu 2026-04-16"), day("Thu 2026-04-16"))
    longer = clocks("Mon 2026-03-02", policy=CALIFORNIA, extension=extended("2026-04-10"))
    assert longer.raw_on == day("Sun 2026-05-31")
    assert longer.respond_by == day("Mon 2026-06-01")
    rules = {rule for step in longer.trace for rule in step.rules}
    assert rules == {"R2", "R21", "R22"}


def test_dastras_own_date_is_trusted_as_it_stands_and_the_notices_stay() -> None:
    found = clocks(
        "2026-02-10",
        policy=TRUSTING,
        today="2026-03-13",
        upstream_due_on=day("Sat 2026-03-14"),
        pauses=(pause("2026-02-12"),),
        extension=extended("2026-03-06"),
    )
    assert (found.respond_by, found.without_pauses) == (day("Sat 2026-03-14"), day("Sat 2026-03-14"))
    assert (found.extend_by, found.extension_valid, found.is_paused) == (day("2026-03-10"), True, False)
    assert (found.days_left, found.working_days_left, found.state) == (1, 0, State.DUE_NOW)


def test_without_a_date_of_dastras_own_nothing_is_known_but_the_notices() -> None:
    found = clocks("2026-02-10", policy=TRUSTING)
    assert (found.state, found.respond_by, found.extend_by) == (State.UNKNOWN, None, day("2026-03-10"))
    known = clocks(None, policy=TRUSTING, today="2026-03-02", upstream_due_on=day("2026-03-12"))
    assert (known.respond_by, known.extend_by, known.days_left) == (day("2026-03-12"), None, 10)


def test_the_profile_uk_is_at_home_in_england_unless_a_region_says_otherwise() -> None:
    assert (UK.calendar.country, UK.calendar.region) == ("GB", "ENG")
    scotland = Policy(profile=Profile.UK, country="GB", region="SCT").calendar
    assert (scotland.country, scotland.region) == ("GB", "SCT")
    assert (CALIFORNIA.calendar.country, CALIFORNIA.calendar.region) == ("US", "CA")


@pytest.mark.parametrize(("country", "region"), [("XX", ""), ("FR", "XX"), ("", ""), ("fr", ""), ("FR", "Bavaria")])
def test_a_place_of_nowhere_has_no_calendar(country: str, region: str) -> None:
    with pytest.raises(UnknownCalendarError):
        clocks(RECEIVED, policy=Policy(country=country, region=region))
