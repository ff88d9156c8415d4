"""U1 to U40: what can go wrong on the wire, below the API. The pass ends, nothing is forgotten, a wish is never reported wrongly."""

from __future__ import annotations

import gzip
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.utils import timezone

from dsrportal.dastra.addresses import may_connect
from dsrportal.models.outbox import WishState
from dsrportal.models.workspaces import Hold
from tests.dastra.wire import Act, Asked, answer, hang_up

from .cases import one, table
from .conftest import SECRET, Stage
from .little import LittleDastra

Build = Callable[..., Stage]
BODY = b'{"items": [{"id": 1, "title": "Zqtitle1"}], "total": 1}'
PLAIN = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def reset_midway(connection: socket.socket, _asked: Asked) -> None:
    connection.sendall(PLAIN + b"Content-Length: 5000\r\n\r\n" + BODY)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    connection.close()


def then_close(*pieces: bytes) -> Act:
    def act(connection: socket.socket, _asked: Asked) -> None:
        for piece in pieces:
            connection.sendall(piece)
        connection.shutdown(socket.SHUT_RDWR)
        connection.close()

    return act


def drip(head: bytes, then: bytes) -> Act:
    """One byte each 0.1 s, for as long as anybody listens."""

    def act(connection: socket.socket, _asked: Asked) -> None:
        connection.sendall(head)
        pause = threading.Event()
        with suppress(OSError):
            while not pause.wait(0.1):
                connection.sendall(then)

    return act


BOMB = gzip.compress(b"[" + b" " * 50_000_000 + b"]")
SPOILT_LISTS: dict[str, tuple[Act, str, str]] = {
    "U9-closed-without-a-byte": (hang_up, "answer_cut", ""),
    "U10-reset-in-the-body": (reset_midway, "answer_cut", ""),
    "U11-length-too-long": (then_close(answer(BODY, length=9_999)), "answer_cut", ""),
    "U12-no-length-cut-inside-json": (
        then_close(PLAIN + b"Connection: close\r\n\r\n" + BODY[:-9]),
        "malformed_answer",
        "",
    ),
    "U13-chunked-cut": (then_close(PLAIN + b"Transfer-Encoding: chunked\r\n\r\n40\r\n" + BODY[:9]), "answer_cut", ""),
    "U16-header-line-of-70-kB": (PLAIN + b"X-Long: " + b"x" * 70_000 + b"\r\n\r\n{}", "not_the_api", Hold.NOT_THE_API),
    "U17-150-headers": (PLAIN + b"X-More: 1\r\n" * 150 + b"\r\n{}", "not_the_api", Hold.NOT_THE_API),
    "U18-garbage-status-line": (then_close(b"!!! what\r\n\r\n"), "not_the_api", Hold.NOT_THE_API),
    "U20-gzip-bomb": (answer(BOMB, headers=("Content-Encoding: gzip",)), "answer_too_large", ""),
    "U21-gzip-label-on-plain-bytes": (answer(BODY, headers=("Content-Encoding: gzip",)), "malformed_answer", ""),
    "U22-brotli-not-asked-for": (answer(BODY, headers=("Content-Encoding: br",)), "malformed_answer", ""),
    "U30-login-page": (
        answer("<html><form>Sign in</form></html>", content_type="text/html"),
        "not_the_api",
        Hold.NOT_THE_API,
    ),
    "U31-login-page-labelled-json": (answer("<!DOCTYPE html><html></html>"), "not_the_api", Hold.NOT_THE_API),
    "U33-empty-body-where-a-list-is-due": (answer(b""), "malformed_answer", ""),
    "U35-utf-16": (answer(BODY.decode().encode("utf-16")), "malformed_answer", ""),
}


@table("spoil, code, hold", SPOILT_LISTS)
def test_an_answer_that_is_none_ends_the_pass(stage: Stage, spoil: Act, code: str, hold: str) -> None:
    stage.dastra.on_list = spoil
    done = stage.pull()
    assert (done.outcome, done.error_code, done.gone) == ("failed", code, 0), done.error
    assert stage.workspace.hold == hold


