"""The board cut into lanes: by assignee, right, area, or urgency. Each lane has a cell for each column, each cell its first cards and its count.

Called by the board's views. A lane is what its requests share, so a card goes from step to step within its lane. In lanes by
assignee it may go to another one of its step, which assigns it; until Dastra has that, it stands on top of where it goes, as a move does.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Case, Count, F, Q, QuerySet, Window
from django.db.models.functions import RowNumber
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dsrportal.models import DataSubjectRequest, Membership, Operator, SyncLane, WorkflowStep, Workspace
from dsrportal.queries import board_heads, board_rows, freshness, wishes
from dsrportal.queries.board import deck_of, is_blank, lost_of, moving
from dsrportal.queries.board_heads import Column
from dsrportal.queries.board_lane_kinds import ASSIGNEE, NOBODY, OVERDUE, Cutter
from dsrportal.queries.board_question import Question
from dsrportal.queries.board_rows import PAGE, Scope
from dsrportal.queries.cards import NO_STEP, Card, Deck, cards_of, is_closing
from dsrportal.queries.wishes import WishView

CELL = 5
"""Cards of a cell that are drawn at first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """A lane's part of a column: `count` of its requests in words, empty for none."""

    key: str
    dom_id: str
    is_folded: bool
    is_open_for_drops: bool
    name: str
    count: str
    cards: tuple[Card, ...]
    more_url: str
    more_text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Lane:
    """What some requests share. `key` is unique on the page and of letters and digits; `operator` is the Dastra user whose lane it is, 0 for
    nobody's, None where lanes are no people's."""

    key: str
    operator: int | None
    name: str
    count: str
    overdue: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Laned:
    """A board in lanes. `columns` are the heads, without cards; `digest` tells whether anything on it changed."""

    columns: tuple[Column, ...]
    lanes: tuple[Lane, ...]
    targets: tuple[WorkflowStep, ...]
    lost: tuple[WishView, ...]
    is_blank: bool
    freshness: freshness.Freshness
    digest: str


def of_workspace(
    workspace: Workspace,
    *,
    viewer: Membership,
    lanes: Sequence[SyncLane],
    now: datetime,
    question: Question,
) -> Laned:
    """The board in lanes with the first cards of each cell. Eleven queries at most, one more where it is filtered and where somebody is
    being assigned, whatever the number of rows."""
    age = freshness.of_workspace(workspace, lanes=lanes, now=now)
    steps = list(WorkflowStep.objects.filter(workspace=workspace))
    all_wishes = wishes.of_workspace(workspace, viewer=viewer, now=now)
    deck = deck_of(workspace, viewer=viewer, all_wishes=all_wishes, now=now)
    scope = Scope(workspace=workspace, now=now, narrow=question.condition(workspace, now=now))
    counted = board_heads.sums(scope, steps=steps)
    keyed = board_heads.keyed(steps, counted=counted, none_key=NO_STEP)
    cutter = Cutter(kind=question.lanes, policy=deck.policy, today=scope.today)
    handed = _handed_over(deck, kind=question.lanes)
    cells = _cells(scope, steps=steps, deck=deck, cutter=cutter, handed=handed)
    counts, late = _counts(scope, steps=steps, cutter=cutter)
    names = cutter.names({lane for lane, _key in [*counts, *cells]}, workspace=workspace)
    columns = tuple(
        board_heads.column(
            key, step, cards=(), limit=PAGE, counted=counted[step.pk if step else None], age=age, deck=deck,
            question=question,
        )
        for key, step in keyed
    )  # fmt: skip
    operators = _operators(cells, handed=handed) if question.lanes == ASSIGNEE else {}
    on_top = {*moving(deck), *handed}
    drawn = tuple(
        _lane(
            lane,
            name,
            operator=operators.get(lane),
            on_top=on_top,
            columns=columns,
            cells=cells,
            counts=counts,
            late=late[lane],
            question=question,
            slug=workspace.slug,
        )
        for lane, name in names
    )
    says = repr((
        [column.digest for column in columns],
        [(lane.key, lane.name, lane.count, lane.overdue, [cell.count for cell in lane.cells]) for lane in drawn],
        [card.version for lane in drawn for cell in lane.cells for card in cell.cards],
        [(card.column, card.order) for lane in drawn for cell in lane.cells for card in cell.cards],
    ))  # fmt: skip
    return Laned(
        columns=columns,
        lanes=drawn,
        targets=tuple(step for step in steps if not step.is_gone),
        lost=lost_of(all_wishes),
        is_blank=is_blank(keyed, counted=counted, age=age),
        freshness=age,
        digest=hashlib.blake2s(says.encode(), digest_size=8).hexdigest(),
    )


