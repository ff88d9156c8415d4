"""What the panel "Display" of the register says: columns and their order, density, grouping. Nothing in it is an error: what makes no sense is left out."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.exceptions import SuspiciousOperation
from django.http import QueryDict

from dsrportal.forms import register as register_form
from dsrportal.queries import register_columns
from dsrportal.queries.register_filters import DENSITIES, RegisterFilters
from dsrportal.queries.register_groups import GROUPS

LONGEST_QUESTION = 40_000
"""More than any address that a server takes: what is longer was not made here."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DisplayChoice:
    """How the list is to look. `columns` and `density` are empty for what everybody begins with; `keeps`: from now on, for this person."""

    columns: tuple[str, ...]
    density: str
    group: str
    keeps: bool


def read(posted: QueryDict) -> DisplayChoice:
    """The panel as it was sent; `up` and `down` name a column that goes one place further, `reset` forgets all."""
    keeps = posted.get("keep") == "true"
    if posted.get("reset"):
        return DisplayChoice(columns=(), density="", group="", keeps=True)
    columns = register_columns.keep_known(posted.getlist("column"))
    for name, by in (("up", -1), ("down", 1)):
        columns = register_columns.moved(columns, key=posted.get(name, ""), by=by)
    density, group = posted.get("density", ""), posted.get("group", "")
    return DisplayChoice(
        columns=columns,
        density=density if density in DENSITIES else "",
        group=group if group in GROUPS else "",
        keeps=keeps,
    )


def read_question(posted: QueryDict) -> RegisterFilters:
    """The list that a form belongs to, from its field `question`: the query string of the address, from the first page on. Raises
    `SuspiciousOperation` for one that is too long: to leave it out would mean all requests."""
    question = posted.get("question", "")
    if len(question) > LONGEST_QUESTION:
        raise SuspiciousOperation("question")
    return register_form.read(QueryDict(question)).asking()
