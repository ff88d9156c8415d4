"""What a client may write to a request: the checks and rules behind POST, PUT and PATCH.

Called by requests_api.py with the store's lock held. Fields that the server sets are read from nobody; custom fields that the
workspace does not know are dropped without a word, as documented.
"""

import copy
from collections.abc import Callable
from typing import Any

from dsrportal.sandbox.calls import RefusalError, word_of
from dsrportal.sandbox.records import Record
from dsrportal.sandbox.store import Workspace
from dsrportal.sandbox.values import CHANNELS, CLOSED_REASONS, NEVER, PURPOSES, Json, normalised

REQUIRED = ("title", "locale", "areaId", "purposes")
# Longest text in characters.
TEXTS = {
    "description": 100_000,
    "message": 100_000,
    "resolutionMessage": 100_000,
    "email": 255,
    "phoneNumber": 60,
    "givenName": 250,
    "familyName": 250,
    "address": 350,
    "zipCode": 10,
    "city": 255,
    "countryCode": 2,
    "refId": 355,
    "userId": 355,
    "closedReasonDescription": 2_500,
    "referrerUrl": 2_000,
}
FLAGS = ("complex", "mailValidated", "userNotified", "sendNotification")
DATES = ("dateDemand", "expiryTime", "dateClosed", "dateIdentityValidated", "dateUserNotified", "emailValidationDate")
NUMBERS = ("operatorId", "widgetId", "workFlowStepId", "subjectCategoryId")
WRITABLE = (
    *REQUIRED,
    *TEXTS,
    *FLAGS,
    *DATES,
    *NUMBERS,
    "channel",
    "closedReason",
    "personCategory",
    "customFields",
    "additionalDatas",
    "tags",
)


def checked(body: Json, *, workspace: Workspace) -> Json:
    """The writable part of a body: names in their own case, values checked. Raises RefusalError (400) naming the fields."""
    names = {name.lower(): name for name in WRITABLE}
    given = {names[key.lower()]: value for key, value in body.items() if key.lower() in names}
    errors: dict[str, list[str]] = {
        name: [f"The {name} field is required."] for name in REQUIRED if given.get(name) in (None, "", [])
    }
    values: Json = {}
    for name, value in given.items():
        if name in errors:
            continue
        try:
            values[name] = _value(value, name=name, workspace=workspace)
        except (ValueError, TypeError, RefusalError):
            errors[name] = ["The value is not valid."]
    if errors:
        raise RefusalError(400, "One or more validation errors occurred.", errors=errors)
    return values


def apply(values: Json, *, record: Record, workspace: Workspace, blank: bool) -> None:
    """Writes checked values to the request through the store's own acts. `blank`: what is missing is emptied, as a PUT does."""
    changes = {name: value for name, value in values.items() if name in record.fields and name != "workFlowStepId"}
    if blank:
        changes = _blanks() | changes
    if "closedReason" in changes and record.fields["state"] != "Closed" and not _closes(values, workspace=workspace):
        changes["closedReason"] = "None"
    if changes.get("dateDemand", "") is None:
        del changes["dateDemand"]
    if changes.get("emailValidationDate", "") is None:
        changes["emailValidationDate"] = NEVER
    if blank or "operatorId" in values:
        changes["operatorId"] = values.get("operatorId")
    if blank or "tags" in values:
        changes["tagIds"] = values.get("tags") or []
    dsr_id = record.fields["id"]
    workspace.edit(dsr_id, **changes)
    step_id = values.get("workFlowStepId")
    if step_id is not None and step_id != record.fields["workFlowStepId"]:
        workspace.move(dsr_id, step_id)


def _closes(values: Json, *, workspace: Workspace) -> bool:
    step = workspace.steps.get(values.get("workFlowStepId") or 0)
    return step is not None and step["mappedState"] == "Closed"


def _blanks() -> Json:
    blanks: Json = dict.fromkeys((*TEXTS, *DATES, "widgetId", "subjectCategoryId", "additionalDatas"))
    blanks |= dict.fromkeys(FLAGS, False)
    del blanks["dateDemand"]
    return blanks | {"customFields": {}, "closedReason": "None"}


def _value(value: Any, *, name: str, workspace: Workspace) -> Any:
    if name in _STRUCTURES:
        return _STRUCTURES[name](value, workspace)
    if value is None:
        if name in FLAGS or name == "channel":
            raise ValueError("not nullable")
        return "None" if name == "closedReason" else None
    if name in DATES:
        return normalised(_text(value, longest=40))
    if name in _WORDS:
        return word_of(value, known=_WORDS[name], name=name)
    if name in FLAGS or name in NUMBERS or name == "areaId":
        return _flag(value) if name in FLAGS else _reference(value, name=name, workspace=workspace)
    return _text(value, longest=_SHORT_TEXTS.get(name) or TEXTS[name])


def _text(value: Any, *, longest: int) -> str:
    if not isinstance(value, str) or len(value) > longest:
        raise ValueError("not such a text")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError("not a boolean")
    return value