def more(
    workspace: Workspace,
    *,
    viewer: Membership,
    key: str,
    lane: str,
    after: str,
    now: datetime,
    question: Question,
) -> Cell | None:
    """The next 25 cards of one cell after a cursor. None: no such column or lane."""
    step = WorkflowStep.objects.filter(workspace=workspace, upstream_id=key).first() if key.isdecimal() else None
    if step is None and key != NO_STEP:
        return None
    all_wishes = wishes.of_workspace(workspace, viewer=viewer, now=now)
    deck = deck_of(workspace, viewer=viewer, all_wishes=all_wishes, now=now)
    scope = Scope(workspace=workspace, now=now, narrow=question.condition(workspace, now=now))
    cutter = Cutter(kind=question.lanes, policy=deck.policy, today=scope.today)
    condition = cutter.condition(lane)
    if condition is None:
        return None
    on_top = {*moving(deck), *_handed_over(deck, kind=question.lanes)}
    own = scope.full_rows().filter(condition, step=step).exclude(pk__in=on_top)
    rows = board_rows.after(own, closing=is_closing(step), cursor=after, since=scope.done_since)
    cards = tuple(cards_of(rows, deck=deck))
    return _cell(
        key, lane, name="", cards=cards, on_top=on_top, limit=PAGE, total=0, is_folded=False, is_gone=False, question=question,
        slug=workspace.slug,
    )  # fmt: skip


def _handed_over(deck: Deck, *, kind: str) -> dict[int, str]:
    """The requests that are being assigned, where lanes are people: in whose lane each will be. One query where there are any."""
    assigned = {pk: wish.assigns for pk, wish in deck.wishes.items() if wish.assigns is not None}
    if kind != ASSIGNEE or not assigned:
        return {}
    people = Operator.objects.filter(workspace=deck.workspace, upstream_id__in=assigned.values())
    lanes = {upstream_id: str(pk) for pk, upstream_id in people.values_list("pk", "upstream_id")}
    return {pk: {0: NOBODY, **lanes}[whose] for pk, whose in assigned.items() if whose == 0 or whose in lanes}


def _operators(cells: Mapping[tuple[str, str], Sequence[Card]], *, handed: Mapping[int, str]) -> dict[str, int]:
    """The Dastra users of the lanes, by what their cards say."""
    return {
        lane: card.wish.assigns or 0 if card.wish and card.pk in handed else card.operator
        for (lane, _column), cards in cells.items()
        for card in cards
    }


def _open_and_recent(
    scope: Scope, *, steps: Sequence[WorkflowStep]
) -> tuple[QuerySet[DataSubjectRequest], QuerySet[DataSubjectRequest]]:
    """The rows of the columns that are no closings, and those that closings show."""
    closings = [step.pk for step in steps if is_closing(step)]
    others = [step.pk for step in steps if not is_closing(step)]
    fresh, odd, undated = board_rows.recent(scope.done_since)
    rows = scope.rows()
    return rows.filter(Q(step__in=others) | Q(step=None)), rows.filter(fresh | odd | undated, step__in=closings)


def _cells(
    scope: Scope, *, steps: Sequence[WorkflowStep], deck: Deck, cutter: Cutter, handed: Mapping[int, str]
) -> dict[tuple[str, str], list[Card]]:
    """By lane and column the first cards, one more than `CELL` where there are more; cards on the move on top of where they go."""
    on_the_move = [*moving(deck), *handed]
    opened, closed = (rows.exclude(pk__in=on_the_move) for rows in _open_and_recent(scope, steps=steps))
    wanted = Q(pk__in=on_the_move)
    wanted |= Q(pk__in=_first(opened, part=cutter.part(), order=("clock_rank", "clock_on", "pk")))
    wanted |= Q(pk__in=_first(closed, part=cutter.part(), order=("-closed_at", "-pk")))
    grouped: dict[tuple[str, str], list[DataSubjectRequest]] = defaultdict(list)
    on_top: dict[tuple[str, str], list[DataSubjectRequest]] = defaultdict(list)
    is_moving = set(on_the_move)
    closings = {str(step.upstream_id) for step in steps if is_closing(step)}
    for row in scope.full_rows().filter(wanted):
        pile = on_top if row.pk in is_moving else grouped
        pile[handed.get(row.pk) or cutter.of(row), deck.column_of(row)].append(row)
    ordered: list[tuple[tuple[str, str], DataSubjectRequest]] = []
    for place in {**on_top, **grouped}:
        ordered += [(place, row) for row in on_top.get(place, [])]
        rest = board_rows.in_order(grouped.get(place, []), closing=place[1] in closings)
        ordered += [(place, row) for row in rest[: CELL + 1]]
    cards: dict[tuple[str, str], list[Card]] = defaultdict(list)
    for (place, _row), card in zip(ordered, cards_of([row for _place, row in ordered], deck=deck), strict=True):
        cards[place].append(card)
    return cards


