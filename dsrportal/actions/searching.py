"""Letting Dastra search, where the mirror found nothing. Called by the register's view; what was looked for is neither kept nor logged."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from dsrportal.dastra.errors import DastraError
from dsrportal.mirror import connections, refresh
from dsrportal.models import AuditEvent, User, Workspace
from dsrportal.models.audit import Operation


class SearchError(Exception):
    """Dastra could not be asked. `sentence` is fit for a person."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def ask_dastra(workspace: Workspace, *, text: str, by: User, now: datetime) -> list[int]:
    """Let Dastra search for a text (its `q`), mirror what it finds, and return the upstream ids, live ones first.

    Raises `SearchError`. Source: GET /v1/ws/{id}/DataSubjectRequests?q=…
    """
    if not workspace.is_enabled:
        raise SearchError(_("This workspace is disabled, so Dastra is not asked."))
    outcome, found = "failed", []
    try:
        with connections.connect(workspace, interactive=True) as client:
            found = refresh.find_upstream(workspace, text=text, client=client, now=now)
        outcome = "done"
    except DastraError as error:
        raise SearchError(error.sentence) from error
    finally:
        AuditEvent.objects.create(
            at=now,
            by=by,
            workspace=workspace,
            operation=Operation.ASK_DASTRA,
            outcome=outcome,
            details={"found": len(found)},
        )
    return found
