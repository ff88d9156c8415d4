"""Wishes that change fields, tags or close, against a local Dastra whose journal is the judge: at most one write, and no untrue word."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from dsrportal.actions import fields, outbox, writing
from dsrportal.dastra.transport import Transport
from dsrportal.models import DataSubjectRequest, OutboxEntry, Role, User, Workspace
from dsrportal.models.outbox import OPEN_STATES, WishKind, WishState
from dsrportal.sandbox import Fault, Server
from tests.conftest import make_person

WRITES = "POST|PATCH|PUT|DELETE"
KINDS = (WishKind.ASSIGN, WishKind.TAG, WishKind.EXTEND, WishKind.EDIT, WishKind.CLOSE)
CLOSED_AT = "2026-03-02T11:00:00Z"
MakeChange = Callable[..., OutboxEntry]
Dastra = Callable[[], dict[str, Any]]


@pytest.fixture
def dastra(server: Server, dsr: DataSubjectRequest) -> Dastra:
    """A function that tells the whole request by Dastra's own word."""
    return lambda: server.state[101].get(dsr.upstream_id)


@pytest.fixture
def wanted_of(mirrored: Workspace, dsr: DataSubjectRequest) -> Callable[[WishKind], dict[str, Any]]:
    """A function that makes up something sensible to want of each kind."""
    operators = [one.upstream_id for one in mirrored.operators.all()]
    tags = [tag.upstream_id for tag in mirrored.tags.all() if tag.upstream_id not in dsr.tag_id_list()]
    here = dsr.operator.upstream_id if dsr.operator else None
    values: dict[WishKind, dict[str, Any]] = {
        WishKind.ASSIGN: {"operator": next(one for one in operators if one != here)},
        WishKind.TAG: {"add": tags[:1], "remove": dsr.tag_id_list()[:1]},
        WishKind.EXTEND: {"expires": "2027-01-31T11:00:00Z", "complex": not dsr.complex},
        WishKind.EDIT: {"title": "Portability of the loyalty account", "received": "2026-01-05T08:00:00Z"},
        WishKind.CLOSE: {
            "reason": "NotAdmissible",
            "closed_at": CLOSED_AT,
            "notify": False,
            "description": "Out of scope.",
            "message": "We cannot act on this.",
        },
    }
    return lambda kind: values[kind]


@pytest.fixture
def make_change(
    dsr: DataSubjectRequest, olivia: User, now: datetime, wanted_of: Callable[[WishKind], dict[str, Any]]
) -> MakeChange:
    """A function that keeps olivia's wish of a kind, due at once, with what the mirror holds as what she saw."""

    def make(kind: WishKind, **changes: Any) -> OutboxEntry:
        wanted = changes.pop("wanted", wanted_of(kind))
        return outbox.wish(
            **{
                "action_id": uuid.uuid4(),
                "kind": kind,
                "dsr": dsr,
                "wanted": wanted,
                "seen": fields.mirrored(dsr, wanted),
                "by": olivia,
                "seen_step_upstream_id": dsr.step.upstream_id if dsr.step else None,
                "seen_updated_at": dsr.updated_at,
                "now": now,
                "hold_seconds": 0,
                **changes,
            }
        )

    return make


