"""The list of requests: which rows a query string means, in which order, and the page of them as JSON.

Called by requests_api.py. Reads the store under its lock and changes nothing.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dsrportal.sandbox.calls import Answer, Call, Query, RefusalError, invalid_value
from dsrportal.sandbox.records import Record
from dsrportal.sandbox.rules import Rule, compiled, is_missing, resolve
from dsrportal.sandbox.shapes import overtaking, remaining_days
from dsrportal.sandbox.store import Workspace
from dsrportal.sandbox.switches import Switches
from dsrportal.sandbox.values import PURPOSES, STATES, Json, to_json

DEFAULT_SIZE = 20
Test = Callable[[Record], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """One page: its number from 1, its size as asked and as given, and where it starts."""

    page: int
    asked: int
    size: int
    start: int


def window(query: Query, *, settings: Switches) -> Window:
    """Raises RefusalError: 400 for a size above the largest where the switch refuses."""
    page = max(query.number("page", 1) or 1, 1)
    asked = query.number("size", DEFAULT_SIZE) or DEFAULT_SIZE
    if asked < 1:
        asked = DEFAULT_SIZE
    if asked > settings.max_size and settings.oversized == "refuse":
        raise invalid_value(str(asked), name="size")
    size = min(asked, settings.max_size)
    skip = query.number("skip")
    start = (page - 1) * size if skip is None or not settings.skip_is_offset else max(skip, 0)
    return Window(page=page, asked=asked, size=size, start=start)


def placed(view: Window, *, total: int, settings: Switches) -> Window:
    """The window itself, or what the switch makes of one past the end. Raises RefusalError (404)."""
    if view.start < total or view.start == 0 or settings.page_past_end == "empty":
        return view
    if settings.page_past_end == "not_found":
        raise RefusalError(404, "Not Found")
    last_start = (max(total, 1) - 1) // view.size * view.size
    return Window(page=view.page, asked=view.asked, size=view.size, start=last_start)


def paged(rows: list[Json], *, call: Call) -> Answer:
    """The envelope around any small list, cut to the page that the query asks for."""
    view = placed(window(call.query, settings=call.settings), total=len(rows), settings=call.settings)
    items = rows[view.start : view.start + view.size]
    size = len(items) if call.settings.envelope_size == "returned" else view.size
    return Answer.json({"items": items, "total": len(rows), "size": size, "page": view.page})


def list_requests(call: Call) -> Answer:
    """One page of the requests that the query string means, newest first unless it says otherwise."""
    workspace, settings = call.workspace, call.settings
    with call.state.lock:
        rows = matching(call.query, workspace=workspace)
        rows = _sorted(rows, query=call.query, workspace=workspace)
        view = placed(window(call.query, settings=settings), total=len(rows), settings=settings)
        chosen = rows[view.start : view.start + view.size]
        heavy = settings.list_rows == "heavy"
        bodies = [workspace.encoded(record, heavy=heavy) for record in chosen]
    wanted = call.query.text("select")
    if wanted is not None:
        bodies = [_trimmed(body, names=wanted) for body in bodies]
    size = len(bodies) if settings.envelope_size == "returned" else view.size
    tail = f'],"total":{len(rows)},"size":{size},"page":{view.page}}}'
    return Answer.encoded(b'{"items":[' + b",".join(bodies) + tail.encode())


def matching(query: Query, *, workspace: Workspace) -> list[Record]:
    """Every record that passes all filters of the query; the caller holds the lock. Raises RefusalError (400)."""
    tests = [*_plain_tests(query, workspace=workspace), *_list_tests(query, workspace=workspace)]
    rows = [record for record in workspace.as_listed() if all(test(record) for test in tests)]
    rule_text = query.text("filters")
    if rule_text is not None:
        rule: Rule = compiled(rule_text, now=workspace.state.now())
        rows = [record for record in rows if rule(json.loads(workspace.encoded(record)))]
    return rows


def _plain_tests(query: Query, *, workspace: Workspace) -> list[Test]:
    now, settings = workspace.state.now(), workspace.state.settings
    tests: list[Test] = []
    if not query.flag("archived"):
        tests.append(lambda record: not record.fields["archived"])
    elif settings.archived_true == "only":
        tests.append(lambda record: bool(record.fields["archived"]))
    if query.flag("overtaking"):
        tests.append(lambda record: overtaking(record.fields, now=now))
    searched = query.text("q")
    if searched is not None:
        needle = searched.casefold()
        tests.append(lambda record: needle in str(record.fields["title"]).casefold())
    widget_id = query.number("widgetId")
    if widget_id is not None:
        tests.append(lambda record: record.fields["widgetId"] == widget_id)
    area_id = query.number("areaId")
    if area_id is not None:
        areas = {area_id}
        if settings.area_includes_children:
            areas |= descendants(area_id, workspace=workspace)
        tests.append(lambda record: record.fields["areaId"] in areas)
    return tests


def _list_tests(query: Query, *, workspace: Workspace) -> list[Test]:
    tests: list[Test] = []
    steps, users, ids = (set(query.numbers(name)) for name in ("workflows", "users", "ids"))
    if steps:
        tests.append(lambda record: record.fields["workFlowStepId"] in steps)
    if users:
        tests.append(lambda record: record.operator_id in users)
    if ids:
        tests.append(lambda record: record.fields["id"] in ids)
    states = set(query.words("states", known=STATES))
    if states:
        tests.append(lambda record: record.fields["state"] in states)
    purposes = set(query.words("purposes", known=PURPOSES))
    if purposes:
        tests.append(lambda record: not purposes.isdisjoint(record.fields["purposes"]))
    tags = set(query.numbers("tags"))
    if tags and workspace.state.settings.tags_match == "all":
        tests.append(lambda record: tags.issubset(record.tag_ids))
    elif tags:
        tests.append(lambda record: not tags.isdisjoint(record.tag_ids))
    return tests


def descendants(area_id: int, *, workspace: Workspace) -> set[int]:
    """The ids of all units below one."""
    found: set[int] = set()
    frontier = {area_id}
    while frontier:
        frontier = {area["id"] for area in workspace.areas.values() if area["parentId"] in frontier} - found
        found |= frontier
    return found


def _sorted(rows: list[Record], *, query: Query, workspace: Workspace) -> list[Record]:
    ascending = bool(query.flag("asc"))
    name = (query.text("sortBy") or "dateDemand").lower()
    key = _sort_key(name, workspace=workspace)
    try:
        return sorted(rows, key=key, reverse=not ascending)
    except _UnknownSortError:
        if workspace.state.settings.unknown_sort == "refuse":
            raise invalid_value(name, name="sortBy") from None
        return sorted(rows, key=_sort_key("datedemand", workspace=workspace), reverse=not ascending)


class _UnknownSortError(Exception):
    """No object has that field."""


def _sort_key(name: str, *, workspace: Workspace) -> Callable[[Record], Any]:
    now, settings = workspace.state.now(), workspace.state.settings
    stored = (
        {field.lower(): field for field in next(iter(workspace.records.values())).fields} if workspace.records else {}
    )

    def value_of(record: Record) -> Any:
        if name in stored:
            return record.fields[stored[name]]
        if name == "remainingdays":
            return remaining_days(record.fields, now=now, settings=settings)
        if name in {"operatorid", "users"}:
            return record.operator_id
        value = resolve(json.loads(workspace.encoded(record)), name.split("."))
        if is_missing(value):
            raise _UnknownSortError
        return value

    def key(record: Record) -> tuple[int, float, str, int]:
        # Nulls come first when ascending, as in SQL Server; equal values keep the order of their ids.
        value = value_of(record)
        dsr_id: int = record.fields["id"]
        if value is None:
            return (0, 0.0, "", dsr_id)
        if isinstance(value, (int, float)):
            return (1, float(value), "", dsr_id)
        if isinstance(value, dict) and "label" in value:
            value = value["label"]
        return (1, 0.0, value.casefold() if isinstance(value, str) else json.dumps(value, ensure_ascii=False), dsr_id)

    return key


def _trimmed(body: bytes, *, names: str) -> bytes:
    wanted = {name.strip().lower() for name in names.split(",")}
    kept = {key: value for key, value in json.loads(body).items() if key.lower() in wanted}
    return to_json(kept)
