"""Which thresholds of a request's legal dates have been reached by a day. Pure: no database, no look at the clock. Called by `raising.py`.

A threshold on a day on which nobody works is due the working day before. Only a date that has passed cannot be told before it has: the
first working day after it tells that.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from dsrportal.clocks import Calendar
from dsrportal.models.alerts import AlertClock, Threshold

DAY = timedelta(days=1)
EXTEND_DAYS = {Threshold.EXTEND_0: 0, Threshold.EXTEND_10: 10}
RESPOND_WORKING_DAYS = {Threshold.RESPOND_0: 0, Threshold.RESPOND_2: 2, Threshold.RESPOND_5: 5}
OVERDUE_DAYS = {Threshold.OVERDUE_7: 7, Threshold.OVERDUE_3: 3, Threshold.OVERDUE_1: 1}
"""Each from the most urgent on."""
HORIZON_DAYS = 40
"""No threshold is reached longer than this before its date, whatever the holidays."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Dates:
    """The legal dates of an open request. `respond_by` is None while it is paused or unknown, since it moves or nobody knows it."""

    respond_by: date | None
    extend_by: date | None
    is_extended: bool = False
    is_refused: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Reached:
    """A threshold that has been reached: since `fires_on`, of the date `due_on`."""

    clock: AlertClock
    threshold: Threshold
    due_on: date
    fires_on: date


def reached(dates: Dates, *, calendar: Calendar, today: date) -> tuple[list[Reached], list[Reached]]:
    """What whoever has the request is to know by `today`, and what goes to the managers. Of each clock the latest threshold alone, so that
    somebody who heard nothing for a week hears one thing."""
    own = [
        _latest_extend(dates, calendar=calendar, today=today),
        _latest_respond(dates, calendar=calendar, today=today),
    ]
    overdue = _latest_overdue(dates, calendar=calendar, today=today)
    return [one for one in own if one], [overdue] if overdue else []


def fires_on(threshold: Threshold, *, due_on: date, calendar: Calendar) -> date:
    """The day on which a threshold of the date `due_on` is reached: always a working day."""
    if threshold in EXTEND_DAYS:
        return _back(due_on - EXTEND_DAYS[threshold] * DAY, calendar=calendar)
    if threshold in RESPOND_WORKING_DAYS:
        return calendar.add_working_days(_back(due_on, calendar=calendar), count=-RESPOND_WORKING_DAYS[threshold])
    on = _back(due_on + OVERDUE_DAYS[threshold] * DAY, calendar=calendar)
    return on if on > due_on else calendar.roll(due_on + DAY)


def _latest_extend(dates: Dates, *, calendar: Calendar, today: date) -> Reached | None:
    """Nothing once it is decided or too late. On the day on which the answer is due too, the answer is what matters."""
    on = dates.extend_by
    if on is None or dates.is_extended or dates.is_refused or today > on:
        return None
    thresholds = [one for one in EXTEND_DAYS if one != Threshold.EXTEND_0 or on != dates.respond_by]
    return _first(thresholds, clock=AlertClock.EXTEND, due_on=on, calendar=calendar, today=today)


def _latest_respond(dates: Dates, *, calendar: Calendar, today: date) -> Reached | None:
    on = dates.respond_by
    if on is None:
        return None
    return _first([*RESPOND_WORKING_DAYS], clock=AlertClock.RESPOND, due_on=on, calendar=calendar, today=today)


def _latest_overdue(dates: Dates, *, calendar: Calendar, today: date) -> Reached | None:
    on = dates.respond_by
    if on is None or today <= on:
        return None
    return _first([*OVERDUE_DAYS], clock=AlertClock.RESPOND, due_on=on, calendar=calendar, today=today)


def _first(
    thresholds: list[Threshold], *, clock: AlertClock, due_on: date, calendar: Calendar, today: date
) -> Reached | None:
    for threshold in thresholds:
        on = fires_on(threshold, due_on=due_on, calendar=calendar)
        if on <= today:
            return Reached(clock=clock, threshold=threshold, due_on=due_on, fires_on=on)
    return None


def _back(day: date, *, calendar: Calendar) -> date:
    while not calendar.is_working_day(day):
        day -= DAY
    return day
