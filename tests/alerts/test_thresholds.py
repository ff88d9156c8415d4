"""When a threshold is reached, day by day, against a plain reading of the rule."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from dsrportal.alerts.thresholds import Dates, fires_on, reached
from dsrportal.clocks import Calendar, calendar_of
from dsrportal.models.alerts import AlertClock
from dsrportal.models.thresholds import DEFAULT, Threshold

DAY = timedelta(days=1)
FRANCE = calendar_of("FR", "", frozenset())


def told(dates: Dates, *, today: date, calendar: Calendar = FRANCE) -> list[tuple[str, date]]:
    """The thresholds with the days they are due, those of the managers last."""
    own, overdue = reached(dates, calendar=calendar, today=today)
    return [(str(one.threshold), one.fires_on) for one in (*own, *overdue)]


@pytest.mark.parametrize(
    ("threshold", "due_on", "expected"),
    [
        ("respond_5", date(2026, 3, 10), date(2026, 3, 3)),
        ("respond_2", date(2026, 3, 10), date(2026, 3, 6)),
        ("respond_0", date(2026, 3, 10), date(2026, 3, 10)),
        ("respond_2", date(2026, 5, 4), date(2026, 4, 29)),  # 1 May is a holiday
        ("respond_0", date(2026, 3, 8), date(2026, 3, 6)),  # a Sunday, by Dastra's own date
        ("extend_10", date(2026, 3, 10), date(2026, 2, 27)),  # 28 February is a Saturday
        ("extend_10", date(2026, 3, 13), date(2026, 3, 3)),
        ("extend_0", date(2026, 3, 10), date(2026, 3, 10)),
        ("overdue_1", date(2026, 3, 10), date(2026, 3, 11)),
        ("overdue_3", date(2026, 3, 10), date(2026, 3, 13)),
        ("overdue_7", date(2026, 3, 10), date(2026, 3, 17)),
        ("overdue_3", date(2026, 3, 11), date(2026, 3, 13)),  # day 3 is a Saturday: told on the Friday
        ("overdue_1", date(2026, 3, 13), date(2026, 3, 16)),  # the Friday itself would be too early
    ],
)
def test_the_day_of_a_threshold(threshold: str, due_on: date, expected: date) -> None:
    assert fires_on(Threshold(threshold), due_on=due_on, calendar=FRANCE) == expected


@pytest.mark.parametrize("country", ["FR", "DE", "US"])
def test_no_threshold_of_nine_years_is_early_late_or_on_a_day_of_rest(country: str) -> None:
    calendar = calendar_of(country, "", frozenset())
    due_on = date(2024, 1, 1)
    while due_on.year < 2033:
        for threshold in DEFAULT.all():
            on = fires_on(threshold, due_on=due_on, calendar=calendar)
            assert calendar.is_working_day(on)
            assert due_on - DEFAULT.horizon_days * DAY < on
            assert (on > due_on) == threshold.startswith("overdue")
            if threshold.startswith("respond") and calendar.is_working_day(due_on):
                left = calendar.working_days_between(after=on, until=due_on)
                assert left == threshold.days
        due_on += DAY


def test_a_request_day_by_day() -> None:
    due = date(2026, 3, 10)
    dates = Dates(respond_by=due, extend_by=due)
    days = {due + n * DAY: [name for name, _on in told(dates, today=due + n * DAY)] for n in range(-12, 9)}
    changes = [(day, names) for day, names in days.items() if names != days.get(day - DAY)]
    assert changes == [
        (date(2026, 2, 26), []),
        (date(2026, 2, 27), ["extend_10"]),
        (date(2026, 3, 3), ["extend_10", "respond_5"]),
        (date(2026, 3, 6), ["extend_10", "respond_2"]),
        (date(2026, 3, 10), ["extend_10", "respond_0"]),
        (date(2026, 3, 11), ["respond_0", "overdue_1"]),
        (date(2026, 3, 13), ["respond_0", "overdue_3"]),
        (date(2026, 3, 17), ["respond_0", "overdue_7"]),
    ]


@pytest.mark.parametrize(
    ("dates", "expected"),
    [
        (Dates(respond_by=None, extend_by=date(2026, 3, 10)), ["extend_0"]),  # paused: the notice is due all the same
        (Dates(respond_by=date(2026, 3, 18), extend_by=date(2026, 3, 10)), ["extend_0"]),
        (Dates(respond_by=date(2026, 5, 11), extend_by=date(2026, 3, 10), is_extended=True), []),
        (Dates(respond_by=date(2026, 3, 10), extend_by=date(2026, 3, 10), is_refused=True), ["respond_0"]),
        (Dates(respond_by=None, extend_by=None), []),
    ],
)
def test_what_is_told_on_the_tenth_of_march(dates: Dates, expected: list[str]) -> None:
    assert [name for name, _on in told(dates, today=date(2026, 3, 10))] == expected


def test_an_alert_names_the_date_it_is_about() -> None:
    own, overdue = reached(
        Dates(respond_by=date(2026, 3, 9), extend_by=date(2026, 3, 20)), calendar=FRANCE, today=date(2026, 3, 10)
    )
    assert [(one.clock, one.due_on) for one in (*own, *overdue)] == [
        (AlertClock.EXTEND, date(2026, 3, 20)),
        (AlertClock.RESPOND, date(2026, 3, 9)),
        (AlertClock.RESPOND, date(2026, 3, 9)),
    ]
