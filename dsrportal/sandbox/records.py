"""One request as it is stored, and its empty parts: fields, messages, attachments.

Built by seeding.py and store.py. What time changes (days left) is not stored, nor what can be looked up (steps, people, units).
"""

import base64
import random
import uuid
from dataclasses import dataclass, field

from dsrportal.sandbox.values import NEVER, Json

DELAY_DAYS = 30
COMPLEX_DELAY_DAYS = 90
_NULLS = (
    "archivedDate",
    "subjectCategoryId",
    "subjectCategory",
    "dateClosed",
    "description",
    "message",
    "resolutionMessage",
    "email",
    "phoneNumber",
    "givenName",
    "familyName",
    "dateUpdate",
    "refId",
    "userId",
    "closedReasonDescription",
    "expiryTime",
    "address",
    "zipCode",
    "city",
    "countryCode",
    "lastMessageDate",
    "additionalDatas",
    "dateUserNotified",
    "dateIdentityValidated",
    "widgetId",
)


@dataclass(slots=True)
class Record:
    """One request: the flat object without what is computed, the ids of what the whole object shows in full, and the bytes (base64) of uploaded files."""

    fields: Json
    operator_id: int | None = None
    creator_id: int | None = None
    closed_by_id: int | None = None
    tag_ids: list[int] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    messages: list[Json] = field(default_factory=list)
    contents: dict[str, str] = field(default_factory=dict)
    version: int = 0
    encoded: dict[str, tuple[tuple[int, int, int | None], bytes]] = field(default_factory=dict)

    def snapshot(self) -> Json:
        """Everything that outlives a restart."""
        return {
            "fields": self.fields,
            "operator_id": self.operator_id,
            "creator_id": self.creator_id,
            "closed_by_id": self.closed_by_id,
            "tag_ids": self.tag_ids,
            "attachments": self.attachments,
            "messages": self.messages,
            "contents": self.contents,
        }


def new_fields(*, dsr_id: int, demand_id: str, stamp: str) -> Json:
    """The stored fields of a request about which nothing is known yet."""
    return dict.fromkeys(_NULLS) | {
        "id": dsr_id,
        "demandId": demand_id,
        "title": "",
        "locale": "",
        "archived": False,
        "personCategory": "Client",
        "complex": False,
        "areaId": None,
        "state": "Open",
        "dateDemand": stamp,
        "dateCreation": stamp,
        "workFlowStepId": None,
        "channel": "Internal",
        "purposes": [],
        "closedReason": "None",
        "nbMessages": 0,
        "nbMessagesNotViewed": 0,
        "nbMessagesIncoming": 0,
        "userNotified": False,
        "sendNotification": False,
        "emailValidationDate": NEVER,
        "mailValidated": False,
        "referrerUrl": "",
        "customFields": {},
    }


def demand_id_of(rng: random.Random) -> str:
    """A public request number: eight characters of base32."""
    return base64.b32encode(rng.randbytes(5)).decode()


def new_message(*, rng: random.Random, dsr_id: int, text: str, stamp: str, user_id: int | None) -> Json:
    """A stored message; `userId` None is one from the person themselves."""
    return {
        "id": str(uuid.UUID(bytes=rng.randbytes(16), version=4)),
        "message": text,
        "dateCreation": stamp,
        "dateUpdate": None,
        "dateSend": stamp,
        "dateViewed": None,
        "userId": user_id,
        "userRequestId": dsr_id,
        "attachmentsLifetimeInHours": None,
        "attachments": [],
        "files": [],
    }


def new_attachment(*, rng: random.Random, dsr_id: int, file_name: str, size: int, stamp: str) -> Json:
    """DataSubjectAttachmentDto, without its bytes."""
    stem, _, extension = file_name.rpartition(".")
    return {
        "id": str(uuid.UUID(bytes=rng.randbytes(16), version=4)),
        "extension": extension,
        "size": size,
        "nbDownload": 0,
        "transmitted": False,
        "fileName": file_name,
        "label": stem,
        "userRequestMessageId": None,
        "userRequestId": dsr_id,
        "dateCreation": stamp,
        "dateUpdate": None,
        "creator": None,
        "expiration": None,
        "dateLastDownload": None,
        "dateFileRemoved": None,
        "deleted": False,
        "expired": False,
        "color": None,
    }


def count_messages(record: Record) -> None:
    """Sets the counters of a request from its messages."""
    incoming = [message for message in record.messages if message["userId"] is None]
    record.fields.update(
        nbMessages=len(record.messages),
        nbMessagesIncoming=len(incoming),
        nbMessagesNotViewed=sum(message["dateViewed"] is None for message in incoming),
        lastMessageDate=max((message["dateCreation"] for message in record.messages), default=None),
    )


def check_names(given: Json, fields: Json) -> None:
    """Raises KeyError for names that a request does not have."""
    unknown = set(given) - set(fields)
    if unknown:
        raise KeyError(f"no such field: {', '.join(sorted(unknown))}")
