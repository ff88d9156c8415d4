"""The line between the real client and the local Dastra: one process, no socket, no sleep, so that a thousand sequences fit in a minute.

Used by `world.py`. It ends right under `requests`: retries, deadlines, decoding and errors are the client's own. Answers are
broken here as a socket would break them; whoever listens is told before each call and after its answer was made.
"""

from __future__ import annotations

import http.client
import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter
from urllib3 import HTTPHeaderDict, HTTPResponse
from urllib3.exceptions import ProtocolError

from dsrportal.dastra import connections as dastra_connections
from dsrportal.dastra.breaker import Outcome, Permit
from dsrportal.dastra.pacing import PacingState
from dsrportal.sandbox.server import Server
from dsrportal.sandbox.wire import Reply, Request

BOUNDARY = 5
"""Bytes of a cut answer that still arrive."""


class LostAnswerError(Exception):
    """Raised by a listener: the call's answer never comes."""


class OpenPacer:
    """A pacer that lets everything through: pace and breaker have tests of their own, with a clock of their own."""

    def acquire(self, *, interactive: bool, patience_seconds: float) -> float:
        return 0.0

    def pause(self, seconds: float) -> None:
        """Nobody waits."""

    def allow(self, *, insist: bool = False) -> Permit:
        return Permit(clean=True)

    def record(self, permit: Permit, *, outcome: Outcome) -> None:
        """Nothing is held against anybody."""

    def may_retry(self) -> bool:
        return True

    def reset(self) -> None:
        """Nothing is held."""

    def state(self) -> PacingState:
        return PacingState(used=0, limit=1, pause_seconds=0.0)


class _NoTimer:
    """Takes the place of the deadline's watchdog: no call on this line lasts."""

    daemon = True

    def __init__(self, *_: Any) -> None:
        """Nothing is timed."""

    def start(self) -> None:
        """Nothing runs."""

    def cancel(self) -> None:
        """Nothing runs."""


class Line:
    """`before` is told of each call before it is made, `after` of the call and its reply before the client has it."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.before: Callable[[Request], None] = lambda _: None
        self.after: Callable[[Request, Reply], None] = lambda *_: None

    def exchange(self, request: Request) -> Reply:
        """One call. Raises LostAnswerError when a listener says that no answer comes."""
        self.before(request)
        reply = self.server._exchange(request)
        self.after(request, reply)
        return reply

    @contextmanager
    def connected(self) -> Iterator[None]:
        """Within, every client of the portal calls over this line."""

        def session(*, user_agent: str) -> requests.Session:
            made = requests.Session()
            made.trust_env = False
            made.adapters.clear()
            made.mount("http://", _Adapter(self))
            return made

        with ExitStack() as stack:
            stack.enter_context(mock.patch("dsrportal.dastra.transport.new_session", session))
            stack.enter_context(mock.patch("dsrportal.dastra.transport._BACKOFF_BASE_SECONDS", 0.0))
            stack.enter_context(mock.patch("dsrportal.dastra.connections.threading.Timer", _NoTimer))
            stack.enter_context(mock.patch("dsrportal.mirror.connections._pacer", return_value=OpenPacer()))
            yield


class _Adapter(BaseAdapter):
    def __init__(self, line: Line) -> None:
        super().__init__()
        self._line = line

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        """As the library's own adapter, which tells the thread's exchange that something was sent."""
        exchange = dastra_connections._current.exchange
        if exchange is not None:
            exchange.sent = True
        parts = urlsplit(request.url or "")
        body = request.body or b""
        asked = Request(
            method=request.method or "",
            path=parts.path,
            query=parts.query,
            headers={name.lower(): str(value) for name, value in request.headers.items()},
            body=body.encode() if isinstance(body, str) else bytes(body),
        )
        try:
            reply = self._line.exchange(asked)
        except LostAnswerError:
            raise requests.ReadTimeout("no answer") from None
        return _response(reply, request=request)

    def close(self) -> None:
        """Nothing is open."""


def _response(reply: Reply, *, request: requests.PreparedRequest) -> requests.Response:
    answer = reply.answer
    if reply.delivery == "close":
        raise requests.ConnectionError(ProtocolError("aborted", http.client.RemoteDisconnected("closed")))
    if reply.delivery == "reset":
        raise requests.ConnectionError(ProtocolError("aborted", ConnectionResetError(104, "reset")))
    is_cut = reply.delivery != "whole"
    made = requests.Response()
    made.status_code = answer.status
    made.request = request
    made.url = request.url or ""
    made.raw = HTTPResponse(
        body=_CutBody(answer.body[:BOUNDARY]) if is_cut else io.BytesIO(answer.body),
        headers=HTTPHeaderDict(answer.headers),
        status=answer.status,
        preload_content=False,
    )
    return made


class _CutBody(io.BytesIO):
    """Gives what it has, then says that the peer promised more."""

    def read(self, size: int | None = -1, /) -> bytes:
        found = super().read(size)
        if not found:
            raise ProtocolError("cut", http.client.IncompleteRead(b""))
        return found
