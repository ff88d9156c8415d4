"""Rows and people for the tests of alerts: requests with legal dates that a test chooses, straight into the mirror's tables."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from dsrportal.models import DataSubjectRequest, Membership, Operator, Role, User, Workspace

PARIS = ZoneInfo("Europe/Paris")


def at(day: date, hour: int = 9, minute: int = 0) -> datetime:
    """An instant of a day in Paris."""
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=PARIS)


def make_dsr(workspace: Workspace, upstream_id: int, *, respond_by: date | None, **fields: Any) -> DataSubjectRequest:
    """Store an open request that is due on `respond_by`."""
    wanted: dict[str, Any] = {
        "reference": f"DSR-{upstream_id}",
        "state": "Processing",
        "respond_by": respond_by,
        "extend_by": respond_by,
        "without_pauses": respond_by,
        "clock_on": respond_by or DataSubjectRequest.NO_DAY,
        "clock_at": datetime(2026, 1, 1, tzinfo=UTC),
        "mirrored_at": datetime(2026, 1, 1, tzinfo=UTC),
        "sequence": 1,
        "digest": upstream_id.to_bytes(16, "big"),
    }
    return DataSubjectRequest.objects.create(workspace=workspace, upstream_id=upstream_id, **(wanted | fields))


def make_member(username: str, *, workspace: Workspace, role: Role, email: str | None = None) -> User:
    """Store an account with an address, without a password."""
    address = f"{username}@example.org" if email is None else email
    user = User.objects.create(username=username, email=address)
    Membership.objects.create(user=user, workspace=workspace, role=role)
    return user


def make_operator(workspace: Workspace, *, email: str, upstream_id: int = 50) -> Operator:
    """Store a Dastra user."""
    return Operator.objects.create(
        workspace=workspace, upstream_id=upstream_id, display_name="Luc Bernard", email=email
    )
