"""Webhooks out: what is sent for which act, how it is signed, and what happens when nobody listens well."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from dsrportal.sandbox import Sandbox, Server
from dsrportal.sandbox.webhooks import post, signature_of
from tests.sandbox.calling import NOW, Api

HOOKS = "/v1/WebHookUrls"


@dataclass
class Receiver:
    """Somebody who listens, and what they heard. `status` is what they answer."""

    url: str = ""
    status: int = 200
    heard: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def bodies(self) -> list[Any]:
        return [json.loads(body) for _, body in self.heard]

    def events(self) -> list[str]:
        return [body["eventType"] for body in self.bodies()]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver on loopback."""
    found = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.heard.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(found.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Silence."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.url = f"http://127.0.0.1:{server.server_port}/in?a=1"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield found
    server.shutdown()
    server.server_close()
    thread.join()


def hooked(api: Api, receiver: Receiver, **fields: Any) -> Any:
    """The address is told to the sandbox; the object that it answers."""
    seen = api.call("POST", HOOKS, body={"url": receiver.url, "workSpaceId": 101} | fields)
    assert seen.status == 200, seen.body
    return seen.json


def test_each_act_is_told_once_with_the_documented_payload(server: Server, api: Api, receiver: Receiver) -> None:
    hook = hooked(api, receiver)
    dastra = server.state[101]
    step = dastra.ordered_steps()[1]["id"]
    made = dastra.create(title="A request", email="someone@example.org")["id"]
    dastra.edit(made, complex=True)
    dastra.move(made, step)
    dastra.write(made, "Hello")
    dastra.archive(made)
    dastra.archive(made)
    dastra.anonymise(made)
    dastra.delete(made)
    assert server.webhooks.settle()
    assert receiver.events() == [
        "DataSubjectCreation",
        "DataSubjectUpdate",
        "DataSubjectStateChange",
        "DataSubjectMessage",
        "DataSubjectArchived",
    ]
    first, *_, message, _archived = receiver.bodies()
    assert set(first) == {"webhookId", "signatureUrl", "userId", "eventType", "eventName", "data", "date"}
    assert (first["webhookId"], first["signatureUrl"]) == (hook["id"], receiver.url)
    assert first["data"]["id"] == made
    assert message["data"]["userRequestId"] == made
    for headers, body in receiver.heard:
        expected = hmac.new(hook["signatureKey"].encode(), body, hashlib.sha256).digest()
        assert base64.b64decode(headers["dastra-signature"]) == expected
        assert headers["content-type"] == "application/json"


def test_calls_of_the_api_are_told_too(server: Server, api: Api, receiver: Receiver) -> None:
    hooked(api, receiver)
    dsr_id = api.ids()[0]
    path = f"/v1/ws/101/DataSubjectRequests/{dsr_id}"
    api.call("PATCH", path, body=[{"op": "replace", "path": "/complex", "value": True}])
    api.call("POST", f"/v1/ws/101/DataSubjectRequests/archive/{dsr_id}")
    assert server.webhooks.settle()
    assert receiver.events() == ["DataSubjectUpdate", "DataSubjectArchived"]


def test_only_what_was_asked_for_is_told(server: Server, api: Api, receiver: Receiver) -> None:
    hooked(api, receiver, subscribedEvents=["datasubjectupdate", "TaskCreation"])
    dsr_id = min(server.state[101].records)
    server.state[101].edit(dsr_id, complex=True)
    server.state[101].archive(dsr_id)
    server.state[102].edit(min(server.state[102].records), complex=True)
    assert server.webhooks.settle()
    assert receiver.events() == ["DataSubjectUpdate"]


def test_the_endpoints_list_show_change_and_delete(server: Server, api: Api, receiver: Receiver) -> None:
    hook = hooked(api, receiver)
    everywhere = hooked(api, receiver, workSpaceId=None)
    assert len(hook["signatureKey"]) == 36
    assert hook["workSpace"]["id"] == 101
    assert everywhere["workSpace"] is None
    assert api.get(f"{HOOKS}/{hook['id']}") == hook
    assert [one["id"] for one in api.get(HOOKS)] == [hook["id"], everywhere["id"]]
    assert [one["id"] for one in api.get(HOOKS, workspaceId=102)] == [everywhere["id"]]
    changed = {"url": receiver.url, "workSpaceId": 102, "subscribedEvents": ["DataSubjectUpdate"]}
    assert api.call("PUT", f"{HOOKS}/{hook['id']}", body=changed).status == 200
    after = api.get(f"{HOOKS}/{hook['id']}")
    assert (after["workSpaceId"], after["signatureKey"]) == (102, hook["signatureKey"])
    assert api.call("DELETE", f"{HOOKS}/{hook['id']}").status == 200
    assert api.call("GET", f"{HOOKS}/{hook['id']}").status == 404
    assert api.call("DELETE", f"{HOOKS}/{hook['id']}").status == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"url": "https://portal.example.org/hooks/"},
        {"url": "http://example.org/"},
        {"url": "http://127.0.0.1/", "workSpaceId": 999},
        {"url": "http://127.0.0.1/", "subscribedEvents": "all"},
    ],
)
def test_a_senseless_address_is_refused(api: Api, body: Any) -> None:
    assert api.call("POST", HOOKS, body=body).status == 400
    assert api.get(HOOKS) == []


