"""Dates as .NET writes them, and the closed lists of words that Dastra's API knows.

Used by every room of the sandbox. Instants are kept as the text that is served, whose alphabetical order is their order in time.
"""

import json
import math
import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

Json = dict[str, Any]

STATES = ("Open", "IdentityValidation", "Processing", "Active", "Closed")
PURPOSES = (
    "Unknown",
    "Information",
    "Access",
    "Rectification",
    "Erasure",
    "Restriction",
    "Opposition",
    "Portability",
    "AdvanceDirectives",
    "AutomatedDecision",
)
CHANNELS = ("Internal", "Form", "Widget", "POP3", "IMAP", "Import", "Zapier", "IncomingEmail")
CLOSED_REASONS = ("None", "Accepted", "Duplicate", "WrongIdentity", "NotAdmissible", "Other", "Cancelled", "FiledAway")

# What .NET serves for a date that was never set, where the field cannot be null.
NEVER = "0001-01-01T00:00:00"

_INSTANT = re.compile(
    r"(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2})?)(?:\.(\d{1,9}))?)?\s*(Z|[+-]\d{2}:?\d{2})?", re.ASCII
)


def dotnet(instant: datetime, *, tick: int = 0) -> str:
    """Writes an aware instant as .NET does: UTC without a zone, up to seven digits, trailing zeros trimmed.

    `tick` is the seventh digit (100 ns), which Python's datetime cannot hold.
    """
    at = instant.astimezone(UTC)
    seconds = at.replace(microsecond=0, tzinfo=None).isoformat()
    return f"{seconds}.{at.microsecond:06d}{tick}".rstrip("0").rstrip(".")


def _match(text: str) -> re.Match[str]:
    found = _INSTANT.fullmatch(text.strip())
    if found is None:
        raise ValueError("not a date")
    return found


@lru_cache(maxsize=100_000)
def instant_of(text: str) -> datetime:
    """Reads a date or an instant, zone-less meaning UTC, as an aware UTC datetime. Raises ValueError."""
    day, clock, digits, zone = _match(text).groups()
    zone = "+00:00" if zone in {None, "Z"} else zone
    try:
        return datetime.fromisoformat(f"{day}T{clock or '00:00'}{_fraction(clock, digits)}{zone}").astimezone(UTC)
    except OverflowError:
        raise ValueError("out of range") from None


def _fraction(clock: str | None, digits: str | None) -> str:
    seconds = ":00" if clock is not None and clock.count(":") == 1 else ""
    return seconds + (f".{digits[:6]:0<6}" if digits else "")


def normalised(text: str) -> str:
    """The same instant as the sandbox would serve it. Raises ValueError for what is not a date."""
    return dotnet(instant_of(text), tick=_tick(text))


def days_after(text: str, *, days: int) -> str:
    """`text` plus so many days, one tick off, as the one published sample of an expiry is."""
    try:
        later = instant_of(text) + timedelta(days=days)
    except OverflowError:
        raise ValueError("out of range") from None
    return dotnet(later, tick=min(_tick(text) + 1, 9))


def _tick(text: str) -> int:
    digits = _match(text).group(3) or ""
    return int(digits[6:7] or 0)


def days_between(start: datetime, end: datetime) -> int:
    """Whole days from `start` to `end`, rounded down: half a day late is -1."""
    return math.floor((end - start) / timedelta(days=1))


def to_json(value: Any) -> bytes:
    """Compact JSON in UTF-8; what UTF-8 cannot hold (half of a surrogate pair) is escaped."""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":")).encode()
