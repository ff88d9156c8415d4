"""Deleting for good against a local Dastra: at most one write, proven by the 404 of the read that follows, and nothing that the person did not see."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from dsrportal.actions import outbox, writing
from dsrportal.mirror.connections import connect
from dsrportal.mirror.refresh import refresh_request
from dsrportal.models import AuditEvent, DataSubjectRequest, ForgottenRequest, OutboxEntry, Role, User, Workspace
from dsrportal.models.outbox import WishKind, WishState
from dsrportal.sandbox import Fault, Server
from tests.conftest import make_person

MakeDeletion = Callable[..., OutboxEntry]


@pytest.fixture
def ada(mirrored: Workspace) -> User:
    """An admin of the workspace."""
    return make_person("ada", workspace=mirrored, role=Role.ADMIN)


@pytest.fixture
def make(dsr: DataSubjectRequest, ada: User, now: datetime) -> MakeDeletion:
    """A function that keeps ada's wish to delete `dsr`, due at once."""

    def keep(**changes: Any) -> OutboxEntry:
        given = {
            "action_id": uuid.uuid4(),
            "kind": WishKind.DELETE,
            "dsr": dsr,
            "by": ada,
            "seen_step_upstream_id": dsr.step.upstream_id if dsr.step else None,
            "seen_updated_at": dsr.updated_at,
            "now": now,
            "hold_seconds": 0,
        }
        return outbox.wish(**{**given, **changes})

    return keep


def is_there(server: Server, dsr: DataSubjectRequest) -> bool:
    return dsr.upstream_id in server.state[101].records


@pytest.mark.parametrize(
    "fault",
    [None, Fault(kind="applied_then_cut", match="DELETE"), Fault(kind="applied_then_500", match="DELETE")],
    ids=lambda fault: fault.kind if fault else "fair",
)
def test_what_dastra_deleted_is_done_with_one_write_and_forgotten_here(
    make: MakeDeletion,
    dsr: DataSubjectRequest,
    server: Server,
    writes: Callable[[], list[str]],
    now: datetime,
    fault: Fault | None,
) -> None:
    if fault:
        server.faults.add(fault)
    entry = outbox.send(make().pk, now=now)
    assert (entry.state, entry.reason, len(writes())) == (WishState.DONE, "", 1)
    assert not is_there(server, dsr)
    assert not DataSubjectRequest.objects.filter(pk=dsr.pk).exists()
    assert ForgottenRequest.objects.filter(upstream_id=dsr.upstream_id).exists()
    line = AuditEvent.objects.get(operation="delete")
    assert (line.outcome, line.upstream_id, line.reference) == (WishState.DONE, dsr.upstream_id, dsr.reference)
    assert outbox.send(entry.pk, now=now + timedelta(minutes=5)).state == WishState.DONE
    assert len(writes()) == 1


@pytest.mark.parametrize(
    ("fault", "first", "last"),
    [
        (Fault(kind="refuse", match="DELETE", reason="Not from here."), WishState.REFUSED, WishState.REFUSED),
        (Fault(kind="status", status=401, match="DELETE"), WishState.REFUSED, WishState.REFUSED),
        (Fault(kind="status", status=403, match="DELETE"), WishState.REFUSED, WishState.REFUSED),
        (Fault(kind="status", status=404, match="DELETE"), WishState.REFUSED, WishState.REFUSED),
        (Fault(kind="status", status=405, match="DELETE"), WishState.REFUSED, WishState.REFUSED),
        (Fault(kind="close_without_answer", match="DELETE"), WishState.UNKNOWN, WishState.REFUSED),
        (Fault(kind="status", status=500, match="DELETE"), WishState.REFUSED, WishState.REFUSED),
    ],
    ids=["refused", "key", "forbidden", "404-yet-there", "not-offered", "lost", "failed"],
)
def test_what_dastra_still_has_is_never_said_to_be_deleted(
    make: MakeDeletion,
    dsr: DataSubjectRequest,
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
    assert (entry.state, len(writes())) == (last, 1)
    assert is_there(server, dsr)
    assert DataSubjectRequest.objects.filter(pk=dsr.pk).exists()


def test_what_somebody_else_deleted_is_done_without_a_write(
    make: MakeDeletion, dsr: DataSubjectRequest, server: Server, writes: Callable[[], list[str]], now: datetime
) -> None:
    entry = make()
    server.state[101].delete(dsr.upstream_id)
    assert (outbox.send(entry.pk, now=now).state, writes()) == (WishState.DONE, [])


def test_any_change_that_the_person_did_not_see_is_a_conflict_that_can_be_kept(
    make: MakeDeletion,
    dsr: DataSubjectRequest,
    ada: User,
    server: Server,
    writes: Callable[[], list[str]],
    now: datetime,
) -> None:
    entry = make()
    server.state[101].edit(dsr.upstream_id, phoneNumber="+33 1 99 00 00 00")
    entry = outbox.send(entry.pk, now=now)
    assert (entry.state, writes()) == (WishState.CONFLICT, [])
    assert is_there(server, dsr)
    entry = OutboxEntry.objects.select_related("dsr__workspace", "dsr__step").get(pk=entry.pk)
    mine = outbox.keep(entry, by=ada, now=now, hold_seconds=0)
    assert outbox.send(mine.pk, now=now).state == WishState.DONE
    assert not is_there(server, dsr)


def test_it_is_held_undone_and_one_wish_however_often_it_is_posted(
    make: MakeDeletion, dsr: DataSubjectRequest, server: Server, ada: User, now: datetime
) -> None:
    action_id = uuid.uuid4()
    entry, *others = [make(action_id=action_id, hold_seconds=8) for _time in range(10)]
    assert {other.pk for other in others} == {entry.pk}
    assert outbox.undo(entry, by=ada, now=now)
    outbox.send(entry.pk, now=now + timedelta(minutes=1))
    assert is_there(server, dsr)


def test_an_archived_one_can_be_deleted(
    make: MakeDeletion, mirrored: Workspace, dsr: DataSubjectRequest, server: Server, now: datetime
) -> None:
    server.state[101].archive(dsr.upstream_id)
    with connect(mirrored, interactive=True) as client:
        refresh_request(mirrored, upstream_id=dsr.upstream_id, client=client, now=now)
    dsr.refresh_from_db()
    assert dsr.archived
    assert outbox.send(make(seen_updated_at=dsr.updated_at).pk, now=now).state == WishState.DONE
    assert not is_there(server, dsr)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.AUDITOR, Role.OFFICER])
def test_only_managers_and_admins_delete(make: MakeDeletion, mirrored: Workspace, role: Role) -> None:
    with pytest.raises(outbox.WishError) as refusal:
        make(by=make_person("vera", workspace=mirrored, role=role))
    assert refusal.value.code == "not_allowed"


def test_what_is_still_there_was_not_deleted_whatever_else_was_changed(
    make: MakeDeletion, server: Server, dsr: DataSubjectRequest, now: datetime
) -> None:
    server.faults.add(Fault(kind="close_without_answer", match="DELETE"))
    entry = outbox.send(make().pk, now=now)
    server.state[101].edit(dsr.upstream_id, complex=True)
    entry = outbox.send(entry.pk, now=now + timedelta(seconds=writing.PROOF_SECONDS + 5))
    assert (entry.state, "did not apply it" in entry.reason) == (WishState.REFUSED, True)
