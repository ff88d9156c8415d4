"""The endpoints `/v1/WebHookUrls`: which addresses want to be told of events. Registered in a table that the server looks into.

The validation key is made by the server and answered with the object. An address must be on loopback: the sandbox calls nobody else.
"""

import uuid
from typing import Any
from urllib.parse import urlsplit

from dsrportal.sandbox.calls import Answer, Call, RefusalError, Routes, invalid_value
from dsrportal.sandbox.neighbours import workspace_object
from dsrportal.sandbox.values import Json
from dsrportal.sandbox.webhooks import EVENTS, LOOPBACK

routes = Routes()
_BASE = "/v1/webhookurls"


@routes.on("GET", _BASE)
def list_webhooks(call: Call) -> Answer:
    """A plain array; `workspaceId` narrows it to that workspace's own and those of all workspaces."""
    wanted = call.query.number("workspaceId")
    with call.state.lock:
        return Answer.json(
            [
                _shown(webhook, call=call)
                for webhook in call.state.webhooks.values()
                if _may_see(webhook, call=call) and (wanted is None or webhook["workSpaceId"] in {None, wanted})
            ]
        )


@routes.on("POST", _BASE)
def create(call: Call) -> Answer:
    """`{"url", "workSpaceId", "subscribedEvents"}`; without a workspace it hears of all. 400 for a bad address or event."""
    wanted = _wanted(call)
    with call.state.lock:
        webhook: Json = {
            "id": call.state.next_id("webhook"),
            **wanted,
            "signatureKey": str(uuid.uuid4()),
            **_without_errors(),
        }
        call.state.webhooks[webhook["id"]] = webhook
        call.state.touched()
        return Answer.json(_shown(webhook, call=call))


@routes.on("GET", f"{_BASE}/{{id}}")
def get(call: Call) -> Answer:
    """One of them, with its key and its errors."""
    with call.state.lock:
        return Answer.json(_shown(_found(call), call=call))


@routes.on("PUT", f"{_BASE}/{{id}}")
def put(call: Call) -> Answer:
    """Replaces address, workspace and events; the key stays, and what was blocked is tried again (a guess). Empty answer."""
    wanted = _wanted(call)
    with call.state.lock:
        _found(call).update(wanted | _without_errors())
        call.state.touched()
    return Answer()


@routes.on("DELETE", f"{_BASE}/{{id}}")
def delete(call: Call) -> Answer:
    """No more events; empty answer."""
    with call.state.lock:
        del call.state.webhooks[_found(call)["id"]]
        call.state.touched()
    return Answer()


def _wanted(call: Call) -> Json:
    body = {name.lower(): value for name, value in call.mapping().items()}
    workspace_id, events = body.get("workspaceid"), body.get("subscribedevents")
    if workspace_id is not None and workspace_id not in call.state.workspaces:
        raise invalid_value(str(workspace_id), name="workSpaceId")
    if events is not None and not (isinstance(events, list) and all(isinstance(one, str) for one in events)):
        raise invalid_value(str(events), name="subscribedEvents")
    # Events of other parts of Dastra may be asked for too; the sandbox has none to tell of.
    known = {event.lower(): event for event in EVENTS}
    subscribed = None if events is None else [known.get(event.lower(), event) for event in events]
    wanted = {"url": _address(body.get("url")), "workSpaceId": workspace_id, "subscribedEvents": subscribed}
    if not _may_see(wanted, call=call):
        raise RefusalError(403, "Forbidden")
    return wanted


def _address(value: Any) -> str:
    address = urlsplit(value) if isinstance(value, str) else None
    if address is None or address.scheme != "http" or address.hostname not in LOOPBACK:
        raise RefusalError(
            400,
            "One or more validation errors occurred.",
            errors={"url": ["The sandbox calls http on loopback alone."]},
        )
    return address.geturl()


def _found(call: Call) -> Json:
    webhook = call.state.webhooks.get(call.number("id"))
    if webhook is None or not _may_see(webhook, call=call):
        raise RefusalError(404, "Not Found")
    return webhook


def _may_see(webhook: Json, *, call: Call) -> bool:
    workspace_id = webhook["workSpaceId"]
    return call.key.workspaces is None if workspace_id is None else call.key.reaches(workspace_id)


def _without_errors() -> Json:
    return {"errorMessage": None, "nbErrors": 0, "dateLastError": None, "inError": False}


def _shown(webhook: Json, *, call: Call) -> Json:
    workspace = call.state.workspaces.get(webhook["workSpaceId"] or 0)
    shown: Json = webhook | {"workSpace": workspace_object(workspace) if workspace else None}
    return shown