def has_it(kind: WishKind, wanted: dict[str, Any], whole: dict[str, Any]) -> bool:
    """Whether Dastra shows all that was wanted."""
    if kind == WishKind.TAG:
        ids = {tag["id"] for tag in whole["tags"]}
        return set(wanted["add"]) <= ids and not ids & set(wanted["remove"])
    if kind == WishKind.CLOSE:
        texts = (whole["closedReasonDescription"], whole["resolutionMessage"])
        is_closed = (whole["state"], whole["closedReason"]) == ("Closed", wanted["reason"])
        return is_closed and texts == (wanted["description"], wanted["message"])
    told = {name: whole[fields.FIELDS[name].wire] for name in wanted}
    return all(str(told[name]).rstrip("Z") == str(value).rstrip("Z") for name, value in wanted.items())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "fault",
    [None, Fault(kind="applied_then_cut", match=WRITES), Fault(kind="applied_then_500", match=WRITES)],
    ids=lambda fault: fault.kind if fault else "fair",
)
def test_what_dastra_applied_is_done_with_one_write(
    make_change: MakeChange,
    dastra: Dastra,
    wanted_of: Callable[[WishKind], dict[str, Any]],
    server: Server,
    writes: Callable[[], list[str]],
    now: datetime,
    kind: WishKind,
    fault: Fault | None,
) -> None:
    if fault:
        server.faults.add(fault)
    entry = outbox.send(make_change(kind).pk, now=now)
    assert (entry.state, entry.reason, len(writes())) == (WishState.DONE, "", 1)
    assert has_it(kind, wanted_of(kind), dastra())
    assert entry.private_sealed is None
    assert outbox.send(entry.pk, now=now + timedelta(minutes=5)).state == WishState.DONE
    assert len(writes()) == 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("fault", "first", "last"),
    [
        (Fault(kind="refuse", match=WRITES, reason="Not from here."), WishState.REFUSED, WishState.REFUSED),
        (Fault(kind="status", status=401, match=WRITES), WishState.REFUSED, WishState.REFUSED),
        (Fault(kind="close_without_answer", match=WRITES), WishState.UNKNOWN, WishState.REFUSED),
        (Fault(kind="status", status=500, match=WRITES), WishState.REFUSED, WishState.REFUSED),
    ],
    ids=["refused", "key", "lost", "failed"],
)
def test_what_dastra_did_not_apply_is_never_said_to_be_done(
    make_change: MakeChange,
    dastra: Dastra,
    server: Server,
    writes: Callable[[], list[str]],
    now: datetime,
    kind: WishKind,
    fault: Fault,
    first: WishState,
    last: WishState,
) -> None:
    before = dastra()
    server.faults.add(fault)
    entry = outbox.send(make_change(kind).pk, now=now)
    assert entry.state == first
    entry = outbox.send(entry.pk, now=now + timedelta(seconds=writing.PROOF_SECONDS + 5))
    assert (entry.state, len(writes())) == (last, 1)
    assert dastra() == before
    assert entry.private_sealed is None


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_gone_is_refused_without_a_write(
    make_change: MakeChange,
    dsr: DataSubjectRequest,
    server: Server,
    writes: Callable[[], list[str]],
    now: datetime,
    kind: WishKind,
) -> None:
    entry = make_change(kind)
    server.state[101].delete(dsr.upstream_id)
    assert outbox.send(entry.pk, now=now).state == WishState.REFUSED
    assert writes() == []


def test_the_same_field_changed_in_dastra_is_a_conflict_that_can_be_kept_or_left(
    make_change: MakeChange,
    dsr: DataSubjectRequest,
    dastra: Dastra,
    olivia: User,
    server: Server,
    writes: Callable[[], list[str]],
    now: datetime,
) -> None:
    entry = make_change(WishKind.EDIT)
    server.state[101].edit(dsr.upstream_id, title="Their title", complex=not dsr.complex)
    entry = outbox.send(entry.pk, now=now)
    assert (entry.state, entry.theirs, writes()) == (WishState.CONFLICT, {"title": None}, [])
    assert entry.read_private()["theirs"] == {"title": "Their title"}
    mine = outbox.keep(entry, by=olivia, now=now, hold_seconds=0)
    assert outbox.keep(entry, by=olivia, now=now).pk == mine.pk
    assert outbox.send(mine.pk, now=now).state == WishState.DONE
    assert dastra()["title"] == "Portability of the loyalty account"
    entry.refresh_from_db()
    assert (entry.dismissed_at, entry.private_sealed) == (now, None)
    with pytest.raises(outbox.WishError) as refusal:
        outbox.keep(mine, by=olivia, now=now)
    assert refusal.value.code == "stale"


def test_a_conflict_that_is_dismissed_changes_nothing(
    make_change: MakeChange, dsr: DataSubjectRequest, dastra: Dastra, olivia: User, server: Server, now: datetime
) -> None:
    entry = make_change(WishKind.EDIT)
    server.state[101].edit(dsr.upstream_id, title="Their title")
    entry = outbox.send(entry.pk, now=now)
    assert outbox.dismiss(entry, by=olivia, now=now)
    assert dastra()["title"] == "Their title"
    entry.refresh_from_db()
    assert entry.private_sealed is None


@pytest.mark.parametrize("kind", [WishKind.ASSIGN, WishKind.TAG, WishKind.EXTEND, WishKind.EDIT, WishKind.CLOSE])
def test_a_change_elsewhere_is_no_conflict_and_stays(
    make_change: MakeChange, dsr: DataSubjectRequest, dastra: Dastra, server: Server, now: datetime, kind: WishKind
) -> None:
    entry = make_change(kind)
    server.state[101].edit(dsr.upstream_id, phoneNumber="+33 1 99 00 00 00")
    assert outbox.send(entry.pk, now=now).state == WishState.DONE
    assert dastra()["phoneNumber"] == "+33 1 99 00 00 00"


