"""Messages and files over real HTTP, against the local Dastra, which shares no code with the client."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dsrportal.dastra import connections, correspondence, errors, files
from dsrportal.dastra.auth import ApiKey
from dsrportal.dastra.client import DastraClient
from dsrportal.dastra.correspondence import Correspondence
from dsrportal.dastra.pacing_file import SharedPacer
from dsrportal.sandbox import Fault, Limit, Sandbox, Server, Switches

FILE = "é “quoted” %0d.pdf"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """One Dastra for the module."""
    limits = (Limit(count=1_000_000, seconds=60),)
    with Sandbox(requests=20, seed=3, settings=Switches(limits=limits)).serve() as running:
        yield running


@pytest.fixture
def letters(server: Server, tmp_path: Path) -> Iterator[Correspondence]:
    """The client's part, in fair weather."""
    server.faults.clear()
    server.switch(
        **{name: getattr(Switches(), name) for name in ("messages_by_request", "message_files", "upload_answer")}
    )
    server.switch(message_downloads=True, message_answer="object", largest_upload=50 * 1024 * 1024, max_size=500)
    with DastraClient(
        base_url=server.base_url,
        workspace_id=101,
        auth=ApiKey(server.api_key),
        allowed_hosts=(server.host_port,),
        pacer=SharedPacer(directory=tmp_path, key_id=ApiKey(server.api_key).key_id),
        timeout_seconds=1,
    ) as client:
        yield client.correspondence


@pytest.fixture
def dsr(server: Server) -> int:
    """A new request without messages and files."""
    made: int = server.state[101].create(title="A request", purposes=["Access"])["id"]
    return made


def test_a_conversation_is_read_newest_first_whatever_the_page_size(
    letters: Correspondence, server: Server, dsr: int
) -> None:
    server.switch(max_size=2)
    for number in range(5):
        server.state[101].write(dsr, f"Message {number}", by=71 if number % 2 else None)
    found = letters.list_messages(dsr)
    assert sorted(one.text for one in found.items) == [f"Message {number}" for number in range(5)]
    assert [one.sent_at for one in found.items] == sorted(
        (one.sent_at for one in found.items if one.sent_at), reverse=True
    )
    assert {one.author is None for one in found.items} == {True, False}
    assert not found.is_cut


def test_a_long_conversation_says_that_it_is_cut(
    letters: Correspondence, server: Server, dsr: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(correspondence, "PAGE_SIZE", 2)
    for number in range(11):
        server.state[101].write(dsr, f"Message {number}")
    found = letters.list_messages(dsr)
    assert (len(found.items), found.is_cut) == (10, True)


def test_messages_of_others_are_never_shown(letters: Correspondence, server: Server, dsr: int) -> None:
    server.switch(messages_by_request=False)
    with pytest.raises(errors.MalformedAnswer, match="which messages belong"):
        letters.list_messages(dsr)
    server.state[101].write(dsr, "Mine")
    assert [one.text for one in letters.list_messages(dsr).items] == ["Mine"]


@pytest.mark.parametrize("rows", [[None], ["x"], [{"id": 7}], [{"id": "not-a-uuid", "message": "x"}]])
def test_rows_of_a_wrong_shape_are_left_out(
    letters: Correspondence, server: Server, dsr: int, rows: list[object]
) -> None:
    server.faults.add(Fault(kind="mutate_envelope", match="Messages", mutate=lambda _: {"items": rows, "total": 1}))
    assert letters.list_messages(dsr).items == ()


@pytest.mark.parametrize("answer", [{}, "text", {"items": None}, 7])
def test_an_answer_of_a_wrong_shape_is_an_error(
    letters: Correspondence, server: Server, dsr: int, answer: object
) -> None:
    server.faults.add(Fault(kind="mutate_envelope", match="Messages", mutate=lambda _: answer))
    with pytest.raises(errors.MalformedAnswer):
        letters.list_messages(dsr)


@pytest.mark.parametrize("answer", ["object", "empty"])
def test_a_file_goes_up_with_a_message_and_comes_back_as_it_was(
    letters: Correspondence, server: Server, dsr: int, answer: str
) -> None:
    server.switch(upload_answer=answer, message_answer=answer)
    content = bytes(range(256)) * 1_000 + b"\r\n--x--\r\n"
    told = letters.upload_attachment(dsr, name=FILE, content=content)
    (stored,) = server.state[101].get(dsr)["attachments"]
    assert (told.upstream_id if told else stored["id"]) == stored["id"]
    assert (told is None) == (answer == "empty")
    assert stored["size"] == len(content)
    letters.send_message(dsr, "Here it is.", attachments=[stored])
    (message,) = letters.list_messages(dsr).items
    assert [one.upstream_id for one in message.attachments] == [stored["id"]]
    for way in (letters.download_attachment, letters.download_of_message):
        download = way(dsr, stored["id"].upper())
        assert (download.length, download.content_type) == (len(content), "application/pdf")
        assert b"".join(download) == content
        download.close()
        download.close()
    server.switch(message_downloads=False)
    download = letters.download_of_message(dsr, stored["id"])
    assert b"".join(download) == content
    assert download._exchange._handles == [], "what was read to its end holds no connection"


@pytest.mark.parametrize("file_id", ["", "../../Tags", "1", "00000000-0000-4000-8000-00000000000g"])
def test_only_a_uuid_reaches_an_address(letters: Correspondence, server: Server, dsr: int, file_id: str) -> None:
    before = len(server.journal)
    with pytest.raises(errors.ConfigurationError):
        letters.download_attachment(dsr, file_id)
    assert len(server.journal) == before


@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        (Fault(kind="status", status=404), errors.NotFound),
        (Fault(kind="redirect"), errors.UnexpectedRedirect),
        (Fault(kind="status", status=500), errors.ServerFailure),
        (Fault(kind="empty", status=204), errors.MalformedAnswer),
        (Fault(kind="close_without_answer"), errors.AnswerCut),
    ],
    ids=lambda value: getattr(value, "kind", ""),
)
def test_a_download_that_does_not_begin_is_an_error(
    letters: Correspondence, server: Server, dsr: int, fault: Fault, problem: type[Exception]
) -> None:
    letters.upload_attachment(dsr, name="a.pdf", content=b"x")
    file_id = server.state[101].get(dsr)["attachments"][0]["id"]
    server.faults.add(Fault(kind=fault.kind, status=fault.status, match="download"))
    with pytest.raises(problem):
        letters.download_attachment(dsr, file_id)


