"""The states that rows show and that SQL filters by are those of the engine, for any facts on any day; and filters are served by an index."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection

from dsrportal.clocks import Clocks, Extension, Pause, Policy, Profile, Refusal, State, compute
from dsrportal.mirror.legal import Ledger, Rules, facts_of, legal_fields
from dsrportal.models import DataSubjectRequest, Workspace
from dsrportal.queries import clock_state
from dsrportal.queries.register_filters import RegisterFilters, condition
from dsrportal.queries.register_sorts import SORTS, order_by

PARIS = ZoneInfo("Europe/Paris")
LONGEST_AGO = 120
TODAYS = (date(2026, 2, 27), date(2026, 4, 3), date(2026, 4, 30), date(2026, 5, 4))
MANY = 5000


def some_ledger(chance: random.Random, *, received_on: date, today: date) -> Ledger:
    """Any pauses, extension and refusal, in time and late; nothing that is still to come."""

    def day(longest: int) -> date:
        return min(received_on + timedelta(days=chance.randint(0, longest)), today)

    pauses = []
    if chance.random() < 0.4:
        asked_on = day(28)
        pauses.append(
            Pause(asked_on=asked_on, answered_on=min(asked_on + timedelta(days=chance.randint(0, 20)), today))
        )
    if chance.random() < 0.3:
        pauses.append(Pause(asked_on=day(40)))
    return Ledger(
        pauses=tuple(pauses),
        extension=Extension(notice_on=day(40), has_ground=True) if chance.random() < 0.3 else None,
        refusal=Refusal(notice_on=day(50)) if chance.random() < 0.2 else None,
    )


def make_rows(
    workspace: Workspace, *, count: int, policy: Policy, today: date, target_days: int | None = None
) -> list[tuple[DataSubjectRequest, Ledger]]:
    """Rows of every kind with their ledgers; stored, with the legal dates of the store's own function."""
    chance = random.Random(7)
    rules = Rules(policy=policy, zone=PARIS, number=1, target_days=target_days)
    first = datetime(today.year, today.month, today.day, 10, tzinfo=UTC) - timedelta(days=LONGEST_AGO)
    made = []
    for number in range(count):
        received_at = None if chance.random() < 0.05 else first + timedelta(hours=chance.randint(0, 24 * LONGEST_AGO))
        is_closed = chance.random() < 0.2
        expires_at = None if chance.random() < 0.1 else first + timedelta(days=chance.randint(20, 150))
        row = DataSubjectRequest(
            workspace=workspace,
            upstream_id=number + 1,
            state="Closed" if is_closed else "Processing",
            received_at=received_at,
            expires_at=expires_at,
            clock_at=expires_at or first,
            closed_at=first + timedelta(days=LONGEST_AGO) if is_closed and chance.random() < 0.9 else None,
            mirrored_at=first,
            sequence=1,
            digest=b"",
        )
        ledger = some_ledger(chance, received_on=(received_at or first).astimezone(PARIS).date(), today=today)
        for name, value in legal_fields(row, ledger=ledger, rules=rules).items():
            setattr(row, name, value)
        made.append((row, ledger))
    DataSubjectRequest.objects.bulk_create(row for row, _ledger in made)
    by_upstream_id = {row.upstream_id: row for row in DataSubjectRequest.objects.filter(workspace=workspace)}
    return [(by_upstream_id[row.upstream_id], ledger) for row, ledger in made]


def names_of(clocks: Clocks, *, row: DataSubjectRequest, today: date) -> Iterator[str]:
    """The filters that the engine's answer belongs to."""
    if row.is_closed:
        return
    if clocks.state == State.UNKNOWN:
        yield "unknown"
        return
    if clocks.decide_extension:
        yield "extend"
    if clocks.state == State.PAUSED:
        yield "paused"
        return
    if clocks.overdue:
        yield "overdue"
        return
    if clocks.respond_by == today:
        yield "today"
    for name, days in clock_state.WITHIN.items():
        if clocks.working_days_left is not None and clocks.working_days_left <= days:
            yield name


