"""The stage of the request page's tests: a local Dastra, and a workspace that has just read all of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from dsrportal.mirror.pull import pull
from dsrportal.models import Lane, Workspace
from dsrportal.models.runs import SyncOutcome
from dsrportal.sandbox import Sandbox
from dsrportal.sandbox.server import Server
from dsrportal.sandbox.switches import Switches


@pytest.fixture
def dastra(settings: Any, tmp_path: Path) -> Iterator[Server]:
    """A local Dastra with 40 requests in workspace 101."""
    settings.DATA_DIR = tmp_path
    settings.UNDO_SECONDS = 0
    with Sandbox(requests=40, seed=3, settings=Switches()).serve() as server:
        settings.UPSTREAM_ALLOWED_HOSTS = [server.host_port]
        yield server


@pytest.fixture
def mirrored(workspace: Workspace, dastra: Server) -> Workspace:
    """The cast's workspace, pointed at the local Dastra and read from it."""
    search_key = workspace.read_search_key()
    workspace.base_url = dastra.base_url
    workspace.upstream_id = 101
    workspace.set_secret(dastra.api_key)
    workspace.set_search_key(search_key)
    workspace.save()
    assert pull(workspace, lane=Lane.FULL, now=timezone.now).outcome == SyncOutcome.COMPLETE
    return workspace


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Any) -> None:
    """Nobody signs in with a password here."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
