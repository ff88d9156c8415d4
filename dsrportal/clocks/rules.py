"""The legal clocks: from what happened to a request to the days it is due, with the trace of how. Called by the mirror, the pages, the command.

GDPR Art. 12(3) and (4) by the reckoning of Reg. 1182/71: months count from the day of receipt, a pause is added to the raw date, and the roll
to a working day happens once, last. `today` is always given; nothing here asks what day it is.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TypedDict

from dsrportal.clocks import pauses
from dsrportal.clocks.calendars import EARLIEST, LATEST
from dsrportal.clocks.facts import Clocks, Event, EventKind, Facts, State
from dsrportal.clocks.profiles import Policy, Profile, Term
from dsrportal.clocks.trace import StepCode, Trace

DECIDE_DAYS = 10
SOON_WORKING_DAYS = 5
DUE_NOW_WORKING_DAYS = 1
UPSTREAM_DAYS, UPSTREAM_COMPLEX_DAYS = 30, 90


def compute(facts: Facts, *, policy: Policy, today: date) -> Clocks:
    """The clocks of a request as of `today`. Raises `UnknownCalendarError` for a policy whose country or region has no known holidays."""
    trace = Trace(law=policy.terms.law)
    received_on = _received_on(facts, trace=trace)
    found = Clocks(received_on=received_on)
    if received_on is not None:
        found = _notices(facts, received_on=received_on, policy=policy, trace=trace)
    if policy.profile == Profile.UPSTREAM:
        found = _trusted(found, facts=facts, trace=trace)
    elif received_on is not None:
        found = _answer(found, facts=facts, received_on=received_on, policy=policy, today=today, trace=trace)
    if received_on and found.upstream_rule and found.respond_by:
        days, later = (found.upstream_rule - received_on).days, (found.upstream_rule - found.respond_by).days
        trace.note(StepCode.UPSTREAM_RULE, days=days, on=found.upstream_rule, later=later)
    standing = _closed(found, facts=facts, trace=trace) if facts.closed_on else _open(found, facts, policy, today)
    return replace(found, trace=tuple(trace), **standing)


def upstream_rule(received_on: date, *, is_complex: bool) -> date:
    """What Dastra itself makes of a receipt: 30 days, or 90 for a complex request."""
    return received_on + timedelta(days=UPSTREAM_COMPLEX_DAYS if is_complex else UPSTREAM_DAYS)


def _received_on(facts: Facts, *, trace: Trace) -> date | None:
    received_on = facts.received_on
    if received_on is None:
        trace.note(StepCode.NO_RECEIPT, "R1", "R2")
        return None
    if not EARLIEST <= received_on <= LATEST:
        trace.note(StepCode.SENSELESS_RECEIPT, "R2", on=received_on)
        return None
    code = StepCode.RECEIPT_FROM_CREATION if facts.is_receipt_from_creation else StepCode.RECEIPT
    trace.note(code, "R2", on=received_on)
    return received_on


def _notices(facts: Facts, *, received_on: date, policy: Policy, trace: Trace) -> Clocks:
    """The day by which the person must have heard something, and whether an extension or a refusal came in time for it."""
    raw_on = _term(policy.terms.first, since=received_on, trace=trace, rule="R3")
    notice_by = _roll(raw_on, policy=policy, trace=trace)
    trace.note(StepCode.NOTICES, "R9", "R10", on=notice_by)
    return Clocks(
        received_on=received_on,
        raw_on=raw_on,
        respond_by=notice_by,
        extend_by=notice_by,
        refuse_by=notice_by,
        without_pauses=notice_by,
        extension_valid=_extension(facts, by=notice_by, trace=trace),
        refusal_in_time=_refusal(facts, by=notice_by, trace=trace),
        upstream_rule=upstream_rule(received_on, is_complex=facts.is_complex),
    )


def _answer(found: Clocks, *, facts: Facts, received_on: date, policy: Policy, today: date, trace: Trace) -> Clocks:
    """The day of the answer: the extended period where there is one, the pauses, and then one roll."""
    term, without_pauses = policy.terms.first, found.without_pauses
    if found.extension_valid:
        term = policy.terms.extended
        without_pauses = _roll(_term(term, since=received_on, trace=trace, rule="R8"), policy=policy, trace=trace)
    counted = pauses.count(facts, received_on=received_on, term=term, policy=policy, today=today, trace=trace)
    respond_by = _roll(counted.raw_on, policy=policy, trace=trace) if counted.days else without_pauses
    if respond_by is not None:
        trace.note(StepCode.RESPOND_BY, "R1", on=respond_by)
    return replace(
        found,
        raw_on=counted.raw_on,
        respond_by=respond_by,
        without_pauses=without_pauses,
        pause_days=counted.days,
        paused_since=counted.since,
        late_pauses=counted.late,
        ignored_pauses=counted.ignored,
    )


def _trusted(found: Clocks, *, facts: Facts, trace: Trace) -> Clocks:
    """The profile `upstream`: Dastra's own date is the day of the answer, as it stands; the notices stay those of the law."""
    due_on = facts.upstream_due_on
    if facts.pauses:
        trace.note(StepCode.PAUSES_IGNORED)
    if due_on is None:
        trace.note(StepCode.NO_UPSTREAM_DATE)
    else:
        trace.note(StepCode.UPSTREAM_DATE, on=due_on)
    ignored = tuple(pause.asked_on for pause in facts.pauses)
    return replace(found, raw_on=due_on, respond_by=due_on, without_pauses=due_on, ignored_pauses=ignored)


