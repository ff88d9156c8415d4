"""A person's own wishes that are not over: held with Undo, on their way, unknown, refused, in conflict; of all their workspaces. Called by `my_day`.

Three queries, whatever their number. Writes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Case, Count, IntegerField, Q, Value, When

from dsrportal.models import OutboxEntry, User, WorkflowStep
from dsrportal.models.outbox import FAILED_STATES, OPEN_STATES, WishKind
from dsrportal.queries import wishes
from dsrportal.queries.my_day_lists import CAP
from dsrportal.queries.my_day_places import Place
from dsrportal.queries.wishes import WishView

FAILED, OPEN = "attention", "waiting"
"""The two parts of the list of changes that these are in."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WriteRow:
    """One wish: what about which request, and in `wish` where it stands and what may be done."""

    dom_id: str
    reference: str
    deed: str
    place: str
    wish: WishView


@dataclass(frozen=True, kw_only=True, slots=True)
class Writes:
    """The newest wishes, those that failed first. `counts` and `urls` are by the key of the workspace and the part of the list of changes."""

    rows: list[WriteRow]
    counts: dict[tuple[int, str], int]
    urls: dict[tuple[int, str], str]

    @property
    def number(self) -> int:
        """How many there are."""
        return sum(self.counts.values())


def writes_of(user: User, *, places: Sequence[Place], is_named: bool, now: datetime) -> Writes:
    """The wishes of the person in these workspaces. `is_named`: each says its workspace."""
    by_workspace = {place.workspace.pk: place for place in places}
    failed = Q(state__in=FAILED_STATES, dismissed_at=None)
    entries = OutboxEntry.objects.filter(
        Q(state__in=OPEN_STATES) | failed, by_id=user.pk, workspace__in=list(by_workspace)
    ).annotate(
        part=Case(When(state__in=FAILED_STATES, then=Value(0)), default=Value(1), output_field=IntegerField()),
    )
    counted = entries.order_by().values_list("workspace_id", "part").annotate(number=Count("pk"))
    counts = {(workspace_id, (FAILED, OPEN)[part]): number for workspace_id, part, number in counted}
    first = list(entries.select_related("dsr", "by").order_by("part", "-pk")[:CAP]) if counts else []
    labels = _step_labels(first)
    return Writes(
        rows=[
            WriteRow(
                dom_id=f"wish-{entry.pk}",
                reference=_reference(entry),
                deed=_deed(entry, labels=labels),
                place=by_workspace[entry.workspace_id].workspace.name if is_named else "",
                wish=wishes.of_entry(
                    entry,
                    slug=by_workspace[entry.workspace_id].workspace.slug,
                    viewer=by_workspace[entry.workspace_id].membership,
                    now=now,
                ),
            )
            for entry in first
        ],
        counts=counts,
        urls={key: f"{by_workspace[key[0]].changes_url}?show={key[1]}&by=me" for key in counts},
    )


def _step_labels(entries: Sequence[OutboxEntry]) -> dict[tuple[int, int], str]:
    wanted = {entry.step_upstream_id for entry in entries if entry.step_upstream_id}
    if not wanted:
        return {}
    steps = WorkflowStep.objects.filter(upstream_id__in=wanted, workspace__in={one.workspace_id for one in entries})
    return {(step.workspace_id, step.upstream_id): step.label for step in steps}


def _deed(entry: OutboxEntry, *, labels: dict[tuple[int, int], str]) -> str:
    deed = str(WishKind(entry.kind).label)
    label = labels.get((entry.workspace_id, entry.step_upstream_id or 0), "")
    return f"{deed}: {label}" if label and entry.kind == WishKind.MOVE else deed


def _reference(entry: OutboxEntry) -> str:
    if entry.dsr and entry.dsr.reference:
        return entry.dsr.reference
    return f"#{entry.upstream_id}" if entry.upstream_id else "–"
