"""Messages and files of the local Dastra, asked with the standard library alone."""

from __future__ import annotations

import urllib.request
from typing import Any

from dsrportal.sandbox import Sandbox, Server
from tests.sandbox.calling import LIST, NOW, Api

WS = "/v1/ws/101"


def upload(api: Api, dsr_id: int, content: bytes, *, part: str = "File") -> Any:
    """One file in a form, sent by hand."""
    body = (
        f'--b\r\nContent-Disposition: form-data; name="{part}"; filename="a.txt"\r\n\r\n'.encode()
        + content
        + b"\r\n--b--\r\n"
    )
    request = urllib.request.Request(
        f"{api.server.base_url}{WS}/DataSubjectAttachments/{dsr_id}", data=body, method="POST", headers=api.headers
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.read()


def test_a_file_is_kept_served_sent_purged_and_removed(api: Api, server: Server) -> None:
    dsr_id = server.state[101].create(title="x", purposes=["Access"])["id"]
    upload(api, dsr_id, b"line\r\nline")
    (file,) = api.get(f"{LIST}/{dsr_id}")["attachments"]
    assert (file["fileName"], file["size"], file["transmitted"]) == ("a.txt", 10, False)
    path = f"{WS}/DataSubjectAttachments/{dsr_id}/download/{file['id']}"
    assert api.call("GET", path).body == b"line\r\nline"
    of_message = f"{WS}/DataSubjectMessages/download/{file['id']}"
    assert api.call("GET", of_message).status == 404
    body = {"message": "See there.", "dataSubjectRequestId": dsr_id, "attachments": [{"id": file["id"]}]}
    assert [one["id"] for one in api.call("POST", f"{WS}/DataSubjectMessages", body=body).json["attachments"]] == [
        file["id"]
    ]
    assert api.call("GET", of_message).body == b"line\r\nline"
    assert api.call("POST", f"{WS}/DataSubjectMessages", body={**body, "attachments": [{"id": "x"}]}).status == 400
    assert api.call("POST", f"{WS}/DataSubjectAttachments/{dsr_id}/purge").status == 200
    assert api.call("GET", path).status == 404
    assert api.call("DELETE", f"{WS}/DataSubjectAttachments/{dsr_id}/{file['id']}").status == 200
    assert api.get(f"{WS}/DataSubjectAttachments/{dsr_id}") == []


def test_files_outlive_a_restart_and_seeded_ones_have_their_size(api: Api, server: Server) -> None:
    dsr_id = server.state[101].create(title="x", purposes=["Access"])["id"]
    upload(api, dsr_id, b"kept")
    again = Sandbox(requests=1, seed=1, now=NOW)
    again.state.load(server.state.snapshot())
    assert again.state[101].record(dsr_id).contents == server.state[101].record(dsr_id).contents
    row = next(row for row in api.rows() if row["attachments"] and row["id"] != dsr_id)
    file = row["attachments"][0]
    body = api.call("GET", f"{WS}/DataSubjectAttachments/{row['id']}/download/{file['id']}").body
    assert (len(body), body[:4]) == (file["size"], b"%PDF")


def test_what_the_documents_leave_open_is_a_switch(api: Api, server: Server) -> None:
    dsr_id = server.state[101].create(title="x", purposes=["Access"])["id"]
    server.switch(messages_by_request=False, message_answer="empty", upload_answer="empty", message_files="dropped")
    assert upload(api, dsr_id, b"x") == b""
    file = server.state[101].record(dsr_id).attachments[0]
    body = {"message": "x", "dataSubjectRequestId": dsr_id, "attachments": [{"id": file["id"]}]}
    assert api.call("POST", f"{WS}/DataSubjectMessages", body=body).body == b""
    assert server.state[101].record(dsr_id).messages[0]["attachments"] == []
    assert (
        len(
            {row["userRequestId"] for row in api.get(f"{WS}/DataSubjectMessages", dataSubjectRequestId=dsr_id)["items"]}
        )
        > 1
    )
