"""My day: what a person has to do today, over all their workspaces, ready to be drawn. Called by `views.home`.

At most twenty queries, whatever the number of requests and of workspaces; never writes, never calls Dastra. What could not be read is said where it
matters: a list of a workspace that was not read lately never looks like peace.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from dsrportal.models import Membership, User
from dsrportal.queries import my_day_lists, my_day_places, my_day_rows, my_day_writes
from dsrportal.queries.clockmark import past_day, short_day
from dsrportal.queries.freshness import Freshness, Level, age, clock_time
from dsrportal.queries.my_day_lists import Found, Key, Lists
from dsrportal.queries.my_day_places import Place
from dsrportal.queries.my_day_rows import DayRow
from dsrportal.queries.my_day_writes import FAILED, WriteRow, Writes
from dsrportal.queries.overview_cells import UNKNOWN, Sureness, grouped

_TITLES: dict[Key, Promise] = {
    Key.ACT: gettext_lazy("Act today"),
    Key.DECIDE: gettext_lazy("Decide extension"),
    Key.WAITING: gettext_lazy("Waiting on the person"),
    Key.UNKNOWN: gettext_lazy("Needs data"),
    Key.NEWS: gettext_lazy("New since you left"),
    Key.NOBODYS: gettext_lazy("Nobody has these"),
    Key.TEAM: gettext_lazy("The team's most urgent"),
}
ALWAYS = frozenset({Key.ACT, Key.NEWS})
"""The lists that are there even when they are empty."""
SECOND = frozenset({Key.NEWS, Key.NOBODYS, Key.TEAM})
"""The lists beside the person's own work."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """How old the data of one workspace is; `name` is empty where there is only one."""

    name: str
    age: Freshness
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class More:
    """Where all of a list is shown: "All 23", or for one of several workspaces its name and number."""

    text: str
    url: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """One list. `count` is how many there are in words ("4", "at least 4", "?"); `unread` names what could not be read; `empty` is what is said
    where there is no row; `about` is a word beside the title."""

    key: str
    title: str
    about: str
    count: str
    rows: list[DayRow]
    more: list[More]
    unread: list[str]
    empty: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Pending:
    """The person's wishes that are not over."""

    count: str
    rows: list[WriteRow]
    more: list[More]


@dataclass(frozen=True, kw_only=True, slots=True)
class MyDay:
    """What the page draws. `unmatched` names the workspaces in which the person works, and it is not known on what. `digest` changes with what is shown, ages
    apart; `spoken` is all of it in one sentence."""

    today: str
    readings: list[Reading]
    disabled: list[str]
    unmatched: list[str]
    first: list[Section]
    second: list[Section]
    pending: Pending | None
    digest: str
    spoken: str


def of_person(user: User, *, memberships: Sequence[Membership], now: datetime) -> MyDay:
    """The day of somebody with at least one workspace."""
    places = my_day_places.places_of(memberships, user=user, left_at=user.left_at, now=now)
    lists = my_day_lists.lists_of(places, now=now)
    is_named = len(places) > 1
    writes = my_day_writes.writes_of(user, places=places, is_named=is_named, now=now)
    by_pk = {place.workspace.pk: place for place in places}
    sections = [
        _section(key, found=found, lists=lists, places=by_pk, is_named=is_named, left_at=user.left_at, now=now)
        for key, found in _all(lists, has_left=user.left_at is not None).items()
    ]
    shown = [section for section in sections if section.key in ALWAYS or section.rows or section.count == UNKNOWN]
    disabled = [one.workspace.name for one in memberships if not one.workspace.is_enabled]
    pending = _pending(writes, places=by_pk, is_named=is_named)
    return MyDay(
        today=short_day(places[0].today, today=places[0].today) if places else "",
        readings=[_reading(place, is_named=is_named, now=now) for place in places],
        disabled=disabled,
        unmatched=[place.workspace.name for place in places if place.is_unmatched],
        first=[section for section in shown if section.key not in SECOND],
        second=[section for section in shown if section.key in SECOND],
        pending=pending,
        digest=_digest(shown, pending=pending),
        spoken=_spoken(shown, pending=pending),
    )


