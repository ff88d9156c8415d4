"""By which rules a workspace's legal clocks run: the law, how a pause counts, and holidays that an admin has added to the country's own."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from dsrportal.models.workspaces import Workspace


class AddedHoliday(models.Model):
    """A day on which the workspace does not work, beside the public holidays of its country and region."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="added_holidays")
    on = models.DateField(_("day"))
    name = models.CharField(_("name"), max_length=80, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "on"], name="one_added_holiday_per_day")]
        ordering = ["on"]
