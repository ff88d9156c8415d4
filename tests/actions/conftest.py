"""The stage of the actions' tests: a local Dastra over real HTTP, a workspace that mirrors it, and an officer's wishes."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from dsrportal.actions import outbox
from dsrportal.mirror.pull import pull
from dsrportal.models import DataSubjectRequest, Lane, OutboxEntry, Role, User, WorkflowStep, Workspace
from dsrportal.models.outbox import WishKind
from dsrportal.models.runs import SyncOutcome
from dsrportal.sandbox import Limit, Sandbox, Server, Switches
from tests.conftest import MakeWorkspace, make_person

MakeWish = Callable[..., OutboxEntry]


@pytest.fixture
def server(settings: Any, tmp_path: Path) -> Iterator[Server]:
    """A local Dastra with 30 requests in workspace 101. The portal waits three seconds for its answers."""
    settings.DATA_DIR = tmp_path
    settings.UPSTREAM_TIMEOUT_SECONDS = 3.0
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    limits = (Limit(count=1_000_000, seconds=60),)
    with Sandbox(requests=30, seed=5, settings=Switches(limits=limits)).serve() as server:
        settings.UPSTREAM_ALLOWED_HOSTS = [server.host_port]
        yield server


@pytest.fixture
def mirrored(server: Server, make_workspace: MakeWorkspace) -> Workspace:
    """The workspace, read once."""
    workspace = make_workspace("acme", base_url=server.base_url, secret=server.api_key, upstream_id=101)
    assert pull(workspace, lane=Lane.FULL, now=timezone.now).outcome == SyncOutcome.COMPLETE
    return workspace


@pytest.fixture
def olivia(mirrored: Workspace) -> User:
    """An officer of the workspace."""
    return make_person("olivia", workspace=mirrored, role=Role.OFFICER)


@pytest.fixture
def steps(mirrored: Workspace) -> list[WorkflowStep]:
    """The workspace's steps in order."""
    return list(WorkflowStep.objects.filter(workspace=mirrored))


@pytest.fixture
def dsr(mirrored: Workspace, steps: list[WorkflowStep]) -> DataSubjectRequest:
    """A live request in the first step."""
    return (
        DataSubjectRequest.objects.filter(workspace=mirrored, archived=False, step=steps[0])
        .select_related("workspace", "step")
        .order_by("pk")[0]
    )


@pytest.fixture
def make_wish(dsr: DataSubjectRequest, steps: list[WorkflowStep], olivia: User, now: datetime) -> MakeWish:
    """A function that keeps olivia's wish to move `dsr` to the third step, due at once unless told otherwise."""

    def make(**changes: Any) -> OutboxEntry:
        wanted: dict[str, Any] = {
            "action_id": uuid.uuid4(),
            "kind": WishKind.MOVE,
            "dsr": dsr,
            "step": steps[2],
            "by": olivia,
            "seen_step_upstream_id": steps[0].upstream_id,
            "seen_updated_at": dsr.updated_at,
            "now": now,
            "hold_seconds": 0,
        }
        return outbox.wish(**{**wanted, **changes})

    return make


@pytest.fixture
def writes(server: Server) -> Callable[[], list[str]]:
    """A function that tells the paths of all writes that reached the local Dastra."""
    return lambda: [entry.path for entry in server.journal.entries if entry.method != "GET"]


@pytest.fixture
def step_in_dastra(server: Server, dsr: DataSubjectRequest) -> Callable[[], int]:
    """A function that tells the step that `dsr` is in, by Dastra's own word."""

    def tell() -> int:
        step: int = server.state[101].get(dsr.upstream_id)["workFlowStepId"]
        return step

    return tell
