"""The wishes of people that are to be written to Dastra: one row each, kept before any call is made."""

from __future__ import annotations

import json
from collections.abc import Mapping

from django.db import models
from django.utils.translation import gettext_lazy as _

from dsrportal import credentials
from dsrportal.models.people import User
from dsrportal.models.requests import DataSubjectRequest
from dsrportal.models.workspaces import Workspace


class WishKind(models.TextChoices):
    """What a person may ask for."""

    MOVE = "move", _("Move")
    ARCHIVE = "archive", _("Archive")
    RESTORE = "restore", _("Restore")
    ASSIGN = "assign", _("Assign")
    TAG = "tag", _("Change the tags")
    EXTEND = "extend", _("Extend")
    EDIT = "edit", _("Edit")
    CLOSE = "close", _("Close")
    CREATE = "create", _("New request")
    DELETE = "delete", _("Delete for good")
    MESSAGE = "message", _("Write to the person")


class WishState(models.TextChoices):
    """Where a wish stands. `held` and `sending` are open; `unknown` is open until a read settles it. `conflict`: nothing was written,
    since somebody else had changed the same; the person decides."""

    HELD = "held", _("Waiting to be sent")
    SENDING = "sending", _("Being sent")
    UNKNOWN = "unknown", _("Being checked")
    DONE = "done", _("Done")
    REFUSED = "refused", _("Refused")
    CONFLICT = "conflict", _("Conflict")
    CANCELLED = "cancelled", _("Undone")


OPEN_STATES = (WishState.HELD, WishState.SENDING, WishState.UNKNOWN)
PRIVATE_VALUES = frozenset(
    {"title", "description", "message", "given_name", "family_name", "email", "phone", "customer_reference"}
)
"""Names of values that are identity or free text: of these a row holds nothing in clear, and nothing at all once it is settled."""

CUSTOM = "custom:"
"""Begins the name of a value that is a custom field of the workspace; what is in it is private too."""


def is_private(name: str) -> bool:
    """Whether a value of this name may be in a row only sealed."""
    return name in PRIVATE_VALUES or name.startswith(CUSTOM)


FAILED_STATES = (WishState.REFUSED, WishState.CONFLICT)


class OutboxEntry(models.Model):
    """One wish. `action_id` comes from the page, so that ten identical posts are one wish. `seen_step_upstream_id` and
    `seen_updated_at` are what the person saw; `reason` is the English sentence shown, translated, when it was refused or is unknown.
    `base_updated_at` is Dastra's `dateUpdate` right before the write: while a read shows it still, nobody has written since.
    `upstream_id` is empty for a new request until Dastra has it; wishes made together share a `batch_id`.

    `wanted`, `seen` and `theirs` are values by the names of `actions.fields`: what is to be, what the person had before them, and what
    a conflict found in Dastra. Of free text and identity they hold nothing: that is in `private_sealed`, until the wish is settled.
    """

    action_id = models.UUIDField(unique=True)
    batch_id = models.UUIDField(null=True)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="outbox")
    dsr = models.ForeignKey(DataSubjectRequest, on_delete=models.SET_NULL, null=True, related_name="outbox")
    upstream_id = models.BigIntegerField(null=True)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="wishes")
    kind = models.CharField(max_length=8, choices=WishKind)
    step_upstream_id = models.BigIntegerField(null=True)
    seen_step_upstream_id = models.BigIntegerField(null=True)
    seen_updated_at = models.DateTimeField(null=True)
    wanted = models.JSONField(default=dict)
    seen = models.JSONField(default=dict)
    theirs = models.JSONField(default=dict)
    private_sealed = models.BinaryField(null=True)
    state = models.CharField(max_length=9, choices=WishState, default=WishState.HELD)
    reason = models.CharField(max_length=400, blank=True)
    created_at = models.DateTimeField()
    not_before = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True)
    attempts = models.IntegerField(default=0)
    first_claimed_at = models.DateTimeField(null=True)
    base_updated_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)
    dismissed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["state", "not_before"], name="outbox_due"),
            models.Index(fields=["dsr", "state"], name="outbox_of_request"),
            models.Index(fields=["batch_id"], name="outbox_batch", condition=models.Q(batch_id__isnull=False)),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "upstream_id"],
                condition=models.Q(state__in=OPEN_STATES),
                name="one_open_wish_per_request",
            ),
            models.UniqueConstraint(
                fields=["workspace", "upstream_id"],
                condition=models.Q(kind=WishKind.CREATE, state=WishState.DONE),
                name="one_wish_made_a_request",
            ),
        ]

    @property
    def target(self) -> int:
        """The request in Dastra that the wish is about. Raises `ValueError` for a new one, which Dastra does not have yet."""
        if self.upstream_id is None:
            raise ValueError("Dastra does not have this request yet.")
        return self.upstream_id

    @property
    def may_be_repeated(self) -> bool:
        """Whether it was refused and can be wished again as it was: the request is still there, and nothing of the wish was wiped."""
        is_whole = not any(is_private(name) for name in self.wanted)
        return self.state == WishState.REFUSED and self.dsr_id is not None and is_whole

    def set_private(self, parts: Mapping[str, Mapping[str, str]]) -> None:
        """Seal `wanted`, `seen` and `theirs` of the fields that are nobody's to read in the database."""
        sealed = {part: json.dumps(dict(values)) for part, values in parts.items() if values}
        self.private_sealed = credentials.seal_fields(sealed, context=self.private_context()) if sealed else None

    def read_private(self) -> dict[str, dict[str, str]]:
        """What `set_private` sealed; empty once the wish is settled. Raises `credentials.CannotDecryptError`."""
        if self.private_sealed is None:
            return {}
        parts = credentials.unseal_fields(self.private_sealed, context=self.private_context())
        return {part: json.loads(values) for part, values in parts.items()}

    def private_context(self) -> str:
        """What the sealed part is bound to: a copy in another row does not open."""
        return f"wish {self.workspace_id} {self.action_id}"
