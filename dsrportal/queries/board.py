"""The board: columns are the workflow steps, cards are live requests by the clock. A constant number of queries, whatever the number of rows.

Called by the board's and the wishes' views. The words of columns are made in `board_heads`, their rows in `board_rows`, lanes in `board_lanes`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from dsrportal.models import DataSubjectRequest, Membership, SyncLane, WorkflowStep, Workspace
from dsrportal.models.outbox import WishKind
from dsrportal.models.rules import policy_of
from dsrportal.queries import board_heads, board_rows, freshness, wishes
from dsrportal.queries.board_heads import NONE, Column, Sums
from dsrportal.queries.board_question import PLAIN, Question
from dsrportal.queries.board_rows import PAGE, Scope, live
from dsrportal.queries.cards import NO_STEP, Card, Deck, cards_of, is_closing
from dsrportal.queries.wishes import WishView

MOST_SHOWN = 500
"""How many cards of one column are drawn again at most when it changed; what lies beyond is loaded anew."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Board:
    """A workspace's board. `is_blank`: there is nothing to draw, because there is no step or nothing was ever read.
    `lost` are refusals whose request is gone, so that no card can say them."""

    columns: tuple[Column, ...]
    targets: tuple[WorkflowStep, ...]
    lost: tuple[WishView, ...]
    is_blank: bool
    freshness: freshness.Freshness


def of_workspace(
    workspace: Workspace,
    *,
    viewer: Membership,
    lanes: Sequence[SyncLane],
    now: datetime,
    question: Question = PLAIN,
    shown: Mapping[str, int] | None = None,
) -> Board:
    """The board with the first 25 cards of each column, or as many as `shown` says for its key. Seven queries, one more where it is filtered."""
    age = freshness.of_workspace(workspace, lanes=lanes, now=now)
    steps = list(WorkflowStep.objects.filter(workspace=workspace))
    all_wishes = wishes.of_workspace(workspace, viewer=viewer, now=now)
    deck = deck_of(workspace, viewer=viewer, all_wishes=all_wishes, now=now)
    scope = Scope(workspace=workspace, now=now, narrow=question.condition(workspace, now=now))
    counted = board_heads.sums(scope, steps=steps)
    keyed = board_heads.keyed(steps, counted=counted, none_key=NO_STEP)
    limits = {key: min(max((shown or {}).get(key, PAGE), PAGE), MOST_SHOWN) for key, _step in keyed}
    cards = _first_cards(keyed, deck=deck, scope=scope, limits=limits)
    return Board(
        columns=tuple(
            board_heads.column(
                key,
                step,
                cards=cards[key],
                limit=limits[key],
                counted=counted[step.pk if step else None],
                age=age,
                deck=deck,
                question=question,
            )
            for key, step in keyed
        ),
        targets=tuple(step for step in steps if not step.is_gone),
        lost=lost_of(all_wishes),
        is_blank=is_blank(keyed, counted=counted, age=age),
        freshness=age,
    )


def deck_of(workspace: Workspace, *, viewer: Membership, all_wishes: Sequence[WishView], now: datetime) -> Deck:
    """What the cards of one page share. One query, for the rules."""
    return Deck(
        workspace=workspace,
        policy=policy_of(workspace),
        viewer=viewer,
        now=now,
        wishes={wish.dsr_pk: wish for wish in all_wishes if wish.dsr_pk},
    )


def lost_of(all_wishes: Sequence[WishView]) -> tuple[WishView, ...]:
    """The refusals that no card can say."""
    return tuple(wish for wish in all_wishes if wish.dsr_pk is None and not wish.is_pending)


def is_blank(keyed: Sequence[object], *, counted: Mapping[int | None, Sums], age: freshness.Freshness) -> bool:
    """Whether there is nothing to draw."""
    return not keyed or (age.read_at is None and not any(known.total for known in counted.values()))


