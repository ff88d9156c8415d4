"""A board's columns in words: name, counts and limit, how many are overdue, how old the oldest is. Called by `queries.board` and its neighbours.

Counts and limits are of all live requests of the step, also under a filter, which is said beside them; nothing is cut without saying so.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, Min, Q, Value
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dsrportal.models import DataSubjectRequest, WorkflowStep
from dsrportal.queries import freshness, notice_html
from dsrportal.queries.board_question import PLAIN, Question
from dsrportal.queries.board_rows import DONE_DAYS, PAGE, Scope, live, recent
from dsrportal.queries.cards import Card, Deck, is_closing


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """One step with its first cards. `key` is the step's upstream id as text, or `none`. `more_url` leads to the next cards, `rest_url` to what
    a closing leaves out. `late_count` and the words `overdue` are empty where none is. `digest` tells whether its first page of cards or its head
    changed; whether it is folded does not count."""

    key: str
    name: str
    color: str
    count: str
    spoken_count: str
    is_over: bool
    is_final: bool
    is_gone: bool
    is_folded: bool
    late_count: str
    overdue: str
    notes: tuple[str, ...]
    as_of: str
    notice: str
    is_narrowed: bool
    cards: tuple[Card, ...]
    more_url: str
    more_text: str
    rest_url: str
    rest_text: str
    digest: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Sums:
    """Of one step: `total` live requests; `overdue` ones; the day on which the oldest open one was received; how many are `kept` on the board, which is less
    than the total in a closing; how many of those the filter lets through (`found`, None without a filter)."""

    total: int = 0
    overdue: int = 0
    oldest_on: date | None = None
    kept: int = 0
    found: int | None = None


NONE = Sums()


def sums(scope: Scope, *, steps: Sequence[WorkflowStep]) -> dict[int | None, Sums]:
    """Per step (None: without one). Two queries, a third where there is a filter: over open requests and recent closings, never over the
    closed ones of years."""
    closings = [step.pk for step in steps if is_closing(step)]
    fresh, odd, undated = recent(scope.done_since)
    is_open = Q(is_closed=Value(value=False))
    rows = live(scope.workspace)
    is_overdue = Q(clock_rank=DataSubjectRequest.RUNNING, clock_on__lt=scope.today)
    opened: dict[int | None, Mapping[str, Any]] = {
        row["step"]: row
        for row in rows.filter(is_open | Q(step=None))
        .values("step")
        .annotate(
            total=Count("pk"),
            overdue=Count("pk", filter=is_overdue),
            oldest_on=Min("received_on", filter=is_open),
            odd=Count("pk", filter=odd),
        )
        .order_by()
    }
    closed: dict[int | None, int] = dict(
        rows.filter(fresh | undated, step__in=closings)
        .values("step")
        .annotate(kept=Count("pk"))
        .order_by()
        .values_list("step", "kept")
    )
    found: dict[int | None, int] = {}
    if scope.narrow is not None:
        on_board = ~Q(step__in=closings) | Q(step=None) | fresh | odd | undated
        found = dict(
            scope.rows().filter(on_board).values("step").annotate(n=Count("pk")).order_by().values_list("step", "n")
        )
    result: dict[int | None, Sums] = {}
    for step in [*steps, None]:
        pk = step.pk if step else None
        row = opened.get(pk, {})
        total = step.live_count if step else row.get("total", 0)
        closing = is_closing(step)
        result[pk] = Sums(
            total=total,
            overdue=0 if closing else row.get("overdue", 0),
            oldest_on=None if closing else row.get("oldest_on"),
            kept=min(closed.get(pk, 0) + row.get("odd", 0), total) if closing else total,
            found=None if scope.narrow is None else found.get(pk, 0),
        )
    return result


def column(
    key: str,
    step: WorkflowStep | None,
    *,
    cards: tuple[Card, ...],
    limit: int,
    counted: Sums,
    age: freshness.Freshness,
    deck: Deck,
    question: Question = PLAIN,
) -> Column:
    """The column with these cards: one more than `limit` where there are more."""
    resting = [card for card in cards if not (card.wish and card.wish.is_pending and card.column != card.step)]
    has_more = len(resting) > limit
    shown = cards[:-1] if has_more else cards
    count, spoken, is_over = _count(step, counted=counted, is_read=age.level != freshness.Level.NEVER)
    overdue = counted.overdue
    late = ngettext("%(n)s overdue", "%(n)s overdue", overdue) % {"n": number_format(overdue)} if overdue else ""
    as_of = _as_of(age, now=deck.now)
    rest_url, rest_text = _rest(step, counted=counted, slug=deck.workspace.slug, question=question)
    reachable = counted.kept if counted.found is None else counted.found
    found = Column(
        key=key,
        name=step.label if step else _("Without a step"),
        color=step.color if step else "",
        count=count,
        spoken_count=spoken,
        is_over=is_over,
        is_final=is_closing(step),
        is_gone=step.is_gone if step else True,
        is_folded=False,
        late_count=number_format(overdue) if overdue else "",
        overdue=late,
        notes=_notes(step, counted=counted, is_over=is_over, as_of=as_of, deck=deck),
        as_of=as_of,
        notice=notice_html.clean(step.notice_html) if step else "",
        is_narrowed=counted.found is not None,
        cards=shown,
        more_url=_more_url(key, question=question, last=shown[-1] if shown and has_more else None, deck=deck),
        more_text=_("Show %(n)d more (of %(total)s)")
        % {"n": PAGE, "total": number_format(reachable, force_grouping=True)}
        if has_more
        else "",
        rest_url=rest_url,
        rest_text=rest_text,
        digest="",
    )
    says = repr((replace(found, cards=()), [card.version for card in shown[:PAGE]]))
    digest = hashlib.blake2s(says.encode(), digest_size=8).hexdigest()
    return replace(found, digest=digest, is_folded=f"|{key}|" in deck.viewer.folded_columns)


def _count(step: WorkflowStep | None, *, counted: Sums, is_read: bool) -> tuple[str, str, bool]:
    """The count as it is drawn and as it is spoken, and whether it is over the step's limit."""
    total = counted.total
    count = number_format(total, force_grouping=True) if is_read else "?"
    spoken = ngettext("%(n)s request", "%(n)s requests", total) % {"n": count}
    limit = step.item_limit if step else None
    if is_read and counted.kept < total:
        kept = number_format(counted.kept, force_grouping=True)
        count = _("%(kept)s of %(total)s") % {"kept": kept, "total": count}
        spoken = _("%(kept)s of %(total)s, those of the last %(n)d days") % {
            "kept": kept,
            "total": spoken,
            "n": DONE_DAYS,
        }
    is_over = limit is not None and total > limit
    if limit is not None:
        count = f"{count} / {limit}"
        limit_words = _("over the limit of %(n)d") if is_over else _("limit %(n)d")
        spoken = f"{spoken}, {limit_words % {'n': limit}}"
    return count, spoken, is_over


