"""A message to a person against a local Dastra whose journal is the judge: sent once, read back, never twice, never lost, wiped when it is out."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from dsrportal.actions import drafts, message_wire, messages, outbox, writing
from dsrportal.actions.refusals import WishError
from dsrportal.models import AuditEvent, DataSubjectRequest, Draft, Enclosure, Membership, OutboxEntry, Role, User
from dsrportal.models.correspondence import LetterPurpose
from dsrportal.models.outbox import WishState
from dsrportal.sandbox import Fault, Server
from tests.conftest import make_person

TEXT = "Dear person,\n\nwe are on it: pelican."
FILES = [("proof é.pdf", b"%PDF marker-walrus" + bytes(range(256)) * 40), ("b.txt", b"second")]
LATER = timedelta(seconds=writing.PROOF_SECONDS + 5)
Make = Callable[..., OutboxEntry]


@pytest.fixture
def make(dsr: DataSubjectRequest, olivia: User, now: datetime) -> Make:
    """A function that drafts olivia's message about `dsr` with its files and keeps the wish to send it, due at once."""

    def keep(files: Any = (), **changes: Any) -> OutboxEntry:
        wanted: dict[str, Any] = {
            "text": TEXT,
            "purpose": LetterPurpose.FREE,
            "language": "en",
            "ground": "",
            "by": olivia,
            "now": now,
        }
        wanted |= {name: changes.pop(name) for name in list(changes) if name in wanted}
        draft = drafts.save(dsr, **wanted)
        drafts.enclose(draft, files=files)
        return messages.write(**{"action_id": uuid.uuid4(), "dsr": dsr, "hold_seconds": 0, **wanted, **changes})

    return keep


@pytest.fixture
def sent(server: Server, dsr: DataSubjectRequest) -> Callable[[], list[dict[str, Any]]]:
    """A function that tells the messages from here, by Dastra's own word."""
    return lambda: [one for one in server.state[101].record(dsr.upstream_id).messages if "pelican" in one["message"]]


def is_private(entry: OutboxEntry) -> bool:
    """Whether nothing of the text is in clear in the row."""
    row = OutboxEntry.objects.filter(pk=entry.pk).values().get()
    return "pelican" not in str({name: value for name, value in row.items() if name != "private_sealed"})


def test_it_goes_out_once_with_its_files_is_read_back_recorded_and_wiped(
    make: Make, server: Server, dsr: DataSubjectRequest, sent: Callable[[], list[dict[str, Any]]], now: datetime
) -> None:
    entry = make(files=FILES)
    assert not Draft.objects.exists()
    assert is_private(entry)
    for row in Enclosure.objects.all():
        assert b"walrus" not in bytes(row.content_sealed) + bytes(row.name_sealed)
    entry = outbox.send(entry.pk, now=now)
    assert (entry.state, entry.reason, entry.private_sealed) == (WishState.DONE, "", None)
    (message,) = sent()
    assert message["message"] == TEXT
    assert [one["fileName"] for one in message["attachments"]] == [name for name, _content in FILES]
    assert [one["size"] for one in message["attachments"]] == [len(content) for _name, content in FILES]
    assert not Enclosure.objects.exists()
    dsr.refresh_from_db()
    assert dsr.message_count == server.state[101].get(dsr.upstream_id)["nbMessages"]
    line = AuditEvent.objects.get(operation="message")
    assert (line.outcome, line.reference) == (WishState.DONE, dsr.reference)
    assert "pelican" not in str(line.details)
    outbox.send(entry.pk, now=now + LATER)
    assert len(sent()) == 1


def test_an_answer_that_is_lost_is_settled_by_reading_and_nothing_is_sent_again(
    make: Make, server: Server, sent: Callable[[], list[dict[str, Any]]], writes: Callable[[], list[str]], now: datetime
) -> None:
    posts = r"POST .*Messages"
    for number, fault in enumerate(
        (
            Fault(kind="applied_then_cut", match=posts),
            Fault(kind="applied_then_500", match=posts),
            Fault(kind="slow", match=posts, seconds=1.3),
        ),
        start=1,
    ):
        server.faults.add(fault)
        entry = outbox.send(make().pk, now=now)
        assert (entry.state, entry.private_sealed) == (WishState.DONE, None), fault.kind
        assert len(sent()) == number
    before = len(writes())
    for fault in (Fault(kind="close_without_answer", match=posts), Fault(kind="status", status=500, match=posts)):
        server.faults.add(fault)
        entry = outbox.send(make().pk, now=now)
        assert entry.state == WishState.UNKNOWN
        entry = outbox.send(entry.pk, now=now + timedelta(seconds=5))
        assert entry.state == WishState.UNKNOWN, "too early to tell"
        entry = outbox.send(entry.pk, now=now + LATER)
        assert (entry.state, entry.reason) == (
            WishState.REFUSED,
            "Dastra does not list the message: it was not sent.",
        )
        assert Draft.objects.get().read_text() == TEXT
    assert len(sent()) == 3
    assert len(writes()) == before + 2


