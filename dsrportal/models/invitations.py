"""Who was asked to join a workspace, and whether they did. Written by `dsrportal.actions.invitations` alone."""

from __future__ import annotations

from datetime import datetime

from django.db import models

from dsrportal.models.people import Role, User
from dsrportal.models.workspaces import Workspace


class Invitation(models.Model):
    """One address asked to take a role in one workspace. `nonce` goes into the link, so that a link sent again ends the one before; the link itself
    is kept nowhere. `failed_at` is the last time that the mail server did not take the mail, None once it did."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField()
    role = models.CharField(max_length=8, choices=Role)
    invited_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    nonce = models.CharField(max_length=32)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)
    accepted_at = models.DateTimeField(null=True)
    accepted_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "email"],
                condition=models.Q(accepted_at__isnull=True, revoked_at__isnull=True),
                name="one_open_invitation_per_address",
            )
        ]

    def is_open(self, now: datetime) -> bool:
        """Whether its link still opens the door."""
        return self.accepted_at is None and self.revoked_at is None and now < self.expires_at
