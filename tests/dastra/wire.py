"""A scripted server on a raw loopback socket: it can answer anything, also what no web framework would let through.

Used by the tests of the client. Each request takes the next act of the script; the last act serves all further ones.
"""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

Act = bytes | Callable[[socket.socket, "Asked"], None]


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> list[tuple[str, str]]:
        return parse_qsl(urlsplit(self.target).query, keep_blank_values=True)

    def number(self, name: str) -> int:
        return int(dict(self.query)[name])


def answer(
    body: bytes | str | dict[str, Any] | list[Any] = b"",
    *,
    status: int = 200,
    content_type: str = "application/json; charset=utf-8",
    headers: tuple[str, ...] = (),
    length: int | None = None,
) -> bytes:
    """A whole HTTP answer; `length` lies about the body's."""
    if isinstance(body, dict | list):
        body = json.dumps(body)
    if isinstance(body, str):
        body = body.encode()
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body) if length is None else length}", *headers]
    if content_type:
        lines.append(f"Content-Type: {content_type}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def page(ids: list[int] | range, *, total: object = ..., size: int = 500, number: int = 1) -> bytes:
    """A list answer with one minimal row an id; `total=...` is the true one of this page alone."""
    rows = [{"id": upstream_id, "state": "Open", "title": f"Row {upstream_id}"} for upstream_id in ids]
    return answer({"items": rows, "total": len(rows) if total is ... else total, "size": size, "page": number})


def hang_up(connection: socket.socket, _asked: Asked) -> None:
    """Closes without a byte."""
    connection.close()


class Wire:
    """`journal` holds every request in order of arrival; `connection_count` the connections that were opened."""

    def __init__(self, *, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self.script: list[Act] = []
        self.journal: list[Asked] = []
        self.connection_count = 0
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.host = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.url = f"http{'s' if tls else ''}://{self.host}"
        threading.Thread(target=self._accept, daemon=True).start()

    def plays(self, *acts: Act) -> Self:
        self.script = list(acts)
        return self

    def stop(self) -> None:
        self._stopped.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
                connection.close()

    def wait(self, seconds: float) -> None:
        """Sleeps within an act, at most until the test is over."""
        self._stopped.wait(seconds)

    def _accept(self) -> None:
        while not self._stopped.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self.connection_count += 1
                self._open.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            connection = stack.enter_context(
                self._tls.wrap_socket(connection, server_side=True) if self._tls else connection
            )
            received = bytearray()
            while asked := _read(connection, received):
                with self._lock:
                    self.journal.append(asked)
                    act = self.script.pop(0) if len(self.script) > 1 else self.script[0]
                if isinstance(act, bytes):
                    connection.sendall(act)
                else:
                    act(connection, asked)


def _read(connection: socket.socket, received: bytearray) -> Asked | None:
    """The next request; `received` keeps what came beyond it. No file object, so that an act's close is a real one."""

    def more() -> bool:
        piece = connection.recv(65536) if connection.fileno() != -1 else b""
        received.extend(piece)
        return bool(piece)

    while b"\r\n\r\n" not in received:
        if not more():
            return None
    head, _, _ = bytes(received).partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    end = len(head) + 4 + int(headers.get("content-length", "0"))
    while len(received) < end:
        if not more():
            return None
    method, target, _ = first.split(" ")
    asked = Asked(method, target, headers, bytes(received[len(head) + 4 : end]))
    del received[:end]
    return asked