def test_a_closing_by_a_colleague_is_a_conflict_even_with_the_same_reason(
    make_change: MakeChange, dsr: DataSubjectRequest, server: Server, writes: Callable[[], list[str]], now: datetime
) -> None:
    entry = make_change(WishKind.CLOSE)
    state = server.state[101]
    state.move(dsr.upstream_id, state.final_step()["id"])
    state.edit(dsr.upstream_id, closedReason="NotAdmissible")
    assert outbox.send(entry.pk, now=now).state == WishState.CONFLICT
    assert writes() == []


def test_a_tag_that_a_colleague_added_meanwhile_stays(
    make_change: MakeChange,
    mirrored: Workspace,
    dsr: DataSubjectRequest,
    dastra: Dastra,
    server: Server,
    now: datetime,
) -> None:
    mine, theirs = [tag.upstream_id for tag in mirrored.tags.all() if tag.upstream_id not in dsr.tag_id_list()][:2]
    entry = make_change(WishKind.TAG, wanted={"add": [mine]})
    server.state[101].edit(dsr.upstream_id, tagIds=[*dsr.tag_id_list(), theirs])
    assert outbox.send(entry.pk, now=now).state == WishState.DONE
    assert {tag["id"] for tag in dastra()["tags"]} == {*dsr.tag_id_list(), mine, theirs}


@pytest.mark.parametrize("status", [404, 405, 415, 501])
@pytest.mark.parametrize("kind", [WishKind.ASSIGN, WishKind.TAG, WishKind.EXTEND, WishKind.EDIT])
def test_without_patch_the_whole_is_put_and_what_is_unknown_comes_back_as_it_was(
    make_change: MakeChange,
    dastra: Dastra,
    wanted_of: Callable[[WishKind], dict[str, Any]],
    server: Server,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
    kind: WishKind,
    status: int,
) -> None:
    odd = {"newIn2027": {"amount": 12345678901234567890, "text": "\u00e9\u2028"}, "refId": "R-1"}
    server.faults.add(
        Fault(kind="status", status=status, match="PATCH", times=None),
        Fault(kind="mutate_rows", match="GET", merge=odd, times=None),
    )
    sent = payloads(monkeypatch)
    entry = outbox.send(make_change(kind).pk, now=now)
    assert (entry.state, [method for method, _payload in sent]) == (WishState.DONE, ["PATCH", "PUT"])
    assert has_it(kind, wanted_of(kind), dastra())
    whole = sent[1][1]
    assert {name: whole[name] for name in odd} == odd


@pytest.mark.parametrize("missing", ["POST", "POST|PATCH"])
def test_without_the_closing_endpoint_the_fields_and_the_step_are_written(
    make_change: MakeChange,
    dastra: Dastra,
    wanted_of: Callable[[WishKind], dict[str, Any]],
    server: Server,
    now: datetime,
    missing: str,
) -> None:
    server.faults.add(Fault(kind="status", status=404, match=missing, times=None))
    entry = outbox.send(make_change(WishKind.CLOSE).pk, now=now)
    assert entry.state == WishState.DONE
    assert has_it(WishKind.CLOSE, wanted_of(WishKind.CLOSE), dastra())


