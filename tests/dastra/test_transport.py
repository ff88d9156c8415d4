"""One call over a real socket, and every way in which the other side can spoil it."""

from __future__ import annotations

import gzip
import logging
import socket
import ssl
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from dsrportal.dastra import connections, errors
from dsrportal.dastra.auth import ApiKey
from dsrportal.dastra.transport import LARGEST_BODY, Transport

from .conftest import OpenPace
from .wire import Act, Asked, Wire, answer, hang_up

MakeTransport = Callable[..., Transport]


def dripping(first: bytes, piece: bytes) -> Act:
    """Sends `first`, then `piece` again and again, always sooner than a socket timeout would notice."""

    def act(connection: socket.socket, _asked: Asked) -> None:
        connection.sendall(first)
        for _ in range(400):
            time.sleep(0.05)
            connection.sendall(piece)

    return act


def then_reset(sent: bytes) -> Act:
    def act(connection: socket.socket, _asked: Asked) -> None:
        connection.sendall(sent)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connection.close()

    return act


def then_close(sent: bytes) -> Act:
    def act(connection: socket.socket, _asked: Asked) -> None:
        connection.sendall(sent)
        connection.close()

    return act


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
SPOILT: dict[str, tuple[Act, type[errors.DastraError]]] = {
    "closed without a byte": (hang_up, errors.AnswerCut),
    "reset in the body": (then_reset(HEAD + b'Content-Length: 90\r\n\r\n{"a'), errors.AnswerCut),
    "content length too long": (then_close(HEAD + b'Content-Length: 90\r\n\r\n{"a": 1}'), errors.AnswerCut),
    "cut inside JSON without a length": (then_close(HEAD + b'Connection: close\r\n\r\n{"a": '), errors.MalformedAnswer),
    "chunks cut": (then_close(HEAD + b'Transfer-Encoding: chunked\r\n\r\n8\r\n{"a": 1}\r\n'), errors.AnswerCut),
    "one endless header": (then_close(b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 70_000 + b"\r\n\r\n"), errors.NotTheApi),
    "too many headers": (then_close(b"HTTP/1.1 200 OK\r\n" + b"X-More: 1\r\n" * 150 + b"\r\n"), errors.NotTheApi),
    "no HTTP at all": (then_close(b"SSH-2.0-OpenSSH_9.2\r\n"), errors.NotTheApi),
    "gzip that is none": (answer(b"{}", headers=("Content-Encoding: gzip",)), errors.MalformedAnswer),
    "brotli unasked": (answer(b"{}", headers=("Content-Encoding: br",)), errors.MalformedAnswer),
    "login page": (answer("<!doctype html><p>Sign in", content_type="text/html"), errors.NotTheApi),
    "login page called JSON": (answer("\n <html><p>Sign in"), errors.NotTheApi),
    "no content": (answer(status=204), errors.MalformedAnswer),
    "empty body": (answer(b"  "), errors.MalformedAnswer),
    "partial content": (answer("{}", status=206), errors.MalformedAnswer),
    "accepted only": (answer("{}", status=202), errors.UnexpectedStatus),
    "UTF-16": (answer('{"a": 1}'.encode("utf-16")), errors.MalformedAnswer),
    "UTF-16 by label": (answer("{}", content_type="application/json; charset=utf-16"), errors.MalformedAnswer),
    "broken UTF-8": (answer(b'{"a": "\xff"}'), errors.MalformedAnswer),
    "not JSON": (answer("calls quota exceeded"), errors.MalformedAnswer),
    "nested without end": (answer("[" * 100_000), errors.MalformedAnswer),
    "a number of 5,000 digits": (answer("[" + "7" * 5_000 + "]"), errors.MalformedAnswer),
    "teapot": (answer(status=418), errors.UnexpectedStatus),
    "status 999": (answer(status=999), errors.UnexpectedStatus),
    "method not allowed": (answer(status=405), errors.UnexpectedStatus),
    "bad gateway page": (answer("<html>", status=502, content_type="text/html"), errors.ServerFailure),
    "behind a CDN": (answer(status=522), errors.ServerFailure),
}


@pytest.mark.parametrize("case", SPOILT)
def test_a_spoilt_answer_becomes_its_error_and_tells_nothing(case: str, wire: Wire, transport: MakeTransport) -> None:
    act, expected = SPOILT[case]
    wire.plays(act)
    with pytest.raises(errors.DastraError) as caught:
        transport(timeout_seconds=3).get("/v1/ws/42/DataSubjectRequests", query=[("q", "Elise Sample")])
    assert type(caught.value) is expected
    assert caught.value.outcome_unknown is False
    assert caught.value.sentence == str(caught.value)
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None
    assert "Elise" not in caught.value.sentence
    assert "synthetic-key" not in caught.value.sentence


