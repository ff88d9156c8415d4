"""What questions to the person do to the clock. Called by `rules` alone.

A tolerance of the guidelines (EDPB 01/2022), not a right: the date without pauses is always kept beside. Days count once however many questions are
out, only from receipt on, and only while the clock is open.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from dsrportal.clocks.calendars import LATEST
from dsrportal.clocks.facts import Facts, Pause
from dsrportal.clocks.profiles import PausePolicy, Policy, Term
from dsrportal.clocks.trace import StepCode, Trace

UNDUE_DELAY_DAYS = 7


@dataclass(frozen=True, kw_only=True, slots=True)
class Counted:
    """What the pauses come to. `raw_on` is the end of the period with them, before the roll; `since` the day of the question that is out today."""

    raw_on: date
    days: int = 0
    since: date | None = None
    late: tuple[date, ...] = ()
    ignored: tuple[date, ...] = ()


def count(facts: Facts, *, received_on: date, term: Term, policy: Policy, today: date, trace: Trace) -> Counted:
    """Count the pauses of a request whose period is `term`; an open one runs to `today`, and none runs past the closing."""
    raw_on = term.end(received_on)
    if not facts.pauses:
        return Counted(raw_on=raw_on)
    if not policy.terms.has_pauses:
        trace.note(StepCode.PAUSES_IGNORED, "R13")
        return Counted(raw_on=raw_on, ignored=tuple(pause.asked_on for pause in facts.pauses))
    calendar = policy.calendar
    days, since, covered_until = 0, None, received_on
    late, ignored = [], []
    for pause in sorted(facts.pauses, key=lambda one: one.asked_on):
        due_on = calendar.roll(raw_on)
        if _is_over(pause, due_on=due_on, covered_until=covered_until, closed_on=facts.closed_on):
            ignored.append(pause.asked_on)
            trace.note(StepCode.PAUSE_AFTER_END, "R13", asked_on=pause.asked_on, due_on=due_on)
            continue
        end_on = _end(pause, today=today, closed_on=facts.closed_on)
        counted_since = max(pause.asked_on, received_on)
        _tell(pause, received_on=received_on, days=max((end_on - counted_since).days, 0), end_on=end_on, trace=trace)
        if (pause.asked_on - received_on).days > UNDUE_DELAY_DAYS:
            late.append(pause.asked_on)
        days += max((end_on - max(counted_since, covered_until)).days, 0)
        covered_until = max(covered_until, end_on)
        if days:
            restarts = policy.pause_policy == PausePolicy.RESTART
            raw_on = term.end(covered_until) if restarts else term.end(received_on) + timedelta(days=days)
        if since is None and facts.closed_on is None and _is_out(pause, today=today):
            since = pause.asked_on
    if days and policy.pause_policy == PausePolicy.RESTART:
        trace.note(StepCode.RESTARTED, "R14", since=covered_until, on=raw_on)
    else:
        trace.note(StepCode.PAUSE_DAYS, "R13", "R14", days=days, since=term.end(received_on), on=raw_on)
    return Counted(raw_on=raw_on, days=days, since=since, late=tuple(late), ignored=tuple(ignored))


def _is_over(pause: Pause, *, due_on: date, covered_until: date, closed_on: date | None) -> bool:
    """Whether the clock had run out, or the request was closed, when the question was asked. One that touches another goes on with it."""
    if closed_on is not None and pause.asked_on > closed_on:
        return True
    return pause.asked_on > due_on and pause.asked_on > covered_until


def _end(pause: Pause, *, today: date, closed_on: date | None) -> date:
    end_on = today if pause.answered_on is None else pause.answered_on
    return min(end_on, LATEST) if closed_on is None else min(end_on, closed_on, LATEST)


def _is_out(pause: Pause, *, today: date) -> bool:
    return pause.asked_on <= today and (pause.answered_on is None or today < pause.answered_on)


def _tell(pause: Pause, *, received_on: date, days: int, end_on: date, trace: Trace) -> None:
    if pause.answered_on is None:
        trace.note(StepCode.PAUSE_OPEN, "R13", asked_on=pause.asked_on, until=end_on, days=days)
    else:
        trace.note(StepCode.PAUSE, "R13", asked_on=pause.asked_on, answered_on=pause.answered_on, days=days)
    if pause.asked_on < received_on:
        trace.note(StepCode.PAUSE_BEFORE_RECEIPT, "R13", asked_on=pause.asked_on)
    if (since_receipt := (pause.asked_on - received_on).days) > UNDUE_DELAY_DAYS:
        trace.note(StepCode.PAUSE_LATE, "R13", asked_on=pause.asked_on, days=since_receipt)
