"""The calendar of one person: a whole day for the next legal event of each open request, in iCalendar (RFC 5545). Reads rows, writes nothing.

It leaves the portal for a calendar program, so it holds references, workspaces' names and dates alone, and nothing of a data subject.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from dsrportal.clocks import EventKind, State
from dsrportal.models import CalendarFeed, DataSubjectRequest, Membership, Workspace
from dsrportal.models.feeds import FeedScope
from dsrportal.models.rules import policies_of
from dsrportal.queries import clock_state

MOST_EVENTS = 1000
"""The most urgent ones; more would make a calendar program slow and nobody wiser."""
EVERY = timedelta(hours=1)
FORM = 1
"""Raised whenever the same events are written otherwise, so that calendar programs read them again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CalendarEvent:
    """One day of one request. `uid` is the same for as long as the request has this event; `changed_at` is when the row was last read anew."""

    uid: str
    on: date
    summary: str
    description: str
    url: str
    changed_at: datetime


def events(feed: CalendarFeed, *, now: datetime) -> list[CalendarEvent]:
    """The events of a feed in the order of urgency; a constant number of queries."""
    memberships = Membership.objects.filter(user=feed.user, workspace__disabled_at=None).select_related("workspace")
    workspaces = {membership.workspace_id: membership.workspace for membership in memberships}
    policies = policies_of(list(workspaces.values()))
    todays = {pk: now.astimezone(ZoneInfo(workspace.time_zone)).date() for pk, workspace in workspaces.items()}
    addresses = {pk: _address(workspace) for pk, workspace in workspaces.items()}
    host = urlsplit(settings.PORTAL_URL).hostname or "localhost"
    found = []
    for row in _rows(feed, workspaces=list(workspaces)):
        workspace = workspaces[row["workspace_id"]]
        standing = clock_state.standing(row, policy=policies[workspace.pk], today=todays[workspace.pk])
        if standing.event_on is not None:
            kind = standing.event
            found.append(
                CalendarEvent(
                    uid=f"{workspace.pk}-{row['upstream_id']}-{kind.value}@{host}",
                    on=standing.event_on,
                    summary=_summary(row, kind=kind, is_paused=standing.state == State.PAUSED),
                    description=workspace.name,
                    url=addresses[workspace.pk] % row["upstream_id"],
                    changed_at=row["mirrored_at"],
                )
            )
    return found


def mark_of(found: list[CalendarEvent]) -> str:
    """What stands for the events in an ETag: cheap, since most calls of calendar programs find nothing new."""
    return hashlib.sha256(repr((FORM, get_language(), found)).encode()).hexdigest()[:32]


def as_ical(found: list[CalendarEvent]) -> bytes:
    """The events as a calendar program reads them. The same events give the same bytes."""
    import icalendar  # noqa: PLC0415  only this door needs it, and it takes long to load

    calendar = icalendar.Calendar()
    calendar.add("prodid", "-//DSR Portal//Legal dates//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", _("Requests: legal dates"))
    calendar.add("refresh-interval", EVERY, parameters={"value": "DURATION"})
    calendar.add("x-published-ttl", EVERY)
    for one in found:
        event = icalendar.Event()
        event.add("uid", one.uid)
        event.add("dtstamp", one.changed_at)
        event.add("dtstart", one.on)
        event.add("dtend", one.on + timedelta(days=1))
        event.add("summary", one.summary)
        event.add("description", one.description)
        event.add("url", one.url)
        event.add("transp", "TRANSPARENT")
        calendar.add_component(event)
    written: bytes = calendar.to_ical()
    return written


def _rows(feed: CalendarFeed, *, workspaces: list[int]) -> Iterator[dict[str, Any]]:
    rows: QuerySet[DataSubjectRequest] = DataSubjectRequest.objects.filter(
        workspace__in=workspaces,
        archived=False,
        clock_rank__in=(DataSubjectRequest.RUNNING, DataSubjectRequest.PAUSED),
    )
    if feed.scope == FeedScope.MINE:
        rows = rows.filter(operator__email__iexact=feed.user.email) if feed.user.email else rows.none()
    fields = {"workspace_id", "upstream_id", "reference", "mirrored_at", *clock_state.FIELDS}
    yield from rows.order_by("clock_on", "workspace_id", "upstream_id").values(*fields)[:MOST_EVENTS]


def _summary(row: dict[str, Any], *, kind: EventKind, is_paused: bool) -> str:
    name = {"reference": row["reference"] or _("Request %d") % row["upstream_id"]}
    if kind == EventKind.EXTEND:
        return _("%(reference)s: extend or answer") % name
    if kind == EventKind.REFUSE:
        return _("%(reference)s: last day to refuse") % name
    if is_paused:
        return _("%(reference)s: respond by, without the pause") % name
    return _("%(reference)s: respond by") % name


def _address(workspace: Workspace) -> str:
    """The address of a request's page with a gap for the id: to reverse a thousand takes longer than all the rest."""
    return (
        settings.PORTAL_URL + reverse("dsr.dsr", args=[workspace.slug, 0]).replace("%", "%%").removesuffix("0/") + "%d/"
    )
