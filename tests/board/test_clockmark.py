"""Dastra's date in words: days are those of the workspace's time zone, and a passed date is never called on time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from dsrportal.queries import clockmark

PARIS = ZoneInfo("Europe/Paris")


def mark(
    expires_at: datetime | None, *, now: datetime, closed_at: datetime | None = None, is_closed: bool = False
) -> clockmark.ClockMark:
    return clockmark.of_request(expires_at=expires_at, closed_at=closed_at, is_closed=is_closed, zone=PARIS, now=now)


@pytest.mark.parametrize(
    ("days", "state", "text"),
    [
        (-3, "overdue", "Dastra: 3 Mar · 3 d overdue"),
        (0, "due-now", "Dastra: Fri 6 Mar · today"),
        (1, "soon", "Dastra: Sat 7 Mar · 1 d"),
        (7, "soon", "Dastra: Fri 13 Mar · 7 d"),
        (8, "on-track", "Dastra: Sat 14 Mar · 8 d"),
        (320, "on-track", "Dastra: Wed 20 Jan 2027 · 320 d"),
    ],
)
def test_open_requests(noon: datetime, days: int, state: str, text: str) -> None:
    found = mark(noon + timedelta(days=days, hours=1), now=noon)
    assert (found.state, found.text) == (state, text)


def test_a_date_that_passed_earlier_today_is_overdue(noon: datetime) -> None:
    found = mark(noon - timedelta(hours=1), now=noon)
    assert (found.state, found.text) == ("overdue", "Dastra: 6 Mar · passed today")


def test_days_are_those_of_the_workspaces_zone() -> None:
    """23:30 UTC is the next day in Paris."""
    now = datetime(2026, 3, 6, 22, 0, tzinfo=UTC)
    assert mark(datetime(2026, 3, 6, 23, 30, tzinfo=UTC), now=now).text == "Dastra: Sat 7 Mar · 1 d"


def test_the_day_that_clocks_change_counts_as_one() -> None:
    now = datetime(2026, 3, 28, 23, 30, tzinfo=UTC)  # Sunday 29, 00:30 in Paris; the hour from 2 to 3 does not exist
    assert mark(datetime(2026, 3, 30, 9, 0, tzinfo=UTC), now=now).text == "Dastra: Mon 30 Mar · 1 d"


def test_no_date_says_so(noon: datetime) -> None:
    assert mark(None, now=noon).state == "unknown"


@pytest.mark.parametrize(
    ("late_days", "state", "text"),
    [
        (-2, "closed-early", "Closed Fri 6 Mar"),
        (0, "closed-early", "Closed Fri 6 Mar"),
        (4, "closed-late", "Closed Fri 6 Mar · 4 d late"),
    ],
)
def test_closed_requests_are_judged_by_the_day_of_closing(
    noon: datetime, late_days: int, state: str, text: str
) -> None:
    found = mark(noon - timedelta(days=late_days), closed_at=noon, is_closed=True, now=noon + timedelta(days=30))
    assert (found.state, found.text) == (state, text)


def test_a_closing_that_nobody_can_judge_is_not_called_in_time(noon: datetime) -> None:
    assert mark(None, closed_at=noon, is_closed=True, now=noon).state == "on-track"
    assert mark(noon, closed_at=None, is_closed=True, now=noon).state == "on-track"
