"""The calculator's answer: the legal dates of made-up facts, as rows, a line of time and the reasons, all in words. Reads no row.

Used by the page `/deadline/` and `manage.py deadline`, so that both say the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dsrportal.clocks import Clocks, Facts, Policy, Profile, State, compute
from dsrportal.models.workspaces import ClockProfile
from dsrportal.queries import clock_words
from dsrportal.queries.calculator_drawing import Drawing, drawing
from dsrportal.queries.clock_words import TraceLine
from dsrportal.queries.clockmark import ClockMark, long_day


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """What is asked: facts, by which law and calendar, as of which day."""

    facts: Facts
    policy: Policy
    today: date


@dataclass(frozen=True, kw_only=True, slots=True)
class DateRow:
    """One date: what it is for, the day in words, and what there is to say of it. `day` is the day itself, None where there is none."""

    label: str
    day: date | None
    text: str
    note: str = ""
    is_main: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What the page and the command show."""

    clocks: Clocks
    mark: ClockMark
    rows: list[DateRow]
    law: str
    place: str
    lines: list[TraceLine]
    drawing: Drawing | None


def answer(question: Question) -> Answer:
    """The answer to a question. Raises `UnknownCalendarError`."""
    clocks = compute(question.facts, policy=question.policy, today=question.today)
    calendar = question.policy.calendar
    return Answer(
        clocks=clocks,
        mark=_mark(clocks),
        rows=_rows(clocks, question=question),
        law=str(ClockProfile(question.policy.profile).label),
        place=f"{calendar.country} {calendar.region}".strip(),
        lines=clock_words.trace_lines(clocks.trace, policy=question.policy),
        drawing=drawing(clocks, facts=question.facts, policy=question.policy, today=question.today),
    )


def days_left(clocks: Clocks) -> str:
    """ "4 days left, 1 working", "due today", "3 days overdue, 2 working"."""
    days, working = clocks.days_left, clocks.working_days_left
    if days is None or working is None:
        return ""
    if days == 0:
        return _("due today")
    if days > 0:
        left = ngettext("%(n)d day left", "%(n)d days left", days) % {"n": days}
    else:
        left = ngettext("%(n)d day overdue", "%(n)d days overdue", -days) % {"n": -days}
    return _("%(left)s, %(working)d of them working") % {"left": left, "working": abs(working)}


def _mark(clocks: Clocks) -> ClockMark:
    state = clocks.state.value.replace("_", "-")
    full = long_day(clocks.respond_by) if clocks.respond_by else ""
    if clocks.is_paused:
        return ClockMark(state=state, text=_("paused: an answer today would make it this day"), full=full)
    if clocks.decide_extension and clocks.state in {State.ON_TRACK, State.SOON}:
        return ClockMark(state="decide-extension", text=_("%s: extend or answer") % days_left(clocks), full=full)
    return ClockMark(state=state, text=days_left(clocks) or _("unknown"), full=full)


def _rows(clocks: Clocks, *, question: Question) -> list[DateRow]:
    rows = [_row(_("Respond by"), clocks.respond_by, note=days_left(clocks), is_main=True)]
    if question.policy.profile != Profile.UPSTREAM and question.facts.pauses:
        rows.append(_row(_("Without pauses"), clocks.without_pauses, note=_("the date that nobody can dispute")))
    rows.append(_row(_("Extend by"), clocks.extend_by, note=_extension_note(clocks)))
    rows.append(_row(_("Refuse by"), clocks.refuse_by, note=_refusal_note(clocks)))
    if clocks.upstream_rule and clocks.respond_by:
        label = _("Dastra's 90 days") if question.facts.is_complex else _("Dastra's 30 days")
        later = (clocks.upstream_rule - clocks.respond_by).days
        rows.append(_row(label, clocks.upstream_rule, note=clock_words.days_beside(later)))
    return rows


def _row(label: str, day: date | None, *, note: str, is_main: bool = False) -> DateRow:
    return DateRow(label=label, day=day, text=long_day(day) if day else _("unknown"), note=note, is_main=is_main)


def _extension_note(clocks: Clocks) -> str:
    if clocks.extension_valid is None:
        return _("tell the person, with the reasons")
    return _("told in time") if clocks.extension_valid else _("told too late: there is no extension")


def _refusal_note(clocks: Clocks) -> str:
    if clocks.refusal_in_time is None:
        return _("tell the person why; an extension does not move this")
    return _("told in time") if clocks.refusal_in_time else _("told too late")
