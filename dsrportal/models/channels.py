"""Where a team is told of legal dates beside mail: its channels, the ledger of what each was told, and the messages that wait or went. Written by
`dsrportal.alerts` and `actions.channels`. Nothing of a data subject is in any of them: a reference, a clock, a day."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from dsrportal import credentials
from dsrportal.models.alerts import AlertClock, AlertState, CancelledBecause, MailKind
from dsrportal.models.requests import DataSubjectRequest
from dsrportal.models.workspaces import Workspace


class ChannelKind(models.TextChoices):
    """What listens at the address. No other kind can be stored."""

    SLACK = "slack", _("Slack")
    TEAMS = "teams", _("Microsoft Teams")
    MATTERMOST = "mattermost", _("Mattermost")
    WEBHOOK = "webhook", _("Webhook (JSON)")


class ChannelTells(models.TextChoices):
    """What a channel is told. `both`: what cannot wait at once, the rest in the digest."""

    BOTH = "both", _("What cannot wait at once, and the daily digest")
    IMMEDIATE = "immediate", _("Only what cannot wait")
    DIGEST = "digest", _("Only the daily digest")


class MessageState(models.TextChoices):
    """Where a message stands. It is never given up: what could not be posted rests, or is taken along by the next digest."""

    WAITING = "waiting", _("Waiting")
    SENT = "sent", _("Sent")
    CANCELLED = "cancelled", _("Cancelled")


class Channel(models.Model):
    """One place of a team. The address is a secret: sealed for this workspace, kind and host, and of it people see `host` alone.

    `language` is the one of its readers. `last_failure` is a code of `alerts.posts`, with the status of the answer after a blank. After a failure the
    channel rests until `rest_until`, by the real clock, longer with each of the `failures` in a row.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="channels", db_index=False)
    name = models.CharField(_("name"), max_length=60)
    kind = models.CharField(_("kind"), max_length=10, choices=ChannelKind)
    host = models.CharField(max_length=260)
    url_sealed = models.BinaryField()
    signing_key_sealed = models.BinaryField(null=True)
    language = models.CharField(_("language"), max_length=10)
    tells = models.CharField(_("what it is told"), max_length=9, choices=ChannelTells, default=ChannelTells.BOTH)
    created_at = models.DateTimeField()
    disabled_at = models.DateTimeField(null=True)
    last_success_at = models.DateTimeField(null=True)
    last_failure_at = models.DateTimeField(null=True)
    last_failure = models.CharField(max_length=40, blank=True)
    failures = models.IntegerField(default=0)
    rest_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "name"], name="one_channel_per_name")]

    @property
    def is_enabled(self) -> bool:
        """Whether it is told anything."""
        return self.disabled_at is None

    def set_url(self, url: str, *, host: str) -> None:
        """Seal the address; `host` is the part of it that is shown. Set workspace and kind before."""
        self.host = host
        self.url_sealed = credentials.seal(url, context=self._context("address"))

    def read_url(self) -> str:
        """The address, for the post alone. Raises `credentials.CannotDecryptError`."""
        return credentials.unseal(self.url_sealed, context=self._context("address"))

    def set_signing_key(self, key: str) -> None:
        """Seal the key that signs what is posted."""
        self.signing_key_sealed = credentials.seal(key, context=self._context("signing key"))

    def read_signing_key(self) -> str:
        """The key that signs; empty where there is none. Raises `credentials.CannotDecryptError`."""
        if self.signing_key_sealed is None:
            return ""
        return credentials.unseal(self.signing_key_sealed, context=self._context("signing key"))

    def _context(self, what: str) -> str:
        # Host and kind belong to the context: an address in a row that was made to say something else does not open.
        return f"channel {self.workspace_id} {self.kind} {self.host} {what}"


class ChannelMessage(models.Model):
    """One post to one channel. `key` says what it is about, so that it is made once; `delivery_id` is the same however often it is tried.

    A sender takes the lease (`lease_token`, until `lease_until` by the real clock) before it posts; `attempts` counts those. `on` is the workspace's
    day. `last_error` is a code like a channel's `last_failure`.
    """

    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="messages", db_index=False)
    kind = models.CharField(max_length=7, choices=MailKind)
    key = models.CharField(max_length=80, unique=True)
    on = models.DateField()
    delivery_id = models.UUIDField(default=uuid.uuid4, unique=True)
    state = models.CharField(max_length=9, choices=MessageState, default=MessageState.WAITING)
    created_at = models.DateTimeField()
    lease_token = models.CharField(max_length=32, blank=True)
    lease_until = models.DateTimeField(null=True)
    attempts = models.IntegerField(default=0)
    last_error = models.CharField(max_length=40, blank=True)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["channel", "state", "created_at"], name="message_of_channel")]


class ChannelAlert(models.Model):
    """One channel, one legal date of one request, one threshold: never a second row for the same. The fields are those of `Alert`, without a person."""

    KEY: ClassVar[tuple[str, ...]] = ("channel", "upstream_id", "clock", "threshold", "due_on")

    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="alerts", db_index=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="channel_alerts", db_index=False)
    dsr = models.ForeignKey(DataSubjectRequest, on_delete=models.SET_NULL, null=True, related_name="channel_alerts")
    upstream_id = models.BigIntegerField()
    reference = models.CharField(max_length=40, blank=True)
    clock = models.CharField(max_length=7, choices=AlertClock)
    threshold = models.CharField(max_length=11)
    due_on = models.DateField()
    fires_on = models.DateField()
    state = models.CharField(max_length=9, choices=AlertState, default=AlertState.WAITING)
    raised_at = models.DateTimeField()
    message = models.ForeignKey(ChannelMessage, on_delete=models.SET_NULL, null=True, related_name="alerts")
    sent_at = models.DateTimeField(null=True)
    was_unchecked = models.BooleanField(default=False)
    unchecked_since = models.DateTimeField(null=True)
    cancelled_at = models.DateTimeField(null=True)
    cancelled_because = models.CharField(max_length=10, choices=CancelledBecause, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["channel", "upstream_id", "clock", "threshold", "due_on"],
                name="one_alert_per_channel_and_threshold",
            )
        ]
        indexes = [
            models.Index(fields=["workspace", "-raised_at"], name="channel_alert_latest"),
            models.Index(
                fields=["state", "channel"], name="channel_alert_waiting", condition=models.Q(state="waiting")
            ),
        ]
