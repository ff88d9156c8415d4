"""Every declared job, on real rows and a local Dastra: run once, twice, twice at once, and killed by SIGKILL and then run, it leaves the same database.

What is compared are all rows of the portal but stamps: instants count as there or not, and the tables that only say when something ran are left out.
Each way starts from the same copy of the database and of Dastra.
"""

from __future__ import annotations

import ast
import copy
import hashlib
import os
import signal
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.conf import settings as django_settings
from django.db import connection, models
from django.utils import timezone
from django_q.models import OrmQ, Task

from dsrportal import jobs, timetable
from dsrportal.alerts import notes
from dsrportal.jobs import running
from dsrportal.mirror.pull import pull
from dsrportal.models import (
    AuditEvent,
    DataSubjectRequest,
    JobHeartbeat,
    Lane,
    Membership,
    OutboxEntry,
    Role,
    SyncLane,
    Tally,
    User,
    WebhookEvent,
    WebhookReceiver,
    Workspace,
)
from dsrportal.models.invitations import Invitation
from dsrportal.models.outbox import WishKind
from dsrportal.models.workspaces import Hold
from dsrportal.sandbox.server import Server
from tests.conftest import MakeWorkspace
from tests.jobs.conftest import work_off
from tests.mirror.conftest import Serve

WHEN_IT_RAN = {"JobHeartbeat", "JobAttempt", "SyncRun", "TallyCheck", "PacedCall", "PacedKey"}
LEASES = {"busy_until", "claimed_at", "lease_until", "woken_at"}
NUMBERS_OF_A_RUN = {  # how often, and under which mark, a row was tried; not what became of it
    "attempts",
    "change_number",
    "key",
    "lease_number",
    "lease_owner",
    "lease_token",
    "message_id",
    "raising",
    "read_sequence",
    "sequence",
}
WRITES = ("INSERT", "UPDATE", "DELETE")
ROOM = Path(jobs.__file__).parent


@dataclass
class Stage:
    """A workspace with work for every job, and copies of it all to begin from again."""

    workspace: Workspace
    admin: User
    server: Server
    folder: Path
    copied: dict[str, Any] = field(default_factory=dict)

    def keep(self) -> None:
        """Copy the database and Dastra."""
        self.copied = copy.deepcopy(self.server.state.snapshot())
        self._copy(source=str(connection.settings_dict["NAME"]), target=str(self.folder / "kept.sqlite3"))

    def begin_again(self) -> None:
        """Put both back."""
        self.server.state.load(copy.deepcopy(self.copied))
        self._copy(source=str(self.folder / "kept.sqlite3"), target=str(connection.settings_dict["NAME"]))

    def arguments(self, job: timetable.Job) -> list[Any]:
        """What a worker would be given now."""
        known = {
            "workspace_id": self.workspace.pk,
            "receiver_id": WebhookReceiver.objects.values_list("pk", flat=True).first(),
            "by_id": self.admin.pk,
            "user_id": self.admin.pk,
            "invitation_id": Invitation.objects.values_list("pk", flat=True).first(),
            "lane": "full",
            "queued_at": timezone.now().isoformat(),
            "asked_at": timezone.now().isoformat(),
        }
        return [known[name] for name in job.takes]

    def _copy(self, *, source: str, target: str) -> None:
        connection.close()
        with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
            old.backup(new)


