"""The endpoints of data subject requests, under `/v1/ws/{workspaceId}/DataSubjectRequests`.

Registered in a table that the server looks into. Each endpoint reads or writes the store and answers; faults, keys and limits
are dealt with before and after it.
"""

from datetime import datetime, timedelta
from typing import Any

from dsrportal.sandbox.calls import Answer, Call, RefusalError, Routes, invalid_value, word_of
from dsrportal.sandbox.keys import Key
from dsrportal.sandbox.listing import list_requests, matching
from dsrportal.sandbox.records import Record
from dsrportal.sandbox.seeding import API_USER_ID
from dsrportal.sandbox.shapes import overtaking
from dsrportal.sandbox.store import Workspace
from dsrportal.sandbox.values import (
    CLOSED_REASONS,
    PURPOSES,
    Json,
    days_between,
    dotnet,
    instant_of,
    normalised,
)
from dsrportal.sandbox.writing import apply, checked, patched

routes = Routes()
_BASE = "/v1/ws/{ws}/datasubjectrequests"

routes.on("GET", _BASE)(list_requests)


@routes.on("POST", _BASE)
def create(call: Call) -> Answer:
    """Needs title, locale, areaId and purposes; answers the flat object. 400 with the fields that are wrong."""
    body = call.mapping()
    workspace = call.workspace
    with call.state.lock:
        values = checked(body, workspace=workspace)
        given = {name: value for name, value in values.items() if name != "tags"}
        created = workspace.create(by=API_USER_ID, tagIds=values.get("tags"), **given)
        record = workspace.record(created["id"])
        return Answer.encoded(workspace.encoded(record, heavy=False), status=call.settings.create_status)


@routes.on("POST", f"{_BASE}/workflow")
def change_step(call: Call) -> Answer:
    """`{"id", "stepId"}`; the state follows the step. 404 unknown request, 400 unknown step or one that refuses."""
    body = call.mapping()
    dsr_id, step_id = _whole_number(body, "id"), _whole_number(body, "stepId")
    workspace = call.workspace
    with call.state.lock:
        record = workspace.record(dsr_id)
        _check_step(workspace.steps.get(step_id), record=record, workspace=workspace, key=call.key)
        workspace.move(dsr_id, step_id, by=API_USER_ID)
        return _answer(record, workspace=workspace, style=call.settings.workflow_answer)


@routes.on("GET", f"{_BASE}/columns")
def columns(call: Call) -> Answer:
    """Legacy: the columns a table of requests may have."""
    _legacy(call)
    workspace = call.workspace
    names: list[str] = []
    with call.state.lock:
        for record in list(workspace.records.values())[:1]:
            names = list(workspace.get(record.fields["id"]))
    return Answer.json([_column(name, order=order) for order, name in enumerate(names)])


@routes.on("GET", f"{_BASE}/stats")
def stats(call: Call) -> Answer:
    """Legacy: counts of the requests created in a period. Query `areaId, start, end`."""
    _legacy(call)
    return _stats(call)


@routes.on("GET", f"{_BASE}/dashboard")
def dashboard(call: Call) -> Answer:
    """Legacy: the same with `filters`."""
    _legacy(call)
    return _stats(call)


@routes.on("POST", f"{_BASE}/archive/{{id}}")
def archive(call: Call) -> Answer:
    """Into the recycle bin; empty answer."""
    call.workspace.archive(call.number("id"))
    return Answer()


@routes.on("POST", f"{_BASE}/restore/{{id}}")
def restore(call: Call) -> Answer:
    """Out of the recycle bin; empty answer."""
    call.workspace.restore(call.number("id"))
    return Answer()


@routes.on("PUT", f"{_BASE}/set-identity-validation/{{id}}")
def set_identity_validation(call: Call) -> Answer:
    """Legacy: `{"validation": bool}`; true sets the date of the check to now, false takes it away."""
    _legacy(call)
    validation = call.mapping().get("validation")
    if not isinstance(validation, bool):
        raise invalid_value(str(validation), name="validation")
    workspace = call.workspace
    with call.state.lock:
        workspace.edit(call.number("id"), dateIdentityValidated=call.state.stamp() if validation else None)
        return _answer(workspace.record(call.number("id")), workspace=workspace)


@routes.on("POST", f"{_BASE}/{{id}}/close")
def close(call: Call) -> Answer:
    """Body (a guess): closedReason, closedReasonDescription, resolutionMessage, dateClosed, sendNotification. 400 without a reason."""
    body = call.mapping()
    workspace = call.workspace
    with call.state.lock:
        record = workspace.record(call.number("id"))
        reason = word_of(body.get("closedReason"), known=CLOSED_REASONS, name="closedReason")
        if reason == "None":
            raise RefusalError(
                400, "One or more validation errors occurred.", errors={"closedReason": ["A reason is required."]}
            )
        final = workspace.final_step()
        _check_step(final, record=record, workspace=workspace, key=call.key)
        closed_at = _instant(body.get("dateClosed"), name="dateClosed") or call.state.stamp()
        if record.fields["state"] != "Closed":
            workspace.move(call.number("id"), final["id"], by=API_USER_ID)
        notify = body.get("sendNotification") is True
        workspace.edit(
            call.number("id"),
            closedReason=reason,
            closedReasonDescription=body.get("closedReasonDescription"),
            resolutionMessage=body.get("resolutionMessage"),
            dateClosed=closed_at,
            sendNotification=notify,
            userNotified=notify,
            dateUserNotified=closed_at if notify else None,
        )
        return _answer(record, workspace=workspace)