@pytest.mark.parametrize("profile", [Profile.GDPR, Profile.CCPA, Profile.UPSTREAM])
@pytest.mark.parametrize("today", TODAYS)
def test_rows_and_filters_say_what_the_engine_says(workspace: Workspace, profile: Profile, today: date) -> None:
    Workspace.objects.filter(pk=workspace.pk).update(profile=profile)
    workspace.refresh_from_db()
    policy = Policy(profile=profile)
    rows = make_rows(workspace, count=250, policy=policy, today=today)
    now = datetime(today.year, today.month, today.day, 21, 59, tzinfo=UTC) - timedelta(hours=1)
    expected: dict[str, set[int]] = {name: set() for name in clock_state.CLOCKS}
    later = set()
    for row, ledger in rows:
        clocks = compute(facts_of(row, ledger=ledger, zone=PARIS), policy=policy, today=today)
        found = clock_state.standing(clock_state.columns_of(row), policy=policy, today=today)
        if row.is_closed:
            assert found.state in {State.CLOSED, State.CLOSED_EARLY, State.CLOSED_LATE}
            assert row.late_days == clocks.days_late or row.closed_at is None
        else:
            assert (found.state, found.decides_extension) == (clocks.state, clocks.decide_extension)
            if clocks.state != State.PAUSED:
                event = clocks.next_event
                assert (found.event_on, found.days_left) == (event.on if event else None, clocks.days_left)
                assert event is None or found.event == event.kind
        for name in names_of(clocks, row=row, today=today):
            expected[name].add(row.upstream_id)
        if clock_state.is_upstream_later(clock_state.columns_of(row)):
            later.add(row.upstream_id)
    for name, wanted in expected.items():
        assert asked(workspace, RegisterFilters(clocks=(name,)), now=now) == wanted, name
    assert asked(workspace, RegisterFilters(later=True), now=now) == later
    two = RegisterFilters(clocks=("overdue", "paused"))
    assert asked(workspace, two, now=now) == expected["overdue"] | expected["paused"], "names join with or"
    assert any(expected.values())


def asked(workspace: Workspace, filters: RegisterFilters, *, now: datetime) -> set[int]:
    rows = DataSubjectRequest.objects.filter(condition(workspace=workspace, filters=filters, search=None, now=now))
    return set(rows.values_list("upstream_id", flat=True))


def test_an_open_pause_needs_no_new_dates_as_days_pass(workspace: Workspace) -> None:
    """Whatever day it is computed on, the row's columns are the same: nothing that time changes is stored."""
    policy = Policy()
    for row, ledger in make_rows(workspace, count=60, policy=policy, today=TODAYS[0]):
        rules = Rules(policy=policy, zone=PARIS, number=1)
        again = legal_fields(row, ledger=ledger, rules=rules)
        assert all(getattr(row, name) == value for name, value in again.items())


def test_filters_and_the_order_by_the_clock_are_served_by_an_index(workspace: Workspace) -> None:
    make_rows(workspace, count=MANY, policy=Policy(), today=TODAYS[1])
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    now = datetime(2026, 4, 3, 10, tzinfo=UTC)
    for filters in (
        RegisterFilters(),
        *(RegisterFilters(clocks=(name,)) for name in clock_state.CLOCKS),
        RegisterFilters(later=True),
        RegisterFilters(unexplained=True),
    ):
        found = condition(workspace=workspace, filters=filters, search=None, now=now)
        rows = DataSubjectRequest.objects.filter(found)
        plan = rows.order_by(*order_by(SORTS["clock"], ascending=True)).values("pk")[:50].explain()
        assert "dsr_" in plan, f"{filters.clocks}: {plan}"
        assert "Seq Scan" not in plan, f"{filters.clocks}: {plan}"
        assert "SCAN dsrportal_datasubjectrequest\n" not in f"{plan}\n", f"{filters.clocks}: {plan}"