@pytest.fixture
def stage(
    transactional_db: None, serve: Serve, make_workspace: MakeWorkspace, tmp_path: Path, settings: Any
) -> Iterator[Stage]:
    """Everything that a job could find to do."""
    now = timezone.now().replace(hour=10)
    settings.UNDO_SECONDS = 0
    server = serve(requests=8)
    workspace = make_workspace("acme", base_url=server.base_url, secret=server.api_key, upstream_id=101)
    admin = User.objects.create(username="ada", email="ada@example.org")
    Membership.objects.create(user=admin, workspace=workspace, role=Role.ADMIN)
    pull(workspace, lane=Lane.FULL, now=timezone.now)
    dsr = DataSubjectRequest.objects.filter(archived=False, is_closed=False).earliest("pk")
    OutboxEntry.objects.create(
        action_id=uuid.UUID(int=1),
        workspace=workspace,
        dsr=dsr,
        upstream_id=dsr.upstream_id,
        by=admin,
        kind=WishKind.ARCHIVE,
        seen_step_upstream_id=dsr.step.upstream_id if dsr.step else None,
        seen_updated_at=dsr.updated_at,
        created_at=now - timedelta(seconds=30),
        not_before=now - timedelta(seconds=20),
    )
    receiver = WebhookReceiver.objects.create(workspace=workspace, token_digest="0" * 64, token_made_at=now)
    WebhookEvent.objects.create(
        receiver=receiver,
        event_type="DataSubjectUpdate",
        is_known=True,
        upstream_id=dsr.upstream_id,
        received_at=now,
        digest=hashlib.sha256(b"1").digest(),
    )
    Invitation.objects.create(
        workspace=workspace,
        email="new@example.org",
        role=Role.OFFICER,
        invited_by=admin,
        nonce="0" * 32,
        created_at=now,
        expires_at=now + timedelta(days=7),
    )
    SyncLane.objects.filter(lane=Lane.ACTIVE).update(requested_at=now)
    Workspace.objects.filter(pk=workspace.pk).update(rules_number=7)
    Tally.objects.filter(pk=Tally.objects.earliest("pk").pk).update(count=999)
    old = now - timedelta(days=8)
    Task.objects.create(id="old", name="old", func="x", started=old, stopped=old, success=True)
    JobHeartbeat.objects.create(name=jobs.CLUSTER, beat_at=now)
    with time_machine.travel(now, tick=False):
        yield Stage(workspace=workspace, admin=admin, server=server, folder=tmp_path)


def state() -> dict[str, list[Any]]:
    """Every row of the portal without its stamps."""
    found: dict[str, list[Any]] = {}
    for model in apps.get_app_config("dsrportal").get_models():
        if model.__name__ not in WHEN_IT_RAN:
            rows = model._default_manager.order_by("pk")
            found[model.__name__] = [{f.attname: _plain(f, row) for f in model._meta.concrete_fields} for row in rows]
    found["AuditEvent"] = _last_words()
    found["results kept"] = list(Task.objects.values_list("pk", flat=True))
    return found


def _last_words() -> list[Any]:
    """Of each wish what was recorded last: that nobody knew for a minute is recorded too, after a kill."""
    words: dict[Any, Any] = {}
    for event in AuditEvent.objects.order_by("pk"):
        words[event.details.get("wish", event.pk)] = (event.operation, event.upstream_id, event.outcome, event.details)
    return list(words.values())


def _plain(one: models.Field[Any, Any], row: models.Model) -> object:
    value = getattr(row, one.attname)
    if one.name in NUMBERS_OF_A_RUN | LEASES and not isinstance(row, Tally):
        return "…"
    if isinstance(one, models.DateTimeField | models.BinaryField):
        return value is not None
    return value


def work(job: timetable.Job, *, stage: Stage) -> None:
    """What a worker does with the job, and with what the job queued; the mail goes nowhere."""
    getattr(jobs, job.name)(*stage.arguments(job))
    while OrmQ.objects.exists():
        work_off()


def in_a_thread(task: Callable[[], None]) -> None:
    try:
        task()
    finally:
        connection.close()


