"""The bar of the clock: what of the period is over, what was paused, what is late; the caption says the same in words."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from dsrportal.clocks import Pause
from dsrportal.models import DataSubjectRequest
from dsrportal.queries.clock_bar import ClockBar, Stretch, of_row

RECEIVED = date(2026, 2, 8)
LAST = date(2026, 3, 10)  # thirty days later


def bar(*pauses: Pause, today: date, **fields: Any) -> ClockBar | None:
    row = {"received_on": RECEIVED, "respond_by": LAST, "extend_by": LAST, **fields}
    return of_row(DataSubjectRequest(**row), pauses=pauses, today=today)


@pytest.mark.parametrize(
    ("day", "width", "caption"),
    [(0, "0.00%", "Day 0 of 30"), (1, "3.33%", "Day 1 of 30"), (15, "50.00%", "Day 15 of 30"), (30, "100.00%", "Day 30 of 30")],
)  # fmt: skip
def test_what_has_passed(day: int, width: str, caption: str) -> None:
    found = bar(today=RECEIVED + timedelta(days=day))
    assert found == ClockBar(
        over=Stretch(x="0.00%", width=width), late=None, pauses=(), ticks=(), caption=caption
    )  # fmt: skip


def test_a_late_one_goes_on_behind_its_last_day() -> None:
    found = bar(today=LAST + timedelta(days=10))
    assert found is not None
    assert (found.over.width, found.late) == ("100.00%", Stretch(x="75.00%", width="25.00%"))
    assert (found.ticks, found.caption) == (("75.00%",), "Day 40 of 30")


def test_the_closing_ends_it() -> None:
    closed = bar(today=LAST + timedelta(days=300), closed_on=RECEIVED + timedelta(days=15))
    assert closed is not None
    assert (closed.over.width, closed.late, closed.caption) == ("50.00%", None, "Day 15 of 30")


def test_an_extended_one_marks_the_end_of_the_first_period() -> None:
    found = bar(today=LAST, respond_by=RECEIVED + timedelta(days=90))
    assert found is not None
    assert (found.ticks, found.over.width) == (("33.33%",), "33.33%")


def test_pauses_stand_where_they_were_and_days_of_two_count_once() -> None:
    first = Pause(asked_on=RECEIVED + timedelta(days=3), answered_on=RECEIVED + timedelta(days=9))
    second = Pause(asked_on=RECEIVED + timedelta(days=6), answered_on=RECEIVED + timedelta(days=12))
    found = bar(first, second, today=RECEIVED + timedelta(days=20))
    assert found is not None
    assert found.pauses == (Stretch(x="10.00%", width="20.00%"), Stretch(x="20.00%", width="20.00%"))
    assert found.caption == "Day 20 of 30, 9 days paused"


def test_an_open_pause_is_measured_by_the_day_without_it_and_never_late() -> None:
    asked_on = RECEIVED + timedelta(days=29)
    row = {"respond_by": None, "without_pauses": LAST, "paused_since": asked_on}
    found = bar(Pause(asked_on=asked_on), today=LAST + timedelta(days=10), **row)
    assert found is not None
    assert found.late is None
    assert found.caption == "Day 40 of 30, 11 days paused"


@pytest.mark.parametrize("missing", [{"received_on": None}, {"respond_by": None, "extend_by": None}])
def test_what_is_not_known_has_no_bar(missing: dict[str, Any]) -> None:
    assert bar(today=LAST, **missing) is None


def test_a_clock_that_is_behind_the_receipt_draws_nothing_over() -> None:
    found = bar(today=RECEIVED - timedelta(days=2))
    assert found is not None
    assert (found.over.width, found.caption) == ("0.00%", "Day 0 of 30")
