"""What was written to and by a person, and what is attached, as Dastra tells it: made fit to be shown, kept nowhere. Called by `reading` and `files`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from dsrportal.dastra import schema
from dsrportal.dastra.client import DastraClient
from dsrportal.dastra.errors import DastraError
from dsrportal.queries.detail_timeline import moment
from dsrportal.queries.sentences import in_words

LONGEST_NAME = 120
_SEPARATORS = re.compile(r"[\\/:*?\"<>|\s]+")
_EXTENSION = re.compile(r"\.[A-Za-z0-9]{1,10}$", re.ASCII)
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedFile:
    """A file in Dastra: a name that is safe to show and to save under, bytes or None, and whether it can be asked for."""

    file_id: str
    name: str = field(repr=False)
    size: int | None = None
    is_there: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedMessage:
    """One message in clear. `author` is a Dastra user's name, and empty for the person."""

    text: str = field(repr=False)
    author: str
    at: datetime | None
    when: str
    is_unread: bool
    files: tuple[OpenedFile, ...] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """The messages, newest first. `is_cut`: there are older ones. `failure` says why they could not be read."""

    messages: tuple[OpenedMessage, ...] = ()
    is_cut: bool = False
    failure: str = ""


def read_conversation(dsr: schema.DataSubjectRequest, *, client: DastraClient, zone: ZoneInfo) -> Conversation:
    """The messages of a request that has just been read; no call where it has none. Never raises: the request itself is shown all the same."""
    if not dsr.message_count and "nbMessages" not in dsr.missing:
        return Conversation()
    try:
        found = client.correspondence.list_messages(dsr.upstream_id)
    except DastraError as error:
        return Conversation(failure=in_words(error.sentence))
    return Conversation(messages=tuple(_opened(one, zone=zone) for one in found.items), is_cut=found.is_cut)


def opened_files(attachments: Iterable[schema.Attachment]) -> tuple[OpenedFile, ...]:
    """Attachments, each once, by names that are safe."""
    files = {}
    for number, one in enumerate(attachments):
        is_there = bool(one.upstream_id) and not one.is_removed
        files[one.upstream_id or str(number)] = OpenedFile(
            file_id=one.upstream_id, name=safe_name(one.name), size=one.size, is_there=is_there
        )
    return tuple(files.values())


def safe_name(name: str) -> str:
    """A file name without paths, control characters, marks that turn the writing direction ("exe.fdp"), or what some system cannot save.
    At most 120 characters; its extension stays."""
    plain = "".join(
        " " if unicodedata.category(sign) in {"Cc", "Zl", "Zp"} else sign
        for sign in unicodedata.normalize("NFC", name)
        if unicodedata.category(sign) not in {"Cf", "Co", "Cs", "Cn"}
    )
    plain = _SEPARATORS.sub(" ", plain).strip(" .")
    if _RESERVED.match(plain):
        plain = f"_{plain}"
    found = _EXTENSION.search(plain)
    extension = found[0] if found else ""
    return plain[: -len(extension) or None][: LONGEST_NAME - len(extension)].rstrip() + extension or "file"


def _opened(message: schema.Message, *, zone: ZoneInfo) -> OpenedMessage:
    author = (message.author.display_name or _("A colleague")) if message.author else ""
    return OpenedMessage(
        text=message.text,
        author=author,
        at=message.sent_at,
        when=moment(message.sent_at, zone=zone) if message.sent_at else "",
        is_unread=not message.author and message.viewed_at is None,
        files=opened_files(message.attachments),
    )
