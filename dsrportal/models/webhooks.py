"""What Dastra posts to the portal: the address of a workspace, and the events that came, without anything of their payload but an id."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from dsrportal import credentials
from dsrportal.models.workspaces import Workspace


class WebhookReceiver(models.Model):
    """The secret address at which a workspace's events come in. No row, no address.

    The token of the address is kept as a SHA-256 alone; Dastra's validation key is sealed, and while it is missing every post is refused.
    `woken_at` is set while a job that will read is queued; `busy_until` is the lease of the one that reads; `pulled_at` spaces the pulls
    that events without an id lead to. `first_heard_at` tells whether it was ever heard: gaps count from then on.
    """

    workspace = models.OneToOneField(Workspace, on_delete=models.CASCADE, related_name="webhook")
    token_digest = models.CharField(max_length=64, unique=True)
    token_made_at = models.DateTimeField()
    signature_key_sealed = models.BinaryField(null=True)
    signature_key_set_at = models.DateTimeField(null=True)
    first_heard_at = models.DateTimeField(null=True)
    last_heard_at = models.DateTimeField(null=True)
    repeated_count = models.IntegerField(default=0)
    refused_count = models.IntegerField(default=0)
    last_refused_at = models.DateTimeField(null=True)
    gap_count = models.IntegerField(default=0)
    last_gap_at = models.DateTimeField(null=True)
    woken_at = models.DateTimeField(null=True)
    busy_until = models.DateTimeField(null=True)
    pulled_at = models.DateTimeField(null=True)

    def set_signature_key(self, key: str) -> None:
        """Seal the validation key that Dastra shows for the webhook."""
        self.signature_key_sealed = credentials.seal(key, context=self._context())

    def read_signature_key(self) -> str:
        """The validation key; empty where none is kept. Raises `credentials.CannotDecryptError`."""
        if self.signature_key_sealed is None:
            return ""
        return credentials.unseal(self.signature_key_sealed, context=self._context())

    def _context(self) -> str:
        return f"webhook {self.workspace_id}"


class EventOutcome(models.TextChoices):
    """What an event led to; empty while it waits."""

    READ = "read", _("The request was read")
    GONE = "gone", _("Dastra no longer has the request")
    PULLED = "pulled", _("All open requests are read")
    FAILED = "failed", _("Dastra could not be read")
    DROPPED = "dropped", _("The workspace is disabled")


class WebhookEvent(models.Model):
    """One event: its type, the request's id where it told one, its date, and the keyed digest of its body. Kept for a week."""

    receiver = models.ForeignKey(WebhookReceiver, on_delete=models.CASCADE, related_name="events", db_index=False)
    event_type = models.CharField(max_length=60)
    is_known = models.BooleanField()
    upstream_id = models.BigIntegerField(null=True)
    sent_at = models.DateTimeField(null=True)
    received_at = models.DateTimeField()
    digest = models.BinaryField(max_length=32)
    attempts = models.SmallIntegerField(default=0)
    outcome = models.CharField(max_length=8, choices=EventOutcome, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["receiver", "digest"], name="event_repeated"),
            models.Index(fields=["receiver", "outcome", "id"], name="event_waiting"),
            models.Index(fields=["receiver", "upstream_id", "received_at"], name="event_heard"),
            models.Index(fields=["received_at"], name="event_age"),
        ]


class UnheardChange(models.Model):
    """A change that a pull found. If no event after `since` (shortly before the change) told of it some minutes later, it is a gap."""

    receiver = models.ForeignKey(WebhookReceiver, on_delete=models.CASCADE, related_name="unheard", db_index=False)
    upstream_id = models.BigIntegerField()
    since = models.DateTimeField()
    found_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["receiver", "upstream_id"], name="one_doubt_per_request")]
