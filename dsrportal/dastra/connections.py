"""Connections that end at a wall-clock deadline, whatever the other side does. Called by `transport.py` and `posting.py`.

A socket's timeout starts anew with each byte, so a server that drips never trips it. Here a watchdog holds a second handle
of the socket and shuts it at the deadline: in the handshake, in the headers or in the body. The peer's address is checked
as soon as a connection stands, before anything is sent.
"""

from __future__ import annotations

import contextlib
import http.client
import logging
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from http.cookiejar import DefaultCookiePolicy
from types import TracebackType
from typing import Any, Self

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3 import exceptions as urllib3_errors
from urllib3.connection import HTTPConnection, HTTPSConnection

from .addresses import is_loopback, may_connect
from .errors import (
    AnswerCut,
    CertificateRefused,
    ConnectionFailed,
    DastraError,
    HostNotAllowed,
    MalformedAnswer,
    NameNotResolved,
    NotTheApi,
    TimedOut,
)

# At DEBUG this logger writes every address with its query, and a query may name a person.
logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)

LIBRARY_ERRORS = (requests.RequestException, urllib3_errors.HTTPError, http.client.HTTPException, OSError)
"""What an HTTP call may raise; `meaning_of` says what it means."""


class Exchange:
    """One HTTP call of one thread, with its deadline. A context manager: within, the connections used belong to it.

    `sent` turns true as soon as a byte of the call may have left; until then nothing can have been applied.
    `expired` turns true when the deadline cut the call off. `may_reach` judges the address that a name led to; without it a public one is
    right, and loopback for a host that is written so.
    """

    def __init__(self, *, seconds: float, may_reach: Callable[[str], bool] | None = None) -> None:
        self.sent = False
        self.expired = False
        self.may_reach = may_reach
        self._ends_at = time.monotonic() + seconds
        self._lock = threading.Lock()
        self._handles: list[socket.socket] = []
        self._watchdog = threading.Timer(seconds, self._expire)
        self._watchdog.daemon = True

    def __enter__(self) -> Self:
        _current.exchange = self
        self._watchdog.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._watchdog.cancel()
        if _current.exchange is self:  # a download may end while the thread's next call is on its way
            _current.exchange = None
        with self._lock:
            for handle in self._handles:
                handle.close()
            self._handles.clear()

    def seconds_left(self) -> float:
        """Raises TimedOut when none are left."""
        seconds = self._ends_at - time.monotonic()
        if self.expired or seconds <= 0:
            raise TimedOut
        return seconds

    def watch(self, connected: socket.socket) -> None:
        """Shuts this socket when the deadline comes. Keeps a handle of its own: a socket under TLS changes its object."""
        handle = socket.socket(fileno=os.dup(connected.fileno()))
        with self._lock:
            self._handles.append(handle)
            if self.expired:
                _shut(handle)

    def _expire(self) -> None:
        with self._lock:
            self.expired = True
            for handle in self._handles:
                _shut(handle)


class _Current(threading.local):
    exchange: Exchange | None = None


_current = _Current()


class _Watched(HTTPConnection):
    """Tells the thread's exchange of every socket that it opens or uses again."""

    def _new_conn(self) -> socket.socket:
        connected = super()._new_conn()
        try:
            self._admit(connected, exchange=_current.exchange)
        except BaseException:  # nobody else knows this socket yet
            connected.close()
            raise
        return connected

    def _admit(self, connected: socket.socket, *, exchange: Exchange | None) -> None:
        """Judge where the connection leads, and put it under the watchdog. Raises OSError where the peer has gone already."""
        peer = str(connected.getpeername()[0])
        if exchange is not None and exchange.may_reach is not None:
            is_right = exchange.may_reach(peer)
        else:
            is_right = may_connect(peer, loopback_listed=is_loopback(self.host))
        if not is_right:
            raise HostNotAllowed("The server's name leads to an address that the portal may not call.")
        if exchange is not None:
            exchange.watch(connected)

    def connect(self) -> None:
        super().connect()
        _begin_to_send()

    def request(self, *args: Any, **kwargs: Any) -> None:
        if self.sock is not None and _current.exchange is not None:
            _current.exchange.watch(self.sock)
            _begin_to_send()
        super().request(*args, **kwargs)


class _WatchedTls(_Watched, HTTPSConnection):
    """The same over TLS."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Watched


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedTls


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """None: otherwise a redirect's body is read whole, without cap, even where redirects are not followed."""


def new_session(*, user_agent: str) -> requests.Session:
    """A session that takes nothing from the environment, keeps no cookies, retries nothing and sends only our headers."""
    session = _Session()
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers.clear()
    session.headers.update({"User-Agent": user_agent, "Accept": "application/json", "Accept-Encoding": "gzip"})
    session.adapters.clear()
    for scheme in ("https://", "http://"):
        session.mount(scheme, _Adapter(pool_connections=2, pool_maxsize=4, max_retries=0))
    return session


def _begin_to_send() -> None:
    """The last moment at which a process that stood still may notice that it is too late. Raises TimedOut, and nothing was sent."""
    if _current.exchange is not None:
        _current.exchange.seconds_left()
        _current.exchange.sent = True


def _shut(handle: socket.socket) -> None:
    with contextlib.suppress(OSError):
        handle.shutdown(socket.SHUT_RDWR)


def meaning_of(error: BaseException, *, exchange: Exchange) -> DastraError:
    """What an exception of the libraries means; its own text, which quotes addresses, is dropped."""
    causes = tuple(_causes(error))

    def has(*kinds: type[BaseException]) -> bool:
        return any(isinstance(cause, kinds) for cause in causes)

    before_sending: dict[type[DastraError], bool] = {
        NameNotResolved: has(urllib3_errors.NameResolutionError),
        CertificateRefused: has(ssl.SSLError, urllib3_errors.SSLError),
        HostNotAllowed: has(UnicodeError, requests.exceptions.InvalidURL, urllib3_errors.LocationParseError),
        ConnectionFailed: True,
    }
    if exchange.expired or has(TimeoutError, requests.Timeout, urllib3_errors.ReadTimeoutError):
        return TimedOut()
    if not exchange.sent:
        return next(kind for kind, applies in before_sending.items() if applies)()
    if has(urllib3_errors.DecodeError):
        return MalformedAnswer("Dastra's answer cannot be decompressed.")
    if has(http.client.HTTPException) and not has(http.client.RemoteDisconnected, http.client.IncompleteRead):
        return NotTheApi("The server does not answer in readable HTTP.")
    return AnswerCut()


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The exception and all that it wraps: libraries put the first one into arguments, a reason or the context."""
    waiting: list[object] = [error]
    seen: set[int] = set()
    while waiting:
        cause = waiting.pop()
        if not isinstance(cause, BaseException) or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        waiting.extend([*cause.args, getattr(cause, "reason", None), cause.__cause__, cause.__context__])
