"""The counts that are kept with the rows are those that a count of the rows gives, whatever happens; and where they are not, the night mends and says it."""

from __future__ import annotations

import logging
import random
import uuid
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django_q.models import OrmQ

from dsrportal import jobs
from dsrportal.dastra import schema
from dsrportal.mirror import figures, reckoning, store
from dsrportal.models import DataSubjectRequest, Extension, Pause, Tally, TallyCheck, User, Workspace
from dsrportal.models.ledger import ExtensionGround, PauseReason
from tests.conftest import MakeWorkspace

NOW = datetime(2026, 4, 30, 9, tzinfo=UTC)
STEPS = {n: schema.WorkflowStep(upstream_id=n, label=f"Step {n}", position=n, mapped_state="Open") for n in (1, 2, 3)}
PEOPLE = {n: schema.Operator(upstream_id=n, display_name=f"Person {n}") for n in (50, 51)}
RIGHTS = ("Access", "Erasure", "Opposition")


def told(chance: random.Random, upstream_id: int) -> schema.DataSubjectRequest:
    """A request as Dastra might tell it, with gaps."""
    person = chance.choice([None, *PEOPLE.values()])
    received_at = NOW - timedelta(days=chance.randint(0, 100))
    is_closed = chance.random() < 0.4
    values: dict[str, Any] = {
        "reference": f"REF{upstream_id}",
        "state": "Closed" if is_closed else "Open",
        "closed_at": received_at + timedelta(days=chance.randint(0, 60)) if is_closed else None,
        "received_at": received_at if chance.random() < 0.9 else None,
        "archived": chance.random() < 0.2,
        "purposes": tuple(chance.sample(RIGHTS, chance.randint(0, 3))),
    }
    if person is not None:
        values |= {"operator": person, "operator_upstream_id": person.upstream_id}
    if chance.random() < 0.8:
        step = chance.choice(list(STEPS.values()))
        values |= {"step": step, "step_upstream_id": step.upstream_id}
    return schema.DataSubjectRequest(upstream_id=upstream_id, **values)


@pytest.mark.parametrize("seed", range(3))
def test_the_counts_follow_whatever_happens_to_the_rows(workspace: Workspace, officer: User, seed: int) -> None:
    chance = random.Random(seed)
    now = NOW
    for _round in range(16):
        now += timedelta(days=chance.randint(0, 9), hours=chance.randint(0, 23))
        ids = chance.sample(range(1, 13), 6)
        deed = chance.choice(("read", "read", "read", "late read", "forget", "pause", "extend", "rules"))
        number = store.next_sequence(workspace)
        if deed in {"read", "late read"}:
            number -= 3 if deed == "late read" else 0
            store.store_requests(workspace, [told(chance, i) for i in ids], sequence=number, now=now)
        elif deed == "forget":
            store.forget_requests(workspace, dict.fromkeys(ids[:3], number), now=now)
        elif deed == "rules":
            Workspace.objects.filter(pk=workspace.pk).update(
                country=chance.choice(["FR", "BE", "XX"]),
                time_zone=chance.choice(["Europe/Paris", "Pacific/Auckland"]),
                rules_number=number,
            )
            workspace.refresh_from_db()
            reckoning.restate(workspace, now=now)
        else:
            write_down(deed, workspace=workspace, by=officer, chance=chance)
        assert figures.differing(workspace) == set(), deed
    assert Tally.objects.filter(workspace=workspace, kind="step").exists()
    assert not Tally.objects.filter(count__lte=0).exists()


def write_down(deed: str, *, workspace: Workspace, by: User, chance: random.Random) -> None:
    """Record a pause or an extension of a request that has none, as the actions do."""
    free = DataSubjectRequest.objects.filter(workspace=workspace, pauses=None, extensions=None).first()
    if free is None:
        return
    entry: dict[str, Any] = {"action_id": uuid.UUID(int=chance.getrandbits(128)), "workspace": workspace, "dsr": free}
    day = (free.received_on or NOW.date()) + timedelta(days=chance.randint(0, 40))
    with transaction.atomic():
        reckoning.lock(workspace.pk)
        if deed == "pause":
            Pause.objects.create(reason=PauseReason.IDENTITY, asked_on=day, by=by, at=NOW, **entry)
        else:
            Extension.objects.create(ground=ExtensionGround.NUMBER, notice_on=day, by=by, at=NOW, **entry)
        reckoning.reckon(free)


def test_a_read_that_changes_nothing_counts_nothing_twice(workspace: Workspace) -> None:
    page = [told(random.Random(5), upstream_id) for upstream_id in range(1, 20)]
    for _again in range(2):
        store.store_requests(workspace, page, sequence=store.next_sequence(workspace), now=NOW)
    assert figures.differing(workspace) == set()


def test_time_in_a_step_is_counted_from_what_the_mirror_saw(workspace: Workspace) -> None:
    for step, day in ((1, 0), (2, 3), (3, 10)):
        dsr = schema.DataSubjectRequest(
            upstream_id=1, state="Open", step=STEPS[step], step_upstream_id=step, received_at=NOW
        )
        number = store.next_sequence(workspace)
        store.store_requests(workspace, [dsr], sequence=number, now=NOW + timedelta(days=day))
    left = Tally.objects.filter(workspace=workspace, kind="step").values_list("group", "day", "days", "count")
    # When it came into its first step nobody saw; the second one took a week.
    assert list(left) == [("2", date(2026, 5, 1), 7, 1)]


def test_a_wrong_count_is_mended_at_night_and_said(workspace: Workspace, caplog: pytest.LogCaptureFixture) -> None:
    page = [told(random.Random(seed), seed) for seed in range(1, 20)]
    store.store_requests(workspace, page, sequence=store.next_sequence(workspace), now=NOW)
    assert jobs.run_recount(workspace.pk) == "0 lines differed"
    assert TallyCheck.objects.get(workspace=workspace).differed_at is None
    wrong = Tally.objects.filter(workspace=workspace).order_by("pk")
    wrong.filter(pk=wrong[0].pk).update(count=77)
    wrong[1].delete()
    Tally.objects.create(workspace=workspace, key="paused 19000101 0 ", kind="paused", day=date(1900, 1, 1), count=9)
    with caplog.at_level(logging.ERROR):
        assert jobs.run_recount(workspace.pk) == "3 lines differed"
    assert "was wrong in 3 lines" in caplog.text
    assert figures.differing(workspace) == set()
    check = TallyCheck.objects.get(workspace=workspace)
    assert (check.differing, check.differed_at) == (3, check.checked_at)
    assert jobs.run_recount(workspace.pk) == "0 lines differed"
    assert TallyCheck.objects.get(workspace=workspace).differed_at == check.differed_at
    assert jobs.run_recount(workspace.pk + 1) == "gone"


def test_every_workspace_is_counted_by_a_job_of_its_own(workspace: Workspace, make_workspace: MakeWorkspace) -> None:
    other = make_workspace("other", disabled_at=NOW)
    assert jobs.recount() == 2
    queued = [one.task["args"] for one in OrmQ.objects.order_by("pk")]
    assert queued == [(workspace.pk,), (other.pk,)]
