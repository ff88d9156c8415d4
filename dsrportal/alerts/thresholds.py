"""Which thresholds of a request's legal dates have been reached by a day. Pure: no database, no look at the clock. Called by `raising.py`.

A threshold is data: a `Threshold` is its stored code, such as `respond_5` (`.kind` and `.days`), and `Thresholds` holds the numbers of a workspace
(`extend`: days before, `respond`: working days before, `overdue`: days after), `DEFAULT` where an admin chose none. One on a day on which nobody
works is due the working day before. Only a date that has passed cannot be told before it has: the first working day after it tells that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from dsrportal.clocks import Calendar
from dsrportal.models.alerts import AlertClock
from dsrportal.models.thresholds import DEFAULT, Threshold, ThresholdKind, Thresholds

DAY = timedelta(days=1)


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


def reached(
    dates: Dates, *, calendar: Calendar, today: date, thresholds: Thresholds = DEFAULT
) -> tuple[list[Reached], list[Reached]]:
    """What whoever has the request is to know by `today`, and what goes to the managers. Of each clock the latest threshold alone, so that
    somebody who heard nothing for a week hears one thing."""
    own = [
        _latest_extend(dates, calendar=calendar, today=today, wanted=thresholds.of(ThresholdKind.EXTEND)),
        _latest_respond(dates, calendar=calendar, today=today, wanted=thresholds.of(ThresholdKind.RESPOND)),
    ]
    overdue = _latest_overdue(dates, calendar=calendar, today=today, wanted=thresholds.of(ThresholdKind.OVERDUE))
    return [one for one in own if one], [overdue] if overdue else []


def fires_on(threshold: Threshold, *, due_on: date, calendar: Calendar) -> date:
    """The day on which a threshold of the date `due_on` is reached: always a working day."""
    if threshold.kind == ThresholdKind.EXTEND:
        return _back(due_on - threshold.days * DAY, calendar=calendar)
    if threshold.kind == ThresholdKind.RESPOND:
        return calendar.add_working_days(_back(due_on, calendar=calendar), count=-threshold.days)
    on = _back(due_on + threshold.days * DAY, calendar=calendar)
    return on if on > due_on else calendar.roll(due_on + DAY)


def _latest_extend(dates: Dates, *, calendar: Calendar, today: date, wanted: Sequence[Threshold]) -> Reached | None:
    """Nothing once it is decided or too late. On the day on which the answer is due too, the answer is what matters."""
    on = dates.extend_by
    if on is None or dates.is_extended or dates.is_refused or today > on:
        return None
    thresholds = [one for one in wanted if one.days or on != dates.respond_by]
    return _first(thresholds, clock=AlertClock.EXTEND, due_on=on, calendar=calendar, today=today)


def _latest_respond(dates: Dates, *, calendar: Calendar, today: date, wanted: Sequence[Threshold]) -> Reached | None:
    on = dates.respond_by
    if on is None:
        return None
    return _first(wanted, clock=AlertClock.RESPOND, due_on=on, calendar=calendar, today=today)


def _latest_overdue(dates: Dates, *, calendar: Calendar, today: date, wanted: Sequence[Threshold]) -> Reached | None:
    on = dates.respond_by
    if on is None or today <= on:
        return None
    return _first(wanted, clock=AlertClock.RESPOND, due_on=on, calendar=calendar, today=today)


def _first(
    thresholds: Sequence[Threshold], *, clock: AlertClock, due_on: date, calendar: Calendar, today: date
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
