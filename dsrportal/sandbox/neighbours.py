"""The endpoints around requests: steps, tags, users, units, workspaces, `/me`, `/status` and the limit's state.

Registered in a table that the server looks into, like requests_api.py. Answers of undocumented shape are guesses, kept plain.
"""

from dsrportal.sandbox.calls import Answer, Call, RefusalError, Routes, invalid_value
from dsrportal.sandbox.listing import paged
from dsrportal.sandbox.seeding import API_USER_ID
from dsrportal.sandbox.shapes import TENANT_ID, area_object, step_object, user_light
from dsrportal.sandbox.store import Workspace
from dsrportal.sandbox.values import Json

routes = Routes()
_WS = "/v1/ws/{ws}"


@routes.on("GET", f"{_WS}/workflows")
def list_steps(call: Call) -> Answer:
    """All steps of the workspace in order, as a plain array."""
    return _steps(call)


@routes.on("GET", f"{_WS}/workflows/{{type}}")
def list_steps_of_type(call: Call) -> Answer:
    """The steps of one type of object; those of other types are empty here, an unknown type is 400."""
    kind = call.words["type"].lower()
    if kind in {"databreach", "task", "dataprocessing"}:
        call.workspace.ordered_steps()
        return Answer.json([])
    own = {2022: {"datasubject"}, 2023: {"datasubjectrequest", "datasubject"}}[call.settings.generation]
    if kind not in own:
        raise invalid_value(kind, name="type")
    return _steps(call)


def _steps(call: Call) -> Answer:
    workspace = call.workspace
    if not call.settings.workflows_endpoint:
        raise RefusalError(404, "Not Found")
    with call.state.lock:
        return Answer.json(
            [step_object(step, generation=call.settings.generation) for step in workspace.ordered_steps()]
        )


@routes.on("GET", f"{_WS}/tags")
def list_tags(call: Call) -> Answer:
    """A plain array by label, ascending unless `asc=false`; `type` narrows it."""
    workspace = call.workspace
    wanted = (call.query.text("type") or "").lower()
    with call.state.lock:
        tags = [tag for tag in workspace.tags.values() if not wanted or tag["type"].lower() == wanted]
    tags.sort(key=lambda tag: str(tag["label"]).casefold(), reverse=call.query.flag("asc") is False)
    return Answer.json(tags)


@routes.on("GET", f"{_WS}/users")
def list_users(call: Call) -> Answer:
    """The users of the workspace, paged (the shape is a guess)."""
    return paged([user_light(user) for user in call.workspace.users.values()], call=call)


@routes.on("GET", f"{_WS}/users/{{id}}")
def get_user(call: Call) -> Answer:
    """One user of the workspace."""
    user = call.workspace.users.get(call.number("id"))
    if user is None:
        raise RefusalError(404, "Not Found")
    return Answer.json(user_light(user))


@routes.on("GET", "/v1/tenantusers")
def list_tenant_users(call: Call) -> Answer:
    """The users of the organisation, paged; query `q`, `ids`, `workspaceId`."""
    ids, searched = set(call.query.numbers("ids")), (call.query.text("q") or "").casefold()
    users = [
        _user_object(user)
        for user in call.state.users.values()
        if (not ids or user["id"] in ids) and searched in str(user["displayName"]).casefold()
    ]
    return paged(users, call=call)


@routes.on("GET", f"{_WS}/areas")
def list_areas(call: Call) -> Answer:
    """The units, flat and paged; query `type`, `ref`, `q`, `parentId`."""
    workspace, query = call.workspace, call.query
    kind, ref, searched = query.text("type"), query.text("ref"), (query.text("q") or "").casefold()
    parent_id = query.number("parentId")
    with call.state.lock:
        areas = [
            area_object(area)
            for area in workspace.areas.values()
            if (kind is None or area["type"].lower() == kind.lower())
            and (ref is None or area["ref"] == ref)
            and (parent_id is None or area["parentId"] == parent_id)
            and searched in str(area["label"]).casefold()
        ]
    return paged(areas, call=call)


@routes.on("GET", f"{_WS}/areas/hierarchy")
def hierarchy(call: Call) -> Answer:
    """The units as a tree."""
    workspace = call.workspace
    with call.state.lock:
        entities = sum(area["type"] == "Entity" for area in workspace.areas.values())
        tree = _branch(workspace, parent_id=None)
    return Answer.json({"items": tree, "nbWorkspaceEntities": entities, "nbEntities": entities})


def _branch(workspace: Workspace, *, parent_id: int | None) -> list[Json]:
    return [
        area_object(area, children=_branch(workspace, parent_id=area["id"]))
        for area in workspace.areas.values()
        if area["parentId"] == parent_id
    ]


@routes.on("GET", "/v1/workspaces")
def list_workspaces(call: Call) -> Answer:
    """The workspaces that the key reaches, in one of the two shapes of the documents."""
    with call.state.lock:
        items = [
            workspace_object(workspace)
            for workspace in call.state.workspaces.values()
            if call.key.reaches(workspace.id)
        ]
    if call.settings.workspaces_shape == "plan":
        return Answer.json({"pricingPlan": None, "subscription": None, "features": None, "workSpaces": items})
    return Answer.json({"items": items, "total": len(items)})


@routes.on("GET", "/v1/workspaces/{ws}")
def get_workspace(call: Call) -> Answer:
    """One workspace."""
    with call.state.lock:
        return Answer.json(workspace_object(call.workspace))


@routes.on("GET", "/me")
def me(call: Call) -> Answer:
    """Who the key is (the shape is a guess)."""
    reach = [workspace_id for workspace_id in call.state.workspaces if call.key.reaches(workspace_id)]
    user = user_light(call.state.users[API_USER_ID])
    return Answer.json(user | {"role": "API", "workSpaces": reach, "readOnly": not call.key.may_write})


@routes.on("GET", "/status")
def status(call: Call) -> Answer:
    """The API is up."""
    return Answer.json({"status": "Healthy", "date": call.state.stamp()})


@routes.on("GET", "/rate-limiting-state")
def rate_limiting_state(call: Call) -> Answer:
    """How much of each window the key has used (the shape is a guess)."""
    return Answer.json(call.limits_state())


def workspace_object(workspace: Workspace) -> Json:
    """`WorkSpaceDto`."""
    return {
        "id": workspace.id,
        "tenantId": TENANT_ID,
        "primaryColor": "#1E8EE1",
        "secondaryColor": "#8793A3",
        "label": workspace.label,
        "logoUrl": None,
        "state": "Active",
        "permissions": [],
        "dataSubjectArchivedRetentionDays": workspace.retention_days,
        "nbEntities": sum(area["type"] == "Entity" for area in workspace.areas.values()),
    }


def _user_object(user: Json) -> Json:
    return user_light(user) | {
        "role": "API" if user["id"] == API_USER_ID else "User",
        "isInvited": False,
        "isOwner": False,
        "timeZone": "Europe/Paris",
        "language": "fr",
        "roles": [],
        "teams": [],
        "active": True,
        "canReceiveNotification": user["id"] != API_USER_ID,
        "emailVerified": True,
        "twoFactorAuthEnabled": True,
    }
