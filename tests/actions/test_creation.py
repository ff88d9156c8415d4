"""A new request against a local Dastra whose journal is the judge: made once, found again where the answer was lost, never claimed untruly."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from dsrportal.actions import creation, creation_wire, outbox, writing
from dsrportal.models import AuditEvent, DataSubjectRequest, OutboxEntry, Role, User, Workspace
from dsrportal.models.outbox import WishState
from dsrportal.sandbox import Fault, Server
from tests.conftest import make_person

Make = Callable[..., OutboxEntry]
POST = "POST"


@pytest.fixture
def wanted(mirrored: Workspace) -> dict[str, Any]:
    """What a form asks for."""
    return {
        "title": "Access to the loyalty account",
        "given_name": "Zoé",
        "family_name": "Lefèvre",
        "email": "zoe@example.org",
        "locale": "fr",
        "area": mirrored.areas.all()[0].upstream_id,
        "purposes": ["Access", "Erasure"],
        "received": "2026-03-01T11:00:00Z",
        "channel": "Internal",
        "complex": False,
        "message": "Please send me everything.",
        "operator": None,
        "phone": "",
    }


@pytest.fixture
def make(mirrored: Workspace, olivia: User, now: datetime, wanted: dict[str, Any]) -> Make:
    """A function that keeps olivia's wish for a new request, due at once."""

    def keep(**changes: Any) -> OutboxEntry:
        values = {**wanted, **changes.pop("wanted", {})}
        given = {"action_id": uuid.uuid4(), "workspace": mirrored, "by": olivia, "now": now, "hold_seconds": 0}
        return creation.create(**{**given, **changes}, wanted=values)

    return keep


def made_in(server: Server, title: str = "Access to the loyalty account") -> list[dict[str, Any]]:
    """The requests of that title by Dastra's own word."""
    return [dsr for dsr in server.state[101].all() if dsr["title"] == title]


@pytest.mark.parametrize(
    "fault",
    [
        None,
        Fault(kind="applied_then_cut", match=POST),
        Fault(kind="applied_then_500", match=POST),
        Fault(kind="status", status=429, headers=(("Retry-After", "1"),), match=POST),
    ],
    ids=lambda fault: fault.kind if fault else "fair",
)
def test_a_request_is_made_once_found_mirrored_and_recorded(
    make: Make, server: Server, mirrored: Workspace, wanted: dict[str, Any], now: datetime, fault: Fault | None
) -> None:
    if fault:
        server.faults.add(fault)
    entry = outbox.send(make().pk, now=now)
    if entry.state == WishState.HELD:  # it was never processed
        entry = outbox.send(entry.pk, now=entry.not_before)
    assert (entry.state, entry.reason) == (WishState.DONE, "")
    (dsr,) = made_in(server)
    told = {name: dsr[creation_wire.WIRE[name]] for name in wanted if wanted[name] and name != "received"}
    assert told == {name: wanted[name] for name in told}
    assert dsr["dateDemand"].startswith("2026-03-01T11:00:00")
    assert dsr["sendNotification"] is False
    assert entry.dsr == DataSubjectRequest.objects.get(workspace=mirrored, upstream_id=dsr["id"])
    assert (entry.upstream_id, entry.private_sealed) == (dsr["id"], None)
    line = AuditEvent.objects.get(operation="create")
    assert (line.outcome, line.upstream_id, line.reference) == (WishState.DONE, dsr["id"], dsr["demandId"])
    assert outbox.send(entry.pk, now=now + timedelta(minutes=5)).state == WishState.DONE
    assert len(made_in(server)) == 1


@pytest.mark.parametrize(
    ("fault", "first", "last"),
    [
        (Fault(kind="refuse", match=POST, reason="Not from here."), WishState.REFUSED, WishState.REFUSED),
        (Fault(kind="status", status=401, match=POST, times=2), WishState.REFUSED, WishState.REFUSED),
        (Fault(kind="status", status=404, match=POST), WishState.REFUSED, WishState.REFUSED),
        (Fault(kind="status", status=409, match=POST), WishState.REFUSED, WishState.REFUSED),
        (Fault(kind="close_without_answer", match=POST), WishState.UNKNOWN, WishState.REFUSED),
        (Fault(kind="status", status=500, match=POST), WishState.UNKNOWN, WishState.REFUSED),
    ],
    ids=["refused", "key", "gone", "conflict", "lost", "failed"],
)
def test_what_was_not_made_is_never_said_to_be_and_is_not_sent_again(
    make: Make,
    server: Server,
    writes: Callable[[], list[str]],
    now: datetime,
    fault: Fault,
    first: WishState,
    last: WishState,
) -> None:
    server.faults.add(fault)
    entry = outbox.send(make().pk, now=now)
    assert entry.state == first
    entry = outbox.send(entry.pk, now=now + timedelta(seconds=writing.PROOF_SECONDS + 5))
    assert (entry.state, entry.private_sealed, entry.dsr) == (last, None, None)
    assert ("may exist" in entry.reason) == (first == WishState.UNKNOWN)
    assert len(writes()) == 1
    assert made_in(server) == []


