"""One page's rows of a list, by number or by cursor, and the way to the pages beside it. Used by `queries.register` and its export.

One query for a page, two where a cursor leads to nothing any more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import QuerySet

from dsrportal.models import DataSubjectRequest
from dsrportal.queries import register_sorts
from dsrportal.queries.register_chips import address
from dsrportal.queries.register_filters import LAST_PAGE, RegisterFilters
from dsrportal.queries.register_sorts import Column, Cursor
from dsrportal.queries.vocabulary import Vocabulary


@dataclass(frozen=True, kw_only=True, slots=True)
class Slice:
    """Some rows as dictionaries; `start` counts those before them; `by_cursor`: not found by a page's number."""

    rows: list[dict[str, Any]]
    start: int
    has_previous: bool
    has_next: bool
    by_cursor: bool


def one_page(
    rows: QuerySet[DataSubjectRequest],
    *,
    filters: RegisterFilters,
    columns: Sequence[Column],
    fields: Sequence[str],
    known: Vocabulary,
) -> Slice:
    """The page that the question asks for; `columns` are the order, `fields` what is read of each row besides."""
    wanted = dict.fromkeys([*fields, *(column.path for column in columns)])
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
    return Slice(rows=found[:size], start=start, has_previous=start > 0, has_next=len(found) > size, by_cursor=False)


def every_page(
    rows: QuerySet[DataSubjectRequest],
    *,
    filters: RegisterFilters,
    columns: Sequence[Column],
    fields: Sequence[str],
    known: Vocabulary,
    size: int,
) -> Iterator[list[dict[str, Any]]]:
    """All rows in order, so many at a time, one short query each: no read stays open while somebody's line is slow."""
    wanted = dict.fromkeys([*fields, *(column.path for column in columns)])
    order = register_sorts.order_by(columns, ascending=filters.asc)
    rest = rows
    while found := list(rest.order_by(*order).values(*wanted)[:size]):
        yield found
        if len(found) < size:
            return
        cursor = Cursor(forward=True, values=_values(found[-1], columns=columns), pk=found[-1]["pk"], start=0)
        beside = register_sorts.beyond(columns, cursor=cursor, ascending=filters.asc, name_of=known.operator_name)
        rest = rows.filter(beside)


def neighbours(part: Slice, *, url: str, filters: RegisterFilters, columns: Sequence[Column]) -> tuple[str, str]:
    """The addresses of the pages before and after, empty where there are none."""

    def by_cursor(row: Mapping[str, Any], *, forward: bool, start: int) -> str:
        after = register_sorts.cursor_at(row, columns=columns, forward=forward, start=start)
        return address(url, filters=filters.asking(after=after))

    def by_page(number: int) -> str:
        return address(url, filters=filters.asking(page=number))

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


def at_most(filters: RegisterFilters, *, last: int) -> RegisterFilters:
    """The same page, or the last one where there are not so many."""
    return replace(filters, page=min(filters.page, max(last, 1)))


def _at_cursor(found: list[dict[str, Any]], *, cursor: Cursor, size: int) -> Slice | None:
    if cursor.forward and found:
        return Slice(
            rows=found[:size], start=cursor.start, has_previous=True, has_next=len(found) > size, by_cursor=True
        )
    if not cursor.forward and len(found) > size:  # fewer: the first page itself
        kept = found[:size][::-1]
        start = max(cursor.start - len(kept), 0)
        return Slice(rows=kept, start=start, has_previous=True, has_next=True, by_cursor=True)
    return None


def _values(row: Mapping[str, Any], *, columns: Sequence[Column]) -> tuple[Any, ...]:
    return tuple(row["operator_id"] if column.kind == "assignee" else row[column.path] for column in columns)
