"""Reads of single requests while a person waits: after opening, before and after a write, and Dastra's own search.

Called by actions; takes no lease. Errors of the API are the caller's.
"""

from __future__ import annotations

from datetime import datetime

from dsrportal.dastra import schema
from dsrportal.dastra.client import DastraClient
from dsrportal.models import Workspace


def refresh_request(
    workspace: Workspace, *, upstream_id: int, client: DastraClient, now: datetime
) -> schema.DataSubjectRequest | None:
    """Read one request and store it. None: Dastra answers 404 or 410, and the row was forgotten. Raises DastraError."""
    raise NotImplementedError


def find_upstream(workspace: Workspace, *, text: str, client: DastraClient, now: datetime) -> list[int]:
    """Let Dastra search (`q`), store what came, and return the upstream ids, live ones first. Raises DastraError."""
    raise NotImplementedError
