"""One wish for many requests: a row and an outcome for each, in one transaction; sent, refused and undone one by one."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dsrportal.actions import batches, outbox
from dsrportal.actions.batches import MOST, Pick
from dsrportal.dastra import schema
from dsrportal.mirror import store
from dsrportal.models import DataSubjectRequest, OutboxEntry, Role, User, WorkflowStep, Workspace
from dsrportal.models.outbox import WishKind, WishState
from dsrportal.sandbox import Fault, Server
from tests.conftest import make_person

Wish = Callable[..., list[OutboxEntry]]
FIRST = 900_000
QUERIES_EACH = 14


def pick(dsr: DataSubjectRequest, **changes: Any) -> Pick:
    """A ticked row as the person saw it."""
    seen = {
        "upstream_id": dsr.upstream_id,
        "seen_step": dsr.step.upstream_id if dsr.step else None,
        "seen_operator": dsr.operator.upstream_id if dsr.operator else None,
        "seen_updated_at": dsr.updated_at,
    }
    return Pick(**{**seen, **changes})


@pytest.fixture
def chosen(mirrored: Workspace, steps: list[WorkflowStep]) -> list[DataSubjectRequest]:
    """Six live requests in the first two steps."""
    rows = DataSubjectRequest.objects.filter(workspace=mirrored, archived=False, step__in=steps[:2])
    return list(rows.select_related("step", "operator").order_by("pk")[:6])


@pytest.fixture
def wish(mirrored: Workspace, olivia: User, steps: list[WorkflowStep], now: datetime) -> Wish:
    """A function that keeps olivia's wish to move all picks to the third step, due at once."""

    def keep(picks: list[Pick], **changes: Any) -> list[OutboxEntry]:
        given = {
            "batch_id": uuid.uuid4(),
            "workspace": mirrored,
            "kind": WishKind.MOVE,
            "step": steps[2],
            "by": olivia,
            "now": now,
            "hold_seconds": 0,
        }
        return batches.wish_many(**{**given, **changes}, picks=picks)

    return keep


def states(entries: list[OutboxEntry]) -> Counter[str]:
    """How many stand where, by the rows."""
    return Counter(OutboxEntry.objects.filter(batch_id=entries[0].batch_id).values_list("state", flat=True))


def test_two_hundred_are_kept_at_once_and_each_has_its_outcome(
    wish: Wish, mirrored: Workspace, steps: list[WorkflowStep], now: datetime
) -> None:
    def read(number: int) -> schema.DataSubjectRequest:
        step = steps[2] if number < 20 else steps[0]
        told = schema.WorkflowStep(upstream_id=step.upstream_id, label=step.label)
        return schema.DataSubjectRequest(
            upstream_id=FIRST + number, step=told, step_upstream_id=step.upstream_id, archived=20 <= number < 25
        )

    store.store_requests(mirrored, [read(n) for n in range(MOST - 3)], sequence=store.next_sequence(mirrored), now=now)
    rows = DataSubjectRequest.objects.filter(upstream_id__gte=FIRST).select_related("step", "operator")
    picks = [pick(dsr) for dsr in rows.order_by("upstream_id")]
    picks[30:40] = [pick(dsr, seen_step=steps[1].upstream_id) for dsr in rows.order_by("upstream_id")[30:40]]
    picks += [
        Pick(upstream_id=FIRST + MOST + n, seen_step=None, seen_operator=None, seen_updated_at=None) for n in range(3)
    ]
    with CaptureQueriesContext(connection) as queries:
        entries = wish(picks)
    assert len(queries) <= MOST * QUERIES_EACH
    assert len({entry.pk for entry in entries}) == MOST
    assert states(entries) == {WishState.HELD: MOST - 20 - 5 - 10 - 3, WishState.REFUSED: 20 + 5 + 10 + 3}
    settled = OutboxEntry.objects.filter(batch_id=entries[0].batch_id, dismissed_at__isnull=False)
    assert settled.count() == 20, "what is so already needs nobody"
    assert wish(picks, batch_id=entries[0].batch_id)[0].pk == entries[0].pk, "the same form again is the same batch"
    assert OutboxEntry.objects.count() == MOST