def test_where_the_step_may_not_be_patched_its_endpoint_closes_and_the_words_follow(
    make_change: MakeChange,
    dastra: Dastra,
    wanted_of: Callable[[WishKind], dict[str, Any]],
    server: Server,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server.faults.add(
        Fault(kind="status", status=404, match="/close", times=None),
        Fault(kind="refuse", match="PATCH", reason="The step cannot be patched."),
    )
    sent = payloads(monkeypatch)
    entry = outbox.send(make_change(WishKind.CLOSE).pk, now=now)
    assert (entry.state, entry.reason) == (WishState.DONE, "")
    assert [method for method, _payload in sent] == ["POST", "PATCH", "POST", "PATCH"]
    assert has_it(WishKind.CLOSE, wanted_of(WishKind.CLOSE), dastra())


def test_a_closing_that_stopped_half_way_is_never_said_to_have_changed_nothing(
    make_change: MakeChange, dastra: Dastra, server: Server, now: datetime
) -> None:
    server.faults.add(
        Fault(kind="status", status=404, match="/close", times=None),
        Fault(kind="refuse", match="PATCH", reason="No patch today.", times=None),
    )
    entry = outbox.send(make_change(WishKind.CLOSE).pk, now=now)
    assert dastra()["state"] == "Closed"
    assert entry.state == WishState.REFUSED
    assert "Nothing was changed" not in entry.reason
    assert dastra()["workFlowStep"]["label"] in entry.reason


@pytest.mark.parametrize("is_ticked", [False, True])
@pytest.mark.parametrize("missing", ["nothing", "POST", "POST|PATCH"])
def test_the_person_is_told_only_where_the_box_was_ticked(
    make_change: MakeChange,
    wanted_of: Callable[[WishKind], dict[str, Any]],
    dastra: Dastra,
    server: Server,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
    missing: str,
    is_ticked: bool,  # noqa: FBT001  a test's parameter
) -> None:
    server.faults.add(Fault(kind="status", status=405, match=missing, times=None))
    sent = payloads(monkeypatch)
    outbox.send(make_change(WishKind.CLOSE, wanted={**wanted_of(WishKind.CLOSE), "notify": is_ticked}).pk, now=now)
    assert dastra()["sendNotification"] is is_ticked
    said = re.findall(r'endNotification"(?:, "value")?: (\w+)', json.dumps([payload for _method, payload in sent]))
    assert set(said) == {str(is_ticked).lower()}


def test_identity_and_free_text_are_in_no_column_in_clear(make_change: MakeChange, now: datetime) -> None:
    for kind, words in ((WishKind.EDIT, ["loyalty"]), (WishKind.CLOSE, ["Out of scope", "cannot act"])):
        entry = make_change(kind)
        row = OutboxEntry.objects.filter(pk=entry.pk).values().get()
        assert all(word not in repr(row) for word in words)
        assert outbox.undo(entry, by=entry.by, now=now)
        assert OutboxEntry.objects.get(pk=entry.pk).private_sealed is None


def test_ten_identical_posts_are_one_wish_and_another_text_is_none(
    make_change: MakeChange, wanted_of: Callable[[WishKind], dict[str, Any]]
) -> None:
    action_id = uuid.uuid4()
    assert len({make_change(WishKind.EDIT, action_id=action_id).pk for _time in range(10)}) == 1
    other = {**wanted_of(WishKind.EDIT), "title": "Something else"}
    with pytest.raises(outbox.WishError) as refusal:
        make_change(WishKind.EDIT, action_id=action_id, wanted=other)
    assert refusal.value.code == "reused"


def test_what_makes_no_sense_or_no_difference_is_no_wish(make_change: MakeChange, dsr: DataSubjectRequest) -> None:
    cases: list[tuple[WishKind, dict[str, Any], str]] = [
        (WishKind.ASSIGN, {"operator": 999_999}, "invalid"),
        (WishKind.ASSIGN, {"title": "x"}, "invalid"),
        (WishKind.TAG, {"add": [999_999]}, "invalid"),
        (WishKind.TAG, {"add": dsr.tag_id_list(), "remove": []}, "no_change"),
        (WishKind.EXTEND, {"expires": "tomorrow"}, "invalid"),
        (WishKind.EDIT, {"purposes": []}, "invalid"),
        (WishKind.EDIT, {"purposes": ["Nonsense"]}, "invalid"),
        (WishKind.EDIT, {"complex": dsr.complex}, "no_change"),
        (WishKind.CLOSE, {"reason": "Because", "closed_at": CLOSED_AT, "notify": False}, "invalid"),
        (WishKind.CLOSE, {"reason": "Accepted"}, "invalid"),
    ]
    for kind, wanted, code in cases:
        with pytest.raises(outbox.WishError) as refusal:
            make_change(kind, wanted=wanted, seen=fields.mirrored(dsr, wanted))
        assert refusal.value.code == code, wanted
    assert not OutboxEntry.objects.filter(state__in=OPEN_STATES).exists()


def test_who_does_not_see_the_title_does_not_change_it(
    make_change: MakeChange, mirrored: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    marc = make_person("marc", workspace=mirrored, role=Role.MANAGER)
    monkeypatch.setattr("dsrportal.models.Membership.may_see_identity", False)
    with pytest.raises(outbox.WishError) as refusal:
        make_change(WishKind.EDIT, by=marc)
    assert refusal.value.code == "not_allowed"


def payloads(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    """What is written from here on: method and body, as they are handed to the wire."""
    sent: list[tuple[str, Any]] = []
    write = Transport.write

    def watched(self: Transport, method: str, path: str, *, payload: object = None, **options: Any) -> object:
        sent.append((method, payload))
        return write(self, method, path, payload=payload, **options)

    monkeypatch.setattr(Transport, "write", watched)
    return sent