def test_a_message_that_is_listed_late_or_changed_is_not_called_lost(
    make: Make, server: Server, dsr: DataSubjectRequest, now: datetime
) -> None:
    server.faults.add(Fault(kind="close_without_answer", match="POST .*Messages"))
    entry = outbox.send(make().pk, now=now)
    server.state[101].write(dsr.upstream_id, "Dear &amp; changed by a rule of Dastra's", by=71)
    entry = outbox.send(entry.pk, now=now + LATER)
    assert entry.state == WishState.REFUSED
    assert "could not be found out" in entry.reason
    server.faults.add(Fault(kind="close_without_answer", match="POST .*Messages"))
    entry = outbox.send(make(text="pelican & co").pk, now=now)
    server.state[101].write(dsr.upstream_id, "pelican  &amp;\r\nco", by=71)
    assert outbox.send(entry.pk, now=now + LATER).state == WishState.DONE


def test_what_dastra_refuses_comes_back_as_a_draft_with_its_files(
    make: Make, server: Server, sent: Callable[[], list[dict[str, Any]]], dsr: DataSubjectRequest, now: datetime
) -> None:
    for fault, words in (
        (Fault(kind="status", status=413, match="POST .*Attachments"), "of this size"),
        (Fault(kind="status", status=415, match="POST .*Attachments"), "kind of file"),
        (Fault(kind="status", status=403, match="POST .*Attachments"), "does not have the right"),
        (Fault(kind="refuse", match="POST .*Messages", reason="Not today."), "Not today."),
        (Fault(kind="status", status=404, match="POST .*Messages"), "no such entry"),
    ):
        server.faults.add(fault)
        draft = Draft.objects.first()
        entry = outbox.send(make(files=() if draft else FILES).pk, now=now)
        assert entry.state == WishState.REFUSED, fault
        assert words in entry.reason
        assert (Draft.objects.get().read_text(), entry.private_sealed) == (TEXT, None)
        assert [row.read_content() for row in Enclosure.objects.all()] == [content for _name, content in FILES]
    assert sent() == []
    entry = outbox.send(make().pk, now=now)
    assert entry.state == WishState.DONE
    assert len(sent()[0]["attachments"]) == 2
    uploaded = server.state[101].get(dsr.upstream_id)["attachments"]
    assert len([one for one in uploaded if one["fileName"] == "b.txt"]) == 1, (
        "what is there already is not brought again"
    )


def test_a_file_whose_upload_was_lost_is_looked_for_before_it_is_brought_again(
    make: Make, server: Server, sent: Callable[[], list[dict[str, Any]]], dsr: DataSubjectRequest, now: datetime
) -> None:
    server.switch(upload_answer="empty", message_answer="empty")
    server.faults.add(Fault(kind="applied_then_cut", match="POST .*Attachments"))
    entry = outbox.send(make(files=FILES).pk, now=now)
    assert entry.state == WishState.UNKNOWN
    assert sent() == []
    entry = outbox.send(entry.pk, now=now + LATER)
    assert entry.state == WishState.HELD, "nothing was said to the person yet"
    entry = outbox.send(entry.pk, now=entry.not_before)
    assert entry.state == WishState.DONE
    names = [one["fileName"] for one in sent()[0]["attachments"]]
    assert names == [name for name, _content in FILES]
    assert [one["fileName"] for one in server.state[101].get(dsr.upstream_id)["attachments"]].count(names[0]) == 1


def test_uploads_that_never_get_an_answer_end(make: Make, server: Server, now: datetime, writes: Any) -> None:
    server.faults.add(Fault(kind="close_without_answer", match="POST .*Attachments", times=None))
    entry, at = make(files=FILES), now
    for _turn in range(20):
        entry = outbox.send(entry.pk, now=max(at, entry.not_before))
        at += LATER
        if entry.state == WishState.REFUSED:
            break
    assert "could not be brought" in entry.reason
    assert len(writes()) == message_wire.MOST_ATTEMPTS
    assert Draft.objects.get().read_text() == TEXT


def test_files_that_dastra_leaves_out_are_said(make: Make, server: Server, now: datetime) -> None:
    server.switch(message_files="dropped")
    entry = outbox.send(make(files=FILES).pk, now=now)
    assert entry.state == WishState.DONE
    assert "without 2 of its files" in entry.reason


