"""Reading a request through from Dastra when somebody opens it: message, description and the rest that the portal does not keep.

Called by `views.dsr`. Nothing of what is read here is stored but the mirror's own fields; each opening leaves one line in the audit log.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from dsrportal.actions.changes import CUSTOM_NAME
from dsrportal.actions.conversation import Conversation, OpenedFile, opened_files, read_conversation
from dsrportal.actions.fields import custom_text
from dsrportal.dastra import schema
from dsrportal.dastra.errors import DastraError
from dsrportal.mirror import connections, refresh
from dsrportal.models import AuditEvent, DataSubjectRequest, User, Workspace
from dsrportal.models.audit import Operation
from dsrportal.models.outbox import CUSTOM

EMPTY: tuple[Any, ...] = (None, "", [], {})
"""What is not shown of the workspace's own fields; "no" and nought are answers."""


class ReadingError(Exception):
    """Dastra could not be read. `sentence` is fit for a person."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class GoneError(Exception):
    """Dastra no longer has the request; its row was forgotten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedRequest:
    """What Dastra tells and the portal does not keep. Texts are plain and unescaped; `conversation` holds the messages to and from the person;
    `custom_fields` are (name, value) as text, and
    `custom_texts` those that a person may write text into. `is_changed`: the mirror's row was older and has just been brought up to date.
    """

    message: str = field(repr=False)
    description: str = field(repr=False)
    resolution_message: str = field(repr=False)
    closed_reason_description: str = field(repr=False)
    phone_number: str = field(repr=False)
    address_lines: tuple[str, ...] = field(repr=False)
    customer_reference: str = field(repr=False)
    subject_category: str
    attachments: tuple[OpenedFile, ...] = field(repr=False)
    conversation: Conversation = field(repr=False)
    custom_fields: tuple[tuple[str, str], ...] = field(repr=False)
    custom_texts: Mapping[str, str] = field(repr=False)
    is_changed: bool


def open_request(dsr: DataSubjectRequest, *, workspace: Workspace, by: User, now: datetime) -> OpenedRequest:
    """Read one request from Dastra and mirror it. Raises `ReadingError` or `GoneError`.

    Sources: GET /v1/ws/{id}/DataSubjectRequests/{id} and, where it has messages, …/DataSubjectMessages.
    """
    if not workspace.is_enabled:
        raise ReadingError(_("This workspace is disabled, so Dastra is not read."))
    outcome = "failed"
    try:
        with connections.connect(workspace, interactive=True) as client:
            read = refresh.refresh_request(workspace, upstream_id=dsr.upstream_id, client=client, now=now)
            zone = ZoneInfo(workspace.time_zone)
            conversation = read_conversation(read, client=client, zone=zone) if read else Conversation()
        outcome = "gone" if read is None else "done"
    except DastraError as error:
        raise ReadingError(error.sentence) from error
    finally:
        AuditEvent.objects.create(
            at=now,
            by=by,
            workspace=workspace,
            operation=Operation.OPEN,
            upstream_id=dsr.upstream_id,
            reference=dsr.reference,
            outcome=outcome,
        )
    if read is None:
        raise GoneError
    digest = DataSubjectRequest.objects.filter(pk=dsr.pk).values_list("digest", flat=True).first()
    return _opened(read, conversation=conversation, is_changed=digest is None or bytes(digest) != bytes(dsr.digest))


def _opened(read: schema.DataSubjectRequest, *, conversation: Conversation, is_changed: bool) -> OpenedRequest:
    place = " ".join(part for part in (read.zip_code, read.city) if part)
    return OpenedRequest(
        message=read.message,
        description=read.description,
        resolution_message=read.resolution_message,
        closed_reason_description=read.closed_reason_description,
        phone_number=read.phone_number,
        address_lines=tuple(line for line in (read.address, place, read.country_code) if line),
        customer_reference=read.customer_reference,
        subject_category=read.subject_category,
        attachments=opened_files(_own_files(read, conversation)),
        conversation=conversation,
        custom_fields=tuple(
            (str(name), _in_words(value)) for name, value in read.custom_fields.items() if value not in EMPTY
        ),
        custom_texts={
            f"{CUSTOM}{name}": text
            for name in read.custom_fields
            if CUSTOM_NAME.fullmatch(f"{CUSTOM}{name}") and (text := custom_text(read, name)) is not None
        },
        is_changed=is_changed,
    )


def _own_files(read: schema.DataSubjectRequest, conversation: Conversation) -> list[schema.Attachment]:
    """The request's files without those that a message shows already."""
    shown = {file.file_id for message in conversation.messages for file in message.files}
    return [one for one in read.attachments if one.upstream_id not in shown or not one.upstream_id]


def _in_words(value: Any) -> str:
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if isinstance(value, str | int | float):
        return str(value)
    if isinstance(value, list | tuple) and all(isinstance(part, str | int | float) for part in value):
        return ", ".join(_in_words(part) for part in value)
    return json.dumps(value, ensure_ascii=False, default=str)
