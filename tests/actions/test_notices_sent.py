"""A notice that went out feeds the legal clock with the day on which it was sent: once it is proven, not before, and never when it came back."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from dsrportal.actions import ledger, messages, outbox, writing
from dsrportal.mirror import connections, refresh
from dsrportal.models import DataSubjectRequest, Draft, Extension, OutboxEntry, Refusal, User
from dsrportal.models.correspondence import LetterPurpose
from dsrportal.models.ledger import ExtensionGround
from dsrportal.models.outbox import WishState
from dsrportal.models.requests import ExtensionState
from dsrportal.sandbox import Fault, Server

Make = Callable[..., OutboxEntry]
LOST = "POST .*Messages"


@pytest.fixture
def at(dsr: DataSubjectRequest, server: Server) -> datetime:
    """Late in the evening of the fifth day after receipt, in Paris; by UTC too."""
    received = datetime.fromisoformat("2026-03-02T10:00:00+00:00")
    server.state[101].edit(dsr.upstream_id, dateDemand="2026-03-02T10:00:00", dateCreation="2026-03-02T10:00:00")
    with connections.connect(dsr.workspace) as client:
        refresh.refresh_request(dsr.workspace, upstream_id=dsr.upstream_id, client=client, now=received)
    dsr.refresh_from_db()
    return received.replace(day=7, hour=23, minute=30)


@pytest.fixture
def make(dsr: DataSubjectRequest, olivia: User, at: datetime) -> Make:
    """A function that keeps the wish to send a notice, of an extension unless told otherwise."""

    def keep(**changes: object) -> OutboxEntry:
        wanted = {"purpose": LetterPurpose.EXTENSION, "ground": "complexity", "now": at, "hold_seconds": 0}
        given = {"action_id": uuid.uuid4(), "dsr": dsr, "text": "Notice.", "language": "fr", "by": olivia}
        return messages.write(**{**given, **wanted, **changes})  # type: ignore[arg-type]

    return keep


def test_an_extension_is_recorded_when_it_was_sent_and_read_back(
    make: Make, dsr: DataSubjectRequest, olivia: User, server: Server, at: datetime
) -> None:
    entry = make(hold_seconds=8)
    assert not Extension.objects.exists()
    entry = outbox.send(entry.pk, now=at + timedelta(seconds=9))
    assert (entry.state, entry.reason) == (WishState.DONE, "")
    extension = Extension.objects.get()
    assert extension.notice_on.isoformat() == "2026-03-08", "by the workspace's own clock it was past midnight"
    assert (extension.ground, extension.by) == (ExtensionGround.COMPLEXITY, olivia)
    assert server.state[101].record(dsr.upstream_id).messages[-1]["id"] in extension.read_text()
    dsr.refresh_from_db()
    assert (dsr.extension_state, str(dsr.respond_by)) == (ExtensionState.VALID, "2026-06-02")
    outbox.send(entry.pk, now=at + timedelta(hours=1))
    assert Extension.objects.count() == 1


def test_what_was_undone_refused_or_lost_leaves_the_clock_alone(
    make: Make, olivia: User, server: Server, at: datetime
) -> None:
    assert outbox.undo(make(hold_seconds=60), by=olivia, now=at)
    server.faults.add(Fault(kind="refuse", match=LOST))
    assert outbox.send(make().pk, now=at).state == WishState.REFUSED
    server.faults.add(Fault(kind="close_without_answer", match=LOST))
    entry = outbox.send(make().pk, now=at)
    assert entry.state == WishState.UNKNOWN
    assert not Extension.objects.exists(), "not while nobody knows"
    assert outbox.send(entry.pk, now=at + timedelta(minutes=1)).state == WishState.REFUSED
    assert not Extension.objects.exists()
    assert Draft.objects.get().purpose == LetterPurpose.EXTENSION


def test_a_notice_that_is_found_later_counts_from_the_day_it_was_sent(make: Make, server: Server, at: datetime) -> None:
    server.faults.add(
        Fault(kind="applied_then_cut", match=LOST),
        Fault(kind="status", status=500, match="GET .*Messages", after=1, times=4),
    )
    entry = outbox.send(make().pk, now=at)
    assert entry.state == WishState.UNKNOWN
    server.faults.clear()
    entry = outbox.send(entry.pk, now=at + timedelta(days=3, seconds=writing.PROOF_SECONDS))
    assert entry.state == WishState.DONE
    assert Extension.objects.get().notice_on.isoformat() == "2026-03-08"


def test_a_refusal_is_recorded_too_and_what_the_clock_does_not_take_is_said(
    make: Make, dsr: DataSubjectRequest, olivia: User, at: datetime
) -> None:
    entry = outbox.send(make(purpose=LetterPurpose.REFUSAL, ground="excessive").pk, now=at)
    assert (entry.state, entry.reason) == (WishState.DONE, "")
    refusal = Refusal.objects.get()
    assert (refusal.ground, refusal.notice_on.isoformat()) == ("excessive", "2026-03-08")
    entry = make(hold_seconds=8)
    ledger.extend(
        dsr,
        action_id=uuid.uuid4(),
        ground=ExtensionGround.NUMBER,
        notice_on=at.date(),
        text="by letter",
        by=olivia,
        now=at,
    )
    entry = outbox.send(entry.pk, now=at + timedelta(seconds=9))
    assert entry.state == WishState.DONE
    assert entry.reason.startswith("The message was sent, but the clock did not take it: It is extended already.")
    assert Extension.objects.count() == 1


def test_a_notice_that_comes_too_late_is_not_sent_as_one(make: Make, at: datetime) -> None:
    with pytest.raises(outbox.WishError, match="told later, an extension does not exist"):
        make(now=at + timedelta(days=40))
    make(now=at + timedelta(days=40), purpose=LetterPurpose.REFUSAL, ground="excessive")
