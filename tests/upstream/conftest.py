"""The stage of the corpus of upstream oddities: a small Dastra, a workspace that has mirrored it once, and what must hold after each case."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from dsrportal.actions import outbox
from dsrportal.mirror import connections
from dsrportal.mirror.pull import pull
from dsrportal.models import (
    AuditEvent,
    DataSubjectRequest,
    Lane,
    OutboxEntry,
    PacedKey,
    Role,
    SetAsideRow,
    SyncRun,
    User,
    WorkflowStep,
    Workspace,
)
from dsrportal.models.outbox import WishKind
from tests.conftest import MakeWorkspace, make_person

from .little import MARK, LittleDastra

SECRET = "synthetic-key-of-the-corpus"


@dataclass
class Stage:
    """One case's world."""

    dastra: LittleDastra
    workspace: Workspace
    settings: Any
    kept: set[int] = field(default_factory=lambda: {1, 2, 3})
    heals: bool = True

    def pull(self, lane: Lane = Lane.FULL, **options: Any) -> SyncRun:
        """One pull by the real clock, asked for by a person."""
        done = pull(self.workspace, lane=lane, now=timezone.now, **options)
        self.workspace.refresh_from_db()
        return done

    def row(self, upstream_id: int = 1) -> DataSubjectRequest:
        found = DataSubjectRequest.objects.select_related("step", "operator", "area", "workspace")
        return found.get(workspace=self.workspace, upstream_id=upstream_id)

    def ids(self) -> set[int]:
        found = DataSubjectRequest.objects.filter(workspace=self.workspace)
        return set(found.values_list("upstream_id", flat=True))

    def aside(self) -> dict[int | None, str]:
        return dict(SetAsideRow.objects.filter(workspace=self.workspace).values_list("upstream_id", "reason"))

    def officer(self) -> User:
        found = User.objects.filter(username="olivia").first()
        return found or make_person("olivia", workspace=self.workspace, role=Role.OFFICER)

    def move(self, *, later: float | None = None) -> OutboxEntry:
        """Sends a wish to move request 1 from the first step to the second; `later` settles it so many seconds after."""
        now = timezone.now()
        dsr = self.row(1)
        entry = outbox.wish(
            action_id=uuid.uuid4(),
            kind=WishKind.MOVE,
            dsr=dsr,
            step=WorkflowStep.objects.get(workspace=self.workspace, upstream_id=11),
            by=self.officer(),
            seen_step_upstream_id=10,
            seen_updated_at=dsr.updated_at,
            now=now,
            hold_seconds=0,
        )
        entry = outbox.send(entry.pk, now=now)
        return entry if later is None else self.settle(entry, at=now + timedelta(seconds=later))

    def settle(self, entry: OutboxEntry, *, at: datetime) -> OutboxEntry:
        return outbox.send(entry.pk, now=at)

    def forget_pace(self) -> None:
        """As if a pause or a held credential were over."""
        connections.reset(self.workspace)
        if connection.vendor == "postgresql":
            PacedKey.objects.all().delete()
        for path in Path(self.settings.DATA_DIR / "limiter").glob("pacing-*"):
            path.unlink()


@pytest.fixture(autouse=True)
def case(request: pytest.FixtureRequest) -> str:
    """The number and the name of the case, for the test's id."""
    return str(getattr(request, "param", ""))


@pytest.fixture
def build(
    settings: Any,
    tmp_path: Path,
    make_workspace: MakeWorkspace,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> Iterator[Callable[..., Stage]]:
    """A function that sets the stage; after the case it asserts what must hold after every one."""
    settings.DATA_DIR = tmp_path
    settings.UPSTREAM_TIMEOUT_SECONDS = 3.0
    monkeypatch.setattr("dsrportal.dastra.transport._BACKOFF_BASE_SECONDS", 0.0)
    caplog.set_level(logging.INFO)
    stages: list[Stage] = []

    def make(*, base_url: str = "", **options: Any) -> Stage:
        dastra = LittleDastra(**options)
        settings.UPSTREAM_ALLOWED_HOSTS = [dastra.wire.host]
        workspace = make_workspace("corpus", base_url=base_url or dastra.wire.url, secret=SECRET, upstream_id=42)
        stages.append(Stage(dastra=dastra, workspace=workspace, settings=settings))
        return stages[-1]

    yield make
    for stage in stages:
        check_after(stage, caplog)
        stage.dastra.wire.stop()


def check_after(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing that Dastra has was forgotten, nothing tells of a person or the key, and the next pass is a normal one."""
    assert stage.ids() == stage.kept
    told = [caplog.text, *SyncRun.objects.values_list("error", flat=True), stage.workspace.hold_sentence]
    told += [
        *SetAsideRow.objects.values_list("reason", flat=True),
        *OutboxEntry.objects.values_list("reason", flat=True),
    ]
    told += [str(details) for details in AuditEvent.objects.values_list("details", flat=True)]
    for text in told:
        assert MARK.lower() not in text.lower()
        assert SECRET not in text
    if stage.heals:
        stage.dastra.honest()
        stage.forget_pace()
        done = stage.pull()
        assert (done.outcome, done.error) == ("complete", "")
        assert stage.ids() == set(stage.dastra.rows)


@pytest.fixture
def stage(build: Callable[..., Stage]) -> Stage:
    """A workspace whose three requests were mirrored once."""
    made = build()
    assert made.pull().outcome == "complete"
    made.dastra.wire.journal.clear()
    return made
