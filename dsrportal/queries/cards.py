"""A request as a card of the board: every line as text, ready to print. Called by `queries.board` and for a single card that changed."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dsrportal import credentials
from dsrportal.clocks import Policy
from dsrportal.models import DataSubjectRequest, Membership, Tag, WorkflowStep, Workspace
from dsrportal.models.outbox import WishKind
from dsrportal.queries import clock_state, clockmark, words
from dsrportal.queries.wishes import WishView

NO_STEP = "none"
"""The column of requests that Dastra put in no step."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Card:
    """One card. `column` is where it is shown (where it goes while a move is pending), `step` where Dastra has it: both a step's
    upstream id as text, or `none`; `operator` is the assignee's, 0 for nobody. `order` sorts it within its column, `cursor` says what
    comes after it, `version` whether anything on it changed, the countdown apart."""

    pk: int
    upstream_id: int
    dom_id: str
    place: str
    column: str
    step: str
    order: str
    cursor: str
    version: str
    url: str
    move_url: str
    action_id: str
    seen_step: str
    seen_updated_at: str
    reference: str
    rights: str
    is_complex: bool
    clock: clockmark.ClockMark
    person: str
    is_masked: bool
    area: str
    operator: int
    assignee: str
    assignee_initials: str
    days_here: str
    unread_count: int
    is_mail_unconfirmed: bool
    tags: tuple[tuple[str, str], ...]
    wish: WishView | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Deck:
    """What all cards of one page share: whose they are and by which rules, who looks, when, and what is wished of them. `place` is the workspace's
    name where cards of several stand together."""

    workspace: Workspace
    policy: Policy | None
    viewer: Membership
    now: datetime
    wishes: Mapping[int, WishView]
    place: str = ""

    @property
    def zone(self) -> ZoneInfo:
        """The workspace's time zone."""
        return ZoneInfo(self.workspace.time_zone)

    def column_of(self, dsr: DataSubjectRequest) -> str:
        """Where the card is shown: at the step that it is being moved to, else at its own."""
        wish = self.wishes.get(dsr.pk)
        if wish and wish.is_pending and wish.kind == WishKind.MOVE and wish.step_upstream_id:
            return str(wish.step_upstream_id)
        return step_key(dsr)


def step_key(dsr: DataSubjectRequest) -> str:
    """The key of the column that the request is in by Dastra."""
    return str(dsr.step.upstream_id) if dsr.step else NO_STEP


def is_closing(step: WorkflowStep | None) -> bool:
    """Whether requests end in this step: they are sorted by their closing, and nothing in it is late."""
    return step is not None and (step.is_final or step.mapped_state == words.CLOSED)


def cards_of(dsrs: Iterable[DataSubjectRequest], *, deck: Deck) -> list[Card]:
    """Cards in the order given; one query, for the names of their tags. The rows come with step, area and operator."""
    return cards_of_many(dsrs, decks={deck.workspace.pk: deck})


def cards_of_many(dsrs: Iterable[DataSubjectRequest], *, decks: Mapping[int, Deck]) -> list[Card]:
    """Cards of several workspaces, by the key of each; one query."""
    dsrs = list(dsrs)
    wanted = {tag_id for dsr in dsrs for tag_id in dsr.tag_id_list()}
    tags: dict[int, dict[int, tuple[str, str]]] = {pk: {} for pk in decks}
    rows = Tag.objects.filter(workspace__in=tags, upstream_id__in=wanted)
    for workspace_id, upstream_id, color, label in rows.values_list("workspace_id", "upstream_id", "color", "label"):
        tags[workspace_id][upstream_id] = (color, label)
    zones = {pk: deck.zone for pk, deck in decks.items()}
    return [
        _card(dsr, deck=decks[dsr.workspace_id], zone=zones[dsr.workspace_id], tags=tags[dsr.workspace_id])
        for dsr in dsrs
    ]


