"""A workspace's own words: its steps, tags, assignees and areas, read once for a page, so that rows need no join.

Used by the register and the request's page. Four queries, whatever the number of rows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.utils.translation import gettext as _

from dsrportal.models import Area, Operator, Tag, WorkflowStep, Workspace
from dsrportal.queries.register_filters import RegisterFilters
from dsrportal.queries.register_where import FIELDS, OWN_TARGET, Condition


@dataclass(frozen=True, kw_only=True, slots=True)
class Vocabulary:
    """Each by its own key in the portal, in the order in which people are shown them; `tags` by upstream id, as rows cite them. `has_target`: the
    workspace has a target of its own."""

    steps: dict[int, WorkflowStep]
    operators: dict[int, Operator]
    areas: dict[int, Area]
    tags: dict[int, Tag]
    has_target: bool = False

    def keep_known(self, filters: RegisterFilters) -> tuple[RegisterFilters, bool]:
        """The filters without the steps, tags, assignees, areas and target that this workspace does not have; whether any was left out."""
        steps = {step.upstream_id for step in self.steps.values()}
        operators = {operator.upstream_id for operator in self.operators.values()}
        areas = {area.upstream_id for area in self.areas.values()}
        known = {"step": steps, "assignee": operators, "area": areas, "tag": set(self.tags)}

        def is_known(one: Condition) -> bool:
            if one.field == OWN_TARGET:
                return self.has_target
            return not one.value or (ids := known.get(FIELDS[one.field].of)) is None or int(one.value) in ids

        kept = replace(
            filters,
            workflows=tuple(one for one in filters.workflows if one in steps),
            users=tuple(one for one in filters.users if one in operators),
            tags=tuple(one for one in filters.tags if one in self.tags),
            area_id=filters.area_id if filters.area_id in areas else None,
            where=filters.where.keeping(is_known),
        )
        return kept, kept != filters

    def operator_name(self, pk: int) -> str | None:
        """The name by which an assignee is sorted; None for one who is gone."""
        operator = self.operators.get(pk)
        return operator.display_name if operator else None

    def shown_operator(self, pk: int | None) -> str:
        """The assignee in words; empty where there is none."""
        operator = self.operators.get(pk) if pk is not None else None
        if operator is None:
            return ""
        return operator.display_name or operator.email or _("Person %d") % operator.upstream_id


def of_workspace(workspace: Workspace) -> Vocabulary:
    """Four queries."""
    return Vocabulary(
        steps={step.pk: step for step in WorkflowStep.objects.filter(workspace=workspace)},
        operators={operator.pk: operator for operator in Operator.objects.filter(workspace=workspace)},
        areas={area.pk: area for area in Area.objects.filter(workspace=workspace)},
        tags={tag.upstream_id: tag for tag in Tag.objects.filter(workspace=workspace)},
        has_target=workspace.target_days is not None,
    )
