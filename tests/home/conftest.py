"""The stage of My day's tests: an officer whose Dastra user is known by the e-mail address, in one workspace or several."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone

from dsrportal.models import DataSubjectRequest, Lane, Membership, Operator, Role, SyncLane, User, Workspace
from tests.conftest import MakeWorkspace

MakeDsr = Callable[..., DataSubjectRequest]
MakePlace = Callable[..., Workspace]
PARIS = ZoneInfo("Europe/Paris")


@pytest.fixture
def today(now: datetime) -> date:
    """The day in the tests' workspaces."""
    return now.astimezone(PARIS).date()


@pytest.fixture
def olivia(workspace: Workspace, officer: User) -> User:
    """The officer with an address, who is Dastra's user 70 of the workspace; it was read a minute ago."""
    User.objects.filter(pk=officer.pk).update(email="olivia@example.org")
    officer.refresh_from_db()
    Operator.objects.create(
        workspace=workspace, upstream_id=70, display_name="Olivia Martin", email="Olivia@example.org"
    )
    Operator.objects.create(workspace=workspace, upstream_id=71, display_name="Luc Bernard", email="luc@example.org")
    read_now(workspace)
    return officer


@pytest.fixture
def reader(client: Client, olivia: User) -> Client:
    """Olivia's browser."""
    client.force_login(olivia)
    return client


@pytest.fixture
def make_place(make_workspace: MakeWorkspace, olivia: User) -> MakePlace:
    """A function that stores another workspace of Olivia, with a Dastra user for her."""
    numbers = count(500)

    def make(slug: str, *, role: Role = Role.OFFICER) -> Workspace:
        place = make_workspace(slug, upstream_id=next(numbers))
        Membership.objects.create(user=olivia, workspace=place, role=role)
        Operator.objects.create(
            workspace=place, upstream_id=next(numbers), display_name="Olivia Martin", email=olivia.email
        )
        read_now(place)
        return place

    return make


@pytest.fixture
def make_dsr(workspace: Workspace, now: datetime) -> MakeDsr:
    """A function that stores a request that runs until `due` (a day); `paused`, `unknown`, `extended`, or `user` (70 unless told; None for nobody)."""
    numbers = count(1001)

    def make(due: date | None = None, **fields: Any) -> DataSubjectRequest:
        place = fields.pop("workspace", workspace)
        user = fields.pop("user", 70 if place == workspace else "own")
        known = Operator.objects.filter(workspace=place)
        operator = None if user is None else known.get() if user == "own" else known.get(upstream_id=user)
        paused = fields.pop("paused", None)
        number = next(numbers)
        return DataSubjectRequest.objects.create(
            **{
                "workspace": place,
                "upstream_id": number,
                "reference": f"REF{number}",
                "state": "Processing",
                "operator": operator,
                "purposes": "|Access|",
                "received_on": now.date() - timedelta(days=20),
                "created_at": now - timedelta(days=20),
                "updated_at": now - timedelta(days=10),
                "clock_at": now,
                "respond_by": None if paused else due,
                "extend_by": due,
                "without_pauses": due,
                "paused_since": paused,
                "clock_on": due or DataSubjectRequest.NO_DAY,
                "mirrored_at": now,
                "sequence": 1,
                "digest": b"",
                **fields,
            }
        )

    return make


def read_now(workspace: Workspace, *, age: timedelta = timedelta(minutes=1), error: str = "") -> None:
    """The workspace was read so long ago."""
    at = timezone.now() - age
    SyncLane.objects.update_or_create(
        workspace=workspace,
        lane=Lane.ACTIVE,
        defaults={"last_success_at": at, "last_attempt_at": timezone.now() if error else at, "last_error": error},
    )


def noon(day: date) -> datetime:
    """A moment of a day in Paris."""
    return datetime.combine(day, time(12), tzinfo=PARIS)
