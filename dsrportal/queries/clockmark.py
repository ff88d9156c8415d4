"""The clock as a card, a row or a page shows it: the next legal event and how far off it is, in words. Reads no row, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from dsrportal.clocks import EventKind, Policy, State
from dsrportal.queries import clock_state
from dsrportal.queries.clock_state import Standing


@dataclass(frozen=True, kw_only=True, slots=True)
class ClockMark:
    """The arguments of the tag `clock_mark`: a state that is drawn, the words on it, the date in full for hover and screen readers."""

    state: str
    text: str
    full: str


def of_row(
    row: Mapping[str, Any],
    *,
    policy: Policy | None,
    zone: ZoneInfo,
    now: datetime,
    is_named: bool = True,
) -> ClockMark:
    """The mark of a row (with `clock_state.FIELDS`) at `now`. The words are those of the next legal event, the state is how urgent it is.
    `is_named` False leaves out "respond by", where a heading says so already."""
    today = now.astimezone(zone).date()
    language = get_language() or ""
    if row["is_closed"]:
        closed_on = row["closed_at"].astimezone(zone).date() if row["closed_at"] else None
        return _closed(closed_on, row["late_days"], today, language)
    found = clock_state.standing(row, policy=policy, today=today)
    return _open(found, row["without_pauses"], row["received_on"], row["upstream_due_on"], today, is_named, language)


@lru_cache(maxsize=8192)
def _open(
    found: Standing,
    without_pauses: date | None,
    received_on: date | None,
    upstream_due_on: date | None,
    today: date,
    is_named: bool,  # noqa: FBT001
    language: str,  # noqa: ARG001
) -> ClockMark:
    """Cached, because hundreds of cards share few days; the language is part of the key."""
    beside = _("Dastra's date: %s") % long_day(upstream_due_on) if upstream_due_on else _("Dastra has no date")
    if found.state == State.UNKNOWN:
        text = _("No date of receipt") if received_on is None else _("No date can be told")
        return ClockMark(state="unknown", text=f"? · {text}", full=f"{_('Needs data')}; {beside}")
    if found.state == State.PAUSED:
        return _paused(found, without_pauses, beside=beside, today=today)
    on = found.event_on or today
    if found.state == State.OVERDUE:
        days = -(found.days_left or 0)
        left = ngettext("%(n)d d overdue", "%(n)d d overdue", days) % {"n": days}
        due_on = today - timedelta(days=days)
        full = f"{_event_words(EventKind.RESPOND) % {'day': long_day(due_on)}}; {beside}"
        return ClockMark(state="overdue", text=f"{past_day(due_on, today=today)} · {left}", full=full)
    full = f"{_event_words(found.event) % {'day': long_day(on)}}; {beside}"
    left = _left((on - today).days)
    if found.event == EventKind.RESPOND:
        day = short_day(on, today=today)
        text = _event_words(found.event) % {"day": day} if is_named else day
    else:  # a day of the week would make these too long for a card
        text = _event_words(found.event) % {"day": past_day(on, today=today)}
        due_on = today + timedelta(days=found.days_left or 0)
        full = f"{full}; {_event_words(EventKind.RESPOND) % {'day': long_day(due_on)}}" if due_on != on else full
    return ClockMark(state=_drawn(found), text=f"{text} · {left}", full=full)


def _drawn(found: Standing) -> str:
    """The state that is drawn: what is urgent by its answer is drawn so, whatever else is to be decided."""
    is_calm = found.state == State.ON_TRACK
    return "decide-extension" if is_calm and found.decides_extension else found.state.value.replace("_", "-")


def _left(days: int) -> str:
    return ngettext("%(n)d d", "%(n)d d", days) % {"n": days} if days else _("due today")


def _event_words(event: EventKind) -> str:
    return {
        EventKind.RESPOND: _("Respond by %(day)s"),
        EventKind.EXTEND: _("Extend or answer by %(day)s"),
        EventKind.REFUSE: _("Refuse by %(day)s"),
    }[event]


def _paused(found: Standing, without_pauses: date | None, *, beside: str, today: date) -> ClockMark:
    """The date that the law gives without the tolerance stands beside, always."""
    if without_pauses is None or found.event_on is None:
        return ClockMark(state="paused", text=_("Paused"), full=beside)
    full = _("Paused; without the pause the answer was due on %s") % long_day(without_pauses)
    if found.event == EventKind.EXTEND:
        text = _("Paused · extend by %s") % past_day(found.event_on, today=today)
    else:
        text = _("Paused · without it %s") % short_day(without_pauses, today=today)
    return ClockMark(state="paused", text=text, full=f"{full}; {beside}")


@lru_cache(maxsize=4096)
def _closed(closed_on: date | None, late_days: int | None, today: date, language: str) -> ClockMark:  # noqa: ARG001
    """A closed one is judged once, by the day it was closed, and never red for anything that came after."""
    if closed_on is None:
        return ClockMark(state="on-track", text=_("Closed"), full=_("Dastra gives no closing date"))
    text = _("Closed %s") % short_day(closed_on, today=today)
    full = _("Closed on %s") % long_day(closed_on)
    if late_days is None:
        return ClockMark(state="on-track", text=text, full=full)
    if late_days > 0:
        verdict = ngettext("%(n)d d late", "%(n)d d late", late_days) % {"n": late_days}
    elif late_days < 0:
        verdict = ngettext("%(n)d d early", "%(n)d d early", -late_days) % {"n": -late_days}
    else:
        verdict = _("in time")
    return ClockMark(state="closed-late" if late_days > 0 else "closed-early", text=f"{text} · {verdict}", full=full)


def short_day(day: date, *, today: date) -> str:
    """`Tue 10 Mar`; with the year when it is not this one."""
    # Translators: Django's date format; where months are written small, use b for M.
    return _day(day, _("D j M") if day.year == today.year else _("D j M Y"), get_language() or "")


def past_day(day: date, *, today: date) -> str:
    """`10 Mar`: of a day that is over, or where there is little room, the name of the day is left out."""
    return _day(day, _("j M") if day.year == today.year else _("j M Y"), get_language() or "")


def long_day(day: date) -> str:
    """`Tuesday 10 March 2026`."""
    return _day(day, _("l j F Y"), get_language() or "")


@lru_cache(maxsize=4096)
def _day(day: date, pattern: str, language: str) -> str:  # noqa: ARG001  the language is part of the key
    return date_format(day, pattern)
