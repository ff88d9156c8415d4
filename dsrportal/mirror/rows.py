"""One request as Dastra tells it -> the fields of its row, its words, and a digest that tells an unchanged one. Pure: no database.

Called by `store.py` alone. What is not named here (message, description, address, phone, attachments, free data) is not kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from dsrportal import identity
from dsrportal.dastra import schema
from dsrportal.models import DataSubjectRequest

HALF_DIGEST_BYTES = 8
FAR_FUTURE = datetime.fromisoformat(DataSubjectRequest.FAR_FUTURE)


def plain_fields(dsr: schema.DataSubjectRequest) -> dict[str, Any]:
    """The fields that are kept in clear, by the names of the model; references to other rows are not among them."""
    return {
        "reference": dsr.reference[:40],
        "state": dsr.state[:40],
        "archived": dsr.archived,
        "archived_at": dsr.archived_at,
        "complex": dsr.complex,
        "purposes": joined(dsr.purposes),
        "tag_ids": joined(str(tag.upstream_id) for tag in dsr.tags),
        "channel": dsr.channel[:40],
        "locale": dsr.locale[:10],
        "widget_id": dsr.widget_id,
        "received_at": dsr.received_at,
        "created_at": dsr.created_at,
        "updated_at": dsr.updated_at,
        "expires_at": dsr.expires_at,
        "clock_at": dsr.expires_at or FAR_FUTURE,
        "closed_at": dsr.closed_at,
        "closed_reason": dsr.closed_reason[:40],
        "mail_validated": dsr.mail_validated,
        "identity_validated_at": dsr.identity_validated_at,
        "message_count": dsr.message_count,
        "unread_message_count": dsr.unread_message_count,
        "last_message_at": dsr.last_message_at,
    }


def identity_fields(dsr: schema.DataSubjectRequest) -> dict[str, str]:
    """The fields that are kept encrypted only."""
    return {name: getattr(dsr, name) for name in identity.IDENTITY_FIELDS}


def digest_of(dsr: schema.DataSubjectRequest, *, search_key: bytes) -> bytes:
    """16 bytes: 8 over all that is kept in clear, references included, and 8 over the identity. Keyed, so that it tells nothing of a name."""
    references = (dsr.step_upstream_id, dsr.operator_upstream_id, dsr.area_upstream_id)
    plain = repr((sorted(plain_fields(dsr).items()), references))
    person = repr(sorted(identity_fields(dsr).items()))
    return b"".join(_half(text, key=search_key) for text in (plain, person))


def identity_half(digest: bytes | memoryview) -> bytes:
    """The part of a digest that tells whether the identity changed."""
    return bytes(digest)[HALF_DIGEST_BYTES:]


def joined(parts: Iterable[str]) -> str:
    """`|Access|Erasure|`, so that one can be looked for with its bars; "" for none. However many there are, none is left out."""
    found = [part for part in dict.fromkeys(part.replace("|", "/") for part in parts) if part]
    return f"|{'|'.join(found)}|" if found else ""


def _half(text: str, *, key: bytes) -> bytes:
    return hashlib.blake2b(text.encode(), key=key, digest_size=HALF_DIGEST_BYTES).digest()
