"""The register: one page of a workspace's requests for one question, ready to be drawn. Called by `views.register`.

At most ten queries, whatever the number of rows; never writes, never calls Dastra.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet, Value
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dsrportal.models import DataSubjectRequest, Workspace
from dsrportal.models.rules import policy_of
from dsrportal.queries import register_chips, register_filters, register_sorts, vocabulary
from dsrportal.queries.freshness import Freshness, Level
from dsrportal.queries.register_chips import Chip, Choice, Group, address
from dsrportal.queries.register_filters import LAST_PAGE, SIZES, RegisterFilters, Search
from dsrportal.queries.register_rows import FIELDS, Row, in_words
from dsrportal.queries.register_sorts import SORTS, Column, Cursor
from dsrportal.queries.vocabulary import Vocabulary

COUNT_CAP = LAST_PAGE * SIZES[-1]


@dataclass(frozen=True, kw_only=True, slots=True)
class Count:
    """How many requests answer the question: exact, or `number` and more. `text` says it ("2,000+ requests")."""

    number: int
    is_exact: bool
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Head:
    """A column's head. `sort` is "ascending", "descending", or "none"; `url` sorts by it, and is empty where nothing can."""

    key: str
    label: str
    sort: str = "none"
    url: str = ""
    kind: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class RegisterPage:
    """What the register's templates draw. `status` is the count in words, or why there is none to tell; `shown` is "1–50 of 312"; `empty`
    is why there are no rows, or empty."""

    url: str
    filters: RegisterFilters
    rows: list[Row]
    count: Count
    status: str
    shown: str
    heads: list[Head]
    chips: list[Chip]
    clear_url: str
    groups: list[Group]
    areas: list[Choice]
    switches: list[Choice]
    sizes: list[Choice]
    previous_url: str
    next_url: str
    count_url: str
    archive_url: str
    empty: str
    has_left_out: bool
    is_search_open: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class _Slice:
    rows: list[dict[str, Any]]
    start: int
    has_previous: bool
    has_next: bool
    by_cursor: bool


def page(
    workspace: Workspace,
    *,
    url: str,
    filters: RegisterFilters,
    search: Search | None,
    may_see_identity: bool,
    freshness: Freshness,
    now: datetime,
) -> RegisterPage:
    """One page of the register. What the question names and this workspace does not have is left out and said."""
    known = vocabulary.of_workspace(workspace)
    filters, has_left_out = known.keep_known(filters)
    condition = register_filters.condition(workspace=workspace, filters=filters, search=search, now=now)
    count = _count(workspace, filters=filters, condition=condition, known=known)
    if count.is_exact:
        filters = replace(filters, page=min(filters.page, max(math.ceil(count.number / filters.size), 1)))
    columns = SORTS[filters.sort_by]
    part = _slice(DataSubjectRequest.objects.filter(condition), filters=filters, columns=columns, known=known)
    zone, policy = ZoneInfo(workspace.time_zone), policy_of(workspace)
    question = replace(filters, page=1, after="", count=False).query_string()
    rows = [
        in_words(
            values,
            workspace=workspace,
            policy=policy,
            zone=zone,
            vocabulary=known,
            may_see_identity=may_see_identity,
            from_query=urlencode({"from": question}) if question else "",
            now=now,
        )
        for values in part.rows
    ]
    empty = "" if rows else _why_empty(filters, search=search, freshness=freshness)
    previous_url, next_url = _neighbours(part, url=url, filters=filters, columns=columns)
    return RegisterPage(
        url=url,
        filters=filters,
        rows=rows,
        count=count,
        status={"never": _("Not read yet"), "search_expired": ""}.get(empty, count.text),
        shown=_shown(part, count=count),
        heads=_heads(filters, url=url),
        chips=register_chips.chips(filters, url=url, vocabulary=known, search=search),
        clear_url=address(url, filters=filters.without_filters()),
        groups=[group for group in register_chips.groups(filters, vocabulary=known) if group.choices],
        areas=[
            Choice(value=str(area.upstream_id), label=area.label, is_chosen=area.upstream_id == filters.area_id)
            for area in known.areas.values()
        ],
        switches=[
            Choice(value=name, label=register_chips.switch_label(name), is_chosen=getattr(filters, name))
            for name in register_chips.SWITCHES
        ],
        sizes=[Choice(value=str(size), label=str(size), is_chosen=size == filters.size) for size in SIZES],
        previous_url=previous_url,
        next_url=next_url,
        count_url="" if count.is_exact else address(url, filters=replace(filters, count=True)),
        archive_url="" if filters.archived else address(url, filters=filters.asking(archived=True)),
        empty=empty,
        has_left_out=has_left_out,
        is_search_open=search is not None and not search.is_expired,
    )


def _count(workspace: Workspace, *, filters: RegisterFilters, condition: Q, known: Vocabulary) -> Count:
    asked = replace(filters.without_filters(), archived=filters.archived, workflows=filters.workflows)
    if asked == replace(filters, page=1, after="", count=False):
        number = sum(
            step.archived_count if filters.archived else step.live_count
            for step in known.steps.values()
            if not filters.workflows or step.upstream_id in filters.workflows
        )
        if not filters.workflows:  # requests without a step are in no step's counter
            number += DataSubjectRequest.objects.filter(
                workspace=workspace, archived=Value(filters.archived), step=None
            ).count()
        return _counted(number, is_exact=True)
    rows = DataSubjectRequest.objects.filter(condition)
    if filters.count:
        return _counted(rows.count(), is_exact=True)
    number = rows[: COUNT_CAP + 1].count()
    return _counted(min(number, COUNT_CAP), is_exact=number <= COUNT_CAP)


