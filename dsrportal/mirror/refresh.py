"""Reads of single requests while a person waits: after opening, before and after a write, Dastra's own search, and of
what a mail is about to tell.

Called by actions and alerts. Takes no lease: the numbers of the reads keep order. Errors of the API are the caller's.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from dsrportal.dastra import schema
from dsrportal.dastra.client import DastraClient
from dsrportal.dastra.errors import IncompleteList, NotFound
from dsrportal.mirror import store
from dsrportal.models import Workspace

SEARCH_SIZE = 50
FEW = 3
MOST_SINGLE = 100


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
            store.store_requests(workspace, page.items, sequence=sequence, now=now, is_list=True)
            found.update(dict.fromkeys(dsr.upstream_id for dsr in page.items))
    return list(found)


def refresh_requests(
    workspace: Workspace, *, upstream_ids: Collection[int], client: DastraClient, now: datetime
) -> None:
    """Read several requests and store them; what Dastra no longer has is forgotten. A few are read one by one, many as a list by ids: what the list
    leaves out or tells otherwise than the mirror is asked for by itself. Raises DastraError, also where that would be too many calls.

    Source: GET /v1/ws/{id}/DataSubjectRequests?ids=… and /DataSubjectRequests/{id}.
    """
    single = sorted(upstream_ids)
    if len(single) > FEW:
        left = set(single)
        pages = client.iter_request_pages(ids=single, sort_by="id", asc=True)
        while True:
            sequence = store.next_sequence(workspace)
            page = next(pages, None)
            if page is None:
                break
            done = store.store_requests(workspace, page.items, sequence=sequence, now=now, is_list=True)
            left -= done.stored | done.unchanged
        single = sorted(left)
    if len(single) > MOST_SINGLE:
        raise IncompleteList
    for upstream_id in single:
        refresh_request(workspace, upstream_id=upstream_id, client=client, now=now)