def test_a_key_sees_and_makes_only_what_it_reaches(server: Server, api: Api, receiver: Receiver) -> None:
    hook = hooked(api, receiver)
    benelux = Api(server, key=server.keys["benelux"].secret)
    assert benelux.get(HOOKS) == []
    assert benelux.call("GET", f"{HOOKS}/{hook['id']}").status == 404
    assert benelux.call("POST", HOOKS, body={"url": receiver.url}).status == 403
    assert benelux.call("POST", HOOKS, body={"url": receiver.url, "workSpaceId": 102}).status == 200


@pytest.mark.parametrize("status", [201, 204, 302, 401, 500])
def test_an_address_that_fails_is_blocked_after_more_than_five_errors(
    server: Server, api: Api, receiver: Receiver, status: int
) -> None:
    receiver.status = status
    hook = hooked(api, receiver)
    dsr_id = min(server.state[101].records)
    for _ in range(9):
        server.state[101].edit(dsr_id, complex=True)
    assert server.webhooks.settle()
    assert len(receiver.heard) == 6, "no retry, and none after the sixth"
    blocked = api.get(f"{HOOKS}/{hook['id']}")
    assert (blocked["nbErrors"], blocked["inError"]) == (6, True)
    assert blocked["errorMessage"] == f"HTTP {status}"
    assert blocked["dateLastError"] == "2026-03-10T09:30:00"
    receiver.status = 200
    api.call("PUT", f"{HOOKS}/{hook['id']}", body={"url": receiver.url, "workSpaceId": 101})
    server.state[101].edit(dsr_id, complex=False)
    assert server.webhooks.settle()
    assert len(receiver.heard) == 7


def test_a_receiver_that_is_not_there_or_never_answers_costs_nobody_time(server: Server, api: Api) -> None:
    server.switch(webhook_timeout_seconds=0.1)
    hook = api.call("POST", HOOKS, body={"url": "http://127.0.0.1:9/", "workSpaceId": 101}).json
    server.state[101].edit(min(server.state[101].records), complex=True)
    assert server.webhooks.settle()
    assert api.get(f"{HOOKS}/{hook['id']}")["errorMessage"] == "ConnectionRefusedError"


def test_events_can_be_lost_late_held_reordered_and_replayed(server: Server, api: Api, receiver: Receiver) -> None:
    hooked(api, receiver)
    dastra = server.state[101]
    ids = sorted(dastra.records)[:3]
    server.switch(webhook_loss=1.0)
    dastra.edit(ids[0], complex=True)
    server.switch(webhook_loss=0.0, webhook_delay_seconds=0.05)
    dastra.edit(ids[1], complex=True)
    assert server.webhooks.settle()
    assert [body["data"]["id"] for body in receiver.bodies()] == [ids[1]]
    server.webhooks.hold()
    for dsr_id in ids:
        dastra.edit(dsr_id, complex=False)
    assert not server.webhooks.settle(seconds=0.2)
    server.webhooks.release(order="reversed")
    assert server.webhooks.settle()
    assert [body["data"]["id"] for body in receiver.bodies()[1:]] == ids[::-1]
    assert server.webhooks.replay(server.webhooks.deliveries[1]) == 200
    assert receiver.heard[-1][1] == receiver.heard[0][1]
    assert [delivery.lost for delivery in server.webhooks.deliveries] == [True, False, False, False, False]