def _reference(value: Any, *, name: str, workspace: Workspace) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError("not a number")
    known: dict[str, dict[int, Json]] = {
        "areaId": workspace.areas,
        "operatorId": workspace.users,
        "workFlowStepId": workspace.steps,
    }
    if name in known and value not in known[name]:
        raise ValueError("not in this workspace")
    return value


def _purposes(value: Any, _: Workspace) -> list[str]:
    if not isinstance(value, list):
        raise TypeError("not a list")
    return [word_of(one, known=PURPOSES, name="purposes") for one in value]


def _tag_ids(value: Any, workspace: Workspace) -> list[int]:
    found = [one.get("id") if isinstance(one, dict) else one for one in value or []]
    known = [tag_id for tag_id in found if isinstance(tag_id, int) and tag_id in workspace.tags]
    if len(known) != len(found):
        raise ValueError("not a tag of this workspace")
    return known


def _custom_fields(value: Any, workspace: Workspace) -> Json:
    kinds: dict[str, type | tuple[type, ...]] = {
        "text": str,
        "flag": bool,
        "integer": int,
        "choice": str,
        "choices": list,
    }
    given = value if isinstance(value, dict) else {}
    kept = {slug: one for slug, one in given.items() if slug in workspace.custom_fields}
    for slug, one in kept.items():
        if one is not None and not isinstance(one, kinds[workspace.custom_fields[slug]]):
            raise ValueError("not of the field's kind")
    return kept


_WORDS = {"channel": CHANNELS, "closedReason": CLOSED_REASONS}
_SHORT_TEXTS = {"title": 240, "locale": 10, "personCategory": 60}
_STRUCTURES: dict[str, Callable[[Any, Workspace], Any]] = {
    "purposes": _purposes,
    "tags": _tag_ids,
    "customFields": _custom_fields,
    "additionalDatas": lambda value, _: value,
}


def patched(document: Json, operations: Any) -> Json:
    """A copy of `document` after a JSON Patch (RFC 6902, paths in any case). Raises RefusalError (400) if any operation fails."""
    if not isinstance(operations, list):
        raise RefusalError(400, "A JSON Patch document is an array of operations.")
    result = copy.deepcopy(document)
    for operation in operations:
        if not isinstance(operation, dict):
            raise _unpatchable("?")
        op, path = str(operation.get("op", "")).lower(), operation.get("path")
        if not isinstance(path, str) or not path.startswith("/"):
            raise _unpatchable(str(path))
        value = operation.get("value")
        if op in {"copy", "move"}:
            source = str(operation.get("from", ""))
            value = copy.deepcopy(_at(result, source))
            if op == "move":
                _set(result, source, op="remove", value=None)
        _set(result, path, op="add" if op in {"copy", "move"} else op, value=value)
    return result


def _unpatchable(path: str) -> RefusalError:
    return RefusalError(
        400, "The patch cannot be applied.", errors={path[:60]: ["The target location was not found or differs."]}
    )


def _parent(document: Json, path: str) -> tuple[Any, str]:
    parts = [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:]]
    if not parts:
        raise _unpatchable(path)
    target: Any = document
    for part in parts[:-1]:
        target = _child(target, part, path=path)
    return target, _own_case(target, parts[-1])


def _at(document: Json, path: str) -> Any:
    target, name = _parent(document, path)
    return _child(target, name, path=path)


def _child(target: Any, name: str, *, path: str) -> Any:
    try:
        return target[int(name)] if isinstance(target, list) else target[_own_case(target, name)]
    except (KeyError, IndexError, ValueError, TypeError):
        raise _unpatchable(path) from None


def _own_case(target: Any, name: str) -> str:
    if isinstance(target, dict) and name not in target:
        return next((key for key in target if key.lower() == name.lower()), name)
    return name


def _set(document: Json, path: str, *, op: str, value: Any) -> None:
    target, name = _parent(document, path)
    if op == "test":
        if _child(target, name, path=path) != value:
            raise _unpatchable(path)
    elif isinstance(target, list):
        _set_item(target, name, op=op, value=value, path=path)
    elif not isinstance(target, dict) or (target is document and name not in target):
        raise _unpatchable(path)
    elif op == "remove" and target is not document:
        target.pop(name, None)
    elif op == "remove":
        target[name] = None
    elif op in {"add", "replace"}:
        target[name] = value
    else:
        raise _unpatchable(path)


def _set_item(target: list[Any], name: str, *, op: str, value: Any, path: str) -> None:
    if name == "-" and op == "add":
        target.append(value)
        return
    if not name.isdecimal() or int(name) >= len(target) + (op == "add"):
        raise _unpatchable(path)
    if op == "add":
        target.insert(int(name), value)
    elif op == "replace":
        target[int(name)] = value
    elif op == "remove":
        del target[int(name)]
    else:
        raise _unpatchable(path)