@one("U1-connection-refused")
def test_a_refused_connection(stage: Stage) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        host = f"127.0.0.1:{free.getsockname()[1]}"
    stage.settings.UPSTREAM_ALLOWED_HOSTS = [host]
    points_at(stage, f"http://{host}")
    assert stage.pull().error_code == "connection_failed"
    entry = stage.move()
    assert (entry.state, entry.attempts) == (WishState.HELD, 1), "it provably did not arrive, so it is tried again"
    points_at(stage, stage.dastra.wire.url)
    stage.settings.UPSTREAM_ALLOWED_HOSTS = [stage.dastra.wire.host]


def points_at(stage: Stage, base_url: str) -> None:
    """Another address; what is sealed is bound to it."""
    search_key = stage.workspace.read_search_key()
    stage.workspace.base_url = base_url
    stage.workspace.set_secret(SECRET)
    stage.workspace.set_search_key(search_key)
    stage.workspace.save()


@one("U2-no-such-name")
def test_a_name_that_does_not_resolve(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_such_name(*_args: object, **_options: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    stage = named(build, port=443)
    monkeypatch.setattr("socket.getaddrinfo", no_such_name)
    assert stage.pull().error_code == "name_not_resolved"


@one("U3-name-that-leads-inside")
def test_a_name_that_leads_inside(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = named(build)
    port = int(stage.dastra.wire.host.partition(":")[2])
    resolved = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]
    monkeypatch.setattr("socket.getaddrinfo", lambda *_args, **_options: resolved)
    assert stage.pull().error_code == "host_not_allowed"
    assert stage.dastra.wire.journal == []
    assert not may_connect("169.254.169.254", loopback_listed=False)


def named(build: Build, *, port: int = 0) -> Stage:
    """A workspace of nothing yet, at a public-looking name."""
    stage = build()
    name = f"dastra.example.org:{port or stage.dastra.wire.host.partition(':')[2]}"
    stage.settings.UPSTREAM_ALLOWED_HOSTS = [name]
    points_at(stage, f"https://{name}")
    stage.kept, stage.heals = set(), False
    return stage


@one("U4-connect-hangs")
def test_a_connect_that_hangs_ends_at_the_deadline(stage: Stage) -> None:
    stage.settings.UPSTREAM_TIMEOUT_SECONDS = 0.3
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(3)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(full.getsockname())
        host = f"127.0.0.1:{full.getsockname()[1]}"
        stage.settings.UPSTREAM_ALLOWED_HOSTS = [host, stage.dastra.wire.host]
        points_at(stage, f"http://{host}")
        assert stage.pull().error_code == "timed_out"
        for each in waiting:
            each.close()
    points_at(stage, stage.dastra.wire.url)


NOW = datetime.now(UTC)
OLD = (NOW - timedelta(days=9), NOW - timedelta(days=2))
FRESH = (NOW - timedelta(days=1), NOW + timedelta(days=1))
CERTIFICATES: dict[str, dict[str, Any]] = {
    "U5-certificate-expired": {"lasts": OLD},
    "U6-certificate-signed-by-itself": {"by_itself": True},
    "U7-certificate-of-another-host": {"address": "127.0.0.9"},
    "U8-tls-1-0-alone": {"version": ssl.TLSVersion.TLSv1},
}


@table("flaw", CERTIFICATES)
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1:DeprecationWarning")
def test_a_certificate_or_protocol_that_nobody_should_trust(
    build: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flaw: dict[str, Any]
) -> None:
    """The key is not sent. The same authority with nothing wrong is accepted, which proves the set-up."""
    context = certified(tmp_path, **flaw)
    monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", str(tmp_path / "authority.pem"))
    stage = build(tls=context)
    stage.kept, stage.heals = set(), False
    done = stage.pull()
    assert (done.outcome, done.error_code) == ("failed", "certificate_refused")
    assert "certificate" in done.error
    assert stage.dastra.wire.journal == []
    sound = LittleDastra(tls=certified(tmp_path, authority=tmp_path / "authority.pem"))
    stage.settings.UPSTREAM_ALLOWED_HOSTS = [sound.wire.host]
    points_at(stage, sound.wire.url)
    assert stage.pull().outcome == "complete"
    sound.wire.stop()
    stage.kept = {1, 2, 3}


def certified(
    folder: Path,
    *,
    lasts: tuple[datetime, datetime] = FRESH,
    by_itself: bool = False,
    address: str = "127.0.0.1",
    version: ssl.TLSVersion | None = None,
    authority: Path | None = None,
) -> ssl.SSLContext:
    """A server's context whose certificate comes from an authority that `authority.pem` names and that `authority.key` signs for."""
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    root_name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Corpus authority")])
    if authority is None:
        root_key = ec.generate_private_key(ec.SECP256R1())
        root = (
            x509.CertificateBuilder(root_name, root_name, root_key.public_key(), 1, NOW - timedelta(9), FRESH[1])
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(root_key, hashes.SHA256())
        )
        (folder / "authority.pem").write_bytes(root.public_bytes(pem))
        (folder / "authority.key").write_bytes(root_key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    loaded = serialization.load_pem_private_key((folder / "authority.key").read_bytes(), None)
    assert isinstance(loaded, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, address)])
    certificate = (
        x509.CertificateBuilder(name if by_itself else root_name, name, key.public_key(), 2, *lasts)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address(address))]), critical=False)
        .sign(key if by_itself else loaded, hashes.SHA256())
    )
    pair = folder / "pair.pem"
    pair.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain) + certificate.public_bytes(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair)
    if version is not None:
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = version
    return context


