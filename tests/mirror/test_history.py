"""What reads change is kept: steps, and Dastra's dates with what accounts for them; a closed request's verdict stands whatever is read later."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.utils import timezone

from dsrportal.mirror import store
from dsrportal.models import (
    AddedHoliday,
    DataSubjectRequest,
    DateChange,
    Extension,
    OutboxEntry,
    StepChange,
    User,
    Workspace,
)
from dsrportal.models.outbox import WishKind, WishState
from tests.mirror.test_store import made, put


def at(month: int, day: int) -> datetime:
    """Nine o'clock on a day of 2026."""
    return datetime(2026, month, day, 9, tzinfo=UTC)


BASE: dict[str, Any] = {"received_at": at(2, 10), "expires_at": at(3, 12), "complex": False}


def read(workspace: Workspace, **changes: Any) -> DataSubjectRequest:
    """One read of request 1 -> its row."""
    put(workspace, made(1, **{**BASE, **changes}))
    return DataSubjectRequest.objects.get(workspace=workspace, upstream_id=1)


def test_a_read_gives_a_row_its_legal_dates(workspace: Workspace) -> None:
    row = read(workspace)
    assert (row.received_on, row.respond_by, row.extend_by) == (date(2026, 2, 10), date(2026, 3, 10), date(2026, 3, 10))
    assert (row.upstream_due_on, row.clock_on, row.clock_rank) == (date(2026, 3, 12), date(2026, 3, 10), row.RUNNING)
    row = read(workspace, received_at=None, created_at=at(2, 11))
    assert row.received_on == date(2026, 2, 10), "what is known of the receipt stays"
    undated = made(2, created_at=at(2, 11))
    put(workspace, undated)
    row = DataSubjectRequest.objects.get(upstream_id=2)
    assert (row.received_on, row.is_receipt_from_creation) == (date(2026, 2, 11), True)
    put(workspace, made(3))
    row = DataSubjectRequest.objects.get(upstream_id=3)
    assert (row.respond_by, row.clock_rank, row.clock_on) == (None, row.NEEDS_DATA, row.NO_DAY)


@pytest.mark.parametrize(("instant", "received_on"), [("21:59", date(2026, 4, 1)), ("22:00", date(2026, 4, 2))])
def test_receipt_is_a_day_of_the_workspaces_zone(workspace: Workspace, instant: str, received_on: date) -> None:
    hour, minute = map(int, instant.split(":"))
    row = read(workspace, received_at=at(4, 1).replace(hour=hour, minute=minute))
    assert row.received_on == received_on


def test_the_last_hours_of_the_calendar_have_no_day_and_do_no_harm(workspace: Workspace) -> None:
    row = read(workspace, expires_at=datetime(9999, 12, 31, 23, 30, tzinfo=UTC))
    assert (row.upstream_due_on, row.respond_by) == (None, date(2026, 3, 10))


def test_a_country_without_known_holidays_stops_no_read(workspace: Workspace) -> None:
    Workspace.objects.filter(pk=workspace.pk).update(country="ZZ")
    assert read(workspace).respond_by is None


def test_a_step_change_is_kept_once_and_without_a_name(workspace: Workspace) -> None:
    read(workspace)
    read(workspace, step=2)
    read(workspace, step=2)
    lines = StepChange.objects.values_list(
        "upstream_id", "from_step_upstream_id", "to_step_upstream_id", "dsr__reference"
    )
    assert list(lines) == [(1, 1, 2, "REF1")]
    line = StepChange.objects.get()
    assert line.sequence == DataSubjectRequest.objects.get().sequence
    store.forget_requests(workspace, {1: store.next_sequence(workspace)}, now=timezone.now())
    line.refresh_from_db()
    assert (line.dsr, line.upstream_id) == (None, 1), "a count of last year stays what it was"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, ""),
        ({"complex": True}, "complex"),
        ({"received_at": at(2, 12)}, "receipt"),
        ({"state": "Closed", "closed_at": at(3, 6)}, "closing"),
    ],
)
def test_another_date_is_unexplained_unless_something_accounts_for_it(
    workspace: Workspace, changes: dict[str, Any], reason: str
) -> None:
    read(workspace)
    row = read(workspace, expires_at=at(4, 12), **changes)
    change = DateChange.objects.get()
    assert (change.from_at, change.to_at, change.reason) == (at(3, 12), at(4, 12), reason)
    assert row.has_unexplained_change == (reason == "")


def test_a_first_date_is_no_change(workspace: Workspace) -> None:
    read(workspace, expires_at=None)
    assert not read(workspace).has_unexplained_change
    assert DateChange.objects.get().reason == "first"


def test_a_date_that_was_wished_from_here_or_an_extension_is_explained(workspace: Workspace, officer: User) -> None:
    row = read(workspace)
    common = {"workspace": workspace, "dsr": row, "by": officer, "action_id": uuid.uuid4()}
    OutboxEntry.objects.create(
        **common,
        upstream_id=1,
        kind=WishKind.EXTEND,
        state=WishState.SENDING,
        wanted={"expires": "2026-04-12T09:00:00Z"},
        created_at=at(3, 1),
        not_before=at(3, 1),
    )
    assert not read(workspace, expires_at=at(4, 12)).has_unexplained_change
    Extension.objects.create(
        **{**common, "action_id": uuid.uuid4()}, at=at(3, 1), ground="complexity", notice_on=at(3, 1).date()
    )
    row = read(workspace, expires_at=at(5, 11))
    assert not row.has_unexplained_change
    assert row.respond_by == date(2026, 5, 11)
    assert list(DateChange.objects.values_list("reason", flat=True)) == ["here", "extension"]


def test_a_later_read_leaves_an_unexplained_change_marked(workspace: Workspace) -> None:
    read(workspace)
    read(workspace, expires_at=at(4, 12))
    assert read(workspace, expires_at=at(4, 12), message_count=3).has_unexplained_change


def test_a_verdict_stands_until_dastra_tells_otherwise(workspace: Workspace) -> None:
    closing = {"state": "Closed", "closed_at": at(3, 11)}
    row = read(workspace, **closing)
    assert (row.late_days, row.clock_rank) == (1, row.CLOSED)
    AddedHoliday.objects.create(workspace=workspace, on=date(2026, 3, 10))
    Workspace.objects.filter(pk=workspace.pk).update(rules_number=2)

    row = read(workspace, **closing, message_count=1)
    assert (row.late_days, row.respond_by, row.rules_number) == (1, date(2026, 3, 10), 1)
    row = read(workspace, **{**closing, "closed_at": at(3, 12)}, message_count=1)
    assert (row.late_days, row.respond_by, row.rules_number) == (1, date(2026, 3, 11), 2)
    row = read(workspace, message_count=2)
    assert (row.late_days, row.clock_rank) == (None, row.RUNNING), "opened again, it has none"