def test_a_list_that_lags_is_waited_for(make: Make, server: Server, now: datetime) -> None:
    server.faults.add(
        Fault(kind="applied_then_cut", match=POST), Fault(kind="empty_page", match="GET", after=1, times=1)
    )
    entry = outbox.send(make().pk, now=now)
    assert entry.state == WishState.UNKNOWN
    assert outbox.send(entry.pk, now=now + timedelta(seconds=3)).state == WishState.DONE
    assert len(made_in(server)) == 1


def test_the_same_request_of_yesterday_is_not_taken_for_the_new_one(make: Make, server: Server, now: datetime) -> None:
    assert outbox.send(make().pk, now=now).state == WishState.DONE
    server.faults.add(Fault(kind="close_without_answer", match=POST))
    entry = outbox.send(make().pk, now=now)
    assert entry.state == WishState.UNKNOWN
    assert outbox.send(entry.pk, now=now + timedelta(minutes=1)).state == WishState.REFUSED


def test_two_wishes_for_the_same_never_claim_one_request(make: Make, server: Server, now: datetime) -> None:
    server.faults.add(Fault(kind="close_without_answer", match=POST))
    lost = outbox.send(make().pk, now=now)
    made = outbox.send(make().pk, now=now)
    assert (lost.state, made.state) == (WishState.UNKNOWN, WishState.DONE)
    assert outbox.send(lost.pk, now=now + timedelta(minutes=1)).state == WishState.REFUSED


def test_a_process_that_died_before_it_wrote_is_followed_by_one_that_does(
    make: Make, server: Server, now: datetime
) -> None:
    entry = make()
    OutboxEntry.objects.filter(pk=entry.pk).update(state=WishState.SENDING, claimed_at=now, first_claimed_at=now)
    later = now + timedelta(seconds=outbox.CLAIM_SECONDS)
    assert outbox.send(entry.pk, now=later).state == WishState.HELD
    assert outbox.send(entry.pk, now=later + timedelta(seconds=1)).state == WishState.DONE
    assert len(made_in(server)) == 1


def test_a_process_that_died_after_it_wrote_is_followed_by_one_that_finds(
    make: Make, server: Server, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def die(*_args: Any, **_options: Any) -> None:
        raise Killed

    entry = make()
    with monkeypatch.context() as patch:
        patch.setattr(creation_wire, "_looked", die)
        with pytest.raises(Killed):
            outbox.send(entry.pk, now=now)
    assert outbox.send(entry.pk, now=now + timedelta(seconds=outbox.CLAIM_SECONDS + 1)).state == WishState.DONE
    assert len(made_in(server)) == 1


def test_ten_identical_posts_are_one_wish_and_another_text_is_none(make: Make) -> None:
    action_id = uuid.uuid4()
    assert len({make(action_id=action_id).pk for _time in range(10)}) == 1
    with pytest.raises(outbox.WishError) as refusal:
        make(action_id=action_id, wanted={"message": "Something else"})
    assert refusal.value.code == "reused"


def test_identity_and_free_text_are_in_no_column_in_clear_and_go_with_undo(make: Make, now: datetime) -> None:
    entry = make(hold_seconds=8)
    row = repr(OutboxEntry.objects.filter(pk=entry.pk).values().get())
    assert all(word not in row for word in ("Zoé", "Lefèvre", "zoe@", "loyalty", "everything"))
    assert outbox.undo(entry, by=entry.by, now=now)
    assert OutboxEntry.objects.get(pk=entry.pk).private_sealed is None


@pytest.mark.parametrize(
    "change",
    [
        {"title": " "},
        {"title": "x" * 241},
        {"area": 999_999},
        {"operator": 999_999},
        {"purposes": ["Nonsense"]},
        {"purposes": []},
        {"received": "yesterday"},
        {"channel": "Pigeon"},
        {"demandId": "X"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_makes_no_sense_is_no_wish(make: Make, change: dict[str, Any]) -> None:
    with pytest.raises(outbox.WishError) as refusal:
        make(wanted=change)
    assert refusal.value.code == "invalid"
    assert not OutboxEntry.objects.exists()


@pytest.mark.parametrize("role", [Role.VIEWER, Role.AUDITOR, Role.MANAGER])
def test_only_who_handles_identities_enters_requests(make: Make, mirrored: Workspace, role: Role) -> None:
    with pytest.raises(outbox.WishError) as refusal:
        make(by=make_person("vera", workspace=mirrored, role=role))
    assert refusal.value.code == "not_allowed"
