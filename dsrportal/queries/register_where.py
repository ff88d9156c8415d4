"""Conditions in groups that are joined by "and" or "or": what an address writes as `where=all(any(step.is.3,step.is.4),all(due.next.7))`.

A group joins its conditions by the one, the whole joins its groups by the other. Read here, turned into SQL here, from a short list of fields and
nothing else; put into words by `queries.register_where_words`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal

from django.db.models import Q, Value

from dsrportal.models import Workspace
from dsrportal.models.rules import policy_of
from dsrportal.queries import clock_state
from dsrportal.queries.clock_state import CLOCKS

Kind = Literal["choice", "day", "number", "flag"]
Join = Literal["all", "any"]
ALL: Join = "all"
ANY: Join = "any"
JOINS: tuple[Join, ...] = (ALL, ANY)
IS, NOT, NONE, FROM, UNTIL, LAST, NEXT, MORE, FEWER, YES, NO = (
    "is", "not", "none", "from", "until", "last", "next", "more", "fewer", "yes", "no",
)  # fmt: skip
OPERATIONS: dict[Kind, tuple[str, ...]] = {
    "choice": (IS, NOT, NONE),
    "day": (FROM, UNTIL, NEXT, LAST, NONE),
    "number": (MORE, FEWER),
    "flag": (YES, NO),
}
WITHOUT_VALUE = frozenset({NONE, YES, NO})
MOST_GROUPS = 6
MOST_CONDITIONS = 20
LONGEST = 1_200
LARGEST_ID = 2**63 - 1
MOST_DAYS = 3_650
MOST_NUMBER = 10_000
WHOLE = re.compile(r"(all|any)\(((?:(?:all|any)\([^()]*\),?)+)\)")
GROUP = re.compile(r"(all|any)\(([^()]*)\)")
CONDITION = re.compile(r"([a-z]+)\.([a-z]+)(?:\.([A-Za-z0-9-]{1,40}))?")
CODE = re.compile(r"[A-Za-z][A-Za-z0-9]{0,39}")
DIGITS = re.compile(r"0|[1-9][0-9]{0,18}")

OWN_TARGET = "target"
"""The field that only a workspace with a target of its own has."""

Equal = Callable[[str, Workspace], Q]


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """What a condition may be about. `column` is the row's; a choice has `equal`, the condition for one value; `of` says what its values are:
    `code`, `clock`, or the workspace's `step`, `assignee`, `area`, `tag`. `empty` is the condition for no value, where there can be none."""

    kind: Kind
    column: str = ""
    of: str = ""
    equal: Equal | None = None
    empty: Q | None = None


