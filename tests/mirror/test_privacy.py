"""Nothing of a data subject lies in clear in the database, and what was never to be kept is not there at all."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from django.db import connection

from dsrportal.models import DataSubjectRequest, OutboxEntry, Workspace
from dsrportal.sandbox.server import Server
from tests.conftest import MakeWorkspace
from tests.mirror import truth
from tests.mirror.conftest import Serve, run

IDENTITY = ("title", "givenName", "familyName", "email")
NEVER_KEPT = ("message", "description", "address", "phoneNumber", "city", "zipCode", "refId", "userId")


def plant(server: Server) -> list[str]:
    """Give some requests texts that occur nowhere else; all of those texts."""
    markers: list[str] = []
    dastra = server.state[101]
    for dsr_id in sorted(dastra.records)[:10]:
        changes: dict[str, object] = {}
        for name in (*IDENTITY, *NEVER_KEPT):
            marker = f"Zq{name}{dsr_id}Xk"
            markers.append(marker)
            changes[name] = f"{marker}@example.org" if name == "email" else marker
        dastra.edit(dsr_id, **changes)
    return markers


def bytes_of_database() -> bytes:
    """The file and its write-ahead log, as a thief of the disk would read them.

    By another process: a file of SQLite's that this one closes takes the locks of its open connections with it.
    """
    name = Path(str(connection.settings_dict["NAME"]))
    paths = [path for path in (name, name.with_name(f"{name.name}-wal")) if path.exists()]
    return subprocess.run(["cat", *paths], check=True, capture_output=True).stdout


@pytest.mark.django_db(transaction=True)
def test_no_identity_in_clear_in_the_database_s_files(serve: Serve, make_workspace: MakeWorkspace) -> None:
    server = serve(requests=30)
    workspace = make_workspace("sealed", base_url=server.base_url, secret=server.api_key)
    markers = plant(server)
    run(workspace)
    assert truth.mirror(workspace) == truth.upstream(server)
    if connection.vendor == "sqlite":
        clear = bytes_of_database().lower()
        assert DataSubjectRequest.objects.earliest("upstream_id").reference.lower().encode() in clear
        assert [marker for marker in markers if marker.lower().encode() in clear] == []
        assert server.api_key.encode() not in clear
    for model in (DataSubjectRequest, Workspace, OutboxEntry):
        told = repr(list(model._default_manager.values())).lower()
        assert [marker for marker in markers if marker.lower() in told] == []


@pytest.mark.django_db(transaction=True)
def test_deletion_upstream_leaves_no_sealed_copy(serve: Serve, make_workspace: MakeWorkspace, tmp_path: Path) -> None:
    server = serve(requests=30)
    workspace = make_workspace("sealed", base_url=server.base_url, secret=server.api_key)
    run(workspace)
    victim = DataSubjectRequest.objects.earliest("upstream_id")
    sealed = bytes(victim.identity_sealed or b"")
    assert sealed
    server.state[101].delete(victim.upstream_id)
    run(workspace)
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        assert sealed not in bytes_of_database()
    assert not DataSubjectRequest.objects.filter(upstream_id=victim.upstream_id).exists()


def test_logs_and_errors_name_nobody(mirrored: Workspace, server: Server, caplog: pytest.LogCaptureFixture) -> None:
    markers = plant(server)
    with caplog.at_level("DEBUG"):
        run(mirrored)
    assert [marker for marker in markers if marker in caplog.text] == []
    assert server.api_key not in caplog.text
