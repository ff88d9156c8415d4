"""What an admin wants to know of a workspace's webhook: is it heard, and does it tell everything. Called by its page; never opens a key."""

from __future__ import annotations

import zoneinfo
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q

from dsrportal.models import WebhookEvent, WebhookReceiver, Workspace
from dsrportal.models.webhooks import EventOutcome


@dataclass(frozen=True, kw_only=True, slots=True)
class WebhookState:
    """A workspace's webhook in counts. Events are those of the workspace's own day; failed and unknown ones, of the last week."""

    receiver: WebhookReceiver
    today_count: int
    waiting_count: int
    failed_count: int
    unknown_count: int

    @property
    def has_key(self) -> bool:
        """Whether posts can be verified at all."""
        return self.receiver.signature_key_set_at is not None


def state_of(workspace: Workspace, *, now: datetime) -> WebhookState | None:
    """None where no address was made. Two queries."""
    receiver = WebhookReceiver.objects.filter(workspace=workspace).first()
    if receiver is None:
        return None
    zone = zoneinfo.ZoneInfo(workspace.time_zone)
    midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    counts = WebhookEvent.objects.filter(receiver=receiver).aggregate(
        today_count=Count("pk", filter=Q(received_at__gte=midnight)),
        waiting_count=Count("pk", filter=Q(outcome="")),
        failed_count=Count("pk", filter=Q(outcome=EventOutcome.FAILED)),
        unknown_count=Count("pk", filter=Q(is_known=False)),
    )
    return WebhookState(receiver=receiver, **counts)
