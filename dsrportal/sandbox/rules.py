"""The condition builder behind the list parameter `filters`: a JSON rule, or groups of rules, judged against one object.

Called by listing.py. Follows the public rule library as far as it is documented: a missing separator is And, a missing operator is
equal, field names may be dotted and in any case, a rule on a collection means any of it (notEqual and notIn: all of it).
"""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from dsrportal.sandbox.calls import RefusalError
from dsrportal.sandbox.values import CHANNELS, CLOSED_REASONS, PURPOSES, STATES, Json, dotnet, instant_of, normalised

Rule = Callable[[Json], bool]

_MISSING = object()
_MAX_DEPTH = 40
_DATE_LENGTH = len("2026-01-31")
_ENUMS = {"state": STATES, "purposes": PURPOSES, "channel": CHANNELS, "closedreason": CLOSED_REASONS}
_NUMBERLESS = {"isnull", "isnotnull", "isempty", "isnotempty"}


def compiled(text: str, *, now: datetime) -> Rule:
    """The rule as a function of one whole object. Raises RefusalError: 400 for JSON, an operator or a value that make no sense."""
    try:
        return _group(json.loads(text), now=now, depth=0)
    except (ValueError, RecursionError):
        raise RefusalError(400, "The filters are not valid.", errors={"filters": ["Invalid JSON rules."]}) from None


def _group(node: Any, *, now: datetime, depth: int) -> Rule:
    if not isinstance(node, dict) or depth > _MAX_DEPTH:
        raise ValueError("not a rule")
    parts = {key.lower(): value for key, value in node.items()}
    if isinstance(parts.get("rules"), list):
        rules = [_group(child, now=now, depth=depth + 1) for child in parts["rules"]]
        separator = str(parts.get("separator") or "and").lower()
        if separator not in {"and", "or"}:
            raise ValueError("unknown separator")
        if separator == "or":
            return lambda item: any(rule(item) for rule in rules)
        return lambda item: all(rule(item) for rule in rules)
    field, operator = parts.get("field"), str(parts.get("operator") or "equal").lower()
    if not isinstance(field, str) or not field:
        raise ValueError("no field")
    return _rule(path=field.lower().split("."), operator=operator, value=parts.get("value"), now=now)


def _rule(*, path: list[str], operator: str, value: Any, now: datetime) -> Rule:
    test = _OPERATORS.get(operator)
    if test is None:
        raise ValueError("unknown operator")
    if operator not in _NUMBERLESS and value is None and operator not in {"equal", "notequal"}:
        raise ValueError("no value")
    wanted = [_wanted(one, field=path[-1], now=now) for one in value] if isinstance(value, list) else value
    wanted = wanted if isinstance(value, list) else _wanted(value, field=path[-1], now=now)
    if operator in {"in", "notin", "includeall", "excludeall"} and not isinstance(wanted, list):
        wanted = [wanted]
    for_all = operator in {"notequal", "notin", "excludeall", "doesnotcontains"}

    def judged(item: Json) -> bool:
        found = resolve(item, path)
        if found is _MISSING:
            raise RefusalError(
                400, "The filters are not valid.", errors={"filters": [f"Invalid field {'.'.join(path)[:40]}."]}
            )
        if isinstance(found, list) and operator in {"includeall", "excludeall"} | _NUMBERLESS:
            return test(found, wanted)
        if isinstance(found, list):
            return (all if for_all else any)(test(_comparable(one, wanted), wanted) for one in found)
        return test(_comparable(found, wanted), wanted)

    return judged


def resolve(item: Any, path: list[str]) -> Any:
    """The value at a lower-case dotted path in any case of names; a list of values below a collection; a marker if absent."""
    for position, name in enumerate(path):
        if isinstance(item, list):
            found = [resolve(one, path[position:]) for one in item]
            return [one for one in found if one is not _MISSING]
        if item is None:
            return None
        if not isinstance(item, dict):
            return _MISSING
        item = next((value for key, value in item.items() if key.lower() == name), _MISSING)
        if item is _MISSING:
            # Which custom fields an object carries differs from one to the next.
            return None if path[0] in {"customfields", "additionaldatas"} else _MISSING
    return item


def is_missing(value: Any) -> bool:
    """Whether `resolve` found no such field."""
    return value is _MISSING


def _wanted(value: Any, *, field: str, now: datetime) -> Any:
    if not isinstance(value, str):
        known = _ENUMS.get(field)
        is_number = isinstance(value, int) and not isinstance(value, bool)
        return known[value].lower() if known and is_number and 0 <= value < len(known) else value
    if value.startswith('"') and value.endswith('"'):
        return dotnet(now + _span(value.strip('"')))
    if field.startswith("date") or field.endswith(("date", "time")):
        return value if len(value) == _DATE_LENGTH else normalised(value)
    return value.lower()


def _span(text: str) -> timedelta:
    sign = -1 if text.startswith("-") else 1
    days, _, clock = text.lstrip("-").rpartition(".") if text.count(".") else ("0", "", text.lstrip("-"))
    hours, minutes, seconds = (int(part) for part in clock.split(":"))
    return sign * timedelta(days=int(days), hours=hours, minutes=minutes, seconds=seconds)


def _comparable(value: Any, wanted: Any) -> Any:
    if not isinstance(value, str):
        return value
    sample = wanted[0] if isinstance(wanted, list) and wanted else wanted
    if isinstance(sample, str) and len(sample) == _DATE_LENGTH and sample[4:5] == "-" and value[4:5] == "-":
        return instant_of(value).date().isoformat()
    # Served instants stay as they are, so that they compare with normalised ones.
    return value if isinstance(sample, str) and sample[10:11] == "T" else value.lower()


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def test(value: Any, wanted: Any) -> bool:
        if value is None:
            return False
        try:
            return compare(value, wanted)
        except TypeError:
            raise RefusalError(400, "The filters are not valid.", errors={"filters": ["Invalid value."]}) from None

    return test


def _lowered(values: list[Any]) -> list[Any]:
    return [value.lower() if isinstance(value, str) else value for value in values]


_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "equal": lambda value, wanted: value == wanted,
    "notequal": lambda value, wanted: value != wanted,
    "lessthan": _ordered(lambda value, wanted: value < wanted),
    "lessthaninclusive": _ordered(lambda value, wanted: value <= wanted),
    "greaterthan": _ordered(lambda value, wanted: value > wanted),
    "greaterthaninclusive": _ordered(lambda value, wanted: value >= wanted),
    "in": lambda value, wanted: value in wanted,
    "notin": lambda value, wanted: value not in wanted,
    "contains": lambda value, wanted: value is not None and str(wanted) in str(value),
    "doesnotcontains": lambda value, wanted: value is None or str(wanted) not in str(value),
    "isnull": lambda value, _: value is None,
    "isnotnull": lambda value, _: value is not None,
    "isempty": lambda value, _: value in ("", None, [], {}),
    "isnotempty": lambda value, _: value not in ("", None, [], {}),
    "includeall": lambda value, wanted: set(wanted) <= set(_lowered(value or [])),
    "excludeall": lambda value, wanted: not set(wanted) & set(_lowered(value or [])),
}
