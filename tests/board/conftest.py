"""The stage of the board's tests: rows as the mirror would store them, made without a server."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from django.utils import timezone

from dsrportal import credentials
from dsrportal.clocks import Profile
from dsrportal.models import DataSubjectRequest, Lane, SyncLane, WorkflowStep, Workspace
from dsrportal.models.requests import identity_context
from tests.legal import with_legal_dates

MakeStep = Callable[..., WorkflowStep]
MakeDsrs = Callable[..., list[DataSubjectRequest]]
FAR_FUTURE = datetime.fromisoformat(DataSubjectRequest.FAR_FUTURE)


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def fresh(workspace: Workspace) -> SyncLane:
    """The workspace was read a minute ago."""
    a_minute_ago = timezone.now() - timedelta(minutes=1)
    return SyncLane.objects.create(
        workspace=workspace, lane=Lane.ACTIVE, last_attempt_at=a_minute_ago, last_success_at=a_minute_ago
    )


@pytest.fixture
def make_step(workspace: Workspace) -> MakeStep:
    """A function that stores a step; `final=True` makes it a closing."""
    numbers = count(1)

    def make(label: str, *, final: bool = False, **fields: Any) -> WorkflowStep:
        number = next(numbers)
        return WorkflowStep.objects.create(
            workspace=fields.pop("workspace", workspace),
            upstream_id=fields.pop("upstream_id", number),
            label=label,
            position=number,
            color="#1E8EE1",
            is_final=final,
            mapped_state="Closed" if final else "Processing",
            **fields,
        )

    return make


@pytest.fixture
def make_dsrs(workspace: Workspace) -> MakeDsrs:
    """A function that stores `number` requests in a step and counts them there; their clocks are a day apart, from `first_due`: Dastra's date
    is made the legal one."""
    numbers = count(1001)

    def make(step: WorkflowStep | None, number: int, **fields: Any) -> list[DataSubjectRequest]:
        now = timezone.now()
        first_due = fields.pop("first_due", now + timedelta(days=1))
        is_closed = step is not None and step.is_final
        rows = []
        for position in range(number):
            upstream_id = next(numbers)
            due = None if first_due is None else first_due + timedelta(days=position)
            rows.append(
                DataSubjectRequest(
                    **{
                        "workspace": workspace,
                        "upstream_id": upstream_id,
                        "reference": f"REF{upstream_id}",
                        "state": "Closed" if is_closed else "Processing",
                        "step": step,
                        "purposes": "|Access|Erasure|",
                        "received_at": now - timedelta(days=20),
                        "updated_at": now - timedelta(days=2),
                        "expires_at": due,
                        "clock_at": due or FAR_FUTURE,
                        "closed_at": now - timedelta(days=position) if is_closed else None,
                        "mail_validated": True,
                        "identity_sealed": credentials.seal_fields(
                            {"given_name": "Zoé", "family_name": "Martin", "email": "zoe@example.org", "title": "x"},
                            context=identity_context(workspace_id=workspace.pk, upstream_id=upstream_id),
                        ),
                        "mirrored_at": now,
                        "sequence": 1,
                        "digest": b"",
                        **fields,
                    }
                )
            )
        made = DataSubjectRequest.objects.bulk_create(with_legal_dates(row, profile=Profile.UPSTREAM) for row in rows)
        if step is not None:
            live = DataSubjectRequest.objects.filter(step=step, archived=False).count()
            WorkflowStep.objects.filter(pk=step.pk).update(live_count=live)
            step.live_count = live
        return made

    return make


@pytest.fixture
def noon() -> datetime:
    """A moment in the middle of a day, far from midnight in any zone of the tests."""
    return datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
