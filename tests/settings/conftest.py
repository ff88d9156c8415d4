"""The stage of the settings pages: a local Dastra over real HTTP, a workspace that points at it, and its admin signed in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from dsrportal.models import Role, User, Workspace
from dsrportal.sandbox import Sandbox, Server
from tests.conftest import MakeWorkspace, make_person


@pytest.fixture
def server(settings: Any, tmp_path: Any) -> Iterator[Server]:
    """A local Dastra with 30 requests in workspace 101."""
    settings.UPSTREAM_TIMEOUT_SECONDS = 5.0
    with Sandbox(requests=30).serve() as started:
        settings.UPSTREAM_ALLOWED_HOSTS = [started.host_port, "api.dastra.eu", "account.dastra.eu"]
        yield started


@pytest.fixture
def workspace(server: Server, make_workspace: MakeWorkspace) -> Workspace:
    """A workspace that can be read."""
    return make_workspace("acme-france", base_url=server.base_url, secret=server.api_key, upstream_id=101)


@pytest.fixture
def ada(client: Client, workspace: Workspace) -> User:
    """The admin of `workspace`, signed in with `client`."""
    user = make_person("ada", workspace=workspace, role=Role.ADMIN)
    client.force_login(user)
    return user


@pytest.fixture
def answers(server: Server) -> dict[str, str]:
    """What an admin types to add the server's second workspace."""
    return {
        "name": "Acme Benelux",
        "upstream_id": "102",
        "base_url": server.base_url,
        "auth_mode": "key",
        "secret": server.api_key,
        "country": "BE",
        "time_zone": "Europe/Brussels",
    }
