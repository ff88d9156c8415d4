"""The register: one page of a workspace's requests for one question, ready to be drawn. Called by `views.register`.

At most thirteen queries, whatever the number of rows; never writes, never calls Dastra.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.db.models import Q, Value
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dsrportal.clocks import Policy
from dsrportal.models import DataSubjectRequest, Membership, Workspace
from dsrportal.models.rules import policy_of
from dsrportal.queries import (
    register_chips,
    register_columns,
    register_filters,
    register_groups,
    register_slices,
    vocabulary,
    wishes,
)
from dsrportal.queries.freshness import Freshness, Level
from dsrportal.queries.register_chips import Chip, Choice, Group, address
from dsrportal.queries.register_columns import COLUMNS, LedgerColumn
from dsrportal.queries.register_filters import COMPACT, LAST_PAGE, SIZES, RegisterFilters, Search
from dsrportal.queries.register_groups import Section
from dsrportal.queries.register_rows import ALWAYS, Reader, Row, in_words
from dsrportal.queries.register_slices import Slice
from dsrportal.queries.vocabulary import Vocabulary
from dsrportal.queries.wishes import WishView

PANEL = frozenset(
    {"clock", "workflows", "purposes", "states", "users", "tags", "unassigned", "areaId", "q", *register_chips.SWITCHES}
)
"""What the filter panel has fields for."""
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
    """What the register's templates draw. `columns` are the keys of those that are shown, `sections` their rows; `status` is the count in
    words, or why there is none to tell; `shown` is "1–50 of 312"; `empty` is why there are no rows, or empty. `kept_by_…` are the names
    and values that a form carries along unseen; `policy` are the workspace's rules, read once."""

    url: str
    filters: RegisterFilters
    columns: tuple[str, ...]
    is_compact: bool
    sections: list[Section]
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
    kept_by_panel: list[tuple[str, str]]
    kept_by_sizes: list[tuple[str, str]]
    previous_url: str
    next_url: str
    count_url: str
    archive_url: str
    empty: str
    has_left_out: bool
    is_search_open: bool
    policy: Policy | None

    @property
    def rows(self) -> list[Row]:
        """The rows of all sections."""
        return [row for section in self.sections for row in section.rows]

    @property
    def has_more(self) -> bool:
        """Whether the list goes on, or began, on another page."""
        return bool(self.previous_url or self.next_url)


def page(
    viewer: Membership,
    *,
    url: str,
    filters: RegisterFilters,
    search: Search | None,
    freshness: Freshness,
    now: datetime,
) -> RegisterPage:
    """One page of the register of the viewer's workspace. What the question names and this workspace does not have is left out and said."""
    workspace = viewer.workspace
    known = vocabulary.of_workspace(workspace)
    filters, has_left_out = known.keep_known(filters)
    condition = register_filters.condition(workspace=workspace, filters=filters, search=search, now=now)
    found = DataSubjectRequest.objects.filter(condition)
    counted = register_groups.counts(found, filters=filters)
    count = _count(workspace, filters=filters, condition=condition, known=known, counted=counted)
    if count.is_exact:
        filters = register_slices.at_most(filters, last=math.ceil(count.number / filters.size))
    columns = shown_columns(filters, viewer=viewer)
    order = register_groups.order_of(filters)
    part = register_slices.one_page(
        found, filters=filters, columns=order, fields=_fields(columns, filters), known=known
    )
    reader = reader_of(viewer, known=known, filters=filters, now=now)
    waiting = _wishes(viewer, has_rows=bool(part.rows), now=now)
    group = register_groups.GROUPS[filters.group].field if filters.group else ""
    rows = [
        in_words(
            values,
            columns=columns,
            reader=reader,
            group=values[group] if group else None,
            wish=waiting.get(values["upstream_id"]),
        )
        for values in part.rows
    ]
    empty = "" if rows else _why_empty(filters, search=search, freshness=freshness)
    previous_url, next_url = register_slices.neighbours(part, url=url, filters=filters, columns=order)
    return RegisterPage(
        url=url,
        filters=filters,
        columns=columns,
        is_compact=is_compact(filters, viewer=viewer),
        sections=register_groups.sections(rows, filters=filters, counted=counted, known=known),
        count=count,
        status={"never": _("Not read yet"), "search_expired": ""}.get(empty, count.text),
        shown=_shown(part, count=count),
        heads=[_head(COLUMNS[key], filters=filters, url=url) for key in columns],
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
        kept_by_panel=[pair for pair in filters.asking(after="").pairs() if pair[0] not in PANEL],
        kept_by_sizes=[pair for pair in filters.asking(after="").pairs() if pair[0] != "size"],
        previous_url=previous_url,
        next_url=next_url,
        count_url="" if count.is_exact else address(url, filters=replace(filters, count=True)),
        archive_url="" if filters.archived else address(url, filters=filters.asking(archived=True)),
        empty=empty,
        has_left_out=has_left_out,
        is_search_open=search is not None and not search.is_expired,
        policy=reader.policy,
    )


