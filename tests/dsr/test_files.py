"""Messages and files of a request: read from Dastra when it is opened, carried through to be saved, kept nowhere, each file audited."""

from __future__ import annotations

import base64
import random
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core import serializers
from django.http.response import HttpResponseBase
from django.test import Client

from dsrportal.actions.conversation import safe_name
from dsrportal.models import AuditEvent, DataSubjectRequest, User, Workspace
from dsrportal.models.audit import Operation
from dsrportal.sandbox import Fault
from dsrportal.sandbox.records import new_attachment
from dsrportal.sandbox.server import Server
from tests.dsr.test_page import LIST, as_person, live

HTMX = {"HX-Request": "true", "HX-Target": "texts"}
CONTENT = b"%PDF-1.4 marker-of-the-file-puffin " + bytes(range(256)) * 300
NAME = "Marker name/..\\\u202efdp.exe\r\nX-Evil: 1.pdf"


@pytest.fixture
def attached(mirrored: Workspace, dastra: Server) -> DataSubjectRequest:
    """A request with two messages, the newer one from the person with a file, and a file of its own."""
    dsr = live(mirrored)
    workspace = dastra.state[101]
    record = workspace.record(dsr.upstream_id)
    record.messages.clear()
    record.attachments.clear()
    workspace.write(dsr.upstream_id, "Marker-of-ours-heron", by=71)
    message = workspace.write(dsr.upstream_id, "Marker-of-theirs-<b>ibis</b>\nsecond line")
    for name, of_message in (("own.pdf", None), (NAME, message["id"])):
        file = new_attachment(
            rng=workspace_random(),
            dsr_id=dsr.upstream_id,
            file_name=name,
            size=len(CONTENT),
            stamp=dastra.state.stamp(),
        )
        file["userRequestMessageId"] = of_message
        record.attachments.append(file)
        record.contents[file["id"]] = encoded(CONTENT)
        if of_message:
            message["attachments"] = [file]
    workspace.changing(dsr.upstream_id)
    return dsr


def workspace_random() -> Any:
    """A random source with a seed of its own."""
    return random.Random(uuid.uuid4().int)


def encoded(content: bytes) -> str:
    """As the local Dastra keeps a file."""
    return base64.b64encode(content).decode()


def files_of(dsr: DataSubjectRequest, dastra: Server) -> list[str]:
    """The addresses of the request's files, its own first."""
    rows = dastra.state[101].record(dsr.upstream_id).attachments
    return [f"{LIST}{dsr.upstream_id}/files/{row['id']}/" for row in rows]


def saved(answer: HttpResponseBase) -> bytes:
    """The whole body of a streamed answer."""
    return b"".join(answer)  # at its end the test's client closes it


def test_messages_and_files_are_shown_escaped_with_whose_they_are(
    attached: DataSubjectRequest, dastra: Server, officer: User
) -> None:
    page = as_person(officer).post(f"{LIST}{attached.upstream_id}/texts/", headers=HTMX).content.decode()
    assert "Marker-of-theirs-&lt;b&gt;ibis&lt;/b&gt;\nsecond line" in page
    assert page.index("ibis") < page.index("heron")
    assert "The person" in page
    assert dastra.state.users[71]["displayName"] in page
    assert page.count("button--link") == 2
    assert "fdp.exe" in page
    assert "\u202e" not in page


def test_when_the_messages_cannot_be_read_the_texts_are_shown_all_the_same(
    attached: DataSubjectRequest, dastra: Server, officer: User
) -> None:
    dastra.state[101].edit(attached.upstream_id, description="Marker-of-the-note")
    client = as_person(officer)
    for fault in (Fault(kind="garbage_json"), Fault(kind="login_page"), Fault(kind="status", status=403)):
        fault.match = "Messages"
        dastra.faults.add(fault)
        page = client.post(f"{LIST}{attached.upstream_id}/texts/", headers=HTMX).content.decode()
        assert "The messages could not be read from Dastra" in page
        assert "Marker-of-the-note" in page


def test_a_file_is_saved_never_shown_whatever_it_calls_itself(
    attached: DataSubjectRequest, dastra: Server, officer: User
) -> None:
    client = as_person(officer)
    for url, name in zip(files_of(attached, dastra), ("own.pdf", "fdp.exe"), strict=True):
        answer = client.post(url)
        assert saved(answer) == CONTENT
        disposition = answer["Content-Disposition"]
        assert disposition.startswith("attachment;")
        assert name in disposition
        assert not {"/", "\\", "\r", "\n"} & set(disposition)
        assert (answer["Content-Type"], answer["X-Content-Type-Options"]) == ("application/octet-stream", "nosniff")
        assert (answer["Cache-Control"], answer["Content-Length"]) == ("no-store", str(len(CONTENT)))
        assert "X-Evil" not in answer.headers
    lines = AuditEvent.objects.filter(operation=Operation.DOWNLOAD)
    assert [(line.by, line.reference, line.outcome) for line in lines] == [(officer, attached.reference, "done")] * 2
    assert all(set(line.details) == {"file"} for line in lines)


