"""What the transport does about an error: retry, wait, renew the token, or tell the caller at once."""

from __future__ import annotations

import base64
import errno
import os
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from dsrportal.dastra import connections, errors
from dsrportal.dastra.auth import ClientCredentials
from dsrportal.dastra.transport import Transport

from .conftest import OpenPace
from .wire import Asked, Wire, answer, hang_up

MakeTransport = Callable[..., Transport]
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def http_date(seconds: float) -> str:
    return format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize("status", [408, 425, 500, 502, 503, 504])
def test_a_read_is_tried_again(status: int, wire: Wire, transport: MakeTransport) -> None:
    wire.plays(answer(status=status), answer(status=status), answer(status=status), answer({"fine": True}))
    reader = transport()
    assert reader.get("/me") == {"fine": True}
    assert reader.call_count == len(wire.journal) == 4


def test_four_tries_are_all(wire: Wire, transport: MakeTransport, pace: OpenPace) -> None:
    wire.plays(answer(status=500))
    with pytest.raises(errors.ServerFailure):
        transport().get("/me")
    assert len(wire.journal) == len(pace.acquired) == 4


def test_the_waits_are_drawn_between_nothing_and_a_growing_bound(wire: Wire, transport: MakeTransport) -> None:
    bounds: list[tuple[float, float]] = []
    slept: list[float] = []

    def draw(low: float, high: float) -> float:
        bounds.append((low, high))
        return high / 2

    wire.plays(answer(status=500))
    with pytest.raises(errors.ServerFailure):
        transport(jitter=draw, sleep=slept.append).get("/me")
    assert bounds[:3] == [(0.0, 0.5), (0.0, 1.0), (0.0, 2.0)]
    assert slept == [0.25, 0.5, 1.0]


def test_no_wait_goes_beyond_the_minute(wire: Wire, transport: MakeTransport) -> None:
    wire.plays(answer(status=500))
    with pytest.raises(errors.ServerFailure):
        transport(jitter=lambda _low, _high: 61.0).get("/me")
    assert len(wire.journal) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 406, 409, 410, 412, 415, 418, 422, 423, 451])
def test_what_will_not_change_is_asked_once(status: int, wire: Wire, transport: MakeTransport) -> None:
    wire.plays(answer(status=status))
    with pytest.raises(errors.DastraError) as caught:
        transport().get("/me")
    assert caught.value.status == status
    assert caught.value.retryable is False
    assert len(wire.journal) == 1


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("act", [answer(status=500), answer(status=503), answer(status=429), hang_up])
def test_a_write_is_never_sent_twice(method: str, act: bytes, wire: Wire, transport: MakeTransport) -> None:
    wire.plays(act)
    sender = transport(timeout_seconds=3)
    with pytest.raises(errors.DastraError) as caught:
        sender.write(method, "/v1/x", payload={})
    assert len(wire.journal) == sender.call_count == 1
    assert caught.value.outcome_unknown is (caught.value.status != 429)


def test_a_read_survives_a_connection_that_was_closed_while_idle(wire: Wire, transport: MakeTransport) -> None:
    def answer_then_close(connection: socket.socket, _asked: Asked) -> None:
        connection.sendall(answer({"first": True}))
        connection.close()

    wire.plays(answer_then_close, answer({"second": True}))
    reader = transport()
    assert reader.get("/me") == {"first": True}
    assert reader.get("/me") == {"second": True}


def test_a_write_takes_a_connection_of_its_own(wire: Wire, transport: MakeTransport) -> None:
    wire.plays(answer({}))
    sender = transport()
    sender.get("/me")
    sender.write("POST", "/v1/x", payload={})
    sender.get("/me")
    assert wire.connection_count == 2


def test_a_limit_disguised_as_a_refusal_is_a_limit(wire: Wire, transport: MakeTransport, pace: OpenPace) -> None:
    wire.plays(answer(status=403, headers=("Retry-After: 30",)))
    with pytest.raises(errors.RateLimited):
        transport().get("/me")
    assert pace.pauses == [30.0]


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ((), 60.0),
        (("Retry-After: 0",), 0.0),
        (("Retry-After: 7",), 7.0),
        (("Retry-After: 1.5",), 1.5),
        (("Retry-After: 86400",), 86400.0),
        (("Retry-After: -5",), 60.0),
        (("Retry-After: abc",), 60.0),
        (("Retry-After: ",), 60.0),
        (("Retry-After: 1e3",), 60.0),
        (("Retry-After: ٣",), 60.0),
        ((f"Retry-After: {http_date(90)}", f"Date: {http_date(0)}"), 90.0),
        ((f"Retry-After: {http_date(-90)}", f"Date: {http_date(0)}"), 0.0),
        (("Retry-After: 3", "Retry-After: 9"), 9.0),
        (("Retry-After: 3", "Retry-After: soon"), 60.0),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_in_all_its_forms_pauses_everybody(
    status: int, headers: tuple[str, ...], expected: float, wire: Wire, transport: MakeTransport, pace: OpenPace
) -> None:
    encoded = tuple(header.encode().decode("latin-1") for header in headers)
    wire.plays(answer("calls quota exceeded", status=status, content_type="text/plain", headers=encoded))
    if status == 503 and not headers:
        kind: type[errors.DastraError] = errors.ServerFailure
    else:
        kind = errors.RateLimited
    with pytest.raises(kind) as caught:
        transport().write("POST", "/v1/x", payload={})
    if isinstance(caught.value, errors.RateLimited):
        assert caught.value.pause_seconds == expected
        assert pace.pauses == [expected]
    else:
        assert pace.pauses == []


