"""The orders of the register and its cursors: every order ends with the row's own key, so that paging visits each row exactly once.

What is absent sorts last, whichever the direction. A cursor holds the values of one row and never a name: people are cited by key.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from django.db.models import F, Q, Value
from django.db.models.expressions import OrderBy

Kind = Literal["time", "day", "number", "text", "flag", "assignee"]
LONGEST_CURSOR = 2_000
LARGEST_NUMBER = 2**63 - 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """One column of an order. `turns`: goes down where the reader asks for the descending order."""

    path: str
    kind: Kind
    turns: bool = True
    nullable: bool = False


OPEN_FIRST = Column(path="is_closed", kind="flag", turns=False)
BY_RANK = Column(path="clock_rank", kind="number", turns=False)
"""What needs data, what runs, what is paused, what is closed: whichever way the days go."""
URGENT_FIRST = (BY_RANK, Column(path="clock_on", kind="day", turns=False))
DEFAULT_SORT = "clock"

# Name in the address (Dastra's own where it has one) -> columns. Open requests come before closed ones when a clock decides.
SORTS: dict[str, tuple[Column, ...]] = {
    "clock": (BY_RANK, Column(path="clock_on", kind="day")),
    "expiryTime": (OPEN_FIRST, Column(path="clock_at", kind="time")),
    "ownTarget": (OPEN_FIRST, Column(path="target_on", kind="day", nullable=True)),
    "dateDemand": (Column(path="received_at", kind="time", nullable=True),),
    "dateCreation": (Column(path="created_at", kind="time", nullable=True),),
    "dateUpdate": (Column(path="updated_at", kind="time", nullable=True),),
    "dateClosed": (Column(path="closed_at", kind="time", nullable=True),),
    "archivedDate": (Column(path="archived_at", kind="time", nullable=True),),
    "lastMessageDate": (Column(path="last_message_at", kind="time", nullable=True),),
    "demandId": (Column(path="reference", kind="text"),),
    "id": (Column(path="upstream_id", kind="number"),),
    "state": (Column(path="state", kind="text"), *URGENT_FIRST),
    "workFlowStep": (Column(path="step__position", kind="number", nullable=True), *URGENT_FIRST),
    "operator": (Column(path="operator__display_name", kind="assignee", nullable=True), *URGENT_FIRST),
    "area": (Column(path="area__label", kind="text", nullable=True), *URGENT_FIRST),
    "channel": (Column(path="channel", kind="text"), *URGENT_FIRST),
    "complex": (Column(path="complex", kind="flag"), *URGENT_FIRST),
    "nbMessages": (Column(path="message_count", kind="number"), *URGENT_FIRST),
    "nbMessagesNotViewed": (Column(path="unread_message_count", kind="number"), *URGENT_FIRST),
}
ALIASES = {
    "remainingdays": "expiryTime",
    "reference": "demandId",
    "workflowstepid": "workFlowStep",
    "operatorid": "operator",
    "areaid": "area",
    **{name.lower(): name for name in SORTS},
}


def known_sort(name: str) -> str | None:
    """The order that a name in an address means, whatever its case; None for one that does not exist."""
    return ALIASES.get(name.strip().lower())


@dataclass(frozen=True, kw_only=True, slots=True)
class Cursor:
    """A place between two rows: the values of the row beside it. `forward`: the rows after it, else those before. `start` counts the rows
    before the page, for the words beneath the list alone."""

    forward: bool
    values: tuple[Any, ...]
    pk: int
    start: int

    def encode(self, *, columns: Sequence[Column]) -> str:
        """The cursor as opaque text for an address."""
        values = [
            value.isoformat() if column.kind in {"time", "day"} and value is not None else value
            for column, value in zip(columns, self.values, strict=True)
        ]
        packed = json.dumps([int(self.forward), values, self.pk, self.start], separators=(",", ":"))
        return base64.urlsafe_b64encode(packed.encode()).decode().rstrip("=")


def read_cursor(text: str, *, columns: Sequence[Column]) -> Cursor | None:
    """What `encode` made for the same order; None for anything else."""
    if not text or len(text) > LONGEST_CURSOR:
        return None
    try:
        packed = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        forward, values, pk, start = packed
        read = tuple(_value(column, value=value) for column, value in zip(columns, values, strict=True))
        return Cursor(forward=bool(_number(forward)), values=read, pk=_number(pk), start=_number(start))
    except (ValueError, TypeError, binascii.Error, RecursionError):
        return None


def _value(column: Column, *, value: object) -> Any:
    if value is None and (column.nullable or column.kind == "assignee"):
        return None
    if column.kind == "time":
        moment = datetime.fromisoformat(_text(value))
        if moment.tzinfo is None:
            raise ValueError(value)
        return moment
    if column.kind == "day":
        return date.fromisoformat(_text(value))
    if column.kind == "flag":
        return bool(_number(value))
    return _text(value) if column.kind == "text" else _number(value)


def _number(value: object) -> int:
    if not isinstance(value, int) or abs(value) > LARGEST_NUMBER:
        raise ValueError(value)
    return value


def _text(value: object) -> str:
    if not isinstance(value, str) or "\x00" in value:
        raise TypeError(value)
    return value


def order_by(columns: Sequence[Column], *, ascending: bool, forward: bool = True) -> list[OrderBy]:
    """The ORDER BY of an order, or of its exact reverse."""
    order = []
    for column in columns:
        upwards = (ascending or not column.turns) == forward
        if not column.nullable:
            order.append(F(column.path).asc() if upwards else F(column.path).desc())
        elif forward:
            order.append(F(column.path).asc(nulls_last=True) if upwards else F(column.path).desc(nulls_last=True))
        else:
            order.append(F(column.path).asc(nulls_first=True) if upwards else F(column.path).desc(nulls_first=True))
    order.append(F("pk").asc() if ascending == forward else F("pk").desc())
    return order


def beyond(columns: Sequence[Column], *, cursor: Cursor, ascending: bool, name_of: Callable[[int], str | None]) -> Q:
    """The condition for the rows after (or before) the cursor. `name_of` gives an assignee's name by key, for the order by name."""
    wanted, same = Q(), Q()
    for column, raw in zip(columns, cursor.values, strict=True):
        value = name_of(raw) if column.kind == "assignee" and raw is not None else raw
        upwards = (ascending or not column.turns) == cursor.forward
        further = _further(column, value=value, upwards=upwards, forward=cursor.forward)
        if further is not None:
            wanted |= same & further
        # Value(…) keeps a flag from becoming `NOT is_closed`, for which SQLite uses no index.
        same &= Q(**{f"{column.path}__isnull": True}) if value is None else Q(**{column.path: Value(value)})
    return wanted | (same & (Q(pk__gt=cursor.pk) if ascending == cursor.forward else Q(pk__lt=cursor.pk)))


def _further(column: Column, *, value: Any, upwards: bool, forward: bool) -> Q | None:
    if value is None:
        return None if forward else Q(**{f"{column.path}__isnull": False})
    further = Q(**{f"{column.path}__gt" if upwards else f"{column.path}__lt": value})
    return further | Q(**{f"{column.path}__isnull": True}) if column.nullable and forward else further


def cursor_at(row: Mapping[str, Any], *, columns: Sequence[Column], forward: bool, start: int) -> str:
    """The cursor beside a row, which holds the values of all columns, `operator_id` and `pk`."""
    values = tuple(row["operator_id"] if column.kind == "assignee" else row[column.path] for column in columns)
    return Cursor(forward=forward, values=values, pk=row["pk"], start=start).encode(columns=columns)
