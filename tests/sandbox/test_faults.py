"""Faults on demand: each kind as a client meets it, and whether the call took effect."""

import gzip
import http.client
import json
import socket
import threading
import urllib.error
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from dsrportal.sandbox import Fault, Sandbox, Server
from dsrportal.sandbox.faults import KINDS
from tests.sandbox.calling import LIST, NOW, Api, connection

BROKEN = (OSError, http.client.HTTPException, urllib.error.URLError, EOFError)


@contextmanager
def raw_answer(server: Server, path: str = LIST) -> Iterator[socket.socket]:
    """A socket on which a GET was sent."""
    host, _, port = server.host_port.partition(":")
    with socket.create_connection((host, int(port)), timeout=60) as sock:
        head = f"GET {path} HTTP/1.1\r\nHost: x\r\nX-API-Key: {server.api_key}\r\n\r\n"
        sock.sendall(head.encode())
        yield sock


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 423, 429, 500, 502, 503, 504, 520, 999])
def test_any_status_is_answered_as_often_as_asked(*, api: Api, server: Server, status: int) -> None:
    server.faults.add(Fault(kind="status", match="^GET .*DataSubjectRequests", status=status, body="no", times=2))
    assert [api.call("GET", LIST).status for _ in range(3)] == [status, status, 200]


@pytest.mark.parametrize(
    "values", [(), ("0",), ("-5",), ("1.5",), ("abc",), ("Wed, 21 Oct 2015 07:28:00 GMT",), ("1", "2")]
)
def test_a_429_carries_any_form_of_retry_after(*, api: Api, server: Server, values: tuple[str, ...]) -> None:
    server.faults.add(Fault(kind="status", status=429, headers=tuple(("Retry-After", value) for value in values)))
    seen = api.call("GET", LIST)
    assert (seen.status, seen.headers.get_all("Retry-After") or []) == (429, list(values))


def test_a_fault_waits_for_its_call_and_its_turn(api: Api, server: Server) -> None:
    server.faults.add(Fault(kind="status", match="page=2", after=1, status=500, times=None))
    assert api.call("GET", LIST).status == 200
    assert [api.call("GET", LIST, query={"page": 2}).status for _ in range(3)] == [200, 500, 500]
    assert [fault.kind for fault in server.faults.pending()] == ["status"]
    server.faults.clear()
    assert api.call("GET", LIST, query={"page": 2}).status == 200


def test_a_refused_step_says_why_and_does_not_move(api: Api, server: Server) -> None:
    row = api.rows(states="Open")[0]
    server.faults.add(Fault(kind="refuse", match="POST .*workflow", reason="Ask the DPO first."))
    seen = api.call("POST", f"{LIST}/workflow", body={"id": row["id"], "stepId": 22292})
    assert (seen.status, seen.json["title"]) == (400, "Ask the DPO first.")
    assert api.get(f"{LIST}/{row['id']}") == row


