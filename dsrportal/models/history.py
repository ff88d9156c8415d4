"""What the mirror saw change, for reports: steps and Dastra's dates. No personal data, and nobody's name; written by `dsrportal.mirror.store` alone.

Lines outlive their request, since a count of last year must stay what it was: `upstream_id` says whose they were.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from dsrportal.models.requests import DataSubjectRequest
from dsrportal.models.workspaces import Workspace


class SeenChange(models.Model):
    """A difference between two reads. `seen_at` is when the mirror met it, `sequence` the number of the read that brought it."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")
    dsr = models.ForeignKey(DataSubjectRequest, on_delete=models.SET_NULL, null=True, related_name="%(class)ss")
    upstream_id = models.BigIntegerField()
    seen_at = models.DateTimeField()
    sequence = models.BigIntegerField()

    class Meta:
        abstract = True
        ordering = ["seen_at", "pk"]


class StepChange(SeenChange):
    """A request went from one step to another: upstream ids of both; None is no step. `entered_at` is when it had come into the step that it
    left; None where the mirror has not seen it come."""

    from_step_upstream_id = models.BigIntegerField(null=True)
    to_step_upstream_id = models.BigIntegerField(null=True)
    entered_at = models.DateTimeField(null=True)

    class Meta(SeenChange.Meta):
        abstract = False
        indexes = [models.Index(fields=["workspace", "seen_at"], name="step_changes_in_time")]


class DateReason(models.TextChoices):
    """What accounts for another date in Dastra; empty: nothing does."""

    UNEXPLAINED = "", _("Unexplained")
    HERE = "here", _("Changed from here")
    FIRST = "first", _("Dastra set its first date")
    COMPLEX = "complex", _("Marked as complex, or no longer")
    RECEIPT = "receipt", _("The date of receipt changed")
    CLOSING = "closing", _("Closed or opened again")
    EXTENSION = "extension", _("An extension is recorded")
    ACCEPTED = "accepted", _("Looked at and accepted")


class DateChange(SeenChange):
    """Dastra's own date (`expiryTime`) changed."""

    from_at = models.DateTimeField(null=True)
    to_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=9, choices=DateReason, blank=True)

    class Meta(SeenChange.Meta):
        abstract = False
        indexes = [models.Index(fields=["workspace", "seen_at"], name="date_changes_in_time")]
