"""HTTP/1.1 on raw sockets: reads a request, asks the exchange for a reply, and delivers it, whole or broken as the reply says.

Started by server.py. Raw sockets because a good HTTP library cannot truncate, drip or reset. Knows nothing of Dastra.
"""

import contextlib
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import BinaryIO, Literal

from dsrportal.sandbox.calls import Answer

Delivery = Literal["whole", "truncate", "cut_chunked", "reset", "close", "drip_body", "drip_headers"]

_LONGEST_LINE = 65_536
_MOST_HEADERS = 200
_LARGEST_BODY = 64 * 1024 * 1024
_JOIN_SECONDS = 5.0


class BadRequestError(Exception):
    """What came is not HTTP as we read it."""


@dataclass(slots=True, kw_only=True)
class Request:
    """One request off the wire; header names are lower case."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True, kw_only=True)
class Reply:
    """An answer and how it reaches the client. `seconds`: the wait before the first byte, or between drops when it drips."""

    answer: Answer
    delivery: Delivery = "whole"
    seconds: float = 0.0


@dataclass(slots=True)
class _Connection:
    sock: socket.socket
    thread: threading.Thread | None = field(default=None)


class WireServer:
    """Listens on a loopback address, one thread a connection, keep-alive. `exchange` must not raise."""

    def __init__(self, *, host: str, port: int, exchange: Callable[[Request], Reply]) -> None:
        self._exchange = exchange
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._open: dict[int, _Connection] = {}
        self._listener = socket.create_server((host, port), backlog=256)
        self.address: tuple[str, int] = self._listener.getsockname()[:2]
        self._acceptor = threading.Thread(target=self._accept, name="sandbox-accept", daemon=True)
        self._acceptor.start()

    def stop(self) -> None:
        """Closes every socket and waits for the threads. Safe to call twice."""
        if self._stopping.is_set():
            return
        self._stopping.set()
        # A thread that waits in accept() is woken by a caller, on every system.
        with contextlib.suppress(OSError), socket.create_connection(self.address, timeout=1):
            pass
        self._acceptor.join(_JOIN_SECONDS)
        self._listener.close()
        with self._lock:
            connections = list(self._open.values())
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.sock.shutdown(socket.SHUT_RDWR)
        for connection in connections:
            if connection.thread is not None and connection.thread is not threading.current_thread():
                connection.thread.join(_JOIN_SECONDS)

    def wait(self, seconds: float) -> None:
        """Sleeps, but no longer than the server lives."""
        self._stopping.wait(seconds)

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                continue
            if self._stopping.is_set():
                sock.close()
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = _Connection(sock)
            connection.thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            with self._lock:
                self._open[id(connection)] = connection
            connection.thread.start()

    def _serve(self, connection: _Connection) -> None:
        sock = connection.sock
        try:
            with sock, sock.makefile("rb") as stream, contextlib.suppress(OSError):
                while not self._stopping.is_set() and self._one_exchange(sock, stream):
                    pass
        finally:
            with self._lock:
                self._open.pop(id(connection), None)

    def _one_exchange(self, sock: socket.socket, stream: BinaryIO) -> bool:
        try:
            request = read_request(stream)
        except BadRequestError as error:
            self._send(sock, Answer(status=400, body=str(error).encode()), keep_alive=False)
            return False
        if request is None:
            return False
        reply = self._exchange(request)
        keep_alive = request.headers.get("connection", "").lower() != "close"
        return self._deliver(sock, reply, keep_alive=keep_alive)

    def _deliver(self, sock: socket.socket, reply: Reply, *, keep_alive: bool) -> bool:
        answer, delivery = reply.answer, reply.delivery
        if delivery == "whole":
            if reply.seconds:
                self.wait(reply.seconds)
            self._send(sock, answer, keep_alive=keep_alive)
            return keep_alive
        if delivery == "truncate":
            sock.sendall(_head(answer, keep_alive=False) + answer.body[: len(answer.body) // 2])
        elif delivery == "cut_chunked":
            half = answer.body[: max(1, len(answer.body) // 2)]
            sock.sendall(_head(answer, keep_alive=False, chunked=True) + b"%x\r\n%b" % (len(half) + 10, half))
        elif delivery == "reset":
            sock.sendall(_head(answer, keep_alive=False) + answer.body[: len(answer.body) // 2])
            # Closing with a linger of zero sends RST instead of FIN.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif delivery == "drip_body":
            sock.sendall(_head(answer, keep_alive=False, length=max(len(answer.body), 1) + 1_000_000))
            self._drip(sock, answer.body + b" " * 1_000_000, seconds=reply.seconds)
        elif delivery == "drip_headers":
            sock.sendall(b"HTTP/1.1 200 OK\r\n")
            self._drip(sock, b"X-Filler: " + b"a" * 1_000_000, seconds=reply.seconds)
        return False

    def _drip(self, sock: socket.socket, data: bytes, *, seconds: float) -> None:
        for position in range(len(data)):
            if self._stopping.is_set():
                return
            sock.sendall(data[position : position + 1])
            self.wait(seconds)

    @staticmethod
    def _send(sock: socket.socket, answer: Answer, *, keep_alive: bool) -> None:
        sock.sendall(_head(answer, keep_alive=keep_alive) + answer.body)


def _head(answer: Answer, *, keep_alive: bool, chunked: bool = False, length: int | None = None) -> bytes:
    try:
        phrase = HTTPStatus(answer.status).phrase
    except ValueError:
        phrase = "Unknown"
    lines = [f"HTTP/1.1 {answer.status} {phrase}"]
    lines += [f"{name}: {value}" for name, value in answer.headers]
    if chunked:
        lines.append("Transfer-Encoding: chunked")
    elif answer.status != HTTPStatus.NO_CONTENT:
        lines.append(f"Content-Length: {len(answer.body) if length is None else length}")
    lines.append(f"Connection: {'keep-alive' if keep_alive else 'close'}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")


def read_request(stream: BinaryIO) -> Request | None:
    """One request, or None where the client has gone. Raises BadRequestError."""
    line = stream.readline(_LONGEST_LINE)
    if not line.strip():
        return None
    parts = line.decode("latin-1").split()
    if len(parts) != 3 or not parts[2].startswith("HTTP/1."):  # noqa: PLR2004 - verb, target, version
        raise BadRequestError("not an HTTP request line")
    headers: dict[str, str] = {}
    for _ in range(_MOST_HEADERS):
        text = stream.readline(_LONGEST_LINE).decode("latin-1").rstrip("\r\n")
        if not text:
            break
        name, _, value = text.partition(":")
        headers[name.strip().lower()] = value.strip()
    else:
        raise BadRequestError("too many headers")
    path, _, query = parts[1].partition("?")
    return Request(method=parts[0].upper(), path=path, query=query, headers=headers, body=_body(stream, headers))


def _body(stream: BinaryIO, headers: dict[str, str]) -> bytes:
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return _chunked_body(stream)
    length = headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > _LARGEST_BODY:
        raise BadRequestError("no sound Content-Length")
    return stream.read(int(length))


def _chunked_body(stream: BinaryIO) -> bytes:
    body = b""
    while True:
        try:
            size = int(stream.readline(_LONGEST_LINE).split(b";")[0], 16)
        except ValueError:
            raise BadRequestError("no sound chunk") from None
        if size < 0 or len(body) + size > _LARGEST_BODY:
            raise BadRequestError("no sound chunk")
        body += stream.read(size)
        stream.readline(_LONGEST_LINE)
        if size == 0:
            return body
