"""What is written to a person and has not gone out yet: drafts, their files, and the letters to begin with. Sealed, and gone when it is sent.

Written by `dsrportal.actions.drafts`, `messages` and `letters` alone. A letter's text holds no personal data: names and dates are filled in later.
"""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from dsrportal import credentials
from dsrportal.models.outbox import OutboxEntry
from dsrportal.models.people import User
from dsrportal.models.requests import DataSubjectRequest
from dsrportal.models.workspaces import Workspace


class LetterPurpose(models.TextChoices):
    """What a message to a person is for. An extension and a refusal feed the request's legal clock once they were sent."""

    FREE = "free", _("Free text")
    ACKNOWLEDGEMENT = "acknowledgement", _("Acknowledgement of receipt")
    IDENTITY = "identity", _("Question about identity")
    EXTENSION = "extension", _("Notice of an extension")
    REFUSAL = "refusal", _("Notice of a refusal")
    ANSWER = "answer", _("Answer")


class Draft(models.Model):
    """What one person is writing about one request: one draft each. `ground` belongs to an extension or a refusal."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")
    dsr = models.ForeignKey(DataSubjectRequest, on_delete=models.CASCADE, related_name="drafts")
    by = models.ForeignKey(User, on_delete=models.CASCADE, related_name="drafts")
    purpose = models.CharField(max_length=16, choices=LetterPurpose, default=LetterPurpose.FREE)
    language = models.CharField(max_length=8, blank=True)
    ground = models.CharField(max_length=16, blank=True)
    text_sealed = models.BinaryField(null=True)
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["dsr", "by"], name="one_draft_per_person_and_request")]

    def set_text(self, text: str) -> None:
        """Seal what was written; empty is none."""
        self.text_sealed = credentials.seal(text, context=self._context()) if text else None

    def read_text(self) -> str:
        """What was written. Raises `credentials.CannotDecryptError`."""
        return "" if self.text_sealed is None else credentials.unseal(self.text_sealed, context=self._context())

    def _context(self) -> str:
        return f"draft {self.dsr_id} {self.by_id}"


class Enclosure(models.Model):
    """A file that is to go with a message: of a draft, or of a wish that was made of one. `upstream_id` is what Dastra calls it once it is there."""

    uid = models.UUIDField(unique=True, default=uuid.uuid4)
    draft = models.ForeignKey(Draft, on_delete=models.CASCADE, null=True, related_name="enclosures")
    entry = models.ForeignKey(OutboxEntry, on_delete=models.CASCADE, null=True, related_name="enclosures")
    name_sealed = models.BinaryField()
    content_sealed = models.BinaryField()
    size = models.IntegerField()
    upstream_id = models.CharField(max_length=36, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(draft=None, entry__isnull=False) | models.Q(draft__isnull=False, entry=None),
                name="an_enclosure_belongs_to_one",
            )
        ]

    def set_file(self, *, name: str, content: bytes) -> None:
        """Seal the name and the bytes."""
        self.name_sealed = credentials.seal(name, context=self._context("name"))
        self.content_sealed = credentials.seal_bytes(content, context=self._context("content"))
        self.size = len(content)

    def read_name(self) -> str:
        """Raises `credentials.CannotDecryptError`."""
        return credentials.unseal(self.name_sealed, context=self._context("name"))

    def read_content(self) -> bytes:
        """Raises `credentials.CannotDecryptError`."""
        return credentials.unseal_bytes(self.content_sealed, context=self._context("content"))

    def _context(self, what: str) -> str:
        return f"enclosure {self.uid} {what}"


class LetterTemplate(models.Model):
    """A workspace's own text for one purpose in one language, in place of the one that comes with the portal."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="letters")
    purpose = models.CharField(max_length=16, choices=LetterPurpose)
    language = models.CharField(max_length=8)
    text = models.TextField()
    changed_at = models.DateTimeField()
    changed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "purpose", "language"], name="one_letter_per_purpose_and_language"
            )
        ]