def test_each_is_sent_by_itself_and_a_refusal_stops_no_other(
    wish: Wish,
    chosen: list[DataSubjectRequest],
    steps: list[WorkflowStep],
    server: Server,
    olivia: User,
    mirrored: Workspace,
    now: datetime,
) -> None:
    server.faults.add(Fault(kind="refuse", match="POST", reason="Not this one.", times=2))
    server.state[101].edit(chosen[-1].upstream_id, workFlowStepId=steps[4].upstream_id)
    entries = wish([pick(dsr) for dsr in chosen])
    while batches.send_some(entries[0].batch_id or uuid.uuid4(), workspace=mirrored, by=olivia, now=now):
        pass
    assert states(entries) == {WishState.REFUSED: 2, WishState.CONFLICT: 1, WishState.DONE: 3}
    moved = [server.state[101].get(dsr.upstream_id)["workFlowStepId"] == steps[2].upstream_id for dsr in chosen]
    assert sum(moved) == 3


@pytest.mark.parametrize("kind", [WishKind.ASSIGN, WishKind.TAG, WishKind.ARCHIVE])
def test_every_kind_of_the_bar_arrives_in_dastra(
    wish: Wish,
    chosen: list[DataSubjectRequest],
    server: Server,
    olivia: User,
    mirrored: Workspace,
    now: datetime,
    kind: WishKind,
) -> None:
    operator, tag = mirrored.operators.all()[0].upstream_id, mirrored.tags.all()[0].upstream_id
    wanted = {WishKind.ASSIGN: {"operator": operator}, WishKind.TAG: {"add": [tag]}}.get(kind, {})
    entries = wish([pick(dsr) for dsr in chosen], kind=kind, step=None, wanted=wanted)
    outbox.send_due(now=now)
    assert WishState.HELD not in states(entries)
    for dsr in chosen:
        whole = server.state[101].get(dsr.upstream_id)
        has_it = {
            WishKind.ASSIGN: whole["operatorId"] == operator,
            WishKind.TAG: tag in {one["id"] for one in whole["tags"]},
            WishKind.ARCHIVE: whole["archived"],
        }
        assert has_it[kind]


def test_what_waits_of_a_batch_is_undone_at_once_by_its_person_alone(
    wish: Wish, chosen: list[DataSubjectRequest], mirrored: Workspace, olivia: User, server: Server, now: datetime
) -> None:
    entries = wish([pick(dsr) for dsr in chosen], hold_seconds=8)
    outbox.send(entries[0].pk, now=now + timedelta(seconds=9))
    marc = make_person("marc", workspace=mirrored, role=Role.MANAGER)
    batch_id = entries[0].batch_id or uuid.uuid4()
    assert batches.undo_many(batch_id, workspace=mirrored, by=marc, now=now) == 0
    assert batches.undo_many(batch_id, workspace=mirrored, by=olivia, now=now) == len(chosen) - 1
    assert states(entries) == {WishState.DONE: 1, WishState.CANCELLED: len(chosen) - 1}


def test_what_makes_no_sense_is_no_batch(wish: Wish, chosen: list[DataSubjectRequest], mirrored: Workspace) -> None:
    picks = [pick(dsr) for dsr in chosen]
    many = [Pick(upstream_id=n + 1, seen_step=None, seen_operator=None, seen_updated_at=None) for n in range(MOST + 1)]
    vera = make_person("vera", workspace=mirrored, role=Role.VIEWER)
    batch_id = wish(picks[:2])[0].batch_id
    cases: list[tuple[list[Pick], dict[str, Any], str]] = [
        ([], {}, "invalid"),
        (many, {}, "invalid"),
        (picks, {"kind": WishKind.DELETE}, "invalid"),
        (picks, {"by": vera}, "not_allowed"),
        (picks, {"batch_id": batch_id}, "reused"),
    ]
    for given, changes, code in cases:
        with pytest.raises(outbox.WishError) as refusal:
            wish(given, **changes)
        assert refusal.value.code == code
