"""The board: columns are the workflow steps, cards are live requests by the clock. A constant number of queries, whatever the number of rows.

Called by the board's and the wishes' views. Counts come from the steps' own counters; nothing is cut without saying so.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from urllib.parse import quote
from zoneinfo import ZoneInfo

from django.db.models import Count, Q, QuerySet
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dsrportal.models import DataSubjectRequest, Membership, SyncLane, WorkflowStep, Workspace
from dsrportal.models.outbox import WishKind
from dsrportal.models.rules import policy_of
from dsrportal.queries import freshness, wishes
from dsrportal.queries.cards import NO_STEP, Card, Deck, cards_of, is_closing
from dsrportal.queries.wishes import WishView

PAGE = 25
RANKS = ("0", "1", "2", "3")
LONGEST_PK = 18
"""Digits that surely are within 64 bits."""
MOST_SHOWN = 500
"""How many cards of one column are drawn again at most when it changed; what lies beyond is loaded anew."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """One step with its first cards. `key` is the step's upstream id as text, or `none`. `more_url` leads to the next cards, if any.
    `digest` tells whether its first page of cards or its head changed."""

    key: str
    name: str
    color: str
    count: str
    spoken_count: str
    is_over: bool
    is_final: bool
    is_gone: bool
    overdue: str
    notes: tuple[str, ...]
    as_of: str
    cards: tuple[Card, ...]
    more_url: str
    more_text: str
    digest: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Board:
    """A workspace's board. `is_blank`: there is nothing to draw, because there is no step or nothing was ever read.
    `lost` are refusals whose request is gone, so that no card can say them."""

    columns: tuple[Column, ...]
    targets: tuple[WorkflowStep, ...]
    lost: tuple[WishView, ...]
    is_blank: bool
    freshness: freshness.Freshness


@dataclass(frozen=True, kw_only=True, slots=True)
class _Sums:
    total: int
    overdue: int


def of_workspace(
    workspace: Workspace,
    *,
    viewer: Membership,
    lanes: Sequence[SyncLane],
    now: datetime,
    shown: Mapping[str, int] | None = None,
) -> Board:
    """The board with the first 25 cards of each column, or as many as `shown` says for its key. Six queries."""
    age = freshness.of_workspace(workspace, lanes=lanes, now=now)
    steps = list(WorkflowStep.objects.filter(workspace=workspace))
    all_wishes = wishes.of_workspace(workspace, viewer=viewer, now=now)
    deck = Deck(
        workspace=workspace,
        policy=policy_of(workspace),
        viewer=viewer,
        now=now,
        wishes={wish.dsr_pk: wish for wish in all_wishes if wish.dsr_pk},
    )
    sums = _sums(workspace, steps=steps, now=now)
    columns = [step for step in steps if not step.is_gone or step.live_count]
    keyed: list[tuple[str, WorkflowStep | None]] = [(str(step.upstream_id), step) for step in columns]
    if sums[None].total:
        keyed.append((NO_STEP, None))
    limits = {key: min(max((shown or {}).get(key, PAGE), PAGE), MOST_SHOWN) for key, _step in keyed}
    cards = _first_cards(keyed, deck=deck, limits=limits)
    return Board(
        columns=tuple(
            _column(key, step, cards=cards[key], limit=limits[key], sums=sums, age=age, deck=deck)
            for key, step in keyed
        ),
        targets=tuple(step for step in steps if not step.is_gone),
        lost=tuple(wish for wish in all_wishes if wish.dsr_pk is None and not wish.is_pending),
        is_blank=not keyed or (age.read_at is None and not any(known.total for known in sums.values())),
        freshness=age,
    )


def more(workspace: Workspace, *, viewer: Membership, key: str, after: str, now: datetime) -> Column | None:
    """The next 25 cards of one column after the cursor `after` (one that makes no sense starts at the top). None: no such column."""
    step = WorkflowStep.objects.filter(workspace=workspace, upstream_id=key).first() if key.isdecimal() else None
    if step is None and key != NO_STEP:
        return None
    all_wishes = wishes.of_workspace(workspace, viewer=viewer, now=now)
    deck = Deck(
        workspace=workspace,
        policy=policy_of(workspace),
        viewer=viewer,
        now=now,
        wishes={wish.dsr_pk: wish for wish in all_wishes if wish.dsr_pk},
    )
    rows = _sorted(_rows_after(step, deck=deck, after=after), closing=is_closing(step))
    total = step.live_count if step else _live(workspace).filter(step=None).count()
    age = freshness.of_workspace(workspace, lanes=[], now=now)
    return _column(
        key,
        step,
        cards=tuple(cards_of(rows[: PAGE + 1], deck=deck)),
        limit=PAGE,
        sums={step.pk if step else None: _Sums(total=total, overdue=0)},
        age=age,
        deck=deck,
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
    dsr = _live(workspace).filter(upstream_id=upstream_id).select_related("step", "area", "operator").first()
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
    sums = _sums(workspace, steps=steps, now=now)
    age = freshness.of_workspace(workspace, lanes=lanes, now=now)
    keyed: list[tuple[str, WorkflowStep | None]] = [(str(step.upstream_id), step) for step in steps]
    if sums[None].total:
        keyed.append((NO_STEP, None))
    heads = tuple(
        _column(key, step, cards=(), limit=PAGE, sums=sums, age=age, deck=deck)
        for key, step in keyed
        if key in affected
    )
    return card, heads


def _live(workspace: Workspace) -> QuerySet[DataSubjectRequest]:
    # Not `archived=False`: Django writes that as NOT archived, which no index of SQLite serves.
    return DataSubjectRequest.objects.filter(workspace=workspace, archived__in=[False])


def _sums(workspace: Workspace, *, steps: Sequence[WorkflowStep], now: datetime) -> dict[int | None, _Sums]:
    """Per step its live count, and how many open requests are past the legal date. Closings are left out of the query: there is
    no open request in them to speak of, and they hold most rows."""
    today = now.astimezone(ZoneInfo(workspace.time_zone)).date()
    is_overdue = Q(clock_rank=DataSubjectRequest.RUNNING, clock_on__lt=today)
    open_steps = [step.pk for step in steps if not is_closing(step)]
    rows = (
        _live(workspace)
        .filter((Q(step__in=open_steps) & is_overdue) | Q(step=None))
        .values("step")
        .annotate(total=Count("pk"), overdue=Count("pk", filter=is_overdue))
        .order_by()
        .values_list("step", "total", "overdue")
    )
    found: dict[int | None, tuple[int, int]] = {step_pk: (total, overdue) for step_pk, total, overdue in rows}
    sums: dict[int | None, _Sums] = {
        step.pk: _Sums(total=step.live_count, overdue=found.get(step.pk, (0, 0))[1]) for step in steps
    }
    sums[None] = _Sums(total=found.get(None, (0, 0))[0], overdue=found.get(None, (0, 0))[1])
    return sums


def _first_cards(
    keyed: Sequence[tuple[str, WorkflowStep | None]], *, deck: Deck, limits: Mapping[str, int]
) -> dict[str, tuple[Card, ...]]:
    """The first cards of every column, one more than its limit where there are more; cards on the move on top of where they go."""
    moving = [
        pk
        for pk, wish in deck.wishes.items()
        if wish.is_pending and wish.kind == WishKind.MOVE and wish.step_upstream_id
    ]
    wanted = Q(pk__in=moving)
    for key, step in keyed:
        own = _live(deck.workspace).filter(step=step).exclude(pk__in=moving)
        for part in _parts(own, closing=is_closing(step)):
            wanted |= Q(pk__in=part.values("pk")[: limits[key] + 1])
    rows = list(_live(deck.workspace).filter(wanted).select_related("step", "area", "operator"))
    by_column: dict[str, list[DataSubjectRequest]] = {key: [] for key, _step in keyed}
    on_top: dict[str, list[DataSubjectRequest]] = {key: [] for key, _step in keyed}
    is_moving = set(moving)
    for row in rows:
        place = on_top if row.pk in is_moving else by_column
        place.get(deck.column_of(row), []).append(row)
    ordered: list[DataSubjectRequest] = []
    for key, step in keyed:
        ordered += on_top[key]
        ordered += _sorted(by_column[key], closing=is_closing(step))[: limits[key] + 1]
    cards: dict[str, list[Card]] = {key: [] for key, _step in keyed}
    for card in cards_of(ordered, deck=deck):
        cards[card.column].append(card)
    return {key: tuple(found) for key, found in cards.items()}


def _parts(own: QuerySet[DataSubjectRequest], *, closing: bool) -> list[QuerySet[DataSubjectRequest]]:
    """A column's rows in order. A closing shows the newest first; rows without a closing date are a part of their own, because the two
    databases disagree on where such rows sort."""
    if not closing:
        return [own.order_by("clock_rank", "clock_on", "pk")]
    return [
        own.filter(closed_at__isnull=False).order_by("-closed_at", "-pk"),
        own.filter(closed_at=None).order_by("-pk"),
    ]


def _sorted(rows: Sequence[DataSubjectRequest], *, closing: bool) -> list[DataSubjectRequest]:
    if not closing:
        return sorted(rows, key=lambda dsr: (dsr.clock_rank, dsr.clock_on, dsr.pk))
    oldest = datetime.min.replace(tzinfo=UTC)
    return sorted(rows, key=lambda dsr: (dsr.closed_at or oldest, dsr.pk), reverse=True)


def _rows_after(step: WorkflowStep | None, *, deck: Deck, after: str) -> list[DataSubjectRequest]:
    moving = [pk for pk, wish in deck.wishes.items() if wish.is_pending and wish.kind == WishKind.MOVE]
    own = _live(deck.workspace).filter(step=step).exclude(pk__in=moving).select_related("step", "area", "operator")
    rows: list[DataSubjectRequest] = []
    for part in _parts_after(own, closing=is_closing(step), after=after):
        rows += part[: PAGE + 1]
    return rows


def _parts_after(own: QuerySet[DataSubjectRequest], *, closing: bool, after: str) -> list[QuerySet[DataSubjectRequest]]:
    """The parts of a column behind a cursor; all of them where the cursor makes no sense."""
    parts = _parts(own, closing=closing)
    if not closing:
        place = _parse_place(after)
        if place is None:
            return parts
        rank, on, pk = place
        beyond = Q(clock_rank__gt=rank) | Q(clock_rank=rank, clock_on__gt=on)
        return [parts[0].filter(beyond | Q(clock_rank=rank, clock_on=on, pk__gt=pk))]
    cursor = _parse_cursor(after)
    if cursor is None:
        return parts
    at, pk = cursor
    if at is None:
        return [parts[1].filter(pk__lt=pk)]
    return [parts[0].filter(Q(closed_at__lt=at) | Q(closed_at=at, pk__lt=pk)), parts[1]]


def _parse_place(text: str) -> tuple[int, date, int] | None:
    """A place in the order by the legal clock."""
    place, _separator, pk = text.partition("~")
    rank, _colon, on = place.partition(":")
    if rank not in RANKS or not (pk.isascii() and pk.isdigit()) or len(pk) > LONGEST_PK:
        return None
    try:
        return int(rank), date.fromisoformat(on), int(pk)
    except ValueError:
        return None


def _parse_cursor(text: str) -> tuple[datetime | None, int] | None:
    at, separator, pk = text.partition("~")
    if not separator or not (pk.isascii() and pk.isdigit()) or len(pk) > LONGEST_PK:
        return None
    try:
        moment = datetime.fromisoformat(at) if at else None
    except ValueError:
        return None
    return (moment, int(pk)) if moment is None or moment.tzinfo else None


def _column(
    key: str,
    step: WorkflowStep | None,
    *,
    cards: tuple[Card, ...],
    limit: int,
    sums: Mapping[int | None, _Sums],
    age: freshness.Freshness,
    deck: Deck,
) -> Column:
    total = sums[step.pk if step else None].total
    overdue = sums[step.pk if step else None].overdue
    resting = [card for card in cards if not (card.wish and card.wish.is_pending and card.column != card.step)]
    has_more = len(resting) > limit
    shown = cards[:-1] if has_more else cards
    item_limit = step.item_limit if step else None
    is_read = age.level != freshness.Level.NEVER
    count = number_format(total, force_grouping=True) if is_read else "?"
    spoken = ngettext("%(n)s request", "%(n)s requests", total) % {"n": count}
    is_over = item_limit is not None and total > item_limit
    if item_limit is not None:
        count = f"{count} / {item_limit}"
        limit_words = _("over the limit of %(n)d") if is_over else _("limit %(n)d")
        spoken = f"{spoken}, {limit_words % {'n': item_limit}}"
    late = ngettext("%(n)s overdue", "%(n)s overdue", overdue) % {"n": number_format(overdue)} if overdue else ""
    more_text = _("Show %(n)d more (of %(total)s)") % {"n": PAGE, "total": number_format(total, force_grouping=True)}
    as_of = _as_of(age, now=deck.now)
    last = shown[-1] if shown else None
    more_url = (
        f"{reverse('board.board', args=[deck.workspace.slug])}?step={key}&after={quote(last.cursor)}" if last else ""
    )
    column = Column(
        key=key,
        name=step.label if step else _("Without a step"),
        color=step.color if step else "",
        count=count,
        spoken_count=spoken,
        is_over=is_over,
        is_final=is_closing(step),
        is_gone=step.is_gone if step else True,
        overdue=late,
        notes=_notes(step, is_over=is_over, overdue=late, as_of=as_of),
        as_of=as_of,
        cards=shown,
        more_url=more_url if has_more else "",
        more_text=more_text if has_more else "",
        digest="",
    )
    says = repr((replace(column, cards=()), [card.version for card in shown[:PAGE]]))
    return replace(column, digest=hashlib.blake2s(says.encode(), digest_size=8).hexdigest())


def _notes(step: WorkflowStep | None, *, is_over: bool, overdue: str, as_of: str) -> tuple[str, ...]:
    """What stands below the name after the overdue ones. That none is overdue is said of counts alone that can be trusted."""
    notes = []
    if is_closing(step):
        notes.append(_("final step"))
    elif not overdue and not as_of:
        notes.append(_("none overdue"))
    if is_over:
        notes.append(_("over the limit"))
    if step and step.is_gone:
        notes.append(_("no longer in Dastra"))
    if as_of:
        notes.append(as_of)
    return tuple(notes)


def _as_of(age: freshness.Freshness, *, now: datetime) -> str:
    """Beside a count that may be wrong by now: of when it is."""
    if age.is_trustworthy:
        return ""
    if age.read_at is None:
        return _("not read yet")
    return _("as of %s") % freshness.clock_time(age.read_at, now=now)