DRIPS: dict[str, Act] = {
    "U14-body-drips-for-ever": drip(PLAIN + b"Content-Length: 100000\r\n\r\n", b" "),
    "U15-headers-drip-for-ever": drip(PLAIN, b"X-More: 1\r\n"),
}


@table("spoil", DRIPS)
def test_a_drip_ends_at_the_deadline(stage: Stage, spoil: Act) -> None:
    stage.settings.UPSTREAM_TIMEOUT_SECONDS = 0.4
    stage.dastra.on_list = spoil
    assert stage.pull().error_code == "timed_out"


CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


def relabelled(charset: str, encoding: str, *, mark: bytes = b"") -> Callable[[Any, Asked], bytes]:
    def envelope(honest: Any, _asked: Asked) -> bytes:
        honest["items"] = [{**row, "channel": "Courriér"} for row in honest["items"]]
        text = json.dumps(honest, ensure_ascii=False)
        return answer(mark + text.encode(encoding), content_type=f"application/json; charset={charset}")

    return envelope


ODD_BUT_READABLE: dict[str, Callable[[Any, Asked], bytes]] = {
    "U19-three-times-100-continue": lambda honest, _asked: CONTINUE * 3 + answer(honest),
    "U34-byte-order-mark": relabelled("utf-8", "utf-8", mark=b"\xef\xbb\xbf"),
    "U36-latin-1": relabelled("iso-8859-1", "latin-1"),
    "U38-date-header-hours-off": lambda honest, _asked: answer(
        honest, headers=("Date: Mon, 05 Jan 2026 09:12:44 GMT",)
    ),
}


@table("envelope", ODD_BUT_READABLE)
def test_what_can_be_read_is_read(stage: Stage, envelope: Callable[[Any, Asked], bytes], case: str) -> None:
    before = timezone.now()
    stage.dastra.envelope = envelope
    stage.dastra.rows[1]["complex"] = True
    assert stage.pull().outcome == "complete"
    row = stage.row()
    assert row.complex
    assert before <= row.mirrored_at <= timezone.now(), "the age of the data is counted by our own clock"
    assert row.channel in {"Internal", "Courriér"}


REDIRECTS = {301: "U23", 302: "U24", 303: "U25", 307: "U26", 308: "U27"}
TARGETS = {
    **{
        f"{number}-redirect-{status}": (status, "https://elsewhere.example.org/")
        for status, number in REDIRECTS.items()
    },
    "U28-redirect-loop": (302, "/v1/ws/42/DataSubjectRequests"),
    "U29-redirect-to-a-file": (302, "file:///etc/passwd"),
    "U29-redirect-to-metadata": (302, "http://169.254.169.254/latest/"),
}


