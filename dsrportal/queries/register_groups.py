"""The register in groups: by step, assignee, right or area, each with its count. Used by the register's query and by the walk through a list.

A group is the beginning of the order, so that pages and cursors go on as they do without. Who has two rights is in the group of those two, once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Count, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from dsrportal.models import DataSubjectRequest
from dsrportal.queries import words
from dsrportal.queries.register_filters import RegisterFilters
from dsrportal.queries.register_rows import Row
from dsrportal.queries.register_sorts import SORTS, Column
from dsrportal.queries.vocabulary import Vocabulary


@dataclass(frozen=True, kw_only=True, slots=True)
class Grouping:
    """By what the list is grouped: the field whose value makes a group, and the columns that bring each group's rows together."""

    label: Promise
    field: str
    columns: tuple[Column, ...]


GROUPS = {
    "step": Grouping(
        label=gettext_lazy("Step"),
        field="step_id",
        columns=(
            Column(path="step__position", kind="number", turns=False, nullable=True),
            Column(path="step_id", kind="number", turns=False, nullable=True),
        ),
    ),
    "operator": Grouping(
        label=gettext_lazy("Assignee"),
        field="operator_id",
        columns=(
            Column(path="operator__display_name", kind="assignee", turns=False, nullable=True),
            Column(path="operator_id", kind="number", turns=False, nullable=True),
        ),
    ),
    "right": Grouping(
        label=gettext_lazy("Right"),
        field="purposes",
        columns=(Column(path="purposes", kind="text", turns=False),),
    ),
    "area": Grouping(
        label=gettext_lazy("Area"),
        field="area_id",
        columns=(
            Column(path="area__label", kind="text", turns=False, nullable=True),
            Column(path="area_id", kind="number", turns=False, nullable=True),
        ),
    ),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """Some rows beneath their heading, or all of them without one. `count` is the whole group's, on other pages too; `filters` ask for
    it alone, where a filter can."""

    label: str
    colour: str
    count: int
    filters: RegisterFilters | None
    rows: list[Row]


def order_of(filters: RegisterFilters) -> tuple[Column, ...]:
    """The columns by which the list is in order, its group's first."""
    group = GROUPS[filters.group].columns if filters.group else ()
    known = {column.path for column in group}
    return (*group, *(column for column in SORTS[filters.sort_by] if column.path not in known))


def counts(rows: QuerySet[DataSubjectRequest], *, filters: RegisterFilters) -> dict[Any, int]:
    """How many rows each group has. One query; none without groups."""
    if not filters.group:
        return {}
    field = GROUPS[filters.group].field
    return dict(rows.order_by().values_list(field).annotate(Count("pk")))


def sections(
    rows: Iterable[Row], *, filters: RegisterFilters, counted: dict[Any, int], known: Vocabulary
) -> list[Section]:
    """The rows of a page in their sections, in order."""
    found: list[Section] = []
    here: list[Row] = []
    value: Any = None
    for row in rows:
        if not found or (filters.group and row.group != value):
            here, value = [], row.group
            found.append(_section(value, rows=here, filters=filters, count=counted.get(value, 0), known=known))
        here.append(row)
    return found


def _section(value: Any, *, rows: list[Row], filters: RegisterFilters, count: int, known: Vocabulary) -> Section:
    if not filters.group:
        return Section(label="", colour="", count=count, filters=None, rows=rows)
    label, colour, changes = _words(filters.group, value=value, known=known)
    only: RegisterFilters | None = None
    if changes is not None:
        spans = replace(filters.spans, absent=changes.pop("absent", filters.spans.absent))
        only = filters.asking(group="", spans=spans, **changes)
    return Section(label=label, colour=colour, count=count, filters=only, rows=rows)


Words = tuple[str, str, dict[str, Any] | None]


def _words(group: str, *, value: Any, known: Vocabulary) -> Words:
    """The heading, its dot's colour, and what to ask for to see the group alone; None where no filter says exactly that."""
    words_of: dict[str, Callable[[Any, Vocabulary], Words]] = {
        "step": _step,
        "operator": _operator,
        "area": _area,
        "right": _right,
    }
    return words_of[group](value, known)


def _step(value: int | None, known: Vocabulary) -> Words:
    step = known.steps.get(value or 0)
    return (
        (step.label, step.color or "#", {"workflows": (step.upstream_id,)})
        if step
        else (_("No step"), "", {"absent": "step"})
    )


def _operator(value: int | None, known: Vocabulary) -> Words:
    operator = known.operators.get(value or 0)
    if operator is None:
        return _("Unassigned"), "", {"users": (), "unassigned": True}
    return known.shown_operator(value), "", {"users": (operator.upstream_id,), "unassigned": False}


def _area(value: int | None, known: Vocabulary) -> Words:
    area = known.areas.get(value or 0)
    return (area.label, "", {"area_id": area.upstream_id}) if area else (_("No area"), "", {"absent": "area"})


def _right(value: str, _known: Vocabulary) -> Words:
    return words.rights(value) or _("No right"), "", None if value else {"absent": "right"}


def choices() -> Sequence[tuple[str, str]]:
    """What a list may be grouped by, as values and labels."""
    return [("", _("Not grouped")), *((key, str(group.label)) for key, group in GROUPS.items())]