@pytest.mark.parametrize("kind", ["truncate", "cut_chunked", "reset"])
def test_a_download_that_breaks_is_never_taken_for_whole(
    letters: Correspondence, server: Server, dsr: int, kind: str
) -> None:
    letters.upload_attachment(dsr, name="a.pdf", content=b"x" * 600_000)
    file_id = server.state[101].get(dsr)["attachments"][0]["id"]
    server.faults.add(Fault(kind=kind, match="download"))  # type: ignore[arg-type]
    begun = []

    def read() -> bytes:
        begun.append(letters.download_attachment(dsr, file_id))  # some break already here
        return b"".join(begun[0])

    with pytest.raises(errors.AnswerCut):
        read()
    assert all(download._exchange._handles == [] for download in begun)


def test_a_download_that_ends_does_not_unwatch_the_next_call(letters: Correspondence, server: Server, dsr: int) -> None:
    letters.upload_attachment(dsr, name="a.pdf", content=b"x" * 1_000)
    download = letters.download_attachment(dsr, server.state[101].get(dsr)["attachments"][0]["id"])
    with connections.Exchange(seconds=5) as exchange:
        download.close()
        assert connections._current.exchange is exchange
    assert connections._current.exchange is None


def test_a_download_has_a_largest_size(
    letters: Correspondence, server: Server, dsr: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    letters.upload_attachment(dsr, name="a.pdf", content=b"x" * 200_000)
    file_id = server.state[101].get(dsr)["attachments"][0]["id"]
    monkeypatch.setattr(files, "LARGEST_FILE", 100_000)
    with pytest.raises(errors.AnswerTooLarge):
        letters.download_attachment(dsr, file_id)


@pytest.mark.parametrize(
    ("fault", "unknown"),
    [
        (Fault(kind="status", status=413), False),
        (Fault(kind="status", status=404), False),
        (Fault(kind="refuse"), False),
        (Fault(kind="status", status=500), True),
        (Fault(kind="applied_then_cut"), True),
    ],
    ids=lambda value: f"{value.kind}{value.status or ''}" if isinstance(value, Fault) else "",
)
def test_a_write_says_whether_it_may_have_been_taken(
    letters: Correspondence, server: Server, dsr: int, fault: Fault, *, unknown: bool
) -> None:
    ways: tuple[Callable[[], object], ...] = (
        lambda: letters.send_message(dsr, "Hello."),
        lambda: letters.upload_attachment(dsr, name="a.pdf", content=b"x"),
    )
    for write in ways:
        server.faults.add(Fault(kind=fault.kind, status=fault.status, match="POST"))
        with pytest.raises(errors.DastraError) as caught:
            write()
        assert caught.value.outcome_unknown is unknown
