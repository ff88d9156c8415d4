"""The form of conditions in groups: what stands in it, what is wrong with it, and the `where` that it means. Asks no database.

Fields are named by place: `join`, `join-0`, `field-0-1`, `operation-0-1`, `value-0-1`. `do` is the button: `apply`, `group`, `add-0`, `drop-0-1`; without
one the form is only drawn anew, since another field has other values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from django.utils.translation import gettext as _

from dsrportal.queries import register_where
from dsrportal.queries.register_where import (
    ALL,
    ANY,
    FIELDS,
    MOST_CONDITIONS,
    MOST_GROUPS,
    Condition,
    Group,
    Join,
    Where,
)

FIRST = Condition(field="step", operation=register_where.IS)


@dataclass(kw_only=True, slots=True)
class Line:
    """One condition as it was typed; `error` is the sentence beside it."""

    condition: Condition
    error: str = ""


@dataclass(kw_only=True, slots=True)
class Block:
    """One group as it was typed."""

    join: Join
    lines: list[Line] = field(default_factory=list)


@dataclass(kw_only=True, slots=True)
class ConditionsForm:
    """The form as it stands. `focus` names the field that the reader goes on with."""

    join: Join
    blocks: list[Block]
    focus: str = ""

    @property
    def has_errors(self) -> bool:
        """Whether any line is wrong, once they were checked."""
        return any(line.error for block in self.blocks for line in block.lines)

    @property
    def has_room(self) -> bool:
        """Whether another condition may be added."""
        return sum(len(block.lines) for block in self.blocks) < MOST_CONDITIONS

    @property
    def has_room_for_groups(self) -> bool:
        """Whether another group may be added."""
        return self.has_room and len(self.blocks) < MOST_GROUPS

    def check(self) -> None:
        """Say beside each line what is wrong with it."""
        for block in self.blocks:
            for line in block.lines:
                line.error = "" if register_where.makes_sense(line.condition) else _sentence(line.condition)

    def where(self) -> Where:
        """What a checked form without errors means."""
        groups = (
            Group(join=block.join, conditions=tuple(line.condition for line in block.lines)) for block in self.blocks
        )
        return Where(join=self.join, groups=tuple(group for group in groups if group.conditions))


def of_where(where: Where) -> ConditionsForm:
    """The form that shows what an address asks; one empty line where it asks nothing."""
    blocks = [
        Block(join=group.join, lines=[Line(condition=condition) for condition in group.conditions])
        for group in where.groups
    ]
    return ConditionsForm(join=where.join, blocks=blocks or [Block(join=ANY, lines=[Line(condition=FIRST)])])


def read(sent: Mapping[str, str]) -> ConditionsForm:
    """The form as it was sent, after the button that was pressed."""
    form = ConditionsForm(join=_join(sent.get("join", "")), blocks=[])
    for place in range(MOST_GROUPS):
        if f"join-{place}" not in sent:
            break
        lines = [
            Line(condition=_condition(sent, place=f"{place}-{number}"))
            for number in range(MOST_CONDITIONS)
            if f"field-{place}-{number}" in sent
        ]
        form.blocks.append(Block(join=_join(sent[f"join-{place}"]), lines=lines))
    deed, _dash, where = sent.get("do", "").partition("-")
    _press(form, deed=deed, place=where)
    return form


def _press(form: ConditionsForm, *, deed: str, place: str) -> None:
    parts = [int(part) for part in place.split("-") if part.isascii() and part.isdecimal() and len(part) < 4]  # noqa: PLR2004
    if deed == "group" and form.has_room_for_groups:
        form.blocks.append(Block(join=ANY, lines=[Line(condition=FIRST)]))
        form.focus = f"field-{len(form.blocks) - 1}-0"
    elif deed == "add" and parts and parts[0] < len(form.blocks) and form.has_room:
        lines = form.blocks[parts[0]].lines
        lines.append(Line(condition=replace(lines[-1].condition, value="") if lines else FIRST))
        form.focus = f"value-{parts[0]}-{len(lines) - 1}"
    elif deed == "drop" and len(parts) == 2 and parts[0] < len(form.blocks):  # noqa: PLR2004  group and line
        lines = form.blocks[parts[0]].lines
        del lines[parts[1] : parts[1] + 1]
        form.blocks = [block for block in form.blocks if block.lines]
        form.focus = "group"


def _join(text: str) -> Join:
    return ANY if text == ANY else ALL


def _condition(sent: Mapping[str, str], *, place: str) -> Condition:
    """A line with an operation that its field has: when the field was changed, the old operation and value may belong to another kind."""
    name = sent.get(f"field-{place}", "")
    name = name if name in FIELDS else FIRST.field
    operations = register_where.operations_of(name)
    operation = sent.get(f"operation-{place}", "")
    value = sent.get(f"value-{place}", "").strip()[:40]
    is_same = sent.get(f"was-{place}", name) == name
    if operation not in operations or not is_same:
        operation = operations[0] if operation not in operations else operation
        value = value if is_same else ""
    if operation in register_where.WITHOUT_VALUE:
        value = ""
    return Condition(field=name, operation=operation, value=value)


def _sentence(condition: Condition) -> str:
    kind, operation = FIELDS[condition.field].kind, condition.operation
    if kind == "choice":
        return _("Choose a value.")
    if operation in {register_where.FROM, register_where.UNTIL}:
        return _("Choose a day.")
    most = register_where.MOST_NUMBER if kind == "number" else register_where.MOST_DAYS
    return _("Enter a whole number from 0 to %(most)d.") % {"most": most}