def more(
    workspace: Workspace, *, viewer: Membership, key: str, after: str, now: datetime, question: Question = PLAIN
) -> Column | None:
    """The next 25 cards of one column after the cursor `after` (one that makes no sense starts at the top). None: no such column."""
    step = WorkflowStep.objects.filter(workspace=workspace, upstream_id=key).first() if key.isdecimal() else None
    if step is None and key != NO_STEP:
        return None
    all_wishes = wishes.of_workspace(workspace, viewer=viewer, now=now)
    deck = deck_of(workspace, viewer=viewer, all_wishes=all_wishes, now=now)
    scope = Scope(workspace=workspace, now=now, narrow=question.condition(workspace, now=now))
    own = scope.full_rows().filter(step=step).exclude(pk__in=moving(deck))
    rows = board_rows.after(own, closing=is_closing(step), cursor=after, since=scope.done_since)
    counted = board_heads.sums(scope, steps=[step] if step else [])
    return board_heads.column(
        key,
        step,
        cards=tuple(cards_of(rows, deck=deck)),
        limit=PAGE,
        counted=counted[step.pk if step else None],
        age=freshness.of_workspace(workspace, lanes=[], now=now),
        deck=deck,
        question=question,
    )


def card_and_heads(
    workspace: Workspace,
    *,
    upstream_id: int,
    keys: Collection[str],
    viewer: Membership,
    lanes: Sequence[SyncLane],
    now: datetime,
) -> tuple[Card | None, tuple[Column, ...]]:
    """One card as it is now (None: the request is gone or archived), and the columns whose heads it may have changed: `keys`, its own."""
    dsr = live(workspace).filter(upstream_id=upstream_id).select_related("step", "area", "operator").first()
    wish = wishes.of_request(dsr, slug=workspace.slug, viewer=viewer, now=now) if dsr else None
    deck = Deck(
        workspace=workspace,
        policy=policy_of(workspace),
        viewer=viewer,
        now=now,
        wishes={dsr.pk: wish} if dsr and wish else {},
    )
    card = cards_of([dsr], deck=deck)[0] if dsr else None
    affected = {*keys, *((card.column, card.step) if card else ())}
    steps = list(WorkflowStep.objects.filter(workspace=workspace))
    counted = board_heads.sums(Scope(workspace=workspace, now=now), steps=steps)
    age = freshness.of_workspace(workspace, lanes=lanes, now=now)
    keyed: list[tuple[str, WorkflowStep | None]] = [(str(step.upstream_id), step) for step in steps]
    if counted[None].total:
        keyed.append((NO_STEP, None))
    heads = tuple(
        board_heads.column(
            key, step, cards=(), limit=PAGE, counted=counted.get(step.pk if step else None, NONE), age=age, deck=deck
        )
        for key, step in keyed
        if key in affected
    )
    return card, heads


def moving(deck: Deck) -> list[int]:
    """The requests that are on their way to another step."""
    return [
        pk
        for pk, wish in deck.wishes.items()
        if wish.is_pending and wish.kind == WishKind.MOVE and wish.step_upstream_id
    ]


def _first_cards(
    keyed: Sequence[tuple[str, WorkflowStep | None]], *, deck: Deck, scope: Scope, limits: Mapping[str, int]
) -> dict[str, tuple[Card, ...]]:
    """The first cards of every column, one more than its limit where there are more; cards on the move on top of where they go."""
    on_the_move = moving(deck)
    wanted = Q(pk__in=on_the_move)
    for key, step in keyed:
        own = scope.rows().filter(step=step).exclude(pk__in=on_the_move)
        for part in board_rows.parts(own, closing=is_closing(step), since=scope.done_since):
            wanted |= Q(pk__in=part.values("pk")[: limits[key] + 1])
    rows = list(scope.full_rows().filter(wanted))
    by_column: dict[str, list[DataSubjectRequest]] = {key: [] for key, _step in keyed}
    on_top: dict[str, list[DataSubjectRequest]] = {key: [] for key, _step in keyed}
    is_moving = set(on_the_move)
    for row in rows:
        place = on_top if row.pk in is_moving else by_column
        place.get(deck.column_of(row), []).append(row)
    ordered: list[DataSubjectRequest] = []
    for key, step in keyed:
        ordered += on_top[key]
        ordered += board_rows.in_order(by_column[key], closing=is_closing(step))[: limits[key] + 1]
    cards: dict[str, list[Card]] = {key: [] for key, _step in keyed}
    for card in cards_of(ordered, deck=deck):
        cards[card.column].append(card)
    return {key: tuple(found) for key, found in cards.items()}
