"""The documented filters of `GET …/DataSubjectRequests`, as keyword arguments, and the query string that they become.

Called by `client.py`. Never sends `skip`, whose meaning no source gives.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypedDict, get_type_hints

from .errors import ConfigurationError

# "ids" repeats its key, and servers of this family stop reading a request line at 8 kB.
IDS_PER_CALL = 400

_UPSTREAM_NAMES = {"widget_id": "widgetId", "area_id": "areaId", "sort_by": "sortBy"}


class RequestFilters(TypedDict, total=False):
    """All optional; None means "not filtered". Arrays repeat the key.

    `ids=()` matches nothing and costs no call, whereas an absent filter would mean every request; any other empty
    array is left out. `filters` is a rule or group of rules of Dastra's rule language, as mappings.
    """

    overtaking: bool | None
    archived: bool | None
    q: str | None
    widget_id: int | None
    workflows: Iterable[int] | None
    states: Iterable[str] | None
    purposes: Iterable[str] | None
    area_id: int | None
    users: Iterable[int] | None
    ids: Iterable[int] | None
    tags: Iterable[int] | None
    select: Iterable[str] | None
    sort_by: str | None
    asc: bool | None
    filters: Mapping[str, Any] | None


_KNOWN = frozenset(get_type_hints(RequestFilters))


def queries(filters: RequestFilters) -> Iterator[list[tuple[str, str]]]:
    """One query (without page and size) for each list that must be walked: more than one only for very many `ids`.

    Raises ConfigurationError for a filter that does not exist or cannot be written.
    """
    unknown = sorted(set(filters) - _KNOWN)
    if unknown:
        raise ConfigurationError(f"There is no filter named {', '.join(unknown)}.")
    query: list[tuple[str, str]] = []
    for name, value in filters.items():
        if value is None or name == "ids":
            continue
        query.extend(_pairs(_UPSTREAM_NAMES.get(name, name), value))
    ids = filters.get("ids")
    if ids is None:
        yield query
        return
    wanted = list(dict.fromkeys(ids))
    for start in range(0, len(wanted), IDS_PER_CALL):
        yield [*query, *_pairs("ids", wanted[start : start + IDS_PER_CALL])]


def _pairs(name: str, value: object) -> list[tuple[str, str]]:
    if isinstance(value, bool):
        return [(name, "true" if value else "false")]
    if isinstance(value, str | int):
        return [(name, _sendable(str(value), name=name))]
    if isinstance(value, Mapping):
        try:
            return [(name, json.dumps(value, separators=(",", ":"), allow_nan=False))]
        except (TypeError, ValueError) as error:
            raise ConfigurationError("The rule for Dastra's filter cannot be written as JSON.") from error
    if not isinstance(value, Iterable):
        raise ConfigurationError(f"The filter {name} has a value that cannot be sent.")
    if name == "select":
        fields = _sendable(",".join(str(entry) for entry in value), name=name)
        return [(name, fields)] if fields else []
    return [(name, _sendable(str(entry), name=name)) for entry in value]


def _sendable(text: str, *, name: str) -> str:
    """The text, when it has a UTF-8 form: half of a surrogate pair has none. Raises ConfigurationError."""
    if not text.isascii() and text.encode("utf-8", "ignore").decode() != text:
        raise ConfigurationError(f"The filter {name} holds a character that cannot be sent.")
    return text