def _card(dsr: DataSubjectRequest, *, deck: Deck, zone: ZoneInfo, tags: Mapping[int, tuple[str, str]]) -> Card:
    wish = deck.wishes.get(dsr.pk)
    clock = clockmark.of_row(clock_state.columns_of(dsr), policy=deck.policy, zone=zone, now=deck.now)
    may_see = deck.viewer.may_see_identity
    assignee = dsr.operator.display_name if dsr.operator else ""
    shown_tags = tuple(tags[tag_id] for tag_id in dsr.tag_id_list() if tag_id in tags)
    url = _urls(deck.workspace.slug)
    person = _person(dsr) if may_see else ""
    days_here = "" if dsr.is_closed else _days_here(dsr.step_entered_at, zone=zone, now=deck.now)
    says = (
        dsr.sequence, clock.text, person, days_here, assignee, shown_tags,
        wish and (wish.pk, wish.is_held, wish.is_pending, bool(wish.undo_url)),
    )  # fmt: skip
    return Card(
        pk=dsr.pk,
        upstream_id=dsr.upstream_id,
        dom_id=f"w{dsr.workspace_id}-{dsr.upstream_id}" if deck.place else str(dsr.upstream_id),
        place=deck.place,
        column=deck.column_of(dsr),
        step=step_key(dsr),
        order=_order(dsr),
        cursor=_cursor(dsr),
        version=repr(says),
        url=url.dsr.replace("/0/", f"/{dsr.upstream_id}/"),
        move_url=url.move.replace("/0/", f"/{dsr.upstream_id}/"),
        action_id=str(uuid.uuid4()),
        seen_step=str(dsr.step.upstream_id) if dsr.step else "",
        seen_updated_at=dsr.updated_at.isoformat() if dsr.updated_at else "",
        reference=dsr.reference or f"#{dsr.upstream_id}",
        rights=words.rights(dsr.purposes),
        is_complex=dsr.complex,
        clock=clock,
        person=person,
        is_masked=not may_see,
        area=dsr.area.label if dsr.area else "",
        operator=dsr.operator.upstream_id if dsr.operator else 0,
        assignee=assignee or _("Unassigned"),
        assignee_initials=words.initials(assignee),
        days_here=days_here,
        unread_count=dsr.unread_message_count,
        is_mail_unconfirmed=not dsr.mail_validated and not dsr.is_closed,
        tags=shown_tags,
        wish=wish,
    )


@dataclass(frozen=True, slots=True)
class _Urls:
    dsr: str
    move: str


@lru_cache(maxsize=256)
def _urls(slug: str) -> _Urls:
    """Addresses with a 0 in the place of the id: reversing two for each of hundreds of cards costs more than drawing them."""
    return _Urls(dsr=reverse("dsr.dsr", args=[slug, 0]), move=reverse("wishes.move", args=[slug, 0]))


def _person(dsr: DataSubjectRequest) -> str:
    try:
        return words.masked_name(dsr.read_identity())
    except credentials.CannotDecryptError:
        return _("Name cannot be read")


def _days_here(entered_at: datetime | None, *, zone: ZoneInfo, now: datetime) -> str:
    if entered_at is None:
        return ""
    days = (now.astimezone(zone).date() - entered_at.astimezone(zone).date()).days
    return ngettext("%(n)d d here", "%(n)d d here", days) % {"n": days} if days > 0 else _("here since today")


def _order(dsr: DataSubjectRequest) -> str:
    """Sorts as text: by the clock, in a closing by the newest closing, those without its date last."""
    if not is_closing(dsr.step):
        return f"{dsr.clock_rank}{dsr.clock_on.toordinal():014d}-{dsr.pk:012d}"
    closed = int(dsr.closed_at.timestamp()) if dsr.closed_at else 0
    return f"{10**14 - closed:015d}-{10**12 - dsr.pk:012d}"


def _cursor(dsr: DataSubjectRequest) -> str:
    if is_closing(dsr.step):
        return f"{dsr.closed_at.isoformat() if dsr.closed_at else ''}~{dsr.pk}"
    return f"{dsr.clock_rank}:{dsr.clock_on.isoformat()}~{dsr.pk}"