def test_a_request_that_changed_meanwhile_is_not_written_to(
    make: Make, server: Server, dsr: DataSubjectRequest, writes: Callable[[], list[str]], now: datetime
) -> None:
    workspace = server.state[101]
    entry = make()
    workspace.move(dsr.upstream_id, workspace.final_step()["id"])
    assert outbox.send(entry.pk, now=now).reason == "It was closed in Dastra meanwhile."
    dsr.refresh_from_db()
    entry = make()
    workspace.archive(dsr.upstream_id)
    assert outbox.send(entry.pk, now=now).reason == "It was archived in Dastra meanwhile."
    workspace.restore(dsr.upstream_id)
    server.switch(messages_by_request=False)
    entry = outbox.send(make().pk, now=now)
    assert entry.reason.startswith("Dastra does not tell which messages"), "its outcome could not be read"
    workspace.delete(dsr.upstream_id)
    server.switch(messages_by_request=True)
    entry = outbox.send(make().pk, now=now)
    assert (entry.reason, entry.dsr) == ("The request is no longer in Dastra.", None)
    assert writes() == []
    assert not Draft.objects.exists()
    assert not Enclosure.objects.exists()


def test_undone_it_is_a_draft_again_above_what_was_begun_since(
    make: Make, dsr: DataSubjectRequest, olivia: User, now: datetime, writes: Callable[[], list[str]]
) -> None:
    entry = make(files=FILES, hold_seconds=60)
    assert outbox.send(entry.pk, now=now).state == WishState.HELD
    drafts.save(dsr, text="begun since", purpose=LetterPurpose.FREE, language="", ground="", by=olivia, now=now)
    assert outbox.undo(entry, by=olivia, now=now)
    found = drafts.find(dsr, by=olivia)
    assert found is not None
    assert found.text == f"{TEXT}\n\nbegun since"
    assert [file.name for file in found.files] == [name for name, _content in FILES]
    assert writes() == []


def test_what_may_not_be_written_is_not_kept(make: Make, dsr: DataSubjectRequest, now: datetime) -> None:
    managing = make_person("marc", workspace=dsr.workspace, role=Role.MANAGER)
    same = uuid.uuid4()
    first = make(action_id=same)
    assert make(action_id=same) == first
    for changes, code in (
        ({"by": managing}, "not_allowed"),
        ({"text": "  \n "}, "invalid"),
        ({"text": "x" * (messages.LONGEST_MESSAGE + 1)}, "invalid"),
        ({"text": "because [[the reasons]]"}, "invalid"),
        ({"purpose": LetterPurpose.EXTENSION}, "invalid"),
        ({"purpose": LetterPurpose.REFUSAL, "ground": "complexity"}, "invalid"),
        ({"action_id": same, "text": "something else"}, "reused"),
        ({}, "busy"),
    ):
        with pytest.raises(WishError) as caught:
            make(**changes)
        assert caught.value.code == code, changes
    Membership.objects.filter(user=first.by).delete()
    with pytest.raises(WishError, match="may not write"):
        make()
    assert OutboxEntry.objects.count() == 1


def test_files_have_their_limits(dsr: DataSubjectRequest, olivia: User, now: datetime, monkeypatch: Any) -> None:
    monkeypatch.setattr(drafts, "LARGEST_FILE", 100)
    monkeypatch.setattr(drafts, "LARGEST_TOGETHER", 150)
    draft = drafts.save(dsr, text="", purpose=LetterPurpose.FREE, language="", ground="", by=olivia, now=now)
    drafts.enclose(draft, files=[("../a.pdf", b"x" * 100)])
    for files in ([("b", b"x" * 101)], [("b", b"x" * 51)], [("b", b"")], [("b", b"x")] * 5):
        with pytest.raises(WishError):
            drafts.enclose(draft, files=files)
    found = drafts.find(dsr, by=olivia)
    assert found is not None
    assert [(file.name, file.size) for file in found.files] == [("a.pdf", 100)]
    assert drafts.take_out(dsr, uid=found.files[0].uid, by=olivia)
    drafts.save(
        dsr, text="", purpose=LetterPurpose.FREE, language="", ground="", by=olivia, now=now - timedelta(days=31)
    )
    other = DataSubjectRequest.objects.exclude(pk=dsr.pk)[0]
    drafts.save(other, text="new", purpose=LetterPurpose.FREE, language="", ground="", by=olivia, now=now)
    assert [one.dsr_id for one in Draft.objects.all()] == [other.pk], "an old draft goes"