def _term(term: Term, *, since: date, trace: Trace, rule: str) -> date:
    end_on = term.end(since)
    trace.note(StepCode.TERM, rule, "R7", months=term.months, days=term.days, since=since, on=end_on)
    if term.months and end_on.day != since.day:
        trace.note(StepCode.CLAMPED, "R4", day=since.day, on=end_on)
    return end_on


def _roll(raw_on: date, *, policy: Policy, trace: Trace) -> date:
    calendar = policy.calendar
    on = calendar.roll(raw_on)
    if on != raw_on:
        skipped = calendar.skipped(since=raw_on, until=on)
        trace.note(
            StepCode.ROLLED,
            "R5",
            "R6",
            since=raw_on,
            on=on,
            skipped=skipped,
            country=calendar.country,
            region=calendar.region,
        )
    return on


def _extension(facts: Facts, *, by: date, trace: Trace) -> bool | None:
    extension = facts.extension
    if extension is None:
        return None
    if not extension.has_ground:
        trace.note(StepCode.EXTENSION_WITHOUT_GROUND, "R9")
    elif extension.notice_on is None:
        trace.note(StepCode.EXTENSION_WITHOUT_NOTICE, "R9", by=by)
    elif extension.notice_on > by:
        trace.note(StepCode.EXTENSION_LATE, "R9", notice_on=extension.notice_on, by=by)
    else:
        trace.note(StepCode.EXTENSION_VALID, "R8", "R9", notice_on=extension.notice_on, by=by)
        return True
    return False


def _refusal(facts: Facts, *, by: date, trace: Trace) -> bool | None:
    if facts.refusal is None:
        return None
    is_in_time = facts.refusal.notice_on <= by
    code = StepCode.REFUSAL_IN_TIME if is_in_time else StepCode.REFUSAL_LATE
    trace.note(code, "R10", notice_on=facts.refusal.notice_on, by=by)
    return is_in_time


class _Standing(TypedDict, total=False):
    """What of `Clocks` depends on the day that it is, or on the closing."""

    state: State
    overdue: bool
    decide_extension: bool
    days_left: int | None
    working_days_left: int | None
    days_late: int | None
    next_event: Event | None


def _closed(found: Clocks, *, facts: Facts, trace: Trace) -> _Standing:
    if found.respond_by is None or facts.closed_on is None:
        return _Standing(state=State.CLOSED)
    late = (facts.closed_on - found.respond_by).days
    trace.note(StepCode.CLOSED, on=facts.closed_on, late=late)
    return _Standing(state=State.CLOSED_LATE if late > 0 else State.CLOSED_EARLY, days_late=late)


def _open(found: Clocks, facts: Facts, policy: Policy, today: date) -> _Standing:
    if found.respond_by is None:
        return _Standing(state=State.UNKNOWN)
    days_left = (found.respond_by - today).days
    working_days_left = policy.calendar.working_days_between(after=today, until=found.respond_by)
    decides = (
        found.extend_by is not None
        and not found.extension_valid
        and facts.refusal is None
        and 0 <= (found.extend_by - today).days <= DECIDE_DAYS
    )
    return _Standing(
        state=_state(found, days_left=days_left, working_days_left=working_days_left),
        overdue=days_left < 0,
        decide_extension=decides,
        days_left=days_left,
        working_days_left=working_days_left,
        next_event=_next_event(found, decides=decides, has_refusal=facts.refusal is not None, today=today),
    )


def _state(found: Clocks, *, days_left: int, working_days_left: int) -> State:
    if found.is_paused:
        return State.PAUSED
    if days_left < 0:
        return State.OVERDUE
    if working_days_left <= DUE_NOW_WORKING_DAYS:
        return State.DUE_NOW
    return State.SOON if working_days_left <= SOON_WORKING_DAYS else State.ON_TRACK


def _next_event(found: Clocks, *, decides: bool, has_refusal: bool, today: date) -> Event | None:
    """The nearest of the clocks that still lie ahead; of several on one day the answer, unless the extension is to be decided now."""
    if found.respond_by is None:
        return None
    notice_by = found.extend_by
    if notice_by is not None and notice_by >= today and not has_refusal:
        is_nearer = notice_by < found.respond_by
        if not found.extension_valid and (is_nearer or decides):
            return Event(kind=EventKind.EXTEND, on=notice_by)
        if found.extension_valid and is_nearer:
            return Event(kind=EventKind.REFUSE, on=notice_by)
    return Event(kind=EventKind.RESPOND, on=found.respond_by)
