"""JSON as it crosses the wire, both ways, so that what we read and send back whole comes back as it was.

Called by `transport.py` (both ways) and `reading.py` (`flaw`). Numbers with a fraction keep their digits; what JSON does
not allow (NaN, Infinity) or leaves open (a key twice) is marked where it stands, so that one row suffers, not its page.
"""

from __future__ import annotations

import contextlib
import json
import math
from collections import Counter
from json.encoder import encode_basestring_ascii
from typing import Any

from .errors import MalformedAnswer

_DEEPEST = 100
_PLAIN = frozenset({str, int, bool, type(None)})
_ENCODINGS = {"": "utf-8-sig", "utf-8": "utf-8-sig", "utf8": "utf-8-sig", "us-ascii": "utf-8-sig"}
_LATIN = {"iso-8859-1", "latin1", "iso-8859-15", "windows-1252"}


class WrittenFloat(float):
    """A number that remembers how it was written: 3.10 stays 3.10, and further digits than a double holds stay too."""

    __slots__ = ("text",)
    text: str

    def __new__(cls, text: str) -> WrittenFloat:
        number = super().__new__(cls, text)
        number.text = text
        return number


class RepeatedKeys(dict[str, Any]):
    """An object in which a key came twice; which value is meant, nobody can say. `repeated` names those keys."""

    repeated: frozenset[str] = frozenset()


class NotANumber:
    """NaN, Infinity or a number too large to hold: not JSON, although many parsers take it."""


def decode_text(body: bytes, *, charset: str) -> str:
    """The body as text. Raises MalformedAnswer for UTF-16 and UTF-32, unknown charsets and broken bytes."""
    charset = charset.strip().strip("\"'").lower()
    encoding = charset if charset in _LATIN else _ENCODINGS.get(charset, "")
    if not encoding or body[:2] in {b"\xff\xfe", b"\xfe\xff"} or b"\0" in body[:4]:
        raise MalformedAnswer("Dastra's answer is in a character set that the portal does not read.")
    with contextlib.suppress(UnicodeDecodeError):
        return body.decode(encoding)
    raise MalformedAnswer("Dastra's answer is not readable text.")


def decode(text: str) -> Any:
    """The JSON value. Raises MalformedAnswer for what is not JSON, is nested too deep or holds endless numbers."""
    with contextlib.suppress(ValueError, RecursionError):
        return json.loads(
            text,
            object_pairs_hook=_object,
            parse_float=_float,
            parse_constant=lambda _: NotANumber(),
        )
    # Raised out here: the parser's own exception carries the whole document, which holds personal data.
    raise MalformedAnswer("Dastra's answer is not readable JSON.")


def encode(value: object) -> bytes:
    """JSON bytes, pure ASCII. Raises ValueError for NaN, a flawed part or what JSON cannot say."""
    return "".join(_parts(value, 0)).encode("ascii")


def flaw(value: object) -> str:
    """Why this value cannot be used ("key repeated"), or "" when it can. Nesting is searched to its end."""
    stack: list[tuple[object, int]] = [(value, 0)]
    while stack:
        part, depth = stack.pop()
        if isinstance(part, NotANumber):
            return "a number is not finite"
        if depth > _DEEPEST:
            return "nested too deep"
        if isinstance(part, RepeatedKeys):
            return "a key is repeated"
        inner = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
        stack.extend((entry, depth + 1) for entry in inner if type(entry) not in _PLAIN)
    return ""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    marked = RepeatedKeys(found)
    marked.repeated = frozenset(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)
    return marked


def _float(text: str) -> WrittenFloat | NotANumber:
    number = WrittenFloat(text)
    return number if math.isfinite(number) else NotANumber()


def _parts(value: object, depth: int) -> list[str]:  # noqa: C901, PLR0911  (one line a kind of value)
    if depth > _DEEPEST:
        raise ValueError("nested too deep")
    if value is None:
        return ["null"]
    if value is True:
        return ["true"]
    if value is False:
        return ["false"]
    if isinstance(value, str):
        return [encode_basestring_ascii(value)]
    if isinstance(value, WrittenFloat):
        return [value.text]
    if isinstance(value, int):
        return [int.__repr__(value)]
    if isinstance(value, float) and math.isfinite(value):
        return [float.__repr__(value)]
    if isinstance(value, dict) and not isinstance(value, RepeatedKeys):
        members = (
            [encode_basestring_ascii(key), ":", *_parts(entry, depth + 1)]
            for key, entry in value.items()
            if _is_key(key)
        )
        return ["{", *_joined(members), "}"]
    if isinstance(value, list | tuple):
        return ["[", *_joined(_parts(entry, depth + 1) for entry in value), "]"]
    raise ValueError("a value cannot be written as JSON")


def _is_key(key: object) -> bool:
    if not isinstance(key, str):
        raise ValueError("a key is not a text")  # noqa: TRY004
    return True


def _joined(groups: Any) -> list[str]:
    joined: list[str] = []
    for index, group in enumerate(groups):
        if index:
            joined.append(",")
        joined.extend(group)
    return joined
