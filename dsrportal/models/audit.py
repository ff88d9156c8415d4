"""Who did what, when, to which record: written once, never changed, and free of personal data of data subjects."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from dsrportal.models.people import User
from dsrportal.models.workspaces import Workspace


class Operation(models.TextChoices):
    """What is recorded."""

    OPEN = "open", _("Opened a request")
    MOVE = "move", _("Moved a request")
    ARCHIVE = "archive", _("Archived a request")
    RESTORE = "restore", _("Restored a request")
    ASSIGN = "assign", _("Assigned a request")
    TAG = "tag", _("Changed the tags of a request")
    EXTEND = "extend", _("Extended a request")
    EDIT = "edit", _("Edited a request")
    CLOSE = "close", _("Closed a request")
    CREATE = "create", _("Entered a request")
    DELETE = "delete", _("Deleted a request")
    MESSAGE = "message", _("Wrote to the person")
    DOWNLOAD = "download", _("Downloaded a file")
    PAUSE = "pause", _("Paused a clock")
    RESUME = "resume", _("Ended a pause")
    RECORD_EXTENSION = "record_extension", _("Recorded an extension")
    RECORD_REFUSAL = "record_refusal", _("Recorded a refusal")
    WITHDRAW_ENTRY = "withdraw_entry", _("Withdrew an entry of the clock")
    ACCEPT_DATE = "accept_date", _("Accepted a changed date")
    ASK_DASTRA = "ask_dastra", _("Searched in Dastra")
    EXPORT = "export", _("Exported a list")
    WORKSPACE_ADDED = "workspace_added", _("Added a workspace")
    WORKSPACE_CHANGED = "workspace_changed", _("Changed a workspace")
    LETTER_CHANGED = "letter_changed", _("Changed a letter")
    RULES_CHANGED = "rules_changed", _("Changed the rules of the clocks")
    ALERT_RULES_CHANGED = "alert_rules_changed", _("Changed the rules of the alerts")
    ALERT_TESTED = "alert_tested", _("Sent a test message")
    ABSENCE_CHANGED = "absence_changed", _("Changed an absence")
    MAIL_WISHES_CHANGED = "mail_wishes_changed", _("Changed what is mailed")
    SECRET_ROTATED = "secret_rotated", _("Replaced a key")
    WORKSPACE_DISABLED = "workspace_disabled", _("Disabled a workspace")
    WORKSPACE_ENABLED = "workspace_enabled", _("Enabled a workspace")
    MEMBER_ADDED = "member_added", _("Gave a role")
    MEMBER_REMOVED = "member_removed", _("Took a role back")
    INVITED = "invited", _("Invited somebody")
    INVITATION_REVOKED = "invitation_revoked", _("Revoked an invitation")
    INVITATION_ACCEPTED = "invitation_accepted", _("Accepted an invitation")
    PASSWORD_CHANGED = "password_changed", _("Changed a password")
    PORTAL_SET_UP = "portal_set_up", _("Set the portal up")
    ASSIGNEE_MATCHED = "assignee_matched", _("Matched a Dastra user with an account")
    WEBHOOK_ADDRESS_MADE = "webhook_address_made", _("Made a webhook address")
    WEBHOOK_KEY_SET = "webhook_key_set", _("Entered a webhook's validation key")
    WEBHOOK_REVOKED = "webhook_revoked", _("Revoked a webhook address")
    CHANNEL_ADDED = "channel_added", _("Added a channel for alerts")
    CHANNEL_CHANGED = "channel_changed", _("Changed a channel for alerts")
    CHANNEL_DELETED = "channel_deleted", _("Deleted a channel for alerts")
    CHANNEL_TESTED = "channel_tested", _("Sent a test message to a channel")
    FEED_MADE = "feed_made", _("Made the address of a calendar feed")
    FEED_CHANGED = "feed_changed", _("Changed a calendar feed")
    FEED_REVOKED = "feed_revoked", _("Revoked a calendar feed")
    HOLD_ENDED = "hold_ended", _("Ended a hold")
    RUN_REQUESTED = "run_requested", _("Asked for a run")
    SIGNED_IN = "signed_in", _("Signed in")
    SIGN_IN_FAILED = "sign_in_failed", _("Failed to sign in")


class AuditEvent(models.Model):
    """One line. `details` holds ids and codes alone. `by` is empty for what the portal did by itself."""

    at = models.DateTimeField()
    by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    workspace = models.ForeignKey(Workspace, on_delete=models.SET_NULL, null=True, related_name="+")
    operation = models.CharField(max_length=24, choices=Operation)
    upstream_id = models.BigIntegerField(null=True)
    reference = models.CharField(max_length=40, blank=True)
    outcome = models.CharField(max_length=12, blank=True)
    details = models.JSONField(default=dict)

    class Meta:
        indexes = [
            models.Index(fields=["workspace", "-at"], name="audit_latest"),
            models.Index(fields=["workspace", "upstream_id", "-at"], name="audit_of_request"),
        ]

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert; a line that exists cannot be changed."""
        if not self._state.adding:
            raise TypeError("An audit event is written once.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:  # noqa: ARG002
        """Refuse: the log is append-only."""
        raise TypeError("An audit event is never deleted.")
