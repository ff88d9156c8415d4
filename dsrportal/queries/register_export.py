"""The register as rows for a spreadsheet: exactly what the question asks, in its order, with its columns. Called by `views.export`.

Reads a few hundred rows at a time, each time by one short query. Who a request is about is only there where it was asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import translation
from django.utils.translation import gettext_lazy as _

from dsrportal.models import DataSubjectRequest, Membership
from dsrportal.queries import (
    register,
    register_columns,
    register_filters,
    register_groups,
    register_slices,
    vocabulary,
)
from dsrportal.queries.freshness import Freshness
from dsrportal.queries.register_columns import COLUMNS, LOCKED
from dsrportal.queries.register_filters import RegisterFilters, Search
from dsrportal.queries.register_rows import ALWAYS, CELLS, Reader, read_identity
from dsrportal.queries.spreadsheet import Cell

AT_ONCE = 500
PERSON = "person"
AS_OF = _("As of")

_DAYS = ("dateDemand", "dateUpdate", "extendBy", "ownTarget", "lastMessageDate", "dateCreation", "dateClosed")

Part = tuple[Any, Callable[[Any], Cell]]
PARTS: dict[str, tuple[Part, ...]] = {
    "clock": (
        (_("Respond by"), lambda cell: cell.respond_by),
        (_("Clock"), lambda cell: cell.mark.text),
    ),
    "expiryTime": ((COLUMNS["expiryTime"].label, lambda cell: cell.when.on),),
    "purposes": (
        (_("Rights"), lambda cell: cell.text),
        (_("Complex"), lambda cell: str(_("Yes")) if cell.is_complex else ""),
    ),
    "workFlowStep": ((COLUMNS["workFlowStep"].label, lambda cell: cell.label),),
    "operator": ((COLUMNS["operator"].label, lambda cell: cell.name),),
    "nbMessages": (
        (_("Messages"), lambda cell: cell.count),
        (_("Unread messages"), lambda cell: cell.unread),
    ),
    "tags": ((COLUMNS["tags"].label, lambda cell: ", ".join(tag.label for tag in cell)),),
    **{key: ((COLUMNS[key].label, lambda cell: cell.on),) for key in _DAYS},
}
"""What a column becomes in a spreadsheet, where that is more or other than its words."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Export:
    """What was asked for: `heads`, how many requests, and the `rows` beneath the heads, in turn."""

    heads: list[str]
    count: int
    rows: Iterator[list[Cell]]


def of_question(
    viewer: Membership,
    *,
    filters: RegisterFilters,
    search: Search | None,
    with_identity: bool,
    freshness: Freshness,
    now: datetime,
) -> Export:
    """The list that the register shows for the same question, all pages of it. `with_identity` adds names and e-mail addresses; whether the
    viewer may see them is the caller's to know. The words are in the language that is active now, whenever the rows are taken."""
    workspace = viewer.workspace
    known = vocabulary.of_workspace(workspace)
    filters, _left_out = known.keep_known(filters.asking())
    condition = register_filters.condition(workspace=workspace, filters=filters, search=search, now=now)
    found = DataSubjectRequest.objects.filter(condition)
    columns = tuple(key for key in register.shown_columns(filters, viewer=viewer) if key not in {LOCKED, PERSON})
    reader = register.reader_of(viewer, known=known, filters=filters, now=now)
    as_of = freshness.read_at.astimezone(reader.zone).strftime("%Y-%m-%d %H:%M") if freshness.read_at else ""
    pages = register_slices.every_page(
        found,
        filters=filters,
        columns=register_groups.order_of(filters),
        fields=_fields(columns, with_identity=with_identity),
        known=known,
        size=AT_ONCE,
    )
    return Export(
        heads=_heads(columns, with_identity=with_identity),
        count=found.count(),
        rows=_rows(pages, columns=columns, reader=reader, with_identity=with_identity, as_of=as_of),
    )


def _heads(columns: Sequence[str], *, with_identity: bool) -> list[str]:
    person = [_("Name"), _("E-mail")] if with_identity else []
    labels = [label for key in columns for label, _value in _parts(key)]
    return [str(label) for label in [COLUMNS[LOCKED].label, *person, *labels, AS_OF]]


def _fields(columns: Sequence[str], *, with_identity: bool) -> list[str]:
    return [*ALWAYS, *register_columns.fields_of(columns), *(["identity_sealed"] if with_identity else [])]


def _parts(key: str) -> tuple[Part, ...]:
    return PARTS.get(key) or ((COLUMNS[key].label, lambda cell: cell),)


def _rows(
    pages: Iterator[list[dict[str, Any]]],
    *,
    columns: Sequence[str],
    reader: Reader,
    with_identity: bool,
    as_of: str,
) -> Iterator[list[Cell]]:
    language = translation.get_language()
    for page in pages:
        with translation.override(language):  # the answer is sent after the request's own language is gone
            lines = [
                _line(values, columns=columns, reader=reader, with_identity=with_identity, as_of=as_of)
                for values in page
            ]
        yield from lines


def _line(
    values: Mapping[str, Any], *, columns: Sequence[str], reader: Reader, with_identity: bool, as_of: str
) -> list[Cell]:
    line: list[Cell] = [values["reference"] or f"#{values['upstream_id']}"]
    if with_identity:
        identity = read_identity(values, workspace_id=reader.workspace.pk)
        name = f"{identity.get('given_name', '')} {identity.get('family_name', '')}".strip()
        line += [name, identity.get("email", "")]
    for key in columns:
        cell = CELLS[key](values, reader)
        line += [value(cell) for _label, value in _parts(key)]
    return [*line, as_of]
