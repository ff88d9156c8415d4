"""The clock as a card or a row shows it: Dastra's own date, and how far off it is, in the workspace's time zone. Reads no row, no clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

SOON_DAYS = 7


@dataclass(frozen=True, kw_only=True, slots=True)
class ClockMark:
    """The arguments of the tag `clock_mark`: a state that is drawn, the words on it, the date in full for hover and screen readers."""

    state: str
    text: str
    full: str


def of_request(
    *,
    expires_at: datetime | None,
    closed_at: datetime | None,
    is_closed: bool,
    zone: ZoneInfo,
    now: datetime,
    is_named: bool = True,
) -> ClockMark:
    """What Dastra's date says of one request at `now`. A closed one is judged by the day it was closed. `is_named` False leaves out whose
    date it is, where a heading says so already."""
    due_on = expires_at.astimezone(zone).date() if expires_at else None
    closed_on = closed_at.astimezone(zone).date() if closed_at else None
    today = now.astimezone(zone).date()
    language = get_language() or ""
    if is_closed:
        return _closed(closed_on, due_on, today, language)
    return _open(due_on, today, expires_at is not None and expires_at < now, is_named, language)


@lru_cache(maxsize=4096)
def _open(due_on: date | None, today: date, has_passed: bool, is_named: bool, language: str) -> ClockMark:  # noqa: ARG001, FBT001
    """Cached, because hundreds of cards share few days; the language is part of the key."""
    if due_on is None:
        return ClockMark(state="unknown", text=_("No date in Dastra"), full="")
    days = (due_on - today).days
    if has_passed:
        state = "overdue"
        left = ngettext("%(n)d d overdue", "%(n)d d overdue", -days) % {"n": -days} if days else _("passed today")
    elif days == 0:
        state, left = "due-now", _("today")
    else:
        state = "soon" if days <= SOON_DAYS else "on-track"
        left = ngettext("%(n)d d", "%(n)d d", days) % {"n": days}
    day = past_day(due_on, today=today) if has_passed else short_day(due_on, today=today)
    words = _("Dastra: %(day)s · %(left)s") if is_named else _("%(day)s · %(left)s")
    text = words % {"day": day, "left": left}
    return ClockMark(state=state, text=text, full=_("Dastra's date: %s") % long_day(due_on))


@lru_cache(maxsize=4096)
def _closed(closed_on: date | None, due_on: date | None, today: date, language: str) -> ClockMark:  # noqa: ARG001
    if closed_on is None:
        return ClockMark(state="on-track", text=_("Closed"), full=_("Dastra gives no closing date"))
    text = _("Closed %s") % short_day(closed_on, today=today)
    full = _("Closed on %s") % long_day(closed_on)
    if due_on is None:
        return ClockMark(state="on-track", text=text, full=full)
    late = (closed_on - due_on).days
    if late > 0:
        text = ngettext("Closed %(day)s · %(n)d d late", "Closed %(day)s · %(n)d d late", late) % {
            "day": short_day(closed_on, today=today),
            "n": late,
        }
    return ClockMark(state="closed-late" if late > 0 else "closed-early", text=text, full=full)


def short_day(day: date, *, today: date) -> str:
    """`Tue 10 Mar`; with the year when it is not this one."""
    # Translators: Django's date format; where months are written small, use b for M.
    return _day(day, _("D j M") if day.year == today.year else _("D j M Y"), get_language() or "")


def past_day(day: date, *, today: date) -> str:
    """`10 Mar`: of a day that is over, the name says nothing and takes room."""
    return _day(day, _("j M") if day.year == today.year else _("j M Y"), get_language() or "")


def long_day(day: date) -> str:
    """`Tuesday 10 March 2026`."""
    return _day(day, _("l j F Y"), get_language() or "")


@lru_cache(maxsize=4096)
def _day(day: date, pattern: str, language: str) -> str:  # noqa: ARG001  the language is part of the key
    return date_format(day, pattern)
