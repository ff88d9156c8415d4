"""Single values of Dastra's JSON, made safe and typed. Called by `reading.py`; knows no payload and raises nothing else
than `BadValueError`, whose text never holds the value.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

LARGEST_ID = 2**63 - 1

_DIGITS = re.compile(r"[0-9]{1,19}", re.ASCII)
_SIGNED = re.compile(r"\s*-?[0-9]{1,10}\s*", re.ASCII)
_COLOR = re.compile(r"#(?:[0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})", re.ASCII)
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_INSTANT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(Z|[+-]\d\d:?\d\d)?)?", re.ASCII
)
_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}", re.ASCII)
_NO_YEAR = 1
_END_OF_TIME = 9999
_LAST_MINUTE = 59
_LARGEST_COUNT = 2**31 - 1
_TRUE = {"true", "1"}
_FALSE = {"false", "0"}


class BadValueError(ValueError):
    """A value that cannot be used; the text says what is wrong with it, without the value."""


def identifier(value: object) -> int:
    """A positive id, as a whole number or its digits."""
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadValueError("not an id")
    if not 0 < value <= LARGEST_ID:
        raise BadValueError("id out of range")
    return value


def uuid(value: object) -> str:
    """A UUID in lower case."""
    if not isinstance(value, str) or not _UUID.fullmatch(value):
        raise BadValueError("not a UUID")
    return value.lower()


def text(value: object) -> str:
    """A text without NUL and lone surrogates, which databases refuse. Numbers are written out, as some enums are numbers."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= LARGEST_ID:
        return str(value)
    if not isinstance(value, str):
        raise BadValueError("not a text")
    return _SURROGATE.sub("\ufffd", value.replace("\0", "")) if not value.isascii() or "\0" in value else value


def flag(value: object) -> bool:
    """true or false, also as 0, 1 or their words."""
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower() if isinstance(value, int | str) else ""
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise BadValueError("not true or false")


def whole_number(value: object) -> int:
    """A whole number of 32 bits, also as its digits."""
    if isinstance(value, str) and _SIGNED.fullmatch(value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadValueError("not a whole number")
    if abs(value) > _LARGEST_COUNT:
        raise BadValueError("out of range")
    return value


def instant(value: object) -> datetime | None:
    """An aware instant in UTC; a value without zone is UTC; digits beyond the microsecond are cut.

    None for .NET's "no date" (year 1). Year 9999 is BadValueError: nobody means it, and local clocks cannot show it.
    """
    if not isinstance(value, str):
        raise BadValueError("not a date")
    match = _INSTANT.fullmatch(value)
    if match is None:
        raise BadValueError("not a date")
    year = int(match[1])
    if year == _NO_YEAR:
        return None
    if year == _END_OF_TIME:
        raise BadValueError("date at the end of time")
    try:
        found = datetime(
            year,
            int(match[2]),
            int(match[3]),
            int(match[4] or 0),
            int(match[5] or 0),
            int(match[6] or 0),
            int((match[7] or "").ljust(6, "0")[:6]),
            tzinfo=_zone(match[8]),
        )
        return found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadValueError("not a date") from None


def color(value: object) -> str:
    """`#RGB` or `#RRGGBB`: nothing else may reach a style."""
    if not isinstance(value, str) or not _COLOR.fullmatch(value):
        raise BadValueError("not a colour")
    return value


def _zone(suffix: str | None) -> timezone:
    if not suffix or suffix == "Z":
        return UTC
    minutes = int(suffix[-2:])
    if minutes > _LAST_MINUTE:
        raise ValueError
    offset = timedelta(hours=int(suffix[1:3]), minutes=minutes)
    return timezone(-offset if suffix[0] == "-" else offset)
