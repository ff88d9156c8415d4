"""The stage of the mirror's tests: a local Dastra over real HTTP, and workspaces that point at it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from dsrportal.mirror.pull import pull
from dsrportal.models import Lane, SyncRun, Workspace
from dsrportal.models.pacing import PacedCall, PacedKey
from dsrportal.sandbox import Sandbox
from dsrportal.sandbox.server import Server
from dsrportal.sandbox.switches import Limit, Switches
from tests.conftest import MakeWorkspace

WIDE_LIMITS = (Limit(count=1_000_000, seconds=60),)

Serve = Callable[..., Server]


@pytest.fixture
def serve(settings: Any, tmp_path: Any) -> Iterator[Serve]:
    """A function that starts a local Dastra; it is an allowed host, and its clients keep their own pace."""
    servers: list[Server] = []
    settings.DATA_DIR = tmp_path
    settings.UPSTREAM_TIMEOUT_SECONDS = 5.0

    def start(*, requests: int = 60, seed: int = 1, **switches: Any) -> Server:
        chosen = Switches(**{"limits": WIDE_LIMITS, **switches})
        server = Sandbox(requests=requests, seed=seed, settings=chosen).serve()
        servers.append(server)
        settings.UPSTREAM_ALLOWED_HOSTS = [*(one.host_port for one in servers), "account.dastra.eu"]
        return server

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def server(serve: Serve) -> Server:
    """A local Dastra with 60 requests in workspace 101."""
    return serve()


@pytest.fixture
def mirrored(server: Server, make_workspace: MakeWorkspace) -> Workspace:
    """Our workspace for the server's 101; nothing is pulled yet."""
    return make_workspace("acme", base_url=server.base_url, secret=server.api_key, upstream_id=101)


def run(workspace: Workspace, lane: Lane = Lane.FULL, **options: Any) -> SyncRun:
    """One pull by the real clock. What earlier calls taught the client about pace and failures is left out: it has its own tests."""
    shutil.rmtree(settings.DATA_DIR / "limiter", ignore_errors=True)
    PacedKey.objects.all().delete()
    PacedCall.objects.all().delete()
    return pull(workspace, lane=lane, now=timezone.now, **options)