@table("status, target", TARGETS)
def test_a_redirect_is_not_followed_and_a_write_that_met_one_is_settled_by_reading(
    stage: Stage, status: int, target: str
) -> None:
    spoil = answer(status=status, headers=(f"Location: {target}",))
    stage.dastra.on_write, stage.dastra.applies = spoil, False
    entry = stage.move()
    assert entry.state == WishState.UNKNOWN
    assert [asked.method for asked in stage.dastra.wire.journal] == ["GET", "POST", "GET"]
    assert stage.settle(entry, at=timezone.now() + timedelta(seconds=50)).state == WishState.REFUSED
    assert len(stage.dastra.written) == 1
    stage.dastra.wire.journal.clear()
    stage.dastra.on_list = spoil
    done = stage.pull()
    assert (done.error_code, stage.workspace.hold) == ("unexpected_redirect", Hold.NOT_THE_API)
    assert len(stage.dastra.lists) == 1


WAF = {200: "not_the_api", 403: "forbidden", 503: "server_failure"}


@table("status", {f"U32-firewall-page-{status}": status for status in WAF})
def test_a_firewall_s_page(stage: Stage, status: int) -> None:
    stage.dastra.on_list = answer("<html>Blocked</html>", status=status, content_type="text/html")
    done = stage.pull()
    assert (done.outcome, done.error_code) == ("failed", WAF[status])
    assert "Blocked" not in done.error


@one("U33-empty-body-after-a-write")
def test_a_write_answered_with_nothing_is_read_back(stage: Stage) -> None:
    for status in (200, 204):
        stage.dastra.on_write = answer(b"", status=status, content_type="")
        assert stage.move().state == WishState.DONE
        stage.dastra.rows[1].update(workFlowStep=stage.dastra.steps[0], workFlowStepId=10, state="Open")
        stage.pull()


@table("spoil, applied", {
    "U9-write-closed-without-a-byte": (hang_up, False),
    "U10-write-reset-in-the-answer": (reset_midway, True),
})  # fmt: skip
def test_a_write_whose_answer_was_lost_is_settled_by_reading(stage: Stage, *, spoil: Act, applied: bool) -> None:
    stage.dastra.on_write, stage.dastra.applies = spoil, applied
    entry = stage.move()
    assert entry.state == (WishState.DONE if applied else WishState.UNKNOWN)
    entry = stage.settle(entry, at=timezone.now() + timedelta(seconds=50))
    assert entry.state == (WishState.DONE if applied else WishState.REFUSED)
    assert len(stage.dastra.written) == 1


@one("U37-affinity-cookie")
def test_cookies_are_not_kept(stage: Stage) -> None:
    stage.dastra.headers = ("Set-Cookie: acaAffinity=abc; Path=/",)
    assert stage.pull().outcome == "complete"
    assert stage.pull().outcome == "complete"
    assert all("cookie" not in asked.headers for asked in stage.dastra.wire.journal)


@one("U39-kept-connection-closed-while-idle")
def test_a_connection_that_was_closed_while_idle_is_opened_again_for_reads(stage: Stage) -> None:
    def close_after(connection: socket.socket, asked: Asked) -> None:
        connection.sendall(stage.dastra.list_answer(asked))
        connection.close()

    stage.dastra.on_list = close_after
    done = stage.pull()
    assert done.outcome == "complete"
    assert stage.dastra.wire.connection_count > 2


@pytest.fixture
def proxy() -> Iterator[LittleDastra]:
    """Somebody who should never be asked."""
    stranger = LittleDastra()
    yield stranger
    stranger.wire.stop()


@one("U40-proxy-and-netrc-in-the-environment")
def test_the_environment_plays_no_part(
    stage: Stage, proxy: LittleDastra, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy.wire.url)
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login someone password hidden")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere")
    assert stage.pull().outcome == "complete"
    assert proxy.wire.journal == []
    assert all("authorization" not in asked.headers for asked in stage.dastra.wire.journal)
