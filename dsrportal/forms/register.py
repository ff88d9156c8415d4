"""The register's address -> one question. Called by the views of the register and of a request; asks no database.

Nothing in an address is an error: what makes no sense is left out, numbers are clamped, and the page is served.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from typing import TypeVar

from django.http import QueryDict

from dsrportal.queries import register_columns, register_spans, register_where
from dsrportal.queries.clock_state import CLOCKS
from dsrportal.queries.register_filters import DEFAULT_SIZE, DENSITIES, LAST_PAGE, SIZES, RegisterFilters
from dsrportal.queries.register_groups import GROUPS
from dsrportal.queries.register_sorts import DEFAULT_SORT, LONGEST_CURSOR, known_sort

CODE = re.compile(r"[A-Za-z][A-Za-z0-9]{0,39}")
REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,39}")
TOKEN = re.compile(r"[A-Za-z0-9_-]{8,64}")
DIGITS = re.compile(r"[0-9]{1,19}")
LARGEST_ID = 2**63 - 1
MOST_VALUES = 400
LONGEST_COLUMNS = 1_000

Value = TypeVar("Value")


def read(query: QueryDict) -> RegisterFilters:
    """The question that a query string asks. Where an array repeats a value, it counts once; of a single value, the last one counts."""
    sort = known_sort(query.get("sortBy", ""))
    return RegisterFilters(
        states=_many(query.getlist("states"), read_one=_code),
        purposes=_many(query.getlist("purposes"), read_one=_code),
        workflows=_many(query.getlist("workflows"), read_one=_id),
        tags=_many(query.getlist("tags"), read_one=_id),
        users=_many(query.getlist("users"), read_one=_id),
        area_id=_id(query.get("areaId", "")),
        widget_id=_id(query.get("widgetId", "")),
        ids=_many(query.getlist("ids"), read_one=_id),
        clocks=_many(query.getlist("clock"), read_one=_clock),
        later=_flag(query.get("later", "")),
        unexplained=_flag(query.get("unexplained", "")),
        overtaking=_flag(query.get("overtaking", "")),
        archived=_flag(query.get("archived", "")),
        unassigned=_flag(query.get("unassigned", "")),
        unread=_flag(query.get("unread", "")),
        complex=_flag(query.get("complex", "")),
        mail=_flag(query.get("mail", "")),
        spans=register_spans.read(query),
        where=register_where.read(query.get("where", "")),
        q=_matching(REFERENCE, text=query.get("q", "").strip()),
        search=_matching(TOKEN, text=query.get("search", "")),
        sort_by=sort or DEFAULT_SORT,
        # Dastra's own default is descending; a plain register begins with the most urgent.
        asc=_flag(query.get("asc", "")) if _is_flag(query.get("asc", "")) else sort is None,
        group=_one_of(query.get("group", ""), known=GROUPS),
        columns=register_columns.read(query.get("columns", "")[:LONGEST_COLUMNS]),
        density=_one_of(query.get("density", ""), known=DENSITIES),
        size=_size(query.get("size", "")),
        page=_page(query.get("page", "")),
        after=query.get("after", "") if len(query.get("after", "")) <= LONGEST_CURSOR else "",
        count=query.get("count", "") == "exact",
        view=_id(query.get("view", "")),
    )


def _many(texts: Iterable[str], *, read_one: Callable[[str], Value | None]) -> tuple[Value, ...]:
    values = (read_one(text) for text in texts)
    return tuple(dict.fromkeys(value for value in values if value is not None))[:MOST_VALUES]


def _code(text: str) -> str | None:
    return text if CODE.fullmatch(text) else None


def _clock(text: str) -> str | None:
    return text if text in CLOCKS else None


def _one_of(text: str, *, known: Collection[str]) -> str:
    return text if text in known else ""


def _id(text: str) -> int | None:
    number = int(text) if DIGITS.fullmatch(text) else -1
    return number if 0 <= number <= LARGEST_ID else None


def _matching(pattern: re.Pattern[str], *, text: str) -> str:
    return text if pattern.fullmatch(text) else ""


def _is_flag(text: str) -> bool:
    return text.lower() in {"true", "false", "1", "0", "on"}


def _flag(text: str) -> bool:
    return text.lower() in {"true", "1", "on"}


def _size(text: str) -> int:
    if not DIGITS.fullmatch(text):
        return DEFAULT_SIZE
    return next((size for size in SIZES if int(text) <= size), SIZES[-1])


def _page(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        return 1
    return min(max(int(text[-19:]), 1), LAST_PAGE) if len(text.lstrip("0")) < len(str(LARGEST_ID)) else LAST_PAGE
