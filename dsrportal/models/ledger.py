"""What stops, lengthens or ends a request's legal clock: pauses, extensions, refusals. The portal's own; Dastra has nothing of the kind.

Written by `dsrportal.actions.ledger` alone. An entry is never deleted or overwritten by a person: one that was wrong is withdrawn, and another
is made. It goes when Dastra deletes the request, as all that is kept of it does.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from dsrportal import credentials
from dsrportal.models.people import User
from dsrportal.models.requests import DataSubjectRequest
from dsrportal.models.workspaces import Workspace


class PauseReason(models.TextChoices):
    """Why the clock may stand still (GDPR Art. 12(6); EDPB Guidelines 01/2022)."""

    IDENTITY = "identity", _("Waiting for proof of identity")
    CLARIFICATION = "clarification", _("Waiting for a clarification of the request")


class ExtensionGround(models.TextChoices):
    """Why two further months are needed (GDPR Art. 12(3))."""

    COMPLEXITY = "complexity", _("The request is complex")
    NUMBER = "number", _("The number of requests")


class RefusalGround(models.TextChoices):
    """Why a request is not acted upon."""

    UNFOUNDED = "unfounded", _("Manifestly unfounded (Art. 12(5))")
    EXCESSIVE = "excessive", _("Excessive (Art. 12(5))")
    UNIDENTIFIED = "unidentified", _("The person cannot be identified (Art. 11)")
    EXEMPTION = "exemption", _("The law excepts it")


class LedgerEntry(models.Model):
    """What the three have in common. `action_id` comes from the page, so that ten identical posts are one entry; `at` and `by` are when
    and by whom it was recorded. Free text is in `text_sealed` alone."""

    action_id = models.UUIDField(unique=True)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")
    dsr = models.ForeignKey(DataSubjectRequest, on_delete=models.CASCADE, related_name="%(class)ss")
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    text_sealed = models.BinaryField(null=True)
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        abstract = True
        ordering = ["at", "pk"]

    @property
    def is_withdrawn(self) -> bool:
        """Whether it was taken back and counts no more."""
        return self.withdrawn_at is not None

    def set_text(self, text: str) -> None:
        """Seal the free text; empty is none."""
        self.text_sealed = credentials.seal_fields({"text": text}, context=self.text_context()) if text else None

    def read_text(self) -> str:
        """The free text in clear, for who may see identities. Raises `credentials.CannotDecryptError`."""
        if self.text_sealed is None:
            return ""
        return credentials.unseal_fields(self.text_sealed, context=self.text_context())["text"]

    def text_context(self) -> str:
        """What the sealed text is bound to: a copy in another row does not open."""
        return f"{self._meta.model_name} {self.workspace_id} {self.action_id}"


class Pause(LedgerEntry):
    """The clock stands still from the day the person was asked to the day they answered; open while `answered_on` is empty."""

    reason = models.CharField(_("reason"), max_length=16, choices=PauseReason)
    asked_on = models.DateField(_("asked on"))
    answered_on = models.DateField(_("answered on"), null=True)
    answer_action_id = models.UUIDField(null=True, unique=True)
    answered_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    answer_recorded_at = models.DateTimeField(null=True)

    class Meta(LedgerEntry.Meta):
        abstract = False
        constraints = [
            models.UniqueConstraint(
                fields=["dsr"],
                condition=models.Q(answered_on=None, withdrawn_at=None),
                name="one_open_pause_per_request",
            )
        ]


class Extension(LedgerEntry):
    """Two further months, told to the person on `notice_on`. The sealed text says why, and where the proof of the notice lies."""

    ground = models.CharField(_("ground"), max_length=16, choices=ExtensionGround)
    notice_on = models.DateField(_("person told on"))

    class Meta(LedgerEntry.Meta):
        abstract = False
        constraints = [
            models.UniqueConstraint(
                fields=["dsr"], condition=models.Q(withdrawn_at=None), name="one_extension_per_request"
            )
        ]


class Refusal(LedgerEntry):
    """The person was told on `notice_on` that the request is not acted upon, and how to complain (GDPR Art. 12(4))."""

    ground = models.CharField(_("ground"), max_length=16, choices=RefusalGround)
    notice_on = models.DateField(_("person told on"))

    class Meta(LedgerEntry.Meta):
        abstract = False
        constraints = [
            models.UniqueConstraint(
                fields=["dsr"], condition=models.Q(withdrawn_at=None), name="one_refusal_per_request"
            )
        ]