@routes.on("GET", f"{_BASE}/{{id}}")
def get(call: Call) -> Answer:
    """The whole object. 404 for an id that is not in the workspace."""
    workspace = call.workspace
    with call.state.lock:
        return _answer(workspace.record(call.number("id")), workspace=workspace)


@routes.on("PUT", f"{_BASE}/{{id}}")
def put(call: Call) -> Answer:
    """Takes the complete object: nullable fields that are missing are emptied. Answers the whole object."""
    body = call.mapping()
    workspace = call.workspace
    with call.state.lock:
        record = workspace.record(call.number("id"))
        _write(checked(body, workspace=workspace), record=record, call=call, blank=True)
        return _answer(record, workspace=workspace)


@routes.on("PATCH", f"{_BASE}/{{id}}")
def patch(call: Call) -> Answer:
    """JSON Patch. Fields that the server sets may be tested, and a change of them is ignored."""
    operations = call.json()
    workspace = call.workspace
    with call.state.lock:
        record = workspace.record(call.number("id"))
        before = workspace.get(call.number("id"))
        after = patched(before, operations)
        values = checked(after, workspace=workspace)
        changed = {name: value for name, value in values.items() if after.get(name) != before.get(name)}
        if changed:
            _write(changed, record=record, call=call, blank=False)
        return _answer(record, workspace=workspace, style=call.settings.patch_answer)


@routes.on("DELETE", f"{_BASE}/{{id}}")
def delete(call: Call) -> Answer:
    """For good; empty answer."""
    call.workspace.delete(call.number("id"))
    return Answer()


def _write(values: Json, *, record: Record, call: Call, blank: bool) -> None:
    workspace = call.workspace
    step_id = values.get("workFlowStepId")
    if step_id is not None and step_id != record.fields["workFlowStepId"]:
        _check_step(workspace.steps[step_id], record=record, workspace=workspace, key=call.key)
    apply(values, record=record, workspace=workspace, blank=blank)


def _check_step(step: Json | None, *, record: Record, workspace: Workspace, key: Key) -> None:
    if step is None or step["id"] == record.fields["workFlowStepId"]:
        return
    settings = workspace.state.settings
    role = step["authorizedRoleId"]
    if settings.step_roles and role is not None and role not in key.roles:
        raise RefusalError(400, f"Only the role {role} may move requests to this step.")
    limit = step["itemLimit"]
    if settings.item_limits and limit is not None:
        held = sum(
            one.fields["workFlowStepId"] == step["id"] and not one.fields["archived"]
            for one in workspace.records.values()
        )
        if held >= limit:
            raise RefusalError(400, f"This step holds its limit of {limit} requests.")


def _answer(record: Record, *, workspace: Workspace, style: str = "object") -> Answer:
    return Answer.encoded(workspace.encoded(record)) if style == "object" else Answer()


def _legacy(call: Call) -> None:
    if not call.settings.legacy_endpoints:
        raise RefusalError(404, "Not Found")


def _whole_number(body: Json, name: str) -> int:
    value = {key.lower(): one for key, one in body.items()}.get(name.lower())
    if isinstance(value, bool) or not isinstance(value, int):
        raise invalid_value(str(value), name=name)
    return value


def _instant(value: Any, *, name: str) -> str | None:
    try:
        return None if value is None else normalised(str(value))
    except ValueError:
        raise invalid_value(str(value), name=name) from None


def _column(name: str, *, order: int) -> Json:
    return {
        "name": name[0].upper() + name[1:],
        "label": name,
        "selectable": True,
        "sortable": True,
        "filterable": True,
        "selected": order < 10,  # noqa: PLR2004 - any first few
        "defaultSelected": order < 10,  # noqa: PLR2004
        "order": order,
        "isNullable": True,
        "isDate": name.startswith("date") or name.endswith(("Date", "Time")),
        "isNumeric": name.startswith("nb") or name.endswith(("Id", "Days")),
        "dateUtc": True,
    }


def _stats(call: Call) -> Answer:
    workspace, now = call.workspace, call.state.now()
    end = call.query.instant("end") or dotnet(now)
    start = call.query.instant("start") or dotnet(now - timedelta(days=365))
    with call.state.lock:
        rows = [row for row in matching(call.query, workspace=workspace) if start <= row.fields["dateCreation"] <= end]
        took = [
            days_between(instant_of(row.fields["dateDemand"]), instant_of(row.fields["dateClosed"]))
            for row in rows
            if row.fields["dateClosed"]
        ]
        return Answer.json(
            {
                "nbCustomerRequests": len(rows),
                "nbOpenedOrActiveCustomerRequests": sum(row.fields["state"] != "Closed" for row in rows),
                "nbOverTaken": sum(overtaking(row.fields, now=now) for row in rows),
                "averageTimeToClose": sum(took) / len(took) if took else None,
                "purposeTypes": _purpose_series(rows),
                "timeSerie": _time_series(rows),
                "stats": [],
                "startDate": start,
                "endDate": end,
            }
        )


def _purpose_series(rows: list[Record]) -> list[Json]:
    counts = {purpose: sum(purpose in row.fields["purposes"] for row in rows) for purpose in PURPOSES}
    return [{"name": purpose, "color": None, "y": count, "x": None} for purpose, count in counts.items() if count]


def _time_series(rows: list[Record]) -> list[Json]:
    months: dict[datetime, int] = {}
    for row in rows:
        created = instant_of(row.fields["dateCreation"])
        month = created.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        months[month] = months.get(month, 0) + 1
    return [
        {"name": f"{month:%Y-%m}", "color": None, "y": count, "x": month.timestamp() * 1000}
        for month, count in sorted(months.items())
    ]
