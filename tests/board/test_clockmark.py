"""The clock in words: the next legal event, days of the workspace's zone, due until the day's last second, and closed never red again."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from dsrportal.clocks import Policy
from dsrportal.queries import clockmark

PARIS = ZoneInfo("Europe/Paris")
FRANCE = Policy()
NOON = datetime(2026, 3, 6, 12, tzinfo=UTC)
OPEN: dict[str, Any] = {
    "received_on": date(2026, 2, 10),
    "respond_by": date(2026, 3, 10),
    "extend_by": date(2026, 3, 10),
    "without_pauses": date(2026, 3, 10),
    "paused_since": None,
    "extension_state": "",
    "refused_on": None,
    "late_days": None,
    "upstream_due_on": date(2026, 3, 12),
    "closed_at": None,
    "is_closed": False,
}
EXTENDED: dict[str, Any] = {
    "respond_by": date(2026, 5, 11),
    "without_pauses": date(2026, 5, 11),
    "extension_state": "valid",
}


def mark(now: datetime = NOON, *, is_named: bool = True, **changes: Any) -> clockmark.ClockMark:
    return clockmark.of_row({**OPEN, **changes}, policy=FRANCE, zone=PARIS, now=now, is_named=is_named)


@pytest.mark.parametrize(
    ("day", "state", "text"),
    [
        (date(2026, 2, 20), "on-track", "Respond by Tue 10 Mar · 18 d"),
        (date(2026, 2, 28), "decide-extension", "Extend or answer by 10 Mar · 10 d"),
        (date(2026, 3, 3), "soon", "Extend or answer by 10 Mar · 7 d"),
        (date(2026, 3, 9), "due-now", "Extend or answer by 10 Mar · 1 d"),
        (date(2026, 3, 10), "due-now", "Extend or answer by 10 Mar · due today"),
        (date(2026, 3, 12), "overdue", "10 Mar · 2 d overdue"),
    ],
)
def test_one_request_as_the_days_pass(day: date, state: str, text: str) -> None:
    found = mark(datetime(day.year, day.month, day.day, 12, tzinfo=UTC))
    assert (found.state, found.text) == (state, text)
    assert "Dastra's date: Thursday 12 March 2026" in found.full


@pytest.mark.parametrize(
    ("instant", "state", "text"),
    [
        ("2026-03-09T22:59:59Z", "due-now", "Extend or answer by 10 Mar · 1 d"),
        ("2026-03-09T23:00:00Z", "due-now", "Extend or answer by 10 Mar · due today"),
        ("2026-03-10T22:59:59Z", "due-now", "Extend or answer by 10 Mar · due today"),
        ("2026-03-10T23:00:00Z", "overdue", "10 Mar · 1 d overdue"),
    ],
)
def test_the_day_is_the_workspaces_own_until_its_last_second(instant: str, state: str, text: str) -> None:
    found = mark(datetime.fromisoformat(instant))
    assert (found.state, found.text) == (state, text)


def test_an_extended_request_still_may_be_refused_until_the_first_period_ends() -> None:
    assert mark(**EXTENDED).text == "Refuse by 10 Mar · 4 d"
    assert mark(**EXTENDED).full.endswith("; Respond by Monday 11 May 2026")
    assert mark(datetime(2026, 3, 11, 12, tzinfo=UTC), **EXTENDED).text == "Respond by Mon 11 May · 61 d"
    assert mark(**EXTENDED, refused_on=date(2026, 3, 5)).text == "Respond by Mon 11 May · 66 d"


def test_where_a_heading_names_it_the_answer_is_a_day_alone_and_other_events_are_named() -> None:
    late = datetime(2026, 3, 11, 12, tzinfo=UTC)
    assert mark(late, is_named=False, **EXTENDED).text == "Mon 11 May · 61 d"
    assert mark(is_named=False).text == "Extend or answer by 10 Mar · 4 d"


def test_a_pause_shows_the_date_without_it_and_the_extension_that_is_still_to_be_decided() -> None:
    paused: dict[str, Any] = {"respond_by": None, "paused_since": date(2026, 2, 12)}
    assert mark(datetime(2026, 2, 20, tzinfo=UTC), **paused).text == "Paused · without it Tue 10 Mar"
    found = mark(**paused)
    assert (found.state, found.text) == ("paused", "Paused · extend by 10 Mar")
    assert mark(datetime(2026, 4, 1, tzinfo=UTC), **paused).text == "Paused · without it Tue 10 Mar"


def test_what_is_not_known_is_said_and_dotted() -> None:
    nothing: dict[str, Any] = dict.fromkeys(["received_on", "respond_by", "extend_by", "without_pauses"])
    found = mark(**nothing)
    assert (found.state, found.text) == ("unknown", "? · No date of receipt")
    assert mark(**{**nothing, "received_on": date(2026, 2, 10)}).text == "? · No date can be told"


@pytest.mark.parametrize(
    ("late_days", "state", "text"),
    [
        (-3, "closed-early", "Closed Fri 6 Mar · 3 d early"),
        (0, "closed-early", "Closed Fri 6 Mar · in time"),
        (2, "closed-late", "Closed Fri 6 Mar · 2 d late"),
        (None, "on-track", "Closed Fri 6 Mar"),
    ],
)
@pytest.mark.parametrize("year", [2026, 2030])
def test_a_closed_request_keeps_its_verdict_and_is_never_overdue(
    late_days: int | None, state: str, text: str, year: int
) -> None:
    now = datetime(year, 3, 6, 12, tzinfo=UTC)
    found = mark(now, is_closed=True, closed_at=NOON, late_days=late_days)
    assert (found.state, found.text.replace(" 2026", "")) == (state, text)


def test_a_closed_request_without_a_closing_date_is_only_that() -> None:
    found = mark(is_closed=True)
    assert (found.state, found.text) == ("on-track", "Closed")