def _counted(number: int, *, is_exact: bool) -> Count:
    exact = ngettext("%(n)s request", "%(n)s requests", number)
    text = (exact if is_exact else _("%(n)s+ requests")) % {"n": _grouped(number)}
    return Count(number=number, is_exact=is_exact, text=text)


def _grouped(number: int) -> str:
    return number_format(number, force_grouping=True)


def _slice(
    rows: QuerySet[DataSubjectRequest], *, filters: RegisterFilters, columns: Sequence[Column], known: Vocabulary
) -> _Slice:
    wanted = dict.fromkeys([*FIELDS, *(column.path for column in columns)])
    size = filters.size
    cursor = register_sorts.read_cursor(filters.after, columns=columns)
    if cursor is not None:
        beside = register_sorts.beyond(columns, cursor=cursor, ascending=filters.asc, name_of=known.operator_name)
        order = register_sorts.order_by(columns, ascending=filters.asc, forward=cursor.forward)
        found = list(rows.filter(beside).order_by(*order).values(*wanted)[: size + 1])
        if part := _at_cursor(found, cursor=cursor, size=size):
            return part
    start = 0 if cursor is not None else (filters.page - 1) * size  # nothing is there any more: begin again
    order = register_sorts.order_by(columns, ascending=filters.asc)
    found = list(rows.order_by(*order).values(*wanted)[start : start + size + 1])
    return _Slice(rows=found[:size], start=start, has_previous=start > 0, has_next=len(found) > size, by_cursor=False)


def _at_cursor(found: list[dict[str, Any]], *, cursor: Cursor, size: int) -> _Slice | None:
    if cursor.forward and found:
        return _Slice(
            rows=found[:size], start=cursor.start, has_previous=True, has_next=len(found) > size, by_cursor=True
        )
    if not cursor.forward and len(found) > size:  # fewer: the first page itself
        kept = found[:size][::-1]
        start = max(cursor.start - len(kept), 0)
        return _Slice(rows=kept, start=start, has_previous=True, has_next=True, by_cursor=True)
    return None


def _neighbours(part: _Slice, *, url: str, filters: RegisterFilters, columns: Sequence[Column]) -> tuple[str, str]:
    def by_cursor(row: Mapping[str, Any], *, forward: bool, start: int) -> str:
        after = register_sorts.cursor_at(row, columns=columns, forward=forward, start=start)
        return address(url, filters=replace(filters, page=1, after=after, count=False))

    def by_page(number: int) -> str:
        return address(url, filters=replace(filters, page=number, after="", count=False))

    number = part.start // filters.size + 1
    previous_url = next_url = ""
    if part.has_previous:
        is_numbered = not part.by_cursor or part.start == LAST_PAGE * filters.size
        previous_url = by_page(number - 1) if is_numbered else by_cursor(part.rows[0], forward=False, start=part.start)
    if part.has_next:
        is_numbered = not part.by_cursor and number < LAST_PAGE
        after = part.start + len(part.rows)
        next_url = by_page(number + 1) if is_numbered else by_cursor(part.rows[-1], forward=True, start=after)
    return previous_url, next_url


def _shown(part: _Slice, *, count: Count) -> str:
    if not part.rows:
        return ""
    first, last = _grouped(part.start + 1), _grouped(part.start + len(part.rows))
    total = _grouped(count.number) + ("" if count.is_exact else "+")
    return _("%(first)s–%(last)s of %(total)s") % {"first": first, "last": last, "total": total}


def _heads(filters: RegisterFilters, *, url: str) -> list[Head]:
    plain = [
        ("demandId", _("Reference"), "ledger__main"),
        ("clock", _("Respond by"), "ledger__clock"),
        ("expiryTime", _("Dastra's date"), ""),
        ("", _("Rights"), ""),
        ("workFlowStep", _("Step"), ""),
        ("state", _("State"), ""),
        ("", _("Person"), ""),
        ("operator", _("Assignee"), ""),
        ("area", _("Area"), ""),
        ("dateDemand", _("Received"), ""),
        ("dateUpdate", _("Updated"), ""),
        ("nbMessagesNotViewed", _("Messages"), "num"),
        ("", _("Tags"), ""),
    ]
    return [_head(key, label=label, kind=kind, filters=filters, url=url) for key, label, kind in plain]


def _head(key: str, *, label: str, kind: str, filters: RegisterFilters, url: str) -> Head:
    if not key:
        return Head(key="", label=label, kind=kind)
    is_here = filters.sort_by == key
    begins_up = key not in {"dateDemand", "dateUpdate", "nbMessagesNotViewed"}
    ascending = not filters.asc if is_here else begins_up
    sort = "none" if not is_here else "ascending" if filters.asc else "descending"
    return Head(
        key=key,
        label=label,
        kind=kind,
        sort=sort,
        url=address(url, filters=filters.asking(sort_by=key, asc=ascending)),
    )


def _why_empty(filters: RegisterFilters, *, search: Search | None, freshness: Freshness) -> str:
    """`search_expired`, `asked` (Dastra found nothing), `search`, `filters`, `never` (not read), `archive` or `nothing`."""
    if search is not None and search.is_expired:
        return "search_expired"
    if freshness.level == Level.NEVER or freshness.read_at is None:
        return "never"
    if search is not None and search.found_upstream_ids is not None:
        return "asked"
    if search is not None or filters.q:
        return "search"
    if filters.is_narrowed:
        return "filters"
    return "archive" if filters.archived else "nothing"
