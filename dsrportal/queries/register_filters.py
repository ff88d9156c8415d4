"""What the register may be asked for, and what that means in SQL. Made by `forms.register` from the address, used by `queries.register`.

Names in the address are Dastra's own where it has one. Filters join with AND; the values of one filter with OR, but tags with AND,
as in Dastra's own list.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet, Value

from dsrportal.models import IdentityWord, Workspace
from dsrportal.models.rules import policy_of
from dsrportal.queries import clock_state, register_columns, register_spans, register_where
from dsrportal.queries.register_sorts import DEFAULT_SORT
from dsrportal.queries.register_spans import NO_SPANS, Spans
from dsrportal.queries.register_where import EVERYTHING, Where

SIZES = (25, 50, 100)
DEFAULT_SIZE = 50
LAST_PAGE = 20
LAST_LETTERS = "z" * 40

# Field of RegisterFilters -> name in the address. Arrays repeat the key.
NAMES = {
    "states": "states",
    "purposes": "purposes",
    "workflows": "workflows",
    "tags": "tags",
    "users": "users",
    "area_id": "areaId",
    "widget_id": "widgetId",
    "ids": "ids",
    "clocks": "clock",
    "later": "later",
    "unexplained": "unexplained",
    "overtaking": "overtaking",
    "archived": "archived",
    "unassigned": "unassigned",
    "unread": "unread",
    "complex": "complex",
    "mail": "mail",
    "where": "where",
    "q": "q",
    "search": "search",
}
VIEW_NAMES = {
    "sort_by": "sortBy",
    "asc": "asc",
    "group": "group",
    "columns": "columns",
    "density": "density",
    "size": "size",
    "page": "page",
    "after": "after",
    "count": "count",
    "view": "view",
}
ADDRESS_NAMES = {**NAMES, **VIEW_NAMES}
PLACE = {"page": 1, "after": "", "count": False}
"""What says where in the list one is: left out of whatever leads elsewhere."""
COMPACT, ROOMY = "compact", "roomy"
DENSITIES = (COMPACT, ROOMY)


@dataclass(frozen=True, kw_only=True, slots=True)
class RegisterFilters:
    """One question to the register. `workflows`, `tags`, `users`, `area_id` and `ids` are upstream ids; `q` is the beginning of a reference;
    `search` an opaque token of the session; `mail` asks for unconfirmed addresses; `after` is a cursor; `count` asks for an exact total.
    `clocks` are names of `clock_state.CLOCKS`; `later`: Dastra's date is later than the law's; `unexplained`: Dastra's date changed for no reason
    that is known here; `overtaking` is what Dastra itself calls overdue.
    `where` are conditions in groups.
    How it looks: `group` is a key of `register_groups.GROUPS`, `columns` are keys of `register_columns.COLUMNS`, `density` one of `DENSITIES`; each
    empty for the reader's own. `view` is the saved view that the address began with; 0: all requests, whatever the reader begins with.
    """

    states: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()
    workflows: tuple[int, ...] = ()
    tags: tuple[int, ...] = ()
    users: tuple[int, ...] = ()
    area_id: int | None = None
    widget_id: int | None = None
    ids: tuple[int, ...] = ()
    clocks: tuple[str, ...] = ()
    later: bool = False
    unexplained: bool = False
    overtaking: bool = False
    archived: bool = False
    unassigned: bool = False
    unread: bool = False
    complex: bool = False
    mail: bool = False
    spans: Spans = NO_SPANS
    where: Where = EVERYTHING
    q: str = ""
    search: str = ""
    sort_by: str = DEFAULT_SORT
    asc: bool = True
    group: str = ""
    columns: tuple[str, ...] = ()
    density: str = ""
    size: int = DEFAULT_SIZE
    page: int = 1
    after: str = ""
    count: bool = False
    view: int | None = None

    @property
    def is_narrowed(self) -> bool:
        """Whether any filter is set; archived or live is a choice of place, not a filter."""
        return bool(self.spans.pairs()) or any(
            getattr(self, name) not in {(), None, False, "", EVERYTHING} for name in NAMES if name != "archived"
        )

    def asking(self, **changes: object) -> RegisterFilters:
        """The same question with changes, from its first page on."""
        return replace(self, **{**PLACE, **changes})  # type: ignore[arg-type]

    def without_filters(self) -> RegisterFilters:
        """The same look over all live requests, from the first page on."""
        look = {name: getattr(self, name) for name in VIEW_NAMES if name not in PLACE}
        return RegisterFilters(**look)

    def query_string(self) -> str:
        """The question as the query of an address, without the leading `?`; empty for the plain register."""
        return urlencode(self.pairs(), safe="(),")

    def pairs(self) -> list[tuple[str, str]]:
        """The question as names and values; what is as in the plain register is left out."""
        plain = RegisterFilters()
        pairs: list[tuple[str, str]] = []
        for field in fields(self):
            value = getattr(self, field.name)
            if value == getattr(plain, field.name) and field.name != "asc":
                continue
            if isinstance(value, Spans):
                pairs.extend(value.pairs())
                continue
            if field.name == "asc" and self.asc and self.sort_by == DEFAULT_SORT:
                continue
            name = ADDRESS_NAMES[field.name]
            if field.name == "columns":
                value = register_columns.written(value)
            if isinstance(value, Where):
                value = value.text()
            values = value if isinstance(value, tuple) else (value,)
            pairs.extend((name, _text(name, value=part)) for part in values)
        return pairs


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchTerm:
    """One part of a posted search. It fits a request that has all the words (keyed hashes), or whose reference begins with it."""

    digests: tuple[bytes, ...] = ()
    upstream_ids: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Search:
    """A posted search, resolved: every term must match; or the requests that Dastra itself found. `is_expired`: the session has forgotten it."""

    terms: tuple[SearchTerm, ...] = ()
    found_upstream_ids: tuple[int, ...] | None = None
    is_expired: bool = False


def condition(*, workspace: Workspace, filters: RegisterFilters, search: Search | None, now: datetime) -> Q:
    """The filters as a condition on `DataSubjectRequest`. Overdue is derived from `now`; nothing that time changes is stored.

    Flags are compared with `Value(…)`: a plain `False` becomes `NOT archived`, for which SQLite uses no index.
    """
    today = now.astimezone(ZoneInfo(workspace.time_zone)).date()
    conditions = [
        _place(filters, workspace=workspace),
        *_lists(filters, workspace=workspace),
        *_single(filters),
        *_clocks(filters, workspace=workspace, now=now),
        *_switches(filters, now=now),
        *register_spans.conditions(filters.spans, workspace=workspace, today=today),
    ]
    if filters.where.groups:
        conditions.append(register_where.condition(filters.where, workspace=workspace, today=today))
    if search is not None:
        conditions.append(_found(search, workspace=workspace))
    return Q(*conditions)


def _place(filters: RegisterFilters, *, workspace: Workspace) -> Q:
    if filters.spans.anywhere:
        return Q(workspace=workspace)
    return Q(workspace=workspace, archived=Value(filters.archived))


def _lists(filters: RegisterFilters, *, workspace: Workspace) -> Iterator[Q]:
    if filters.states:
        yield Q(state__in=filters.states)
    if filters.purposes:
        yield _any(Q(purposes__contains=f"|{purpose}|") for purpose in filters.purposes)
    if filters.workflows:
        yield Q(step__workspace=workspace, step__upstream_id__in=filters.workflows)
    for tag in filters.tags:
        yield Q(tag_ids__contains=f"|{tag}|")
    if filters.ids:
        yield Q(upstream_id__in=filters.ids)
    assignees = [Q(operator__upstream_id__in=filters.users)] if filters.users else []
    if filters.unassigned:
        assignees.append(Q(operator=None))
    if assignees:
        yield _any(assignees)


def _single(filters: RegisterFilters) -> Iterator[Q]:
    if filters.area_id is not None:
        yield Q(area__upstream_id=filters.area_id)
    if filters.widget_id is not None:
        yield Q(widget_id=filters.widget_id)
    if filters.q:
        yield reference_begins(filters.q)


def _clocks(filters: RegisterFilters, *, workspace: Workspace, now: datetime) -> Iterator[Q]:
    """By the legal clock, as of the workspace's own day. One query where days are asked for: the holidays that were added."""
    if filters.clocks:
        today = now.astimezone(ZoneInfo(workspace.time_zone)).date()
        policy = None if clock_state.WITHIN.keys().isdisjoint(filters.clocks) else policy_of(workspace)
        yield _any(clock_state.condition(name, policy=policy, today=today) for name in filters.clocks)
    if filters.later:
        yield clock_state.upstream_later()
    if filters.unexplained:
        yield Q(has_unexplained_change=Value(value=True))


