"""The wishes of people that are to be written to Dastra: one row each, kept before any call is made."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from dsrportal.models.people import User
from dsrportal.models.requests import DataSubjectRequest
from dsrportal.models.workspaces import Workspace


class WishKind(models.TextChoices):
    """What a person may ask for."""

    MOVE = "move", _("Move")
    ARCHIVE = "archive", _("Archive")
    RESTORE = "restore", _("Restore")


class WishState(models.TextChoices):
    """Where a wish stands. `held` and `sending` are open; `unknown` is open until a read settles it."""

    HELD = "held", _("Waiting to be sent")
    SENDING = "sending", _("Being sent")
    UNKNOWN = "unknown", _("Being checked")
    DONE = "done", _("Done")
    REFUSED = "refused", _("Refused")
    CANCELLED = "cancelled", _("Undone")


OPEN_STATES = (WishState.HELD, WishState.SENDING, WishState.UNKNOWN)


class OutboxEntry(models.Model):
    """One wish. `action_id` comes from the page, so that ten identical posts are one wish. `seen_step_upstream_id` and
    `seen_updated_at` are what the person saw; `reason` is the sentence shown when it was refused or is unknown."""

    action_id = models.UUIDField(unique=True)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="outbox")
    dsr = models.ForeignKey(DataSubjectRequest, on_delete=models.SET_NULL, null=True, related_name="outbox")
    upstream_id = models.BigIntegerField()
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="wishes")
    kind = models.CharField(max_length=8, choices=WishKind)
    step_upstream_id = models.BigIntegerField(null=True)
    seen_step_upstream_id = models.BigIntegerField(null=True)
    seen_updated_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=9, choices=WishState, default=WishState.HELD)
    reason = models.CharField(max_length=400, blank=True)
    created_at = models.DateTimeField()
    not_before = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True)
    attempts = models.IntegerField(default=0)
    settled_at = models.DateTimeField(null=True)
    dismissed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["state", "not_before"], name="outbox_due"),
            models.Index(fields=["dsr", "state"], name="outbox_of_request"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "upstream_id"],
                condition=models.Q(state__in=OPEN_STATES),
                name="one_open_wish_per_request",
            )
        ]