def _first(rows: QuerySet[DataSubjectRequest], *, part: F | Case, order: tuple[str, ...]) -> QuerySet[Any, Any]:
    """The keys of the first rows of each cell."""
    ordering = [F(name.removeprefix("-")).desc() if name.startswith("-") else F(name).asc() for name in order]
    numbered = rows.annotate(place=Window(RowNumber(), partition_by=[F("step"), part], order_by=ordering))
    return numbered.filter(place__lte=CELL + 1).order_by().values("pk")


def _counts(
    scope: Scope, *, steps: Sequence[WorkflowStep], cutter: Cutter
) -> tuple[dict[tuple[str, str], int], dict[str, int]]:
    """How many requests each cell has, and how many of a lane's are overdue. Two queries."""
    keys = {step.pk: str(step.upstream_id) for step in steps}
    counts: dict[tuple[str, str], int] = defaultdict(int)
    late: dict[str, int] = defaultdict(int)
    is_overdue = Q(clock_rank=DataSubjectRequest.RUNNING, clock_on__lt=scope.today)
    for rows, is_open in zip(_open_and_recent(scope, steps=steps), (True, False), strict=True):
        found = rows.values("step", *cutter.fields()).annotate(n=Count("pk"), late=Count("pk", filter=is_overdue))
        for values in found.order_by():
            lane = cutter.of_values(values)
            counts[lane, keys.get(values["step"], NO_STEP)] += values["n"]
            late[lane] += values["late"] if is_open else 0
    return counts, late


def _lane(
    key: str,
    name: str,
    *,
    operator: int | None,
    on_top: Collection[int],
    columns: Sequence[Column],
    cells: Mapping[tuple[str, str], Sequence[Card]],
    counts: Mapping[tuple[str, str], int],
    late: int,
    question: Question,
    slug: str,
) -> Lane:
    total = sum(count for (lane, _column), count in counts.items() if lane == key)
    return Lane(
        key=key,
        operator=operator,
        name=name,
        count=number_format(total, force_grouping=True),
        overdue=ngettext("%(n)s overdue", "%(n)s overdue", late) % {"n": number_format(late)} if late and key != OVERDUE else "",
        cells=tuple(
            _cell(
                column.key, key, name=f"{column.name}, {name}", cards=tuple(cells.get((key, column.key), ())), on_top=on_top, limit=CELL,
                total=counts.get((key, column.key), 0), is_folded=column.is_folded, is_gone=column.is_gone,
                question=question, slug=slug,
            )
            for column in columns
        ),
    )  # fmt: skip


def _cell(
    key: str,
    lane: str,
    *,
    name: str,
    cards: tuple[Card, ...],
    on_top: Collection[int],
    limit: int,
    total: int,
    is_folded: bool,
    is_gone: bool,
    question: Question,
    slug: str,
) -> Cell:
    resting = [card for card in cards if card.pk not in on_top]
    has_more = len(resting) > limit
    shown = cards[:-1] if has_more else cards
    url = (
        question.address(reverse("board.board", args=[slug]), step=key, lane=lane, after=shown[-1].cursor)
        if has_more
        else ""
    )
    said = _("%(n)s more") % {"n": number_format(max(total - len(shown), 1))} if total else _("More")
    return Cell(
        key=key,
        dom_id=f"{key}-{lane}",
        is_folded=is_folded,
        is_open_for_drops=not is_gone,
        name=name,
        count=number_format(total, force_grouping=True) if total else "",
        cards=shown,
        more_url=url,
        more_text=said if has_more else "",
    )