def shown_columns(filters: RegisterFilters, *, viewer: Membership) -> tuple[str, ...]:
    """The keys of the columns: the address's, else the person's own, else those that everybody begins with; what the workspace has of them."""
    keys = filters.columns or register_columns.read(viewer.register_columns) or register_columns.DEFAULT
    return register_columns.offered(keys, has_target=viewer.workspace.target_days is not None)


def is_compact(filters: RegisterFilters, *, viewer: Membership) -> bool:
    """Whether the rows are drawn 28 px high: as the address says, else as the person likes it."""
    return filters.density == COMPACT if filters.density else viewer.has_compact_register


def reader_of(viewer: Membership, *, known: Vocabulary, filters: RegisterFilters, now: datetime) -> Reader:
    """Who reads the list; the rows lead to pages that know the question. One query, where holidays were added."""
    workspace = viewer.workspace
    question = filters.asking().query_string()
    return Reader(
        workspace=workspace,
        policy=policy_of(workspace),
        zone=ZoneInfo(workspace.time_zone),
        known=known,
        may_see_identity=viewer.may_see_identity,
        now=now,
        from_query=urlencode({"from": question}) if question else "",
    )


def one_row(
    viewer: Membership, *, upstream_id: int, filters: RegisterFilters, now: datetime
) -> tuple[Row, tuple[str, ...]] | None:
    """One row as the list shows it, and its columns; None for a request that is gone. At most seven queries."""
    columns = shown_columns(filters, viewer=viewer)
    rows = DataSubjectRequest.objects.filter(workspace=viewer.workspace, upstream_id=upstream_id)
    values = rows.values(*_fields(columns, filters)).first()
    if values is None:
        return None
    known = vocabulary.of_workspace(viewer.workspace)
    reader = reader_of(viewer, known=known, filters=filters, now=now)
    wish = _wishes(viewer, has_rows=True, now=now).get(upstream_id)
    return in_words(values, columns=columns, reader=reader, wish=wish), columns


def _fields(columns: Sequence[str], filters: RegisterFilters) -> tuple[str, ...]:
    group = (register_groups.GROUPS[filters.group].field,) if filters.group else ()
    return tuple(dict.fromkeys([*ALWAYS, *register_columns.fields_of(columns), *group]))


def _wishes(viewer: Membership, *, has_rows: bool, now: datetime) -> dict[int, WishView]:
    """What waits or came back, by request; the latest of each. One query."""
    if not has_rows:
        return {}
    found = wishes.of_workspace(viewer.workspace, viewer=viewer, now=now)
    return {wish.upstream_id: wish for wish in found if wish.upstream_id is not None}


def _count(
    workspace: Workspace, *, filters: RegisterFilters, condition: Q, known: Vocabulary, counted: Mapping[Any, int]
) -> Count:
    if counted:
        return _counted(sum(counted.values()), is_exact=True)
    asked = replace(filters.without_filters(), archived=filters.archived, workflows=filters.workflows)
    if asked == filters.asking():
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


def _shown(part: Slice, *, count: Count) -> str:
    if not part.rows:
        return ""
    first, last = _grouped(part.start + 1), _grouped(part.start + len(part.rows))
    total = _grouped(count.number) + ("" if count.is_exact else "+")
    return _("%(first)s–%(last)s of %(total)s") % {"first": first, "last": last, "total": total}


def _head(column: LedgerColumn, *, filters: RegisterFilters, url: str) -> Head:
    if not column.sort:
        return Head(key="", label=str(column.label), kind=column.kind)
    is_here = filters.sort_by == column.sort
    ascending = not filters.asc if is_here else column.begins_up
    sort = "none" if not is_here else "ascending" if filters.asc else "descending"
    return Head(
        key=column.sort,
        label=str(column.label),
        kind=column.kind,
        sort=sort,
        url=address(url, filters=filters.asking(sort_by=column.sort, asc=ascending)),
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