def test_a_share_that_is_lost_follows_from_the_seed(api: Api, server: Server, receiver: Receiver) -> None:
    hooked(api, receiver)
    server.switch(webhook_loss=0.5)
    dsr_id = min(server.state[101].records)
    for _ in range(40):
        server.state[101].edit(dsr_id, complex=True)
    assert server.webhooks.settle()
    lost = sum(delivery.lost for delivery in server.webhooks.deliveries)
    assert 5 < lost < 35
    assert len(receiver.heard) == 40 - lost


@pytest.mark.parametrize(
    ("switches", "event", "data"),
    [
        ({"webhook_data": "id"}, "DataSubjectUpdate", lambda dsr_id: {"Id": dsr_id}),
        ({"webhook_data": "text_id"}, "DataSubjectUpdate", lambda dsr_id: {"dataSubjectRequestId": str(dsr_id)}),
        ({"webhook_data": "nothing", "webhook_event": "number"}, 4, lambda _: None),
    ],
)
def test_what_no_document_settles_is_a_switch(
    server: Server, api: Api, receiver: Receiver, switches: dict[str, Any], event: Any, data: Any
) -> None:
    hooked(api, receiver)
    server.switch(**switches)
    dsr_id = min(server.state[101].records)
    server.state[101].edit(dsr_id, complex=True)
    assert server.webhooks.settle()
    [body] = receiver.bodies()
    assert (body["eventType"], body["data"]) == (event, data(dsr_id))


def test_the_control_door_steers_and_shows_no_person(server: Server, api: Api, receiver: Receiver) -> None:
    hooked(api, receiver)
    assert api.control("POST", "webhooks", {"hold": True, "delay_seconds": 0}).status == 200
    dsr_id = min(server.state[101].records)
    server.state[101].edit(dsr_id, givenName="Zoé-only-here")
    assert receiver.heard == []
    api.control("POST", "webhooks", {"release": "given"})
    assert server.webhooks.settle()
    api.control("POST", "webhooks", {"replay": 0})
    assert len(receiver.heard) == 2
    shown = api.control("GET", "webhooks")
    assert [(one["event"], one["status"]) for one in shown.json] == [("DataSubjectUpdate", 200)]
    assert b"only-here" not in shown.body
    assert api.control("POST", "webhooks", {"loss": "all"}).status == 400
    assert api.control("POST", "webhooks", {"replay": 99}).status == 400


def test_a_forger_without_the_key_signs_something_else(receiver: Receiver) -> None:
    assert post(receiver.url, b"{}", signature=signature_of(b"{}", key="guessed"), kind="text/plain") == 200
    headers, body = receiver.heard[0]
    assert headers["dastra-signature"] == signature_of(b"{}", key="guessed") != signature_of(b"{}", key="other")
    assert (headers["content-type"], body) == ("text/plain", b"{}")
    assert post(receiver.url, b"{}", signature=None) == 200
    assert "dastra-signature" not in receiver.heard[1][0]


def test_addresses_outlive_a_restart(tmp_path: Path, receiver: Receiver) -> None:
    kept = tmp_path / "state.json"
    with Sandbox(requests=20, now=NOW, state_file=kept).serve() as before:
        hook = hooked(Api(before), receiver)
    with Sandbox(requests=20, now=NOW, state_file=kept).serve() as after:
        assert Api(after).get(HOOKS) == [hook]
        after.state[101].edit(min(after.state[101].records), complex=True)
        assert after.webhooks.settle()
    assert receiver.events() == ["DataSubjectUpdate"]
