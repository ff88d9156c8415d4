"""Steps, tags, users and units: written from Dastra's own lists where it offers them, else learned from the requests.

Called by `store.py` and `pull.py`. Never deletes: what a request still points at stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from django.db import transaction

from dsrportal.dastra import schema
from dsrportal.models import Area, Operator, Tag, WorkflowStep, Workspace

Row = TypeVar("Row", WorkflowStep, Tag, Operator, Area)

LONGEST_NOTICE = 12_000
"""Characters kept of a step's notice; Dastra documents 3,000."""


class Catalogue(Generic[Row]):
    """The rows of one kind in one workspace, by upstream id; `put` writes only what differs."""

    def __init__(self, model: type[Row], workspace: Workspace) -> None:
        self._model: type[Row] = model
        self._workspace = workspace
        self.rows: dict[int, Row] = {row.upstream_id: row for row in model.objects.filter(workspace=workspace)}

    def put(self, wanted: Mapping[int, Mapping[str, Any]]) -> None:
        """Create or update rows so that they have the given fields."""
        new = [
            self._model(workspace=self._workspace, upstream_id=upstream_id, **fields)
            for upstream_id, fields in wanted.items()
            if upstream_id not in self.rows
        ]
        changed: list[Row] = []
        names: set[str] = set()
        for upstream_id, fields in wanted.items():
            row = self.rows.get(upstream_id)
            differing = [name for name, value in fields.items() if row and getattr(row, name) != value]
            if row is None or not differing:
                continue
            for name in differing:
                setattr(row, name, fields[name])
            names.update(differing)
            changed.append(row)
        if not new and not changed:
            return
        with transaction.atomic():
            Workspace.note_change(self._workspace.pk)
            if new:
                # Someone else may have stored the same at this moment: theirs is kept, and read back.
                self._model.objects.bulk_create(new, ignore_conflicts=True)
                fresh = self._model.objects.filter(
                    workspace=self._workspace, upstream_id__in=[row.upstream_id for row in new]
                )
                self.rows.update({row.upstream_id: row for row in fresh})
            if changed:
                self._model.objects.bulk_update(changed, sorted(names))

    def primary_key(self, upstream_id: int | None) -> int | None:
        """The row's key for a foreign key; None for no reference."""
        return None if upstream_id is None else self.rows[upstream_id].pk


class Catalogues:
    """What the requests of one workspace refer to."""

    def __init__(self, workspace: Workspace) -> None:
        self.steps = Catalogue(WorkflowStep, workspace)
        self.tags = Catalogue(Tag, workspace)
        self.operators = Catalogue(Operator, workspace)
        self.areas = Catalogue(Area, workspace)

    def learn(self, dsrs: Iterable[schema.DataSubjectRequest]) -> None:
        """Make sure that everything these requests refer to has a row. What Dastra listed itself is not overwritten."""
        steps: dict[int, Mapping[str, Any]] = {}
        tags: dict[int, Mapping[str, Any]] = {}
        operators: dict[int, Mapping[str, Any]] = {}
        areas: dict[int, Mapping[str, Any]] = {}
        for dsr in dsrs:
            self._learn_step(dsr, steps)
            for tag in dsr.tags:
                if tag.label or tag.upstream_id not in self.tags.rows:
                    tags[tag.upstream_id] = _tag_fields(tag)
            if dsr.operator is not None:
                operators[dsr.operator.upstream_id] = _operator_fields(dsr.operator)
            elif dsr.operator_upstream_id is not None and dsr.operator_upstream_id not in self.operators.rows:
                operators.setdefault(dsr.operator_upstream_id, {"display_name": _unnamed(dsr.operator_upstream_id)})
            if dsr.area is not None:
                areas[dsr.area.upstream_id] = _area_fields(dsr.area)
            elif dsr.area_upstream_id is not None and dsr.area_upstream_id not in self.areas.rows:
                areas.setdefault(dsr.area_upstream_id, {"label": _unnamed(dsr.area_upstream_id)})
        self.steps.put(steps)
        self.tags.put(tags)
        self.operators.put(operators)
        self.areas.put(areas)

    def _learn_step(self, dsr: schema.DataSubjectRequest, found: dict[int, Mapping[str, Any]]) -> None:
        upstream_id = dsr.step_upstream_id
        known = self.steps.rows.get(upstream_id) if upstream_id is not None else None
        if upstream_id is None or (known and not known.is_learned):
            return
        if dsr.step is not None:
            found[upstream_id] = {**_step_fields(dsr.step), "is_learned": True}
        elif known is None:
            found.setdefault(
                upstream_id, {"label": _unnamed(upstream_id), "mapped_state": dsr.state[:50], "is_learned": True}
            )


def store_steps(workspace: Workspace, listed: Sequence[schema.WorkflowStep]) -> None:
    """Take over Dastra's own list of steps; a step that is no longer in it is marked as gone."""
    catalogue = Catalogue(WorkflowStep, workspace)
    wanted: dict[int, Mapping[str, Any]] = {
        step.upstream_id: {**_step_fields(step), "is_learned": False, "is_gone": False} for step in listed
    }
    for upstream_id in catalogue.rows.keys() - wanted.keys():
        wanted[upstream_id] = {"is_gone": True}
    catalogue.put(wanted)


def store_tags(workspace: Workspace, listed: Iterable[schema.Tag]) -> None:
    """Take over Dastra's own list of tags."""
    Catalogue(Tag, workspace).put({tag.upstream_id: _tag_fields(tag) for tag in listed})


def store_operators(workspace: Workspace, listed: Iterable[schema.Operator]) -> None:
    """Take over Dastra's own list of users."""
    Catalogue(Operator, workspace).put({user.upstream_id: _operator_fields(user) for user in listed})


def store_areas(workspace: Workspace, listed: Iterable[schema.Area]) -> None:
    """Take over Dastra's own list of units."""
    Catalogue(Area, workspace).put({area.upstream_id: _area_fields(area) for area in listed})


def _step_fields(step: schema.WorkflowStep) -> dict[str, Any]:
    return {
        "label": step.label[:120] or _unnamed(step.upstream_id),
        "color": step.color,
        "position": step.position,
        "item_limit": step.item_limit,
        "mapped_state": step.mapped_state[:50],
        "notice_html": step.notice_html[:LONGEST_NOTICE],
        "is_initial": step.is_initial,
        "is_final": step.is_final,
    }


def _tag_fields(tag: schema.Tag) -> dict[str, Any]:
    return {"label": tag.label[:360] or _unnamed(tag.upstream_id), "color": tag.color}


def _operator_fields(operator: schema.Operator) -> dict[str, Any]:
    fields = {"display_name": operator.display_name[:250] or _unnamed(operator.upstream_id)}
    # The short form of a user may lack the address that the list gave: it is not blanked.
    return {**fields, "email": operator.email[:255]} if operator.email else fields


def _area_fields(area: schema.Area) -> dict[str, Any]:
    return {"label": area.label[:80] or _unnamed(area.upstream_id)}


def _unnamed(upstream_id: int) -> str:
    """What is shown of something that Dastra gave no name."""
    return f"#{upstream_id}"