class Deadly:
    """Counts statements that write, and kills this process before the one numbered `at`."""

    def __init__(self, *, at: int = 0) -> None:
        self.at = at
        self.count = 0

    def __call__(self, execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        """Django's wrapper of a statement."""
        if sql.startswith(WRITES):
            self.count += 1
            if self.count == self.at:
                os.kill(os.getpid(), signal.SIGKILL)
        return execute(sql, *rest)


def killed(job: timetable.Job, *, stage: Stage, at: int) -> bool:
    """Run the job in a process of its own that dies before its write number `at`; whether it did."""
    connection.close()
    pid = os.fork()
    if pid == 0:
        try:
            with connection.execute_wrapper(Deadly(at=at)):
                work(job, stage=stage)
        finally:
            os._exit(0)
    _pid, status = os.waitpid(pid, 0)
    return os.WIFSIGNALED(status)


@pytest.mark.parametrize("name", [job.name for job in timetable.JOBS])
@pytest.mark.one_database
def test_every_job_leaves_the_same_rows_however_it_is_run(name: str, stage: Stage) -> None:
    job = timetable.BY_NAME[name]
    if name == "run_hold_end":
        Workspace.objects.update(hold=Hold.MISSING, held_at=timezone.now())
    stage.keep()

    counter = Deadly()
    with connection.execute_wrapper(counter):
        work(job, stage=stage)
    once = state()
    work(job, stage=stage)
    assert state() == once, "twice in a row"

    stage.begin_again()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _nth: in_a_thread(lambda: work(job, stage=stage)), range(2)))
    work(job, stage=stage)
    assert state() == once, "twice at once"

    for at in sorted({max(at, 1) for at in (2, counter.count // 2, counter.count - 1)}):
        stage.begin_again()
        assert killed(job, stage=stage, at=at)
        for minutes in (2, 4, 8):  # leases and claims run out, and what is unknown is settled
            with time_machine.travel(timezone.now() + timedelta(minutes=minutes), tick=False):
                work(job, stage=stage)
        if (
            name == "run_hold_end"
        ):  # what was asked for is done; a kill after it and before its line in the log costs that line
            once["AuditEvent"] = state()["AuditEvent"]
        assert state() == once, f"killed before write {at} of {counter.count}, then run"


def test_every_job_is_declared_and_every_declaration_is_a_job() -> None:
    defined = {
        node.name
        for path in ROOM.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef)
        and any(isinstance(one, ast.Call) and getattr(one.func, "id", "") == "job" for one in node.decorator_list)
    }
    assert defined == {job.name for job in timetable.JOBS}
    for job in timetable.JOBS:
        assert callable(getattr(jobs, job.name))
        assert job.again.endswith(".")
        assert str(job.label)
        assert job.is_scheduled != bool(job.takes)
        assert not job.is_scheduled or job.timeout_seconds == django_settings.Q_CLUSTER["timeout"]


def test_a_job_that_nobody_declared_cannot_be() -> None:
    def tidy_up() -> int:
        return 0

    with pytest.raises(KeyError):
        running.job()(tidy_up)


def test_the_queue_is_filled_by_one_hand() -> None:
    """`enqueue` looks at the arguments, so nothing else may queue; the supervisor's heartbeat takes none."""
    queueing = {
        path.relative_to(ROOM.parent).as_posix()
        for path in ROOM.parent.rglob("*.py")
        if "async_task" in path.read_text() or "Schedule.objects.create" in path.read_text()
    }
    assert queueing == {"jobs/running.py", "jobs/schedules.py", "supervisor.py"}


@pytest.mark.parametrize(
    "value",
    ["Jane Doe", "jane@example.org", True, 1.5, None, "2026-03-10", datetime(2026, 1, 1)],  # noqa: DTZ001
)
def test_arguments_are_ids_lanes_and_instants_alone(db: None, value: Any) -> None:
    with pytest.raises(TypeError):
        jobs.enqueue("run_recount", value, group="x")
    with pytest.raises(TypeError):
        jobs.enqueue("run_recount", group="x")
    assert not OrmQ.objects.exists()


def test_the_queues_own_admin_is_not_there() -> None:
    assert not apps.is_installed("django.contrib.admin")


def test_admins_of_a_notice_are_found_by_role_and_by_office(workspace: Workspace) -> None:
    for name, role in (("ada", Role.ADMIN), ("marc", Role.MANAGER)):
        Membership.objects.create(user=User.objects.create(username=name), workspace=workspace, role=role)
    User.objects.create(username="root", is_superuser=True)
    User.objects.create(username="gone", is_superuser=True, is_active=False)
    assert [person.username for person in notes.admins()] == ["ada", "root"]