def _switches(filters: RegisterFilters, *, now: datetime) -> Iterator[Q]:
    if filters.overtaking:
        yield Q(is_closed=Value(value=False), clock_at__lt=now)
    if filters.unread:
        yield Q(unread_message_count__gt=0)
    if filters.complex:
        yield Q(complex=True)
    if filters.mail:
        yield Q(mail_validated=False)


def reference_begins(text: str) -> Q:
    """References that begin with the text, in capitals or as typed. The range lets the index serve it whatever the database's collation."""
    return _any(
        Q(reference__gte=prefix, reference__lte=prefix + LAST_LETTERS, reference__startswith=prefix)
        for prefix in sorted({text, text.upper()})
    )


def _found(search: Search, *, workspace: Workspace) -> Q:
    if search.is_expired:
        return Q(pk__in=())
    wanted = Q()
    if search.found_upstream_ids is not None:
        wanted &= Q(upstream_id__in=search.found_upstream_ids)
    for term in search.terms:
        matches = Q(upstream_id__in=term.upstream_ids)
        if term.digests:
            matches |= Q(*(Q(pk__in=_with_word(digest, workspace=workspace)) for digest in term.digests))
        wanted &= matches
    return wanted


def _with_word(digest: bytes, *, workspace: Workspace) -> QuerySet[IdentityWord, Any]:
    return IdentityWord.objects.filter(workspace=workspace, digest=digest).values("dsr")


def _any(conditions: Iterable[Q]) -> Q:
    joined = Q()
    for one in conditions:
        joined |= one
    return joined


def _text(name: str, *, value: object) -> str:
    if name == "count":
        return "exact"
    return str(value).lower() if isinstance(value, bool) else str(value)