@pytest.mark.parametrize("case", SPOILT)
def test_a_spoilt_answer_to_a_write_leaves_its_outcome_unknown(case: str, wire: Wire, transport: MakeTransport) -> None:
    """Except where the server said that it did not process it, or where it succeeded with a body that nobody needs."""
    harmless = {"no content", "empty body", "UTF-16", "UTF-16 by label", "broken UTF-8", "not JSON"}
    harmless |= {"nested without end", "a number of 5,000 digits", "cut inside JSON without a length"}
    refused = {"teapot", "method not allowed"}
    wire.plays(SPOILT[case][0])
    sender = transport(timeout_seconds=3)
    if case in harmless:
        assert sender.write("POST", "/v1/ws/42/DataSubjectRequests/workflow", payload={"id": 1}) is None
    else:
        with pytest.raises(errors.DastraError) as caught:
            sender.write("POST", "/v1/ws/42/DataSubjectRequests/workflow", payload={"id": 1})
        assert caught.value.outcome_unknown is (case not in refused)
    assert [asked.method for asked in wire.journal] == ["POST"]


GOOD: dict[str, tuple[bytes, object]] = {
    "plain": (answer({"a": "é"}), {"a": "é"}),
    "byte order mark": (answer(b'\xef\xbb\xbf{"a": 1}'), {"a": 1}),
    "latin letters": (answer('{"a": "é"}'.encode("latin-1"), content_type="text/json; charset=ISO-8859-1"), {"a": "é"}),
    "quoted charset": (answer({"a": "é"}, content_type='application/json;charset="utf-8"'), {"a": "é"}),
    "no content type": (answer({"a": 1}, content_type=""), {"a": 1}),
    "gzip": (answer(gzip.compress(b'{"a": 1}'), headers=("Content-Encoding: gzip",)), {"a": 1}),
    "three times 100": (b"HTTP/1.1 100 Continue\r\n\r\n" * 3 + answer({"a": 1}), {"a": 1}),
    "created": (answer({"a": 1}, status=201), {"a": 1}),
    "chunks": (HEAD + b'Transfer-Encoding: chunked\r\n\r\n3\r\n{"a\r\n5\r\n": 1}\r\n0\r\n\r\n', {"a": 1}),
}


@pytest.mark.parametrize("case", GOOD)
def test_what_can_be_read_is_read(case: str, wire: Wire, transport: MakeTransport) -> None:
    sent, expected = GOOD[case]
    wire.plays(sent)
    assert transport().get("/me") == expected


