"""Single reads while a person waits."""

from __future__ import annotations

import pytest
from django.utils import timezone

from dsrportal.dastra.errors import ServerFailure
from dsrportal.mirror.connections import connect
from dsrportal.mirror.refresh import find_upstream, refresh_request
from dsrportal.models import DataSubjectRequest, Workspace
from dsrportal.sandbox.faults import Fault
from dsrportal.sandbox.server import Server
from tests.mirror import truth
from tests.mirror.conftest import run


def test_a_refresh_reads_one_request_and_stores_it(mirrored: Workspace, server: Server) -> None:
    run(mirrored)
    chosen = min(truth.ids(mirrored))
    server.state[101].edit(chosen, complex=True)
    with connect(mirrored, interactive=True) as client:
        found = refresh_request(mirrored, upstream_id=chosen, client=client, now=timezone.now())
    assert found is not None
    assert found.complex
    assert found.message == server.state[101].get(chosen)["message"]
    assert truth.mirror(mirrored) == truth.upstream(server)


def test_a_refresh_forgets_what_dastra_no_longer_has(mirrored: Workspace, server: Server) -> None:
    run(mirrored)
    chosen = min(truth.ids(mirrored))
    server.state[101].delete(chosen)
    with connect(mirrored) as client:
        assert refresh_request(mirrored, upstream_id=chosen, client=client, now=timezone.now()) is None
    assert truth.mirror(mirrored) == truth.upstream(server)
    assert truth.counters_are_right(mirrored)


def test_a_refresh_that_fails_changes_nothing(
    mirrored: Workspace, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dsrportal.dastra.transport.MOST_TRIES", 1)
    run(mirrored)
    before = list(DataSubjectRequest.objects.order_by("pk").values())
    server.faults.add(Fault(kind="status", status=500, match=r"Requests/\d+"))
    with connect(mirrored) as client, pytest.raises(ServerFailure):
        refresh_request(mirrored, upstream_id=min(truth.ids(mirrored)), client=client, now=timezone.now())
    assert list(DataSubjectRequest.objects.order_by("pk").values()) == before


def test_dastra_s_own_search_stores_what_it_finds(mirrored: Workspace, server: Server) -> None:
    dastra = server.state[101]
    live, archived = (next(row for row in dastra.all() if row["archived"] is flag) for flag in (False, True))
    for row in (live, archived):
        dastra.edit(row["id"], title=f"{row['demandId']} Ondine Quillfeather")
    with connect(mirrored, interactive=True) as client:
        found = find_upstream(mirrored, text="Quillfeather", client=client, now=timezone.now())
    assert found == [live["id"], archived["id"]]
    assert truth.ids(mirrored) == set(found)