FIELDS: dict[str, Field] = {
    "step": Field(
        kind="choice",
        of="step",
        equal=lambda value, workspace: Q(step__workspace=workspace, step__upstream_id=int(value)),
        empty=Q(step=None),
    ),
    "state": Field(kind="choice", of="code", equal=lambda value, _workspace: Q(state=value)),
    "right": Field(
        kind="choice",
        of="code",
        equal=lambda value, _workspace: Q(purposes__contains=f"|{value}|"),
        empty=Q(purposes=""),
    ),
    "assignee": Field(
        kind="choice",
        of="assignee",
        equal=lambda value, _workspace: Q(operator__upstream_id=int(value)),
        empty=Q(operator=None),
    ),
    "area": Field(
        kind="choice",
        of="area",
        equal=lambda value, _workspace: Q(area__upstream_id=int(value)),
        empty=Q(area=None),
    ),
    "tag": Field(
        kind="choice",
        of="tag",
        equal=lambda value, _workspace: Q(tag_ids__contains=f"|{int(value)}|"),
        empty=Q(tag_ids=""),
    ),
    "channel": Field(kind="choice", of="code", equal=lambda value, _workspace: Q(channel=value), empty=Q(channel="")),
    "clock": Field(kind="choice", of="clock"),
    "due": Field(kind="day", column="respond_by"),
    "extend": Field(kind="day", column="extend_by"),
    "dastra": Field(kind="day", column="upstream_due_on"),
    OWN_TARGET: Field(kind="day", column="target_on"),
    "received": Field(kind="day", column="received_on"),
    "closed": Field(kind="day", column="closed_on"),
    "messages": Field(kind="number", column="message_count"),
    "unread": Field(kind="number", column="unread_message_count"),
    "complex": Field(kind="flag", column="complex"),
    "confirmed": Field(kind="flag", column="mail_validated"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Condition:
    """One condition: a key of `FIELDS`, an operation of its kind, and a value as an address has it; empty where the operation takes none."""

    field: str
    operation: str
    value: str = ""

    def text(self) -> str:
        """As an address has it."""
        return f"{self.field}.{self.operation}" + (f".{self.value}" if self.value else "")


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """Conditions that are joined alike."""

    join: Join
    conditions: tuple[Condition, ...]

    def text(self) -> str:
        """As an address has it."""
        return f"{self.join}({','.join(condition.text() for condition in self.conditions)})"


@dataclass(frozen=True, kw_only=True, slots=True)
class Where:
    """Groups that are joined alike; none: everything."""

    join: Join = ALL
    groups: tuple[Group, ...] = ()

    def text(self) -> str:
        """As an address has it; empty for everything."""
        return f"{self.join}({','.join(group.text() for group in self.groups)})" if self.groups else ""

    def keeping(self, is_wanted: Callable[[Condition], bool]) -> Where:
        """Without the conditions that are not wanted, and without the groups that then are empty."""
        groups = (
            replace(group, conditions=tuple(one for one in group.conditions if is_wanted(one))) for group in self.groups
        )
        return replace(self, groups=tuple(group for group in groups if group.conditions))

    def without(self, group: Group) -> Where:
        """Without one of its groups."""
        return replace(self, groups=tuple(one for one in self.groups if one != group))


EVERYTHING = Where()


def read(text: str) -> Where:
    """What an address asks; what makes no sense is left out, and so is what is too much."""
    whole = WHOLE.fullmatch(text) if len(text) <= LONGEST else None
    if whole is None:
        return EVERYTHING
    groups, room = [], MOST_CONDITIONS
    for join, inner in GROUP.findall(whole[2])[:MOST_GROUPS]:
        conditions = tuple(one for part in inner.split(",") if (one := _condition(part)))[:room]
        room -= len(conditions)
        if conditions:
            groups.append(Group(join=join, conditions=conditions))
    return Where(join=ANY if whole[1] == ANY else ALL, groups=tuple(groups)) if groups else EVERYTHING


def _condition(text: str) -> Condition | None:
    match = CONDITION.fullmatch(text)
    if match is None:
        return None
    condition = Condition(field=match[1], operation=match[2], value=match[3] or "")
    return condition if makes_sense(condition) else None


def operations_of(field: str) -> tuple[str, ...]:
    """What can be asked of a field. Raises `KeyError` for one that does not exist."""
    found = FIELDS[field]
    if found.kind != "choice":
        return OPERATIONS[found.kind]
    return tuple(one for one in OPERATIONS["choice"] if one != NONE or found.empty is not None)


def makes_sense(condition: Condition) -> bool:
    """Whether the field has this operation, and the value is of its kind."""
    if condition.field not in FIELDS or condition.operation not in operations_of(condition.field):
        return False
    if condition.operation in WITHOUT_VALUE:
        return not condition.value
    return _is_value(condition)


def _is_value(condition: Condition) -> bool:
    field, value = FIELDS[condition.field], condition.value
    if condition.operation in {FROM, UNTIL}:
        return day_of(value) is not None
    if condition.operation in {LAST, NEXT}:
        return _is_number(value, most=MOST_DAYS)
    if field.kind == "number":
        return _is_number(value, most=MOST_NUMBER)
    if field.of == "clock":
        return value in CLOCKS
    return CODE.fullmatch(value) is not None if field.of == "code" else _is_number(value, most=LARGEST_ID)


def _is_number(text: str, *, most: int) -> bool:
    return DIGITS.fullmatch(text) is not None and int(text) <= most


def day_of(text: str) -> date | None:
    """`2026-03-10` -> the day; None for anything else."""
    try:
        return date.fromisoformat(text) if len(text) == len("2026-01-01") else None
    except ValueError:
        return None


def condition(where: Where, *, workspace: Workspace, today: date) -> Q:
    """The whole as a condition on rows."""
    return _joined(
        where.join,
        (
            _joined(group.join, (_one(one, workspace=workspace, today=today) for one in group.conditions))
            for group in where.groups
        ),
    )


def _joined(join: Join, parts: Iterable[Q]) -> Q:
    whole = Q()
    for part in parts:
        whole = whole | part if join == ANY else whole & part
    return whole


def _one(one: Condition, *, workspace: Workspace, today: date) -> Q:
    field = FIELDS[one.field]
    if field.kind == "flag":
        return Q(**{field.column: Value(one.operation == YES)})
    if field.kind == "number":
        bound = "gt" if one.operation == MORE else "lt"
        return Q(**{f"{field.column}__{bound}": int(one.value)})
    if field.kind == "day":
        return _days(field.column, one=one, today=today)
    if one.operation == NONE:
        return field.empty or Q()
    if field.equal is None:
        policy = policy_of(workspace) if one.value in clock_state.WITHIN else None
        found = clock_state.condition(one.value, policy=policy, today=today)
    else:
        found = field.equal(one.value, workspace)
    return ~found if one.operation == NOT else found


def _days(column: str, *, one: Condition, today: date) -> Q:
    if one.operation == NONE:
        return Q(**{column: None})
    if one.operation == FROM:
        return Q(**{f"{column}__gte": one.value})
    if one.operation == UNTIL:
        return Q(**{f"{column}__lte": one.value})
    days = timedelta(days=int(one.value))
    since, until = (today, today + days) if one.operation == NEXT else (today - days, today)
    return Q(**{f"{column}__gte": since, f"{column}__lte": until})
