"""A workspace's own letters, changed by its admins. Called by `views.letters`. A letter holds no personal data; nothing of it is sent by itself."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from dsrportal.models import AuditEvent, LetterTemplate, User, Workspace
from dsrportal.models.audit import Operation
from dsrportal.models.correspondence import LetterPurpose
from dsrportal.queries import letters


def change(workspace: Workspace, *, purpose: LetterPurpose, language: str, text: str, by: User, now: datetime) -> bool:
    """Put the workspace's own text in place of the portal's; the portal's own text takes it away again. False where nothing is different. Whether the
    person may is the view's to know."""
    before = letters.find(workspace, purpose=purpose, language=language)
    if text == before.text:
        return False
    with transaction.atomic():
        own = LetterTemplate.objects.filter(workspace=workspace, purpose=purpose, language=language)
        if text == letters.built_in(workspace, purpose=purpose, language=language):
            own.delete()
        else:
            LetterTemplate.objects.update_or_create(
                workspace=workspace,
                purpose=purpose,
                language=language,
                defaults={"text": text, "changed_at": now, "changed_by": by},
            )
        AuditEvent.objects.create(
            at=now,
            by=by,
            workspace=workspace,
            operation=Operation.LETTER_CHANGED,
            outcome="done",
            details={"purpose": str(purpose), "language": language},
        )
    return True