def test_a_redirect_and_a_login_page(api: Api, server: Server) -> None:
    server.faults.add(Fault(kind="redirect", status=307, to="https://elsewhere.example.org/"), Fault(kind="login_page"))
    seen = api.call("GET", LIST)
    assert (seen.status, seen.headers["Location"]) == (307, "https://elsewhere.example.org/")
    seen = api.call("GET", LIST)
    assert (seen.status, seen.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert seen.body.startswith(b"<!DOCTYPE html>")


@pytest.mark.parametrize("kind", ["truncate", "cut_chunked", "reset", "close_without_answer", "applied_then_cut"])
def test_an_answer_breaks_off(*, api: Api, server: Server, kind: Any) -> None:
    server.faults.add(Fault(kind=kind))
    with pytest.raises(BROKEN):
        api.call("GET", LIST)
    assert api.call("GET", LIST).status == 200


@pytest.mark.parametrize(
    ("kind", "applied"),
    [("applied_then_500", True), ("applied_then_cut", True), ("close_without_answer", False), ("reset", False)],
)
def test_a_write_that_fails_took_effect_or_not(*, api: Api, server: Server, kind: Any, applied: bool) -> None:
    dsr_id = api.ids(states="Open")[0]
    server.faults.add(Fault(kind=kind, match="^POST"))
    try:
        assert api.call("POST", f"{LIST}/workflow", body={"id": dsr_id, "stepId": 22292}).status == 500
    except BROKEN:
        assert kind != "applied_then_500"
    assert (api.get(f"{LIST}/{dsr_id}")["workFlowStepId"] == 22292) is applied
    assert server.journal.of("POST", "/workflow")[0].fault == kind


@pytest.mark.parametrize("kind", ["drip_body", "drip_headers"])
def test_a_drip_gives_a_byte_at_a_time_until_the_sandbox_stops(kind: Any) -> None:
    server = Sandbox(requests=5, now=NOW).serve()
    try:
        server.faults.add(Fault(kind=kind, seconds=0.001))
        with raw_answer(server) as sock:
            received = b""
            while len(received) < 400:
                received += sock.recv(4096)
            finished = b"\r\n\r\n" in received
            assert finished == (kind == "drip_body")
            ender = threading.Thread(target=server.stop)
            ender.start()
            while sock.recv(65536):
                pass
            ender.join(10)
            assert not ender.is_alive()
    finally:
        server.stop()


def test_a_slow_answer_is_whole(api: Api, server: Server) -> None:
    server.faults.add(Fault(kind="slow", seconds=0.05))
    assert api.call("GET", LIST).status == 200
    assert server.journal.entries[0].fault == "slow"


def test_bodies_that_are_not_what_they_say(api: Api, server: Server) -> None:
    server.faults.add(
        Fault(kind="empty"),
        Fault(kind="empty", status=204),
        Fault(kind="garbage_json"),
        Fault(kind="bad_gzip"),
        Fault(kind="gzip_bomb", size=60_000_000),
        Fault(kind="bom"),
        Fault(kind="wrong_charset"),
        Fault(kind="wrong_charset", charset="utf-16", label="utf-16"),
    )
    assert [(seen.status, seen.body) for seen in (api.call("GET", LIST), api.call("GET", LIST))] == [
        (200, b""),
        (204, b""),
    ]
    with pytest.raises(ValueError, match="Expecting"):
        api.call("GET", LIST).json  # noqa: B018 - decoding is the act
    seen = api.call("GET", LIST)
    assert seen.headers["Content-Encoding"] == "gzip"
    with pytest.raises(gzip.BadGzipFile):
        gzip.decompress(seen.body)
    seen = api.call("GET", LIST)
    assert len(seen.body) < 100_000
    assert len(gzip.decompress(seen.body)) > 50_000_000
    assert api.call("GET", LIST).body.startswith(b"\xef\xbb\xbf{")
    seen = api.call("GET", LIST)
    assert seen.headers["Content-Type"] == "application/json; charset=iso-8859-1"
    assert json.loads(seen.body.decode("latin-1"))["total"]
    assert json.loads(api.call("GET", LIST).body.decode("utf-16"))["total"]


def test_lists_that_lie(api: Api, server: Server) -> None:
    everything = api.ids()
    server.faults.add(
        Fault(kind="ignored_size", size=7),
        Fault(kind="same_page"),
        Fault(kind="empty_page"),
        Fault(kind="duplicate_ids"),
        Fault(kind="bad_total", total="12"),
        Fault(kind="mutate_envelope", drop=("total",), merge={"extra": 1}),
    )
    assert api.ids() == everything[:7]
    assert api.ids(size=10, page=2) == everything[:10]
    page = api.get(LIST, size=10)
    assert (page["items"], page["total"]) == ([], len(everything))
    assert api.ids(size=10) == [everything[0], *everything[:9]]
    assert api.get(LIST)["total"] == "12"
    page = api.get(LIST)
    assert (page["extra"], "total" in page) == (1, False)


def test_poison_rows(api: Api, server: Server) -> None:
    everything = api.ids()
    poisoned = frozenset(everything[1:3])
    server.faults.add(
        Fault(kind="mutate_rows", ids=poisoned, merge={"id": "17"}, drop=("title",)),
        Fault(kind="mutate_rows", ids=poisoned, mutate=lambda _: None),
        Fault(kind="mutate_rows", ids=poisoned, merge={"dateDemand": float("nan")}),
        Fault(kind="mutate_rows", ids=poisoned, merge={"title": "\ud800"}, times=2),
        Fault(kind="replace_text", old=f'"id":{everything[0]},', new=f'"id":{everything[0]},"id":1,'),
    )
    rows = api.rows()
    assert [row["id"] for row in rows[:4]] == [everything[0], "17", "17", everything[3]]
    assert ["title" in row for row in rows[:4]] == [True, False, False, True]
    assert api.rows()[:4:3] == [server.state[101].get(dsr_id) for dsr_id in everything[:4:3]]
    assert b":NaN," in api.call("GET", LIST).body
    assert rb'"title":"\ud800"' in api.call("GET", LIST).body
    assert rb'"title":"\ud800"' in api.call("GET", f"{LIST}/{everything[1]}").body
    assert f'"id":{everything[0]},"id":1,'.encode() in api.call("GET", LIST).body


def test_the_control_door_programs_faults_for_other_processes(api: Api, server: Server) -> None:
    added = api.control("POST", "faults", [{"kind": "status", "status": 503, "headers": [["Retry-After", "3"]]}])
    assert added.json == {"pending": ["status"], "rate": 0.0}
    seen = api.call("GET", LIST)
    assert (seen.status, seen.headers["Retry-After"]) == (503, "3")
    api.control("POST", "faults", {"kind": "login_page", "times": None})
    assert api.control("GET", "faults").json["pending"] == ["login_page"]
    assert api.control("DELETE", "faults").json["pending"] == []
    assert [entry["status"] for entry in api.control("GET", "journal").json] == [503]
    for wrong in (
        {"kind": "nonsense"},
        {"kind": "status", "match": "("},
        {"colour": "red"},
        5,
        {"kind": "bom", "mutate": 1},
    ):
        assert api.control("POST", "faults", wrong).status == 400
    assert server.faults.pending() == []


def test_weather_follows_the_seed_and_blows_as_often_as_asked() -> None:
    def weather(seed: int) -> list[str]:
        with Sandbox(requests=5, seed=seed, now=NOW, fault_rate=0.3).serve() as server:
            taken = [server.faults.take(method="GET", path="/me", query="") for _ in range(400)]
        return [fault.kind if fault else "" for fault in taken]

    first = weather(1)
    assert first == weather(1) != weather(2)
    assert 80 < sum(kind != "" for kind in first) < 160
    assert set(first) <= {"", *KINDS}
    assert len(set(first)) > 6


def test_what_is_not_http_is_refused_and_keep_alive_goes_on(server: Server) -> None:
    host, _, port = server.host_port.partition(":")
    for nonsense in (
        b"nonsense\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        b"A B HTTP/1.1\r\n" + b"a: b\r\n" * 201,
    ):
        with socket.create_connection((host, int(port)), timeout=60) as sock:
            sock.sendall(nonsense)
            assert sock.recv(4096).startswith(b"HTTP/1.1 400 ")
    kept = connection(server)
    for _ in range(3):
        kept.request("POST", "/connect/token", body=iter([b"grant_type=", b"x"]), encode_chunked=True)
        assert kept.getresponse().read() == b'{"error":"invalid_client"}'
        first = kept.sock
    assert kept.sock is first
    kept.close()
