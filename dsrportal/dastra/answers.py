"""What an HTTP answer means: its status and headers -> an error of the tree, or nothing. Called by `transport.py`.

Reads no socket. From a refusal it keeps one short line at most: the title of a problem document.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from . import wire_json
from .errors import (
    DastraError,
    Forbidden,
    MalformedAnswer,
    NotFound,
    RateLimited,
    Rejected,
    ServerFailure,
    Unauthorized,
    UnexpectedRedirect,
    UnexpectedStatus,
)

UNREADABLE_PAUSE_SECONDS = 60.0
_LONGEST_REASON = 120
_SECONDS = re.compile(r"\s*[0-9]{1,9}(?:\.[0-9]{1,9})?\s*", re.ASCII)
_PRIVATE_LOOKING = re.compile(r"\S+@\S+|\"[^\"]*\"|“[^”]*”|«[^»]*»|[0-9]{6,}")
_PLAIN_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.]{0,39}", re.ASCII)
_MOST_FIELDS = 3

_SUCCESSES = {200, 201, 203}
_EMPTY_SUCCESSES = {204, 205}
_ACCEPTED = 202
_PARTIAL = 206
_SERVER_SIDE = {408, 425, *range(500, 600)}
_REJECTIONS = {400, 409, 412, 422, 423}
_MEANINGS: dict[int, type[DastraError]] = {
    **dict.fromkeys(range(300, 400), UnexpectedRedirect),
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    410: NotFound,
}
_TOO_MANY = 429
_TOO_MANY_WITH_RETRY_AFTER = {403, 503}
# After these a write was certainly not applied: the server says that it did not process it.
_NOT_PROCESSED = {*range(400, 500)} - {408, 499}


def failure(
    *, status: int, body: bytes, retry_after: Sequence[str], date: str = "", writes: bool = False
) -> DastraError | None:
    """The error that a status stands for; None for success. `writes` says that the call may have changed something."""
    unknown = writes and status not in _NOT_PROCESSED
    problem: DastraError | None
    if status in _SUCCESSES or (writes and status in _EMPTY_SUCCESSES):
        problem = None
    elif status == _TOO_MANY or (retry_after and status in _TOO_MANY_WITH_RETRY_AFTER):
        problem = RateLimited(pause_seconds=pause_seconds(retry_after, date=date))
    elif status in _REJECTIONS:
        problem = Rejected(reason=safe_reason(body))
    elif status in {*_EMPTY_SUCCESSES, _PARTIAL}:
        problem = MalformedAnswer("Dastra answered with only a part, or nothing.")
    elif status == _ACCEPTED:
        problem = UnexpectedStatus("Dastra took the call but has not carried it out yet.")
    else:
        problem = _MEANINGS.get(status, ServerFailure if status in _SERVER_SIDE else UnexpectedStatus)()
    if problem is not None:
        problem.status = status
        problem.outcome_unknown = unknown
    return problem


def pause_seconds(values: Sequence[str], *, date: str = "") -> float:
    """How long `Retry-After` asks to wait: seconds (also with a fraction) or a date, counted from the answer's `date`.

    The longest of several; 60 s for none and for each that cannot be read; 0 for a date in the past.
    """
    return max((_pause(value, date=date) for value in values), default=UNREADABLE_PAUSE_SECONDS)


def safe_reason(body: bytes) -> str:
    """The title of a problem document in one short printable line, and the names of the fields it complains about.

    Quoted parts, e-mail addresses and long numbers are left out: they may be what a person typed. "" when there is none.
    """
    try:
        problem = wire_json.decode(wire_json.decode_text(body, charset="utf-8"))
    except MalformedAnswer:
        return ""
    if not isinstance(problem, dict):
        return ""
    title = next((problem[name] for name in ("title", "message", "error") if isinstance(problem.get(name), str)), "")
    line = " ".join("".join(c if c.isprintable() else " " for c in title).split())
    line = _PRIVATE_LOOKING.sub("…", line)
    errors = problem.get("errors")
    names = [name for name in errors if _PLAIN_NAME.fullmatch(name)] if isinstance(errors, dict) else []
    if names:
        line = f"{line} ({', '.join(names[:_MOST_FIELDS])})".strip()
    return line if len(line) <= _LONGEST_REASON else line[: _LONGEST_REASON - 1] + "…"


def _pause(value: str, *, date: str) -> float:
    if _SECONDS.fullmatch(value):
        return float(value)
    until = _moment(value)
    if until is None:
        return UNREADABLE_PAUSE_SECONDS
    return max(0.0, (until - (_moment(date) or datetime.now(UTC))).total_seconds())


def _moment(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
