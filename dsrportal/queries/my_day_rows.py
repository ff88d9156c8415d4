"""A request as a line of My day: every part as text, ready to print. Called by `my_day`; one query, for who changed what is new."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from dsrportal import credentials
from dsrportal.models import DataSubjectRequest, OutboxEntry
from dsrportal.models.outbox import WishKind, WishState
from dsrportal.queries import clock_state, clockmark, wish_words, words
from dsrportal.queries.my_day_lists import Found, Key, news_at
from dsrportal.queries.my_day_places import Place


@dataclass(frozen=True, kw_only=True, slots=True)
class DayRow:
    """One line. `remark` says what this list adds: since when it waits, what is new; `place` names the workspace where there are several, `assignee`
    who has it where that is not the reader."""

    dom_id: str
    url: str
    reference: str
    clock: clockmark.ClockMark
    rights: str
    is_complex: bool
    person: str
    is_masked: bool
    place: str
    assignee: str
    initials: str
    is_whose_shown: bool
    remark: str
    at: str


def rows_of(found: Found, *, key: Key, places: Mapping[int, Place], is_named: bool) -> list[DayRow]:
    """The lines of one list, in its order. `is_named`: each says its workspace."""
    told = _deeds(found.rows, places=places) if key == Key.NEWS else {}
    return [
        _row(
            dsr,
            key=key,
            place=places[dsr.workspace_id],
            question=found.questions[dsr.workspace_id],
            told=told.get(dsr.pk),
            is_named=is_named,
        )
        for dsr in found.rows
    ]


def _row(
    dsr: DataSubjectRequest, *, key: Key, place: Place, question: str, told: OutboxEntry | None, is_named: bool
) -> DayRow:
    membership, zone = place.membership, place.zone
    url = reverse("dsr.dsr", args=[place.workspace.slug, dsr.upstream_id])
    assignee = dsr.operator.display_name if dsr.operator else ""
    is_whose_shown = key == Key.TEAM or (place.is_everybodys and key != Key.NOBODYS) or key == Key.NEWS
    now_on = place.today
    remark, at = "", ""
    if key == Key.WAITING and dsr.paused_since:
        remark = _("since %(day)s") % {"day": clockmark.past_day(dsr.paused_since, today=now_on)}
    elif key == Key.NEWS:
        remark = _news(dsr, place=place, told=told)
        when = news_at(dsr).astimezone(zone)
        clock = date_format(when, "H:i")
        at = clock if when.date() == now_on else f"{clockmark.past_day(when.date(), today=now_on)} {clock}"
    return DayRow(
        dom_id=f"{key}-{dsr.pk}",
        url=f"{url}?{urlencode({'from': question})}" if question else url,
        reference=dsr.reference or f"#{dsr.upstream_id}",
        clock=clockmark.of_row(clock_state.columns_of(dsr), policy=place.policy, zone=zone, now=place.now),
        rights=words.rights(dsr.purposes),
        is_complex=dsr.complex,
        person=_person(dsr) if membership.may_see_identity else "",
        is_masked=not membership.may_see_identity,
        place=place.workspace.name if is_named else "",
        assignee=assignee or _("Unassigned"),
        initials=words.initials(assignee),
        is_whose_shown=is_whose_shown,
        remark=remark,
        at=at,
    )


def _person(dsr: DataSubjectRequest) -> str:
    """As on a card."""
    try:
        return words.masked_name(dsr.read_identity())
    except credentials.CannotDecryptError:
        return _("Name cannot be read")


def _deeds(rows: Sequence[DataSubjectRequest], *, places: Mapping[int, Place]) -> dict[int, OutboxEntry]:
    """By request what a colleague did last with it from here, within what is new. One query."""
    entries = (
        OutboxEntry.objects.filter(dsr__in=rows, state=WishState.DONE, settled_at__isnull=False)
        .select_related("by")
        .order_by("settled_at", "pk")
    )
    found: dict[int, OutboxEntry] = {}
    for entry in entries:
        place = places[entry.workspace_id]
        is_new = place.since is not None and entry.settled_at is not None and entry.settled_at >= place.since
        if is_new and entry.dsr_id is not None and entry.by_id != place.membership.user_id:
            found[entry.dsr_id] = entry
    return found


def _news(dsr: DataSubjectRequest, *, place: Place, told: OutboxEntry | None) -> str:
    """The most telling of what happened since: it is new, it was closed, a colleague's deed, a message, another step; else only that it changed."""
    since = place.since or place.now
    if dsr.created_at and dsr.created_at >= since:
        return _("New")
    step = dsr.step.label if dsr.step else ""
    is_on = dsr.step is not None and told is not None and told.step_upstream_id == dsr.step.upstream_id
    if told is not None and (is_on or told.kind != WishKind.MOVE):
        deed = wish_words.story(told.kind, is_done=True, step=step)
        return _("%(deed)s by %(name)s") % {"deed": deed, "name": told.by.display_name()}
    happened = [
        (dsr.closed_at if dsr.is_closed else None, _("Closed")),
        (dsr.last_message_at, _("New message")),
        (dsr.step_entered_at if step else None, _("Moved to %(step)s") % {"step": step}),
    ]
    return next((text for at, text in happened if at and at >= since), _("Changed"))