def test_a_short_pause_is_sat_out_and_a_long_one_is_told(wire: Wire, transport: MakeTransport, pace: OpenPace) -> None:
    reader = transport()
    wire.plays(answer(status=429, headers=("Retry-After: 2",)), answer({"fine": True}))
    assert reader.get("/me") == {"fine": True}
    wire.plays(answer(status=429))
    with pytest.raises(errors.RateLimited) as caught:
        reader.get("/me")
    assert caught.value.pause_seconds == 60
    assert len(wire.journal) == 3
    assert pace.pauses == [2.0, 60.0]


def test_a_call_that_the_pace_refuses_is_not_made(
    wire: Wire, transport: MakeTransport, pace: OpenPace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_options: object) -> float:
        raise errors.RateLimited(pause_seconds=40)

    monkeypatch.setattr(pace, "acquire", refuse)
    wire.plays(answer({}))
    sender = transport()
    with pytest.raises(errors.RateLimited):
        sender.get("/me")
    with pytest.raises(errors.RateLimited) as caught:
        sender.write("DELETE", "/v1/x")
    assert caught.value.outcome_unknown is False
    assert wire.journal == []
    assert sender.call_count == 0


def credentials(wire: Wire) -> ClientCredentials:
    return ClientCredentials(public_key="public", secret="private/+=", token_url=f"{wire.url}/connect/token")


def token(value: str, **fields: object) -> bytes:
    return answer({"access_token": value, "expires_in": 3600, "token_type": "Bearer", "scope": "api1", **fields})


def test_a_token_is_fetched_once_and_kept(wire: Wire, transport: MakeTransport) -> None:
    wire.plays(token("first"), answer({}))
    reader = transport(credentials(wire))
    for _ in range(3):
        reader.get("/me")
    asked = wire.journal[0]
    assert (asked.method, asked.path) == ("POST", "/connect/token")
    assert asked.headers["authorization"] == "Basic " + base64.b64encode(b"public:private/+=").decode()
    assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
    assert asked.body == b"grant_type=client_credentials&scope=api1"
    assert [each.headers["authorization"] for each in wire.journal[1:]] == ["Bearer first"] * 3
    assert reader.call_count == 4


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_refused_token_is_renewed_once(method: str, wire: Wire, transport: MakeTransport) -> None:
    wire.plays(token("old"), answer(status=401), token("new"), answer({"fine": True}))
    sender = transport(credentials(wire))
    found = sender.get("/me") if method == "GET" else sender.write(method, "/v1/x", payload={"a": 1})
    assert found == {"fine": True}
    assert wire.journal[3].headers["authorization"] == "Bearer new"
    assert wire.journal[3].body == wire.journal[1].body


def test_a_token_refused_twice_is_the_end(wire: Wire, transport: MakeTransport) -> None:
    wire.plays(token("old"), answer(status=401), token("new"), answer(status=401))
    with pytest.raises(errors.Unauthorized):
        transport(credentials(wire)).get("/me")
    assert len(wire.journal) == 4


def test_keys_that_the_token_service_refuses_are_said_so(wire: Wire, transport: MakeTransport) -> None:
    wire.plays(answer({"error": "invalid_client"}, status=400))
    with pytest.raises(errors.Unauthorized) as caught:
        transport(credentials(wire)).write("POST", "/v1/x", payload={})
    assert caught.value.outcome_unknown is False
    assert "private" not in caught.value.sentence


@pytest.mark.parametrize("body", [{}, {"access_token": ""}, {"access_token": 7}, {"access_token": "a\nb"}, []])
def test_a_token_answer_without_a_token_is_malformed(
    body: dict[str, object], wire: Wire, transport: MakeTransport
) -> None:
    wire.plays(answer(body))
    with pytest.raises(errors.MalformedAnswer) as caught:
        transport(credentials(wire)).write("POST", "/v1/x", payload={})
    assert caught.value.outcome_unknown is False


def test_the_token_service_must_be_an_allowed_host(wire: Wire, transport: MakeTransport) -> None:
    elsewhere = ClientCredentials(public_key="p", secret="s", token_url="https://elsewhere.example.org/connect/token")
    with pytest.raises(errors.HostNotAllowed):
        transport(elsewhere)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_fork_opens_its_own_connection(wire: Wire, transport: MakeTransport) -> None:
    wire.plays(answer({}))
    reader = transport()
    reader.get("/me")
    child = os.fork()
    if child == 0:
        code = 1
        try:
            reader.get("/me")
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    reader.get("/me")
    assert os.waitstatus_to_exitcode(status) == 0
    assert wire.connection_count == 2


def test_a_connection_that_is_lost_while_it_is_judged_leaves_no_socket_behind(
    wire: Wire, transport: MakeTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The peer may be gone before its address is read; a socket left to the collector is noticed wherever that runs."""
    opened: list[socket.socket] = []

    def gone(connection: connections._Watched, connected: socket.socket, **_options: object) -> None:
        opened.append(connected)
        raise OSError(errno.ENOTCONN, "Transport endpoint is not connected")

    monkeypatch.setattr(connections._Watched, "_admit", gone)
    with pytest.raises(errors.ConnectionFailed):
        transport().get("/me")
    assert [one.fileno() for one in opened] == [-1] * 4, "one for each try"


def test_what_json_cannot_say_is_not_sent(wire: Wire, transport: MakeTransport) -> None:
    wire.plays(answer({}))
    with pytest.raises(errors.ConfigurationError):
        transport().write("PUT", "/v1/x", payload={"a": float("nan")})
    assert wire.journal == []
