"""What is done and asked inside the portal that is killed, by the warm process: functions of plain values, in and out."""

from __future__ import annotations

import io
import json
import random
import time
import uuid
from collections import Counter
from typing import Any

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.core.management import call_command
from django.db import OperationalError, connection
from django.db.models import Count
from django.utils import timezone

from dsrportal import credentials, jobs
from dsrportal.actions import outbox
from dsrportal.models import (
    AuditEvent,
    DataSubjectRequest,
    Membership,
    OutboxEntry,
    Role,
    SyncRun,
    User,
    WorkflowStep,
    Workspace,
)
from dsrportal.models.outbox import OPEN_STATES, WishKind
from dsrportal.models.runs import SyncOutcome
from dsrportal.queries import board_version
from tests.mirror import truth

SLUG = "acme"
PEOPLE = ("olivia", "oscar")


def prepare(*, base_url: str, secret: str) -> dict[str, str]:
    """Store the workspace and two officers of it; the session key of each."""
    now = timezone.now()
    workspace = Workspace(
        slug=SLUG, name="Acme", upstream_id=101, base_url=base_url, created_at=now, secret_changed_at=now
    )
    workspace.set_secret(secret)
    workspace.set_search_key(credentials.new_search_key())
    workspace.save()
    return {username: _signed_in(username, workspace=workspace) for username in PEOPLE}


def _signed_in(username: str, *, workspace: Workspace) -> str:
    user = User.objects.create_user(username=username, password=None)
    Membership.objects.create(user=user, workspace=workspace, role=Role.OFFICER)
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return str(session.session_key)


def click(*, upstream_id: int, step: int, action_id: str, by: str = PEOPLE[0]) -> int:
    """Keep the wish to move a request, without an undo window, and send nothing: the page was closed. The wish's number."""
    dsr = DataSubjectRequest.objects.select_related("workspace", "step").get(upstream_id=upstream_id)
    entry = outbox.wish(
        action_id=uuid.UUID(action_id),
        kind=WishKind.MOVE,
        dsr=dsr,
        step=WorkflowStep.objects.get(workspace=dsr.workspace, upstream_id=step),
        by=User.objects.get(username=by),
        seen_step_upstream_id=dsr.step.upstream_id if dsr.step else None,
        seen_updated_at=dsr.updated_at,
        now=timezone.now(),
        hold_seconds=0,
    )
    return entry.pk


def queue_pulls(*, full: bool) -> None:
    """What the timetable does."""
    if full:
        jobs.pull_full()
    else:
        jobs.pull_active()


def open_wishes() -> int:
    """How many wait for an end."""
    return outbox.open_count()


def facts() -> dict[str, Any]:
    """All that a judge wants to know of the database, as JSON."""
    workspace = Workspace.objects.get(slug=SLUG)
    now = timezone.now()
    lines = Counter(event.details.get("wish") for event in AuditEvent.objects.exclude(outcome="unknown"))
    left = (workspace.lease_until - now).total_seconds() if workspace.lease_until else 0.0
    repeated = DataSubjectRequest.objects.values("upstream_id").annotate(count=Count("pk")).filter(count__gt=1)
    return {
        "wishes": [
            {
                "pk": entry.pk,
                "action_id": str(entry.action_id),
                "upstream_id": entry.upstream_id,
                "state": entry.state,
                "reason": entry.reason,
                "step": entry.step_upstream_id,
                "seen_step": entry.seen_step_upstream_id,
                "is_open": entry.state in OPEN_STATES,
                "audit_lines": lines[entry.pk],
            }
            for entry in OutboxEntry.objects.order_by("pk")
        ],
        "lease_seconds": left,
        "running": SyncRun.objects.filter(workspace=workspace, outcome=SyncOutcome.RUNNING).count(),
        "counters": truth.counters_are_right(workspace),
        "repeated": list(repeated.values_list("upstream_id", flat=True)),
        "integrity": _integrity(),
        "mirror": truth.mirror(workspace),
        "hold": workspace.hold,
    }


def _integrity() -> str:
    """`ok`, or what is broken."""
    with connection.cursor() as cursor:
        if connection.vendor != "sqlite":
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            return "ok"
        cursor.execute("PRAGMA integrity_check")
        found = [row[0] for row in cursor.fetchall()]
        cursor.execute("PRAGMA foreign_key_check")
        return "; ".join(found + [f"foreign key of {row[0]}" for row in cursor.fetchall()]).removesuffix("; ")


def write_much(*, times: int, ids: list[int], number: int) -> dict[str, Any]:
    """One writer: wish, take it back, record, over and over; what went wrong, and how long each write took, in seconds."""
    chooser = random.Random(number)
    user = User.objects.get(username=PEOPLE[0])
    workspace = Workspace.objects.get(slug=SLUG)
    steps = list(WorkflowStep.objects.filter(workspace=workspace))
    errors: list[str] = []
    took: list[float] = []
    for _time in range(times):
        dsr = DataSubjectRequest.objects.select_related("workspace", "step").get(upstream_id=chooser.choice(ids))
        step = chooser.choice([one for one in steps if one.pk != dsr.step_id])
        began = time.perf_counter()
        try:
            entry = outbox.wish(
                action_id=uuid.uuid4(),
                kind=WishKind.MOVE,
                dsr=dsr,
                step=step,
                by=user,
                seen_step_upstream_id=dsr.step.upstream_id if dsr.step else None,
                seen_updated_at=dsr.updated_at,
                now=timezone.now(),
                hold_seconds=3600,
            )
            took.append(time.perf_counter() - began)
            if not outbox.undo(entry, by=user, now=timezone.now()):
                errors.append("an undo was lost")
        except OperationalError as error:
            errors.append(str(error))
    return {"errors": errors, "took": took, "done": len(took)}


def read_much(*, times: int) -> dict[str, Any]:
    """One reader: the board's sign of change and the mirror, over and over."""
    errors: list[str] = []
    user = User.objects.get(username=PEOPLE[0])
    for _time in range(times):
        try:
            board_version.of_workspace(SLUG, viewer=user)
            call_command("dump_mirror", SLUG, stdout=io.StringIO())
        except OperationalError as error:
            errors.append(str(error))
    return {"errors": errors, "took": [], "done": times}


def store_much(*, times: int) -> dict[str, Any]:
    """Full pulls, over and over, beside the writers."""
    errors = []
    for _time in range(times):
        out = io.StringIO()
        call_command("sync", SLUG, "--full", "--json", stdout=out)
        if not json.loads(out.getvalue())["seen"]:
            errors.append(out.getvalue())
    return {"errors": errors, "took": [], "done": times}