@pytest.mark.parametrize(
    "act",
    [
        dripping(HEAD + b"Content-Length: 9000\r\n\r\n", b" "),
        dripping(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
        dripping(HEAD, b"X-Drip: 1\r\n"),
        dripping(b"HTTP/1.1 200 O", b"K"),
        dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        dripping(HEAD + b"Content-Encoding: gzip\r\nContent-Length: 9000\r\n\r\n", b"\x1f"),
    ],
    ids=["body", "chunks", "headers", "status line", "100 for ever", "gzip"],
)
def test_a_drip_ends_at_the_deadline(act: Act, wire: Wire, transport: MakeTransport) -> None:
    """The server would drip for 20 s; without a deadline of our own the client would listen to the end."""
    wire.plays(act)
    began = time.monotonic()
    with pytest.raises((errors.TimedOut, errors.MalformedAnswer)) as caught:
        transport(timeout_seconds=0.4).write("PUT", "/v1/ws/42/DataSubjectRequests/1", payload={})
    assert time.monotonic() - began < 10
    assert caught.value.outcome_unknown is True


def test_silence_ends_at_the_deadline(wire: Wire, transport: MakeTransport) -> None:
    wire.plays(lambda _connection, _asked: wire.wait(20))
    with pytest.raises(errors.TimedOut) as caught:
        transport(timeout_seconds=0.3).write("DELETE", "/v1/ws/42/DataSubjectRequests/1")
    assert caught.value.outcome_unknown is True


def test_a_bomb_is_refused_once_it_has_grown_too_large(wire: Wire, transport: MakeTransport) -> None:
    bomb = gzip.compress(b" " * (LARGEST_BODY + 30_000_000))
    assert len(bomb) < 100_000
    wire.plays(answer(bomb, headers=("Content-Encoding: gzip",)))
    with pytest.raises(errors.AnswerTooLarge):
        transport().get("/me")
    assert len(wire.journal) == 1


def test_a_body_just_below_the_cap_is_taken(wire: Wire, transport: MakeTransport) -> None:
    wire.plays(answer(gzip.compress(b"[1" + b" " * (LARGEST_BODY - 3) + b"]"), headers=("Content-Encoding: gzip",)))
    assert transport().get("/me") == [1]


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_a_redirect_is_never_followed(status: int, method: str, wire: Wire, transport: MakeTransport) -> None:
    other = Wire().plays(answer({"stolen": True}))
    wire.plays(answer(status=status, headers=(f"Location: {other.url}/v1/x",)))
    sender = transport()
    with pytest.raises(errors.UnexpectedRedirect) as caught:
        sender.get("/v1/x") if method == "GET" else sender.write(method, "/v1/x", payload={})
    other.stop()
    assert other.journal == []
    assert len(wire.journal) == 1
    assert caught.value.outcome_unknown is (method != "GET")


def test_nothing_is_taken_from_the_environment(
    wire: Wire, transport: MakeTransport, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = Wire().plays(answer({"proxied": True}))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, other.url)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password synthetic\n")
    monkeypatch.setenv("NETRC", str(netrc))
    wire.plays(answer({"direct": True}))
    assert transport().get("/me") == {"direct": True}
    other.stop()
    assert other.journal == []
    assert "authorization" not in wire.journal[0].headers


def test_no_log_names_what_was_asked(wire: Wire, transport: MakeTransport, caplog: pytest.LogCaptureFixture) -> None:
    wire.plays(answer({}))
    with caplog.at_level(logging.DEBUG):
        transport().get("/v1/x", query=[("q", "Elise")])
    assert "Elise" not in caplog.text


def test_cookies_are_not_kept_and_connections_are(wire: Wire, transport: MakeTransport) -> None:
    wire.plays(answer({}, headers=("Set-Cookie: acaAffinity=abc; Path=/",)))
    reader = transport()
    for _ in range(3):
        reader.get("/me")
    assert all("cookie" not in asked.headers for asked in wire.journal)
    assert wire.connection_count == 1


def test_the_headers_are_ours_alone(wire: Wire, transport: MakeTransport) -> None:
    wire.plays(answer({}))
    sender = transport()
    sender.get("/me")
    sender.write("PATCH", "/v1/x", payload=[], content_type="application/json-patch+json")
    common = {"host", "user-agent", "accept", "accept-encoding", "x-api-key"}
    assert set(wire.journal[0].headers) == common
    assert set(wire.journal[1].headers) == common | {"content-type", "content-length"}
    assert wire.journal[1].headers["accept-encoding"] == "gzip"


def test_a_refused_connection_left_nothing_behind(wire: Wire, transport: MakeTransport) -> None:
    sender = transport()
    wire.stop()
    with pytest.raises(errors.ConnectionFailed) as caught:
        sender.write("POST", "/v1/x", payload={})
    assert caught.value.outcome_unknown is False
    assert caught.value.retryable is True


def test_a_name_that_leads_home_is_not_spoken_to(
    transport: MakeTransport, wire: Wire, pace: OpenPace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A listed public name whose DNS answers with a loopback address: nothing is sent there."""
    port = int(wire.host.partition(":")[2])
    resolved = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]
    monkeypatch.setattr("socket.getaddrinfo", lambda *_args, **_options: resolved)
    wire.plays(answer({}))
    reader = transport(base_url=f"https://dastra.example.org:{port}", allowed_hosts=(f"dastra.example.org:{port}",))
    with pytest.raises(errors.HostNotAllowed):
        reader.get("/me")
    assert wire.journal == []


def test_an_unknown_name_is_said_so(transport: MakeTransport, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_such_name(*_args: object, **_options: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr("socket.getaddrinfo", no_such_name)
    reader = transport(base_url="https://dastra.example.org", allowed_hosts=("dastra.example.org",))
    with pytest.raises(errors.NameNotResolved):
        reader.get("/me")
    assert reader.call_count == 4


def test_a_handshake_that_never_ends_is_cut_off_with_nothing_sent(wire: Wire, transport: MakeTransport) -> None:
    with pytest.raises(errors.TimedOut) as caught:
        transport(base_url=wire.url.replace("http://", "https://"), timeout_seconds=0.3).write("DELETE", "/v1/x")
    assert caught.value.outcome_unknown is False


def test_a_process_that_stood_still_between_connecting_and_writing_sends_nothing(
    wire: Wire, transport: MakeTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stand_still(*_args: object, **_options: object) -> bool:
        time.sleep(0.6)
        return True

    monkeypatch.setattr(connections, "may_connect", stand_still)
    wire.plays(answer({}))
    with pytest.raises(errors.TimedOut) as caught:
        transport(timeout_seconds=0.2).write("DELETE", "/v1/x")
    assert caught.value.outcome_unknown is False
    assert wire.journal == []


def test_a_certificate_that_nobody_vouches_for_is_refused_before_the_key_is_sent(
    pace: OpenPace, tmp_path: Path
) -> None:
    server = Wire(tls=self_signed(tmp_path)).plays(answer({}))
    sender = Transport(
        base_url=server.url,
        auth=ApiKey("synthetic-key-0001"),
        allowed_hosts=(server.host,),
        pacer=pace,
        timeout_seconds=5,
    )
    with pytest.raises(errors.CertificateRefused) as caught:
        sender.write("POST", "/v1/x", payload={})
    with pytest.raises(errors.CertificateRefused):
        sender.get("/me")
    sender.close()
    server.stop()
    assert caught.value.outcome_unknown is False
    assert server.journal == []
    assert sender.call_count == 2


def self_signed(folder: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(1), now + timedelta(1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "pair.pem").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(pem)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "pair.pem")
    return context