def sign_of(memberships: Iterable[Membership], *, user: User, now: datetime) -> str:
    """Changes whenever the page may show something else: with the rows, wishes and reads of each workspace, with the sitting, and every two minutes,
    since ages are shown. No query: what is needed is in the memberships, which are to be read before anything that is shown."""
    parts: list[object] = [user.pk, user.left_at, int(now.timestamp()) // 120]
    for one in memberships:
        workspace = one.workspace
        parts += [one.role, workspace.pk, workspace.change_number, workspace.rules_number]
        parts += [workspace.lease_until, workspace.disabled_at]
    return hashlib.blake2s(repr(parts).encode(), digest_size=8).hexdigest()


def _all(lists: Lists, *, has_left: bool) -> dict[Key, Found]:
    """The lists that the person has; on a first visit the one of what is new is there too, and says so."""
    nothing = Found(rows=[], counts={}, urls={}, questions={})
    found = dict(lists.by_key)
    if not has_left or Key.NEWS not in found:
        found[Key.NEWS] = nothing
    found.setdefault(Key.ACT, nothing)
    return {key: found[key] for key in Key if key in found}


def _section(
    key: Key,
    *,
    found: Found,
    lists: Lists,
    places: Mapping[int, Place],
    is_named: bool,
    left_at: datetime | None,
    now: datetime,
) -> Section:
    unread = [places[pk] for pk in found.counts if not places[pk].age.is_trustworthy]
    sureness = _sureness(unread, is_known=bool(places))
    about = clock_time(left_at, now=now) if key == Key.NEWS and left_at else ""
    is_asked = key != Key.NEWS or left_at is not None
    return Section(
        key=key,
        title=str(_TITLES[key]),
        about=about,
        count=sureness.say(found.number) if is_asked else "",
        rows=my_day_rows.rows_of(found, key=key, places=places, is_named=is_named),
        more=_more(found, places=places, is_named=is_named),
        unread=[_unread(place, is_named=is_named, now=now) for place in unread],
        empty=_empty(key, lists=lists, places=places, is_sure=sureness.is_sure, is_asked=is_asked),
    )


def _sureness(unread: Sequence[Place], *, is_known: bool) -> Sureness:
    read_at = [place.age.read_at.astimezone(place.zone).date() for place in unread if place.age.read_at]
    return Sureness(is_sure=is_known and not unread, read_on=min(read_at, default=None), note="")


def _unread(place: Place, *, is_named: bool, now: datetime) -> str:
    """Why a list may lack something."""
    read_at = place.age.read_at
    if read_at is None:
        text = _("Not read from Dastra yet.")
    else:
        text = _("Not read since %(time)s: there may be more by now.") % {"time": clock_time(read_at, now=now)}
    return f"{place.workspace.name}: {text}" if is_named else text


def _more(found: Found, *, places: Mapping[int, Place], is_named: bool) -> list[More]:
    numbers = [(pk, number) for pk, number in found.counts.items() if number]
    if not is_named:
        return [More(text=_("Show all %(n)s") % {"n": grouped(number)}, url=found.urls[pk]) for pk, number in numbers]
    return [
        More(
            text=_("%(workspace)s: %(n)s") % {"workspace": places[pk].workspace.name, "n": grouped(number)},
            url=found.urls[pk],
        )
        for pk, number in numbers
    ]


def _empty(key: Key, *, lists: Lists, places: Mapping[int, Place], is_sure: bool, is_asked: bool) -> str:
    if key == Key.NEWS:
        if not is_asked:
            return _("From your next visit on, what is new and what others changed is listed here.")
        return _("Nothing new.") if is_sure else _("Nothing new is known.")
    if key != Key.ACT:
        return _("None is known.")
    if not places:
        return _("No workspace of yours is being read.")
    today = min(place.today for place in places.values())
    if lists.next_on is None:
        texts = [_("Nothing is legally due.") if is_sure else _("Nothing is known to be due.")]
    else:
        due = _("Nothing legally due before %s.") if is_sure else _("Nothing known to be due before %s.")
        texts = [due % short_day(lists.next_on, today=today)]
    paused = lists.by_key[Key.WAITING].number if Key.WAITING in lists.by_key else 0
    if paused and lists.next_paused_on:
        said = ngettext(
            "%(n)d paused, whose date without the pause is %(day)s.",
            "%(n)d paused, the first date without the pause is %(day)s.",
            paused,
        )
        texts.append(said % {"n": paused, "day": past_day(lists.next_paused_on, today=today)})
    return " ".join(texts)


def _reading(place: Place, *, is_named: bool, now: datetime) -> Reading:
    found = place.age
    if not is_named:
        return Reading(name="", age=found, text=found.text)
    if found.read_at is None:
        text = _("not read yet")
    elif found.level in {Level.FRESH, Level.STALE}:
        text = _("read %(age)s") % {"age": age(now - found.read_at)}
    else:
        text = _("not read since %(time)s") % {"time": clock_time(found.read_at, now=now)}
    return Reading(name=place.workspace.name, age=found, text=text)


def _pending(writes: Writes, *, places: Mapping[int, Place], is_named: bool) -> Pending | None:
    if not writes.number:
        return None
    more = []
    for (pk, part), number in sorted(writes.counts.items()):
        text = _("Need you: %(n)s") if part == FAILED else _("Under way: %(n)s")
        said = text % {"n": grouped(number)}
        name = places[pk].workspace.name
        more.append(More(text=f"{name}, {said}" if is_named else said, url=writes.urls[pk, part]))
    return Pending(count=grouped(writes.number), rows=writes.rows, more=more)


def _digest(sections: Sequence[Section], *, pending: Pending | None) -> str:
    says = [(one.key, one.count, [(row.dom_id, row.clock.text, row.at) for row in one.rows]) for one in sections]
    wishes = [(row.dom_id, row.wish.is_held, row.wish.is_pending) for row in pending.rows] if pending else []
    return hashlib.blake2s(repr((says, wishes)).encode(), digest_size=8).hexdigest()


def _spoken(sections: Sequence[Section], *, pending: Pending | None) -> str:
    parts = [f"{one.title} {one.count}" for one in sections if one.rows]
    if pending:
        parts.append(_("Your changes under way %(n)s") % {"n": pending.count})
    return _("My day has changed: %s.") % (", ".join(parts) or _("nothing is left to do"))