def test_nothing_of_a_file_or_a_message_is_kept(
    attached: DataSubjectRequest, dastra: Server, officer: User, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    client = as_person(officer)
    client.post(f"{LIST}{attached.upstream_id}/texts/", headers=HTMX)
    for url in files_of(attached, dastra):
        saved(client.post(url))
    stored = "".join(serializers.serialize("json", model._default_manager.all()) for model in apps.get_models())
    files = b"".join(path.read_bytes() for path in Path(settings.DATA_DIR).rglob("*") if path.is_file())
    for word in ("heron", "ibis", "puffin", "fdp.exe", "Marker name"):
        assert word not in stored
        assert word not in caplog.text
        assert word.encode() not in files


def test_only_a_file_of_this_request_and_only_for_who_may_see_texts(
    attached: DataSubjectRequest, dastra: Server, officer: User, manager: User, mirrored: Workspace
) -> None:
    url = files_of(attached, dastra)[0]
    assert as_person(manager).post(url).status_code == 403
    other = DataSubjectRequest.objects.filter(workspace=mirrored).exclude(pk=attached.pk)[0]
    client = as_person(officer)
    for address in (
        url.replace(f"/{attached.upstream_id}/", f"/{other.upstream_id}/"),
        f"{LIST}{attached.upstream_id}/files/{uuid.uuid4()}/",
    ):
        assert said(client, address) == "Dastra no longer has this file."
    assert not dastra.journal.of("GET", "/download/")
    dastra.state[101].record(attached.upstream_id).attachments[0]["deleted"] = True
    assert said(client, url) == "Dastra no longer has this file."
    assert {line.outcome for line in AuditEvent.objects.filter(operation=Operation.DOWNLOAD)} == {"gone"}


def said(client: Client, url: str) -> str:
    """What the page says after a file that did not come."""
    answer = client.post(url, follow=True)
    assert answer.redirect_chain
    return str(next(iter(answer.context["messages"])))


def test_a_dastra_that_fails_says_so_and_loses_nothing(
    attached: DataSubjectRequest, dastra: Server, officer: User
) -> None:
    client = as_person(officer)
    url = files_of(attached, dastra)[0]
    for fault, words in (
        (Fault(kind="status", status=500, match="download"), "a failure on its side"),
        (Fault(kind="login_page", match="download"), "not Dastra's API"),
        (Fault(kind="redirect", match="download"), "redirect"),
        (Fault(kind="close_without_answer", match="download"), "broke"),
        (Fault(kind="status", status=403, match="DataSubjectRequests"), "does not have the right"),
    ):
        dastra.faults.add(fault)
        sentence = said(client, url)
        assert "could not be read from Dastra" in sentence
        assert words in sentence
    dastra.faults.add(Fault(kind="status", status=404, match="download"))
    assert said(client, url) == "Dastra no longer has this file."
    assert saved(client.post(url)) == CONTENT


def test_a_file_that_breaks_off_is_not_handed_out_as_whole(
    attached: DataSubjectRequest, dastra: Server, officer: User
) -> None:
    record = dastra.state[101].record(attached.upstream_id)
    record.contents[record.attachments[0]["id"]] = encoded(CONTENT * 8)
    dastra.faults.add(Fault(kind="truncate", match="download"))
    answer = as_person(officer).post(files_of(attached, dastra)[0])
    assert answer["Content-Length"] == str(len(CONTENT * 8))
    with pytest.raises(Exception, match="broke before"):
        saved(answer)


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("report.pdf", "report.pdf"),
        ("../../etc/passwd", "etc passwd"),
        ("C:\\temp\\a.docx", "C temp a.docx"),
        ("a\u202egnp.exe", "agnp.exe"),
        ("a\r\nSet-Cookie: x.pdf", "a Set-Cookie x.pdf"),
        ("", "file"),
        ("...", "file"),
        ("NUL.txt", "_NUL.txt"),
        ("é" * 400 + ".pdf", "é" * 116 + ".pdf"),
        ("\ud800\x00a.pdf", "a.pdf"),
    ],
)
def test_a_files_name_is_safe_to_save_under(name: str, safe: str) -> None:
    assert safe_name(name) == safe
