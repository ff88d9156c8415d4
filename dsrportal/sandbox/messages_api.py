"""The endpoints of messages and of files: what is written to and by the person, and what is attached.

Registered in a table that the server looks into, like requests_api.py. Whatever no document settles is a switch.
"""

import base64
import random
import re
from typing import Any

from dsrportal.sandbox.calls import Answer, Call, RefusalError, Routes, invalid_value
from dsrportal.sandbox.listing import paged
from dsrportal.sandbox.records import Record, new_attachment
from dsrportal.sandbox.seeding import API_USER_ID
from dsrportal.sandbox.shapes import user_light
from dsrportal.sandbox.store import State
from dsrportal.sandbox.values import Json

routes = Routes()
_WS = "/v1/ws/{ws}"
_MESSAGE_LENGTH = 3_000
_NAME_LENGTH = 355
_DISPOSITION = re.compile(
    rb'content-disposition:[^\r\n]*\bname="(?P<part>[^"]*)"(?:; filename="(?P<file>[^"]*)")?', re.I
)


@routes.on("GET", f"{_WS}/datasubjectmessages")
def list_messages(call: Call) -> Answer:
    """Messages, newest first, paged; query `dataSubjectRequestId` (or the older `userRequestId`), `userId`, `q`, `start`, `end`."""
    workspace, query = call.workspace, call.query
    dsr_id = query.number("dataSubjectRequestId") or query.number("userRequestId")
    if not call.settings.messages_by_request:
        dsr_id = None
    user_id, searched = query.number("userId"), (query.text("q") or "").casefold()
    start, end = query.instant("start"), query.instant("end")
    with call.state.lock:
        rows = [
            _message_object(message, state=call.state)
            for record in workspace.records.values()
            if dsr_id is None or record.fields["id"] == dsr_id
            for message in record.messages
            if (user_id is None or message["userId"] == user_id)
            and searched in message["message"].casefold()
            and (start is None or message["dateCreation"] >= start)
            and (end is None or message["dateCreation"] <= end)
        ]
    rows.sort(key=lambda row: (row["dateCreation"], row["id"]), reverse=not call.query.flag("asc"))
    return paged(rows, call=call)


@routes.on("POST", f"{_WS}/datasubjectmessages")
def create_message(call: Call) -> Answer:
    """`{"message", "dataSubjectRequestId", "attachments"}`: a message to the person; attachments are files of the request, by id. 400 without a text
    or above 3,000 characters, or for a file that the request does not have."""
    body = call.mapping()
    text, dsr_id = body.get("message"), body.get("dataSubjectRequestId")
    if not isinstance(text, str) or not text or len(text) > _MESSAGE_LENGTH:
        raise invalid_value(str(text), name="message")
    if isinstance(dsr_id, bool) or not isinstance(dsr_id, int):
        raise invalid_value(str(dsr_id), name="dataSubjectRequestId")
    workspace = call.workspace
    with call.state.lock:
        files = _named_files(workspace.record(dsr_id), body.get("attachments"))
        message = workspace.write(dsr_id, text, by=API_USER_ID)
        if call.settings.message_files == "linked":
            for file in files:
                file.update(userRequestMessageId=message["id"], transmitted=True)
            message["attachments"] = list(files)
        if call.settings.message_answer == "empty":
            return Answer()
        return Answer.json(_message_object(message, state=call.state))


def _named_files(record: Record, given: Any) -> list[Json]:
    by_id = {file["id"]: file for file in record.attachments}
    wanted = [one.get("id") if isinstance(one, dict) else None for one in given or []]
    if any(file_id not in by_id for file_id in wanted):
        raise invalid_value("attachment", name="attachments")
    return [by_id[file_id] for file_id in wanted]


@routes.on("GET", f"{_WS}/datasubjectmessages/count/{{id}}")
def count(call: Call) -> Answer:
    """How many messages a request has, as a bare number (a guess)."""
    with call.state.lock:
        return Answer.json(len(call.workspace.record(call.number("id")).messages))


@routes.on("GET", f"{_WS}/datasubjectmessages/download/{{file}}")
def download_of_message(call: Call) -> Answer:
    """A file that went with a message, by its id alone. 404 where the switch says that this address knows none."""
    with call.state.lock:
        for record in call.workspace.records.values():
            for file in record.attachments:
                is_sent = file["userRequestMessageId"] is not None and call.settings.message_downloads
                if is_sent and file["id"] == call.words["file"].lower():
                    return _file_answer(record, file)
    raise RefusalError(404, "Not Found")


