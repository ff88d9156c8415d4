"""By which rules a workspace's legal clocks run: the law, how a pause counts, and holidays that an admin has added to the country's own."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from django.db import models
from django.utils.translation import gettext_lazy as _

from dsrportal.clocks.calendars import UnknownCalendarError
from dsrportal.clocks.profiles import PausePolicy, Policy, Profile
from dsrportal.models.workspaces import Workspace


class AddedHoliday(models.Model):
    """A day on which the workspace does not work, beside the public holidays of its country and region."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="added_holidays")
    on = models.DateField(_("day"))
    name = models.CharField(_("name"), max_length=80, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "on"], name="one_added_holiday_per_day")]
        ordering = ["on"]


def policy_of(workspace: Workspace) -> Policy | None:
    """The workspace's rules as the clocks take them; None where no holidays are known for its country or region. One query."""
    return policies_of([workspace])[workspace.pk]


def policies_of(workspaces: Collection[Workspace]) -> dict[int, Policy | None]:
    """The rules of several workspaces by key. One query."""
    added: dict[int, set[date]] = {workspace.pk: set() for workspace in workspaces}
    for workspace_id, on in AddedHoliday.objects.filter(workspace__in=added).values_list("workspace_id", "on"):
        added[workspace_id].add(on)
    return {workspace.pk: _policy(workspace, added=frozenset(added[workspace.pk])) for workspace in workspaces}


def _policy(workspace: Workspace, *, added: frozenset[date]) -> Policy | None:
    policy = Policy(
        profile=Profile(workspace.profile),
        country=workspace.country,
        region=workspace.region,
        pause_policy=PausePolicy(workspace.pause_policy),
        added_holidays=added,
    )
    try:
        policy.calendar  # noqa: B018  asking is the test
    except UnknownCalendarError:
        return None
    return policy
