"""The payloads we read, as frozen typed objects: Dastra's camelCase ends here.

Made by `reading.py`, handed out by `client.py`, stored by the mirror. Identity and free text never show in a repr.
Instants are aware and in UTC; what is absent is None, "" or (). Texts hold no NUL and no lone surrogate, unlike `raw`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowStep:
    """`WorkFlowStepDto`. `color` is `#RGB`, `#RRGGBB` or "". `mapped_state` is the state that a request in it takes."""

    upstream_id: int
    label: str
    color: str = ""
    position: int = 0
    item_limit: int | None = None
    mapped_state: str = ""
    is_initial: bool = False
    is_final: bool = False
    notice_html: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """`TagDto`."""

    upstream_id: int
    label: str
    color: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """`UserLightDto` or `UserDto`: a person who works in Dastra."""

    upstream_id: int
    display_name: str = field(default="", repr=False)
    email: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """`AreaDto`: an organisational unit."""

    upstream_id: int
    label: str
    parent_upstream_id: int | None = None
    country_code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceInfo:
    """`WorkSpaceDto`. `state` is "" where the answer has none."""

    upstream_id: int
    label: str
    state: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Me:
    """Answer of `GET /me`, whose shape is not documented: what could be recognised, and the rest in `raw`."""

    upstream_id: int | None = None
    display_name: str = field(default="", repr=False)
    email: str = field(default="", repr=False)
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """`DataSubjectAttachmentDto`. `upstream_id` is a UUID in lower case, "" where there is none: then the file cannot be asked for.
    `is_removed`: Dastra keeps the name and no longer the file. `raw` is the untouched object, which a message that carries the file sends back."""

    name: str = field(repr=False)
    size: int | None = None
    upstream_id: str = ""
    is_removed: bool = False
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """`DataSubjectMessageDto`. Without an `author` it is the person's own. `dsr_upstream_id` is None where the message does not say whose it is."""

    upstream_id: str
    text: str = field(repr=False)
    dsr_upstream_id: int | None = None
    author: Operator | None = None
    sent_at: datetime | None = None
    viewed_at: datetime | None = None
    attachments: tuple[Attachment, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Messages:
    """The messages of one request, the newest first. `is_cut`: there are more than were asked for."""

    items: tuple[Message, ...] = ()
    is_cut: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSubjectRequest:
    """`DataSubjectRequestDto` of either generation, or the flat object that a creation answers with.

    `raw` is the untouched decoded object: what a PUT must send back whole.
    `drift` names fields that were unknown, ill-typed or set aside ("dateClosed: not a date"), never their values.
    `missing` names documented fields that this object does not carry at all, so that nobody blanks what it knows.
    """

    upstream_id: int
    reference: str = ""
    title: str = field(default="", repr=False)
    given_name: str = field(default="", repr=False)
    family_name: str = field(default="", repr=False)
    email: str = field(default="", repr=False)
    phone_number: str = field(default="", repr=False)
    address: str = field(default="", repr=False)
    zip_code: str = field(default="", repr=False)
    city: str = field(default="", repr=False)
    country_code: str = field(default="", repr=False)
    customer_reference: str = field(default="", repr=False)
    locale: str = ""
    state: str = ""
    step: WorkflowStep | None = None
    step_upstream_id: int | None = None
    archived: bool = False
    archived_at: datetime | None = None
    complex: bool = False
    operator: Operator | None = None
    operator_upstream_id: int | None = None
    area: Area | None = None
    area_upstream_id: int | None = None
    tags: tuple[Tag, ...] = ()
    purposes: tuple[str, ...] = ()
    subject_category: str = ""
    channel: str = ""
    received_at: datetime | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    expires_at: datetime | None = None
    closed_at: datetime | None = None
    closed_reason: str = ""
    closed_reason_description: str = field(default="", repr=False)
    mail_validated: bool = False
    email_validated_at: datetime | None = None
    identity_validated: bool = False
    identity_validated_at: datetime | None = None
    message_count: int = 0
    unread_message_count: int = 0
    incoming_message_count: int = 0
    last_message_at: datetime | None = None
    widget_id: int | None = None
    message: str = field(default="", repr=False)
    description: str = field(default="", repr=False)
    resolution_message: str = field(default="", repr=False)
    attachments: tuple[Attachment, ...] = field(default=(), repr=False)
    custom_fields: Mapping[str, Any] = field(default_factory=dict, repr=False)
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
    drift: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedItem:
    """A row of a list that cannot be used. `reason` names the field, never a value; the id is None when unreadable."""

    upstream_id: int | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[Item]):
    """One page of a list, in the server's order.

    `total` is the server's own count where it makes sense, else None. `size` is the number of rows that came,
    rejected ones included; `number` counts from 1.
    """

    items: tuple[Item, ...]
    rejected: tuple[RejectedItem, ...] = ()
    total: int | None = None
    size: int = 0
    number: int = 1
