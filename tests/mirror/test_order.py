"""Answers that arrive late never undo what was read after them: reads are numbered before the call is made."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
from django.db import connections
from django.utils import timezone

from dsrportal.mirror.connections import connect
from dsrportal.mirror.pull import pull
from dsrportal.mirror.refresh import refresh_request
from dsrportal.models import DataSubjectRequest, Lane, Workspace
from dsrportal.sandbox.faults import Fault
from dsrportal.sandbox.server import Server
from tests.conftest import MakeWorkspace
from tests.mirror import truth
from tests.mirror.conftest import Serve, run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def stage(serve: Serve, make_workspace: MakeWorkspace) -> tuple[Workspace, Server, int]:
    """A mirrored workspace, its Dastra, and an open request."""
    server = serve(requests=30)
    workspace = make_workspace("late", base_url=server.base_url, secret=server.api_key)
    run(workspace)
    dsr = DataSubjectRequest.objects.filter(archived=False).exclude(state="Closed").earliest("upstream_id")
    return workspace, server, dsr.upstream_id


def refresh(workspace: Workspace, upstream_id: int) -> None:
    with connect(workspace, interactive=True) as client:
        refresh_request(workspace, upstream_id=upstream_id, client=client, now=timezone.now())


def read(workspace: Workspace, lane: Lane) -> None:
    pull(workspace, lane=lane, now=timezone.now)


def while_late(server: Server, *, late: Callable[[], None], match: str, meanwhile: Callable[[], None]) -> None:
    """Run `late`, whose answer is made at once and delivered after two seconds; `meanwhile` runs in between."""
    server.faults.add(Fault(kind="slow", seconds=2, match=match, times=1))
    before = len(server.journal.entries)

    def body() -> None:
        try:
            late()
        finally:
            connections.close_all()

    thread = threading.Thread(target=body)
    thread.start()
    deadline = time.monotonic() + 180
    while not any(e.fault and e.status for e in server.journal.entries[before:]) and time.monotonic() < deadline:
        time.sleep(0.01)
    meanwhile()
    thread.join()


def test_a_late_page_does_not_undo_a_refresh(stage: tuple[Workspace, Server, int]) -> None:
    workspace, server, chosen = stage

    def move_and_refresh() -> None:
        server.state[101].move(chosen, server.state[101].final_step()["id"])
        refresh(workspace, chosen)

    while_late(
        server,
        late=lambda: read(workspace, Lane.ACTIVE),
        match=r"DataSubjectRequests\?",
        meanwhile=move_and_refresh,
    )
    assert DataSubjectRequest.objects.get(upstream_id=chosen).state == "Closed"
    assert truth.mirror(workspace) == truth.upstream(server)


def test_a_late_refresh_does_not_undo_a_page(stage: tuple[Workspace, Server, int]) -> None:
    workspace, server, chosen = stage

    def move_and_pull() -> None:
        server.state[101].move(chosen, server.state[101].final_step()["id"])
        run(workspace)

    while_late(
        server, late=lambda: refresh(workspace, chosen), match=rf"DataSubjectRequests/{chosen}", meanwhile=move_and_pull
    )
    assert truth.mirror(workspace) == truth.upstream(server)


def test_a_late_page_does_not_bring_a_deleted_request_back(stage: tuple[Workspace, Server, int]) -> None:
    workspace, server, chosen = stage

    def delete_and_refresh() -> None:
        server.state[101].delete(chosen)
        refresh(workspace, chosen)

    while_late(
        server,
        late=lambda: read(workspace, Lane.ACTIVE),
        match=r"DataSubjectRequests\?",
        meanwhile=delete_and_refresh,
    )
    assert chosen not in truth.ids(workspace)
