"""What has happened to a request, newest first: what Dastra's dates tell, and what people did from this portal. Called by `queries.detail`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from dsrportal.models import DataSubjectRequest, Membership, OutboxEntry
from dsrportal.models.outbox import FAILED_STATES, WishKind, WishState
from dsrportal.queries import wish_words, words
from dsrportal.queries.ledger import SAME_MOVE, Recorded
from dsrportal.queries.ledger import events as ledger_events
from dsrportal.queries.sentences import in_words
from dsrportal.queries.timeline_event import KINDS, Event, EventTab, Timeline
from dsrportal.queries.vocabulary import Vocabulary

MOST_WISHES = 50
FEW_EVENTS = 60
MOST_EVENTS = 500


def timeline(events: Iterable[Event], *, show: str, shows_all: bool, came_from: str, zone: ZoneInfo) -> Timeline:
    """The newest lines of the kind `show` (anything else: of all), 60 at most unless `shows_all`, then 500."""
    found = sorted(events, key=lambda event: event.at, reverse=True)
    counts = Counter(event.kind for event in found)
    show = show if show in KINDS else ""
    kept = [event for event in found if show in ("", event.kind)]
    most = MOST_EVENTS if shows_all else FEW_EVENTS

    def address(kind: str, **more: str) -> str:
        return "?" + urlencode({"events": kind, **more, **({"from": came_from} if came_from else {})})

    tabs = [EventTab(label=_("All"), url=address(""), count=len(found), is_current=not show)]
    tabs += [
        EventTab(label=str(label), url=address(kind), count=counts[kind], is_current=show == kind)
        for kind, label in KINDS.items()
        if counts[kind] or kind == show
    ]
    return Timeline(
        events=[replace(one, when=moment(one.at, zone=zone), machine=one.at.isoformat()) for one in kept[:most]],
        tabs=tabs,
        left_out=max(len(kept) - most, 0),
        more_url="" if shows_all else address(show, earlier="1"),
    )


def events(
    dsr: DataSubjectRequest, *, recorded: Recorded, viewer: Membership, known: Vocabulary, zone: ZoneInfo
) -> Iterator[Event]:
    """What Dastra's dates, the wishes and the ledger tell, in no order. One query."""
    labels = {step.upstream_id: step.label for step in known.steps.values()}
    entries = list(
        OutboxEntry.objects.filter(
            workspace_id=dsr.workspace_id,
            upstream_id=dsr.upstream_id,
            state__in=[WishState.DONE, *FAILED_STATES],
            settled_at__isnull=False,
        )
        .select_related("by")
        .order_by("-settled_at")[:MOST_WISHES]
    )
    yield from _from_dastra(dsr, known=known, entries=entries)
    yield from _from_here(entries, labels=labels)
    moved_here = [
        (entry.step_upstream_id, entry.settled_at)
        for entry in entries
        if entry.kind == WishKind.MOVE and entry.state == WishState.DONE
    ]
    yield from ledger_events(recorded, viewer=viewer, labels=labels, moved_here=moved_here, zone=zone)


def moment(at: datetime, *, zone: ZoneInfo) -> str:
    """ "Wed 11 Feb 2026, 09:12", in the workspace's time zone."""
    return date_format(at.astimezone(zone), _("D j M Y, H:i"))


def _from_dastra(dsr: DataSubjectRequest, *, known: Vocabulary, entries: list[OutboxEntry]) -> Iterator[Event]:
    if dsr.received_at:
        channel = words.channel(dsr.channel)
        text = _("Received: %(channel)s") % {"channel": channel} if channel else _("Received")
        yield Event(at=dsr.received_at, kind="dastra", icon="inbox", text=text)
    if dsr.created_at and not (dsr.received_at and abs(dsr.created_at - dsr.received_at) < SAME_MOVE):
        yield Event(at=dsr.created_at, kind="dastra", icon="plus", text=_("Entered in Dastra"))
    if dsr.identity_validated_at:
        yield Event(at=dsr.identity_validated_at, kind="dastra", icon="fingerprint", text=_("Identity proven"))
    if dsr.last_message_at:
        yield Event(at=dsr.last_message_at, kind="messages", icon="message-square", text=_("Last message"))
    step = known.steps.get(dsr.step_id) if dsr.step_id else None
    if step and dsr.step_entered_at and not _was_moved_here(dsr, step_upstream_id=step.upstream_id, entries=entries):
        yield Event(
            at=dsr.step_entered_at,
            kind="dastra",
            icon="arrow-right",
            text=_("Moved to %(step)s") % {"step": step.label},
            remark=_("In Dastra; seen here at this time."),
        )
    if dsr.closed_at:
        reason = words.closed_reason(dsr.closed_reason)
        text = _("Closed: %(reason)s") % {"reason": reason} if reason else _("Closed")
        yield Event(at=dsr.closed_at, kind="dastra", icon="circle-check", text=text)
    if dsr.archived and dsr.archived_at:
        yield Event(at=dsr.archived_at, kind="dastra", icon="archive", text=_("Archived"))


def _was_moved_here(dsr: DataSubjectRequest, *, step_upstream_id: int, entries: list[OutboxEntry]) -> bool:
    return any(
        entry.kind == WishKind.MOVE
        and entry.state == WishState.DONE
        and entry.step_upstream_id == step_upstream_id
        and entry.settled_at is not None
        and dsr.step_entered_at is not None
        and abs(entry.settled_at - dsr.step_entered_at) < SAME_MOVE
        for entry in entries
    )


def _from_here(entries: list[OutboxEntry], *, labels: dict[int, str]) -> Iterator[Event]:
    for entry in entries:
        if entry.settled_at is None:
            continue
        step = labels.get(entry.step_upstream_id or 0, _("a step that is gone"))
        is_done = entry.state == WishState.DONE
        yield Event(
            at=entry.settled_at,
            kind="messages" if entry.kind == WishKind.MESSAGE else "deeds",
            icon=wish_words.icon(entry.kind) if is_done else "circle-alert",
            text=wish_words.story(entry.kind, is_done=is_done, step=step),
            by=entry.by.display_name(),
            remark="" if is_done else in_words(entry.reason),
        )
