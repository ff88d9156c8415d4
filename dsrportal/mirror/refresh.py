"""Reads of single requests while a person waits: after opening, before and after a write, and Dastra's own search.

Called by actions. Takes no lease: the numbers of the reads keep order. Errors of the API are the caller's.
"""

from __future__ import annotations

from datetime import datetime

from dsrportal.dastra import schema
from dsrportal.dastra.client import DastraClient
from dsrportal.dastra.errors import NotFound
from dsrportal.mirror import store
from dsrportal.models import Workspace

SEARCH_SIZE = 50


def refresh_request(
    workspace: Workspace, *, upstream_id: int, client: DastraClient, now: datetime
) -> schema.DataSubjectRequest | None:
    """Read one request and store it. None: Dastra answers 404 or 410, and the row was forgotten. Raises DastraError.

    Source: GET /v1/ws/{id}/DataSubjectRequests/{id}.
    """
    sequence = store.next_sequence(workspace)
    try:
        dsr = client.get_request(upstream_id)
    except NotFound:
        store.forget_requests(workspace, {upstream_id: sequence}, now=now)
        return None
    store.store_requests(workspace, [dsr], sequence=sequence, now=now, confirm=True)
    return dsr


def find_upstream(workspace: Workspace, *, text: str, client: DastraClient, now: datetime) -> list[int]:
    """Let Dastra search titles, store what came, and return the upstream ids: at most 50 live ones, then at most 50 archived ones.

    Raises DastraError. Source: GET /v1/ws/{id}/DataSubjectRequests?q=….
    """
    found: dict[int, None] = {}
    for archived in (None, True):
        sequence = store.next_sequence(workspace)
        page = next(client.iter_request_pages(size=SEARCH_SIZE, q=text, archived=archived), None)
        if page is not None:
            store.store_requests(workspace, page.items, sequence=sequence, now=now, confirm=True, is_list=True)
            found.update(dict.fromkeys(dsr.upstream_id for dsr in page.items))
    return list(found)