def _notes(step: WorkflowStep | None, *, counted: Sums, is_over: bool, as_of: str, deck: Deck) -> tuple[str, ...]:
    """What stands below the name after the overdue ones. That none is overdue is said of counts alone that can be trusted."""
    notes = []
    if is_closing(step):
        notes.append(_("final step"))
        if counted.kept < counted.total:
            notes.append(_("last %(n)d days") % {"n": DONE_DAYS})
    elif not counted.overdue and not as_of:
        notes.append(_("none overdue"))
    if counted.oldest_on is not None and counted.found is None:
        days = (deck.now.astimezone(deck.zone).date() - counted.oldest_on).days
        notes.append(_("oldest %(n)d d") % {"n": max(days, 0)})
    if is_over:
        notes.append(_("over the limit"))
    if counted.found is not None:
        notes.append(_("%(n)s shown") % {"n": number_format(counted.found, force_grouping=True)})
    if step and step.is_gone:
        notes.append(_("no longer in Dastra"))
    if as_of:
        notes.append(as_of)
    return tuple(notes)


def _rest(step: WorkflowStep | None, *, counted: Sums, slug: str, question: Question) -> tuple[str, str]:
    """Where everything is that a closing has, under the same filter, and what the link says."""
    if step is None or counted.kept >= counted.total:
        return "", ""
    pairs = [
        *(pair for pair in question.filters.pairs() if pair[0] != "workflows"),
        ("workflows", str(step.upstream_id)),
    ]
    url = f"{reverse('register.register', args=[slug])}?{urlencode([*pairs, ('view', '0')])}"
    if counted.found is not None:
        return url, _("Older ones are in the list")
    return url, _("All %(n)s are in the list") % {"n": number_format(counted.total, force_grouping=True)}


def _more_url(key: str, *, question: Question, last: Card | None, deck: Deck) -> str:
    if last is None:
        return ""
    return question.address(reverse("board.board", args=[deck.workspace.slug]), step=key, after=last.cursor)


def _as_of(age: freshness.Freshness, *, now: datetime) -> str:
    """Beside a count that may be wrong by now: of when it is."""
    if age.is_trustworthy:
        return ""
    if age.read_at is None:
        return _("not read yet")
    return _("as of %s") % freshness.clock_time(age.read_at, now=now)


def keyed(
    steps: Sequence[WorkflowStep], *, counted: Mapping[int | None, Sums], none_key: str
) -> list[tuple[str, WorkflowStep | None]]:
    """The columns of a board in order, by key: its steps, but gone ones only while they hold something; and what has no step, if anything."""
    columns: list[tuple[str, WorkflowStep | None]] = [
        (str(step.upstream_id), step) for step in steps if not step.is_gone or step.live_count
    ]
    if counted[None].total:
        columns.append((none_key, None))
    return columns
