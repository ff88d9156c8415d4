"""What Dastra posts by itself: the signature, and which request an event is about. Called by `actions.webhooks`.

A payload is a hint, never a source: of its `data` the id alone is looked for. Reads tolerantly, since the documents settle little.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .values import BadValueError, identifier, instant

SIGNATURE_HEADER = "Dastra-Signature"
UNREADABLE = "unreadable"

_TYPE = re.compile(r"[A-Za-z][A-Za-z0-9]{0,58}|[0-9]{1,6}", re.ASCII)
_OF_REQUESTS = "datasubject"
_NAMES_OF_ID = ("datasubjectrequestid", "userrequestid", "id")
_NAMES_OF_REQUEST = ("datasubjectrequest", "datasubject", "request")


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """One event. `event_type` is Dastra's word, its number as digits, or `unreadable`; `upstream_id` is the request's, where one is told;
    `is_known` is whether such events are about requests; `sent_at` is the payload's own date."""

    event_type: str
    upstream_id: int | None = None
    is_known: bool = False
    sent_at: datetime | None = None


def digest_of(body: bytes, *, key: str) -> bytes:
    """HMAC-SHA256 of the raw body under the validation key as text: 32 bytes."""
    return hmac.digest(key.strip().encode(), body, "sha256")


def is_signed(digest: bytes, *, signature: str) -> bool:
    """Whether the header `Dastra-Signature` (Base64) says this digest. Takes the same time however much of it is right."""
    try:
        given = base64.b64decode(signature.strip().encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        given = b""
    return hmac.compare_digest(given, digest)


def read_event(body: bytes) -> Event:
    """The event in a body whose signature was right. Never raises: what cannot be understood is an event of unknown kind.

    Source: the webhook's payload `{webhookId, signatureUrl, userId, eventType, eventName, data, date}`.
    """
    try:
        payload = json.loads(body.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return Event(event_type=UNREADABLE)
    fields = _lowered(payload)
    event_type = _event_type(fields.get("eventtype"))
    sent_at = _instant(fields.get("date"))
    is_numbered = event_type.isdigit()
    if not (is_numbered or event_type.lower().startswith(_OF_REQUESTS)):
        return Event(event_type=event_type, sent_at=sent_at)
    upstream_id = next(_ids(fields.get("data")), None)
    # A number tells nothing of what the event is about; an id does.
    is_known = upstream_id is not None or not is_numbered
    return Event(event_type=event_type, upstream_id=upstream_id, is_known=is_known, sent_at=sent_at)


def _event_type(value: object) -> str:
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return text if _TYPE.fullmatch(text) else UNREADABLE


def _ids(data: object) -> Iterator[int]:
    """Ids that `data` names, the likeliest first: its own names for a request's id, then a request inside it, then its plain id."""
    fields = _lowered(data)
    if not fields and not isinstance(data, Mapping):
        yield from _identifiers([data])
        return
    *specific, plain = _NAMES_OF_ID
    yield from _identifiers(fields.get(name) for name in specific)
    for name in _NAMES_OF_REQUEST:
        yield from _identifiers([_lowered(fields.get(name)).get(plain)])
    yield from _identifiers([fields.get(plain)])


def _identifiers(values: Any) -> Iterator[int]:
    for value in values:
        try:
            yield identifier(value.strip() if isinstance(value, str) else value)
        except BadValueError:
            continue


def _lowered(value: object) -> dict[str, Any]:
    """An object with its names in lower case; what is no object is empty."""
    return {str(name).lower(): one for name, one in value.items()} if isinstance(value, Mapping) else {}


def _instant(value: object) -> datetime | None:
    try:
        return instant(value)
    except BadValueError:
        return None
