"""All requests of a list, on whatever page, as what a ticked row says of itself. Called by the bar below the register. One query and what the
filters need."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dsrportal.models import DataSubjectRequest, Membership
from dsrportal.queries import register_filters, register_groups, register_sorts, vocabulary
from dsrportal.queries.register_filters import RegisterFilters, Search


@dataclass(frozen=True, kw_only=True, slots=True)
class Picked:
    """One request with its step, its assignee (upstream ids) and Dastra's last change, as the mirror has them."""

    upstream_id: int
    step: int | None
    operator: int | None
    updated_at: datetime | None


def of_question(
    viewer: Membership, *, filters: RegisterFilters, search: Search | None, most: int, now: datetime
) -> list[Picked]:
    """The first `most` requests of the list, in its order."""
    known = vocabulary.of_workspace(viewer.workspace)
    filters, _left_out = known.keep_known(filters)
    condition = register_filters.condition(workspace=viewer.workspace, filters=filters, search=search, now=now)
    order = register_sorts.order_by(register_groups.order_of(filters), ascending=filters.asc)
    rows = DataSubjectRequest.objects.filter(condition).order_by(*order)
    found = rows.values_list("upstream_id", "step__upstream_id", "operator__upstream_id", "updated_at")[:most]
    return [
        Picked(upstream_id=upstream_id, step=step, operator=operator, updated_at=updated_at)
        for upstream_id, step, operator, updated_at in found
    ]
