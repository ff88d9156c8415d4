"""One board over all the person's workspaces: columns are Dastra's own states, to which every workspace maps its steps. Read only: a card leads
to its request, where it is moved among the steps of its own workspace.

Called by `views.board`. Two queries for each column that has cards and a handful for all, whatever the number of workspaces and rows. A workspace that
could not be read is named, and no count of which it is a part looks exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.db.models import Count, Q, Value
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dsrportal.models import DataSubjectRequest, Membership, SyncLane, WorkflowStep
from dsrportal.models.rules import policies_of
from dsrportal.queries import board_rows, freshness, words
from dsrportal.queries.board_rows import DONE_DAYS, PAGE, Scope
from dsrportal.queries.cards import Card, Deck, cards_of_many


@dataclass(frozen=True, kw_only=True, slots=True)
class StateColumn:
    """One of Dastra's states over all workspaces. `key` is its code."""

    key: str
    name: str
    count: str
    spoken_count: str
    overdue: str
    note: str
    is_final: bool
    cards: tuple[Card, ...]
    more_url: str
    more_text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Trouble:
    """A workspace whose part of the board is old or missing."""

    name: str
    level: str
    text: str
    detail: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Everything:
    """The board over all workspaces; `is_blank`: there is nothing to draw."""

    columns: tuple[StateColumn, ...]
    troubles: tuple[Trouble, ...]
    is_blank: bool


class _Ground:
    """What every column is made of: the steps, the decks and the days of all workspaces. Four queries."""

    def __init__(self, memberships: Sequence[Membership], *, now: datetime) -> None:
        self.memberships = [membership for membership in memberships if membership.workspace.is_enabled]
        workspaces = [membership.workspace for membership in self.memberships]
        policies = policies_of(workspaces)
        lanes = list(SyncLane.objects.filter(workspace__in=workspaces))
        self.ages = {one.pk: freshness.of_workspace(one, lanes=lanes, now=now) for one in workspaces}
        self.steps = list(WorkflowStep.objects.filter(workspace__in=workspaces))
        self.decks = {
            membership.workspace_id: Deck(
                workspace=membership.workspace,
                policy=policies[membership.workspace_id],
                viewer=membership,
                now=now,
                wishes={},
                place=membership.workspace.name,
            )
            for membership in self.memberships
        }
        self.scopes = [Scope(workspace=workspace, now=now) for workspace in workspaces]
        self.since = min((scope.done_since for scope in self.scopes), default=now)

    def rows(self, state: str) -> Q:
        """The live requests of a state: those of its steps, and those without a step that Dastra says are in it."""
        steps = [step.pk for step in self.steps if step.mapped_state == state]
        here = Q(workspace__in=list(self.decks), archived__in=[False])
        return here & (Q(step__in=steps) | Q(step=None, state=state))

    def is_overdue(self) -> Q:
        """By each workspace's own day."""
        late = Q(pk__in=())
        for scope in self.scopes:
            late |= Q(workspace=scope.workspace, clock_on__lt=scope.today)
        return late & Q(clock_rank=DataSubjectRequest.RUNNING)

    def cards(self, state: str, *, cursor: str = "") -> list[Card]:
        """The next cards of a column, one more than a page where there are more."""
        own = DataSubjectRequest.objects.filter(self.rows(state)).select_related("step", "area", "operator")
        rows = board_rows.after(own, closing=state == words.CLOSED, cursor=cursor, since=self.since)
        return cards_of_many(rows, decks=self.decks)


def of_person(memberships: Sequence[Membership], *, now: datetime) -> Everything:
    """The first 25 cards of each state."""
    ground = _Ground(memberships, now=now)
    totals, kept, late = _counts(ground)
    known = dict.fromkeys([*words.STATES, *sorted(totals)])
    states = [state for state in known if totals.get(state) or any(step.mapped_state == state for step in ground.steps)]
    states = [state for state in states if state]
    is_sure = all(age.is_trustworthy for age in ground.ages.values())
    return Everything(
        columns=tuple(
            _column(
                state,
                cards=ground.cards(state),
                total=totals.get(state, 0),
                kept=kept.get(state, totals.get(state, 0)),
                late=late.get(state, 0),
                is_sure=is_sure,
            )
            for state in states
        ),
        troubles=tuple(
            Trouble(
                name=membership.workspace.name,
                level=ground.ages[membership.workspace_id].level.value,
                text=ground.ages[membership.workspace_id].text,
                detail=ground.ages[membership.workspace_id].detail,
            )
            for membership in ground.memberships
            if not ground.ages[membership.workspace_id].is_trustworthy
        ),
        is_blank=not states,
    )


def more(memberships: Sequence[Membership], *, state: str, after: str, now: datetime) -> StateColumn:
    """The next 25 cards of a state after a cursor."""
    ground = _Ground(memberships, now=now)
    return _column(state, cards=ground.cards(state, cursor=after), total=0, kept=0, late=0, is_sure=True)


def _counts(ground: _Ground) -> tuple[dict[str, int], dict[str, int], dict[str, int]]:
    """By state: all live requests, those of a closing that are shown, and the overdue ones. Two queries."""
    state_of = {step.pk: step.mapped_state for step in ground.steps}
    totals: dict[str, int] = {}
    for step in ground.steps:
        totals[step.mapped_state] = totals.get(step.mapped_state, 0) + step.live_count
    late: dict[str, int] = {}
    here = DataSubjectRequest.objects.filter(workspace__in=list(ground.decks), archived__in=[False])
    is_open = Q(is_closed=Value(value=False))
    rows = here.filter(is_open | Q(step=None)).values("step", "state")
    for row in rows.annotate(n=Count("pk"), late=Count("pk", filter=ground.is_overdue())).order_by():
        pk: int | None = row["step"]  # Dastra may have put it in none
        state = row["state"] if pk is None else state_of[pk]
        late[state] = late.get(state, 0) + row["late"]
        if pk is None:
            totals[state] = totals.get(state, 0) + row["n"]
    fresh, odd, undated = board_rows.recent(ground.since)
    closed = DataSubjectRequest.objects.filter(ground.rows(words.CLOSED) & (fresh | odd | undated)).count()
    return totals, {words.CLOSED: closed}, late


def _column(state: str, *, cards: list[Card], total: int, kept: int, late: int, is_sure: bool) -> StateColumn:
    has_more = len(cards) > PAGE
    shown = cards[:PAGE]
    is_final = state == words.CLOSED
    number = number_format(total, force_grouping=True)
    count = _("%(kept)s of %(total)s") % {"kept": number_format(kept, force_grouping=True), "total": number}
    count = count if kept < total else number
    spoken = ngettext("%(n)s request", "%(n)s requests", total) % {"n": number}
    url = f"{reverse('board.everywhere')}?{urlencode({'state': state, 'after': shown[-1].cursor})}" if has_more else ""
    notes = [_("last %(n)d days") % {"n": DONE_DAYS}] if is_final and kept < total else []
    notes += [] if is_sure else [_("as far as it was read")]
    return StateColumn(
        key=state,
        name=words.state(state),
        count=count,
        spoken_count=spoken,
        overdue=""
        if is_final or not late
        else ngettext("%(n)s overdue", "%(n)s overdue", late) % {"n": number_format(late)},
        note=" · ".join(notes),
        is_final=is_final,
        cards=tuple(shown),
        more_url=url,
        more_text=_("Show more") if has_more else "",
    )
