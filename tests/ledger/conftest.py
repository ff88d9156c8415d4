"""The stage of the ledger's tests: one request of Tuesday 10 February 2026 in France, due on Tuesday 10 March, and the days around it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from dsrportal.actions import ledger
from dsrportal.models import DataSubjectRequest, Extension, Pause, Refusal, User, Workspace
from dsrportal.models.ledger import ExtensionGround, PauseReason, RefusalGround
from tests.legal import with_legal_dates

MakeDsr = Callable[..., DataSubjectRequest]
RECEIVED = datetime(2026, 2, 10, 9, tzinfo=UTC)


def noon(month: int, day: int) -> datetime:
    """The middle of a day of 2026."""
    return datetime(2026, month, day, 12, tzinfo=UTC)


@pytest.fixture
def make_dsr(workspace: Workspace) -> MakeDsr:
    """A function that stores a request of 10 February 2026; Dastra's date is 12 March."""
    numbers = iter(range(1, 1000))

    def make(**fields: Any) -> DataSubjectRequest:
        expires_at = fields.pop("expires_at", noon(3, 12))
        values = {
            "workspace": workspace,
            "upstream_id": next(numbers),
            "reference": "DSR-2026-0104",
            "state": "Processing",
            "received_at": RECEIVED,
            "updated_at": RECEIVED,
            "expires_at": expires_at,
            "clock_at": expires_at or noon(12, 31),
            "mail_validated": True,
            "mirrored_at": RECEIVED,
            "sequence": 1,
            "digest": b"",
        }
        dsr = with_legal_dates(DataSubjectRequest(**{**values, **fields}))
        dsr.save()
        dsr.refresh_from_db()
        return dsr

    return make


@pytest.fixture
def dsr(make_dsr: MakeDsr) -> DataSubjectRequest:
    """One of them."""
    return make_dsr()


def pause(dsr: DataSubjectRequest, *, asked_on: date, by: User, now: datetime, **changes: Any) -> Pause:
    """A pause for proof of identity."""
    values = {"action_id": uuid.uuid4(), "reason": PauseReason.IDENTITY, **changes}
    return ledger.pause(dsr, asked_on=asked_on, by=by, now=now, **values)


def resume(dsr: DataSubjectRequest, *, answered_on: date, by: User, now: datetime, **changes: Any) -> Pause:
    """The person's answer."""
    return ledger.resume(dsr, answered_on=answered_on, by=by, now=now, **{"action_id": uuid.uuid4(), **changes})


def extend(dsr: DataSubjectRequest, *, notice_on: date, by: User, now: datetime, **changes: Any) -> Extension:
    """An extension for complexity."""
    values = {
        "action_id": uuid.uuid4(),
        "ground": ExtensionGround.COMPLEXITY,
        "text": "Three systems. Letter 42.",
        **changes,
    }
    return ledger.extend(dsr, notice_on=notice_on, by=by, now=now, **values)


def refuse(dsr: DataSubjectRequest, *, notice_on: date, by: User, now: datetime, **changes: Any) -> Refusal:
    """A refusal for excess."""
    values = {"action_id": uuid.uuid4(), "ground": RefusalGround.EXCESSIVE, "text": "The fifth this month.", **changes}
    return ledger.refuse(dsr, notice_on=notice_on, by=by, now=now, **values)
