"""The messages and files of requests: what is written to and by the person. The part of the client that `client.py` joins to the rest.

Nothing here is sent twice, and nothing is kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from . import reading
from .errors import ConfigurationError, MalformedAnswer, NotFound
from .files import Download
from .paging import rows_of
from .schema import Attachment, Message, Messages
from .transport import Transport
from .values import BadValueError, uuid

LONGEST_MESSAGE = 3_000
"""What Dastra's documents allow, in characters."""
PAGE_SIZE = 100
MOST_PAGES = 5


class Correspondence:
    """Messages and files of one workspace, over one transport."""

    def __init__(self, transport: Transport, *, workspace: str) -> None:
        self._transport = transport
        self._messages = f"{workspace}/DataSubjectMessages"
        self._attachments = f"{workspace}/DataSubjectAttachments"

    def list_messages(self, dsr_id: int) -> Messages:
        """At most 500 messages of one request, newest first. What belongs to another request is left out; raises MalformedAnswer where all of it
        does, since Dastra then does not narrow the list. Rows that cannot be read are left out too.

        Source: GET /v1/ws/{id}/DataSubjectMessages?dataSubjectRequestId=….
        """
        found: dict[str, Message] = {}
        others = row_count = 0
        for number in range(1, MOST_PAGES + 1):
            query = [("dataSubjectRequestId", str(dsr_id)), ("page", str(number)), ("size", str(PAGE_SIZE))]
            envelope = rows_of(self._transport.get(self._messages, query=query))
            page = reading.many(envelope.rows, read=reading.message)
            own = [one for one in page.items if one.dsr_upstream_id == dsr_id]
            others += len(page.items) - len(own)
            is_new = any(one.upstream_id not in found for one in own)
            found.update({one.upstream_id: one for one in own})
            row_count += len(envelope.rows)
            is_over = len(envelope.rows) < PAGE_SIZE if envelope.total is None else row_count >= envelope.total
            is_last = envelope.whole or is_over or not is_new
            if is_last:
                break
        if others and not found:
            raise MalformedAnswer("Dastra does not tell which messages belong to this request.")
        items = sorted(found.values(), key=lambda one: (one.sent_at is not None, one.sent_at), reverse=True)
        return Messages(items=tuple(items), is_cut=not is_last)

    def send_message(self, dsr_id: int, text: str, *, attachments: Sequence[Mapping[str, Any]] = ()) -> None:
        """Writes to the person; `attachments` are `raw` of files that were uploaded before. What became of it is learnt by reading: the answer is not
        documented.

        Source: POST /v1/ws/{id}/DataSubjectMessages.
        """
        body = {"dataSubjectRequestId": dsr_id, "message": text, "attachments": [dict(one) for one in attachments]}
        self._transport.write("POST", self._messages, payload=body)

    def upload_attachment(self, dsr_id: int, *, name: str, content: bytes) -> Attachment | None:
        """Puts a file beside the request, and answers it as Dastra tells it; None where the answer says nothing, so that a read has to.

        Source: POST /v1/ws/{id}/DataSubjectAttachments/{id}, one part named `File`.
        """
        answer = self._transport.upload(f"{self._attachments}/{dsr_id}", name=name, content=content, part="File")
        try:
            stored = reading.one(answer, read=reading.attachment)
        except MalformedAnswer:
            return None
        return stored if stored.upstream_id else None

    def download_attachment(self, dsr_id: int, file_id: str) -> Download:
        """A file of the request. Close it. Source: GET /v1/ws/{id}/DataSubjectAttachments/{id}/download/{fileId}."""
        return self._transport.download(f"{self._attachments}/{dsr_id}/download/{_uuid(file_id)}")

    def download_of_message(self, dsr_id: int, file_id: str) -> Download:
        """A file that came with a message. Where the messages' own address does not know it, the request's may. Close it.

        Sources: GET /v1/ws/{id}/DataSubjectMessages/download/{id}, then as `download_attachment`.
        """
        try:
            return self._transport.download(f"{self._messages}/download/{_uuid(file_id)}")
        except NotFound:
            return self.download_attachment(dsr_id, file_id)


def _uuid(text: str) -> str:
    try:
        return uuid(text)
    except BadValueError:
        raise ConfigurationError("The id of a file must be a UUID.") from None
