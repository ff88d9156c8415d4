"""Sending a wish over real HTTP: compare, write at most once, read back, and never say what is not so."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from dsrportal.actions import outbox, writing
from dsrportal.dastra.client import DastraClient
from dsrportal.models import AuditEvent, DataSubjectRequest, OutboxEntry, WorkflowStep
from dsrportal.models.outbox import WishKind, WishState
from dsrportal.sandbox import Fault, Server
from tests.actions.conftest import MakeWish

Tell = Callable[[], int]
Writes = Callable[[], list[str]]


def test_a_move_is_written_once_read_back_mirrored_and_recorded(
    make_wish: MakeWish,
    dsr: DataSubjectRequest,
    steps: list[WorkflowStep],
    step_in_dastra: Tell,
    writes: Writes,
    now: datetime,
) -> None:
    entry = outbox.send(make_wish().pk, now=now)
    assert (entry.state, entry.reason) == (WishState.DONE, "")
    assert step_in_dastra() == steps[2].upstream_id
    assert len(writes()) == 1
    dsr.refresh_from_db()
    assert dsr.step == steps[2]
    line = AuditEvent.objects.get()
    assert (line.outcome, line.reference, line.by) == (WishState.DONE, dsr.reference, entry.by)


def test_sending_again_writes_nothing_more(make_wish: MakeWish, writes: Writes, now: datetime) -> None:
    entry = make_wish()
    for _time in range(3):
        assert outbox.send(entry.pk, now=now).state == WishState.DONE
    assert len(writes()) == 1


def test_archive_and_restore_go_there_and_back(
    make_wish: MakeWish, server: Server, dsr: DataSubjectRequest, now: datetime
) -> None:
    assert outbox.send(make_wish(kind=WishKind.ARCHIVE, step=None).pk, now=now).state == WishState.DONE
    assert server.state[101].get(dsr.upstream_id)["archived"] is True
    dsr.refresh_from_db()
    entry = make_wish(kind=WishKind.RESTORE, step=None, dsr=dsr, seen_updated_at=dsr.updated_at)
    assert outbox.send(entry.pk, now=now).state == WishState.DONE
    assert server.state[101].get(dsr.upstream_id)["archived"] is False


def test_what_is_so_already_is_done_without_a_write(
    make_wish: MakeWish,
    server: Server,
    dsr: DataSubjectRequest,
    steps: list[WorkflowStep],
    writes: Writes,
    now: datetime,
) -> None:
    entry = make_wish()
    server.state[101].move(dsr.upstream_id, steps[2].upstream_id)
    assert outbox.send(entry.pk, now=now).state == WishState.DONE
    assert writes() == []


def test_what_others_moved_meanwhile_is_not_overwritten(
    make_wish: MakeWish,
    server: Server,
    dsr: DataSubjectRequest,
    steps: list[WorkflowStep],
    writes: Writes,
    now: datetime,
) -> None:
    entry = make_wish()
    server.state[101].move(dsr.upstream_id, steps[1].upstream_id)
    entry = outbox.send(entry.pk, now=now)
    assert (entry.state, entry.theirs["step"]) == (WishState.CONFLICT, steps[1].upstream_id)
    assert steps[1].label in entry.reason
    assert writes() == []
    dsr.refresh_from_db()
    assert dsr.step == steps[1], "the mirror shows what is so now"


def test_what_was_archived_meanwhile_stays_archived(
    make_wish: MakeWish, server: Server, dsr: DataSubjectRequest, writes: Writes, now: datetime
) -> None:
    entry = make_wish()
    server.state[101].archive(dsr.upstream_id)
    entry = outbox.send(entry.pk, now=now)
    assert (entry.state, writes()) == (WishState.CONFLICT, [])
    assert "archived" in entry.reason


def test_a_change_of_another_field_is_no_conflict(
    make_wish: MakeWish, server: Server, dsr: DataSubjectRequest, step_in_dastra: Tell, now: datetime
) -> None:
    entry = make_wish()
    server.state[101].edit(dsr.upstream_id, complex=True)
    assert outbox.send(entry.pk, now=now).state == WishState.DONE
    dsr.refresh_from_db()
    assert dsr.complex


def test_a_request_that_is_gone_says_so(
    make_wish: MakeWish, server: Server, dsr: DataSubjectRequest, writes: Writes, now: datetime
) -> None:
    entry = make_wish()
    server.state[101].delete(dsr.upstream_id)
    entry = outbox.send(entry.pk, now=now)
    assert (entry.state, entry.dsr, writes()) == (WishState.REFUSED, None, [])
    assert "no longer in Dastra" in entry.reason


def test_a_refusal_keeps_dastras_reason(
    make_wish: MakeWish, server: Server, step_in_dastra: Tell, steps: list[WorkflowStep], now: datetime
) -> None:
    server.faults.add(Fault(kind="refuse", match="POST", reason="An assignee is needed first."))
    entry = outbox.send(make_wish().pk, now=now)
    assert entry.state == WishState.REFUSED
    assert "An assignee is needed first." in entry.reason
    assert step_in_dastra() == steps[0].upstream_id


@pytest.mark.parametrize(
    "fault",
    [
        Fault(kind="applied_then_500", match="POST"),
        Fault(kind="applied_then_cut", match="POST"),
        Fault(kind="truncate", match="POST"),
        Fault(kind="drip_body", match="POST", seconds=0.4),
    ],
    ids=lambda fault: fault.kind,
)
def test_a_write_that_was_applied_is_never_reported_as_one_that_was_not(
    make_wish: MakeWish,
    server: Server,
    step_in_dastra: Tell,
    steps: list[WorkflowStep],
    writes: Writes,
    fault: Fault,
    now: datetime,
) -> None:
    server.faults.add(fault)
    entry = outbox.send(make_wish().pk, now=now)
    assert step_in_dastra() == steps[2].upstream_id
    assert entry.state == WishState.DONE
    assert len(writes()) == 1


def test_a_write_whose_answer_was_lost_is_unknown_until_a_read_proves_it(
    make_wish: MakeWish, server: Server, writes: Writes, now: datetime
) -> None:
    server.faults.add(Fault(kind="close_without_answer", match="POST"))
    entry = outbox.send(make_wish().pk, now=now)
    assert entry.state == WishState.UNKNOWN
    assert outbox.send(entry.pk, now=now + timedelta(seconds=10)).state == WishState.UNKNOWN, (
        "Dastra may still be at it"
    )
    entry = outbox.send(entry.pk, now=now + timedelta(seconds=writing.PROOF_SECONDS + 5))
    assert entry.state == WishState.REFUSED
    assert "did not apply it" in entry.reason
    assert len(writes()) == 1
    assert [line.outcome for line in AuditEvent.objects.order_by("pk")] == ["unknown", "refused"]


def test_a_write_that_dastra_applies_late_ends_as_done(
    make_wish: MakeWish, server: Server, dsr: DataSubjectRequest, steps: list[WorkflowStep], now: datetime
) -> None:
    server.faults.add(Fault(kind="close_without_answer", match="POST"))
    entry = outbox.send(make_wish().pk, now=now)
    server.state[101].move(dsr.upstream_id, steps[2].upstream_id)
    assert outbox.send(entry.pk, now=now + timedelta(seconds=10)).state == WishState.DONE


def test_a_plain_failure_is_settled_at_once(make_wish: MakeWish, server: Server, writes: Writes, now: datetime) -> None:
    server.faults.add(Fault(kind="status", status=500, match="POST"))
    entry = outbox.send(make_wish().pk, now=now)
    assert entry.state == WishState.REFUSED
    assert "did not apply it" in entry.reason
    assert len(writes()) == 1


def test_while_dastra_cannot_be_read_an_unknown_wish_stays_unknown(
    make_wish: MakeWish, server: Server, now: datetime
) -> None:
    server.faults.add(
        Fault(kind="close_without_answer", match="POST"),
        Fault(kind="status", status=503, match="GET", after=1, times=None),
    )
    entry = outbox.send(make_wish().pk, now=now)
    later = now + timedelta(seconds=writing.PROOF_SECONDS + 60)
    assert outbox.send(entry.pk, now=later).state == WishState.UNKNOWN
    server.faults.clear()
    assert outbox.send(entry.pk, now=later).state == WishState.REFUSED


def test_what_provably_did_not_arrive_is_tried_again_and_then_given_up(
    make_wish: MakeWish, server: Server, writes: Writes, now: datetime
) -> None:
    entry = make_wish()
    server.stop()
    entry = outbox.send(entry.pk, now=now)
    assert entry.state == WishState.HELD
    assert now < entry.not_before <= now + timedelta(seconds=writing.GIVE_UP_SECONDS)
    assert AuditEvent.objects.count() == 0
    entry = outbox.send(entry.pk, now=now + timedelta(seconds=writing.GIVE_UP_SECONDS + 30))
    assert entry.state == WishState.REFUSED
    assert "Nothing was changed" in entry.reason
    assert writes() == []


def test_too_many_calls_is_a_pause_and_no_refusal(
    make_wish: MakeWish, server: Server, step_in_dastra: Tell, steps: list[WorkflowStep], now: datetime
) -> None:
    server.faults.add(Fault(kind="status", status=429, match="POST", headers=(("Retry-After", "2"),)))
    entry = outbox.send(make_wish().pk, now=now)
    assert (entry.state, step_in_dastra()) == (WishState.HELD, steps[0].upstream_id)


def test_a_claim_left_by_a_dead_process_is_settled_by_reading(
    make_wish: MakeWish, writes: Writes, now: datetime
) -> None:
    entry = make_wish()
    OutboxEntry.objects.filter(pk=entry.pk).update(state=WishState.SENDING, claimed_at=now)
    assert outbox.settle_unknown(now=now + timedelta(seconds=outbox.CLAIM_SECONDS - 1)) == 0
    assert outbox.settle_unknown(now=now + timedelta(seconds=outbox.CLAIM_SECONDS + 1)) == 1
    entry.refresh_from_db()
    assert (entry.state, writes()) == (WishState.REFUSED, [])


def test_a_sender_that_lost_its_claim_writes_nothing(
    make_wish: MakeWish, writes: Writes, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = make_wish()
    read = writing._read

    def slow_read(*args: Any, **options: Any) -> Any:
        OutboxEntry.objects.filter(pk=entry.pk).update(state=WishState.UNKNOWN)  # another process took it for dead
        return read(*args, **options)

    monkeypatch.setattr(writing, "_read", slow_read)
    assert outbox.send(entry.pk, now=now).state == WishState.UNKNOWN
    assert writes() == []


def test_a_wish_of_a_workspace_that_was_disabled_meanwhile_is_refused(
    make_wish: MakeWish, dsr: DataSubjectRequest, writes: Writes, now: datetime
) -> None:
    entry = make_wish()
    dsr.workspace.disabled_at = now
    dsr.workspace.save()
    assert outbox.send(entry.pk, now=now).state == WishState.REFUSED
    assert writes() == []


def test_one_wish_that_breaks_stops_no_other(
    make_wish: MakeWish,
    dsr: DataSubjectRequest,
    steps: list[WorkflowStep],
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = make_wish()
    other = (
        DataSubjectRequest.objects.filter(step=steps[0], archived=False)
        .exclude(pk=dsr.pk)
        .select_related("workspace", "step")[0]
    )
    second = make_wish(dsr=other, seen_updated_at=other.updated_at)
    attempt = writing.attempt

    def fragile(entry: OutboxEntry, **options: Any) -> writing.Verdict:
        if entry.pk == first.pk:
            raise ZeroDivisionError
        return attempt(entry, **options)

    monkeypatch.setattr(writing, "attempt", fragile)
    assert outbox.send_due(now=now) == 2
    second.refresh_from_db()
    assert second.state == WishState.DONE


@pytest.mark.django_db(transaction=True)
def test_of_many_senders_at_once_one_writes(make_wish: MakeWish, writes: Writes, now: datetime) -> None:
    entry = make_wish()

    def send() -> None:
        try:
            outbox.send(entry.pk, now=now)
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    entry.refresh_from_db()
    assert (entry.state, len(writes())) == (WishState.DONE, 1)


@pytest.mark.django_db(transaction=True)
def test_no_call_is_made_inside_a_transaction(
    make_wish: MakeWish, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bool] = []

    def watched(step: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            seen.append(connection.in_atomic_block)
            return step(*args, **options)

        return call

    monkeypatch.setattr(writing, "_read", watched(writing._read))
    monkeypatch.setattr(DastraClient, "change_step", watched(DastraClient.change_step))
    outbox.send(make_wish().pk, now=now)
    assert seen == [False, False, False]