@routes.on("GET", f"{_WS}/datasubjectmessages/{{id}}")
def get_message(call: Call) -> Answer:
    """One message by its uuid."""
    with call.state.lock:
        for record in call.workspace.records.values():
            for message in record.messages:
                if message["id"] == call.words["id"].lower():
                    return Answer.json(_message_object(message, state=call.state))
    raise RefusalError(404, "Not Found")


@routes.on("GET", f"{_WS}/datasubjectattachments/{{id}}")
def list_attachments(call: Call) -> Answer:
    """The attachments of a request, as a plain array."""
    with call.state.lock:
        return Answer.json(call.workspace.record(call.number("id")).attachments)


@routes.on("POST", f"{_WS}/datasubjectattachments/{{id}}")
def upload(call: Call) -> Answer:
    """One file, as the part `File` of a form. 413 above the switched size, 400 without such a part."""
    if len(call.body) > call.settings.largest_upload:
        raise RefusalError(413, "Payload Too Large")
    name, content = _part(call.body)
    with call.state.lock:
        record = call.workspace.changing(call.number("id"))
        rng = random.Random(f"file:{call.state.next_id('file')}")  # noqa: S311 - an id, not a secret
        stamp = call.state.stamp()
        file = new_attachment(
            rng=rng, dsr_id=record.fields["id"], file_name=name[:_NAME_LENGTH], size=len(content), stamp=stamp
        )
        record.attachments.append(file)
        record.contents[file["id"]] = base64.b64encode(content).decode()
        return Answer() if call.settings.upload_answer == "empty" else Answer.json(file)


@routes.on("DELETE", f"{_WS}/datasubjectattachments/{{id}}/{{file}}")
def remove(call: Call) -> Answer:
    """Takes a file away with its name."""
    with call.state.lock:
        record = call.workspace.record(call.number("id"))
        record = call.workspace.changing(record.fields["id"])
        record.attachments.remove(_file(record, call.words["file"]))
        return Answer()


@routes.on("POST", f"{_WS}/datasubjectattachments/{{id}}/purge")
def purge(call: Call) -> Answer:
    """Takes the files away and keeps their names."""
    with call.state.lock:
        record = call.workspace.changing(call.number("id"))
        for file in record.attachments:
            file.update(deleted=True, dateFileRemoved=call.state.stamp())
        record.contents.clear()
        return Answer()


@routes.on("GET", f"{_WS}/datasubjectattachments/{{id}}/download/{{file}}")
def download(call: Call) -> Answer:
    """A file of the request. 404 where it is not there, or no longer."""
    with call.state.lock:
        record = call.workspace.record(call.number("id"))
        return _file_answer(record, _file(record, call.words["file"]))


def _file(record: Record, file_id: str) -> Json:
    for file in record.attachments:
        if file["id"] == file_id.lower():
            return file
    raise RefusalError(404, "Not Found")


def _file_answer(record: Record, file: Json) -> Answer:
    if file["deleted"]:
        raise RefusalError(404, "Not Found")
    file["nbDownload"] += 1
    stored = record.contents.get(file["id"])
    body = base64.b64decode(stored) if stored is not None else _made_up(file)
    disposition = f'attachment; filename="{file["id"]}"'
    return Answer(body=body, headers=[("Content-Type", "application/pdf"), ("Content-Disposition", disposition)])


def _made_up(file: Json) -> bytes:
    """The bytes of a file that came with the seed: nothing but its name, in the length that it has."""
    line = f"%PDF-1.4 synthetic {file['fileName']}\n".encode()
    size: int = file["size"]
    return (line * (size // len(line) + 1))[:size]


def _part(body: bytes) -> tuple[str, bytes]:
    """The name and the bytes of the part `File` of a form. Raises RefusalError (400)."""
    boundary = body.split(b"\r\n", 1)[0]
    for section in body.split(boundary)[1:-1] if boundary.startswith(b"--") else []:
        head, _, content = section.partition(b"\r\n\r\n")
        found = _DISPOSITION.search(head)
        if found and found["part"] == b"File" and found["file"]:
            return found["file"].decode("utf-8", "replace"), content.removesuffix(b"\r\n")
    raise RefusalError(400, "One or more validation errors occurred.", errors={"File": ["The File field is required."]})


def _message_object(message: Json, *, state: State) -> Json:
    shown = {name: value for name, value in message.items() if name != "userId"}
    author = state.users.get(message["userId"])
    return shown | {"user": user_light(author) if author else None}
