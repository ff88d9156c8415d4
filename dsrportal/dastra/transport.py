"""How one HTTP call to Dastra is made: address, credential, pace, deadline, retry, error. The only room that knows HTTP.

Called by `client.py`. Follows no redirect, uses no proxy and no .netrc, keeps no cookie, never sends a write twice, and
lets no text of the library's own exceptions out: they quote addresses, whose query may name a person.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlencode

import requests

from . import wire_json
from .addresses import Address, allowed_address, allowed_origin
from .answers import failure
from .auth import Auth, ClientCredentials
from .breaker import Outcome, Permit, outcome_of
from .connections import LIBRARY_ERRORS, Exchange, meaning_of, new_session
from .errors import (
    AnswerTooLarge,
    ConfigurationError,
    DastraError,
    MalformedAnswer,
    NotTheApi,
    PacingUnavailable,
    RateLimited,
    Rejected,
    ServerFailure,
    TimedOut,
    Unauthorized,
    Unreachable,
)
from .files import DOWNLOAD_SECONDS, UPLOAD_SECONDS, Download, multipart
from .pacing import LONGEST_PAUSE_SLEPT_SECONDS, Pacer

USER_AGENT = "dsr-portal/0.1"
LARGEST_BODY = 20 * 1024 * 1024
MOST_TRIES = 4
_CHUNK = 64 * 1024
_BACKOFF_BASE_SECONDS = 0.5
_BACKOFF_CAP_SECONDS = 30.0
_CONNECT_SECONDS = 5.0
# (total for one call with its retries, longest wait for the pace): a bulk call may wait for a full window to move on.
_BULK_SECONDS = (60.0, 130.0)
_INTERACTIVE_SECONDS = (20.0, 10.0)


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: bytes
    content_type: str
    retry_after: tuple[str, ...]
    date: str
    download: Download | None = None


class Transport:
    """Makes calls for one credential. Safe between threads; after a fork the child opens its own connections.

    `insist`: a person tries this connection out, so the breaker does not stop it and holds no failure of it against the credential.
    `call_count` counts what was sent to the network, retries and token calls included.
    Raises ConfigurationError or HostNotAllowed when made with addresses that may not be called.
    """

    def __init__(
        self,
        *,
        base_url: str,
        auth: Auth,
        allowed_hosts: Iterable[str],
        pacer: Pacer,
        timeout_seconds: float = 10.0,
        interactive: bool = False,
        insist: bool = False,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[float, float], float] = random.uniform,
    ) -> None:
        hosts = tuple(allowed_hosts)
        self._base = allowed_origin(base_url, allowed_hosts=hosts)
        self._token_address: Address | None = None
        if isinstance(auth, ClientCredentials):
            self._token_address = allowed_address(auth.token_url, allowed_hosts=hosts)
        if not timeout_seconds > 0:
            raise ConfigurationError("The timeout must be more than 0 seconds.")
        self._auth = auth
        self._pacer = pacer
        self._timeout_seconds = timeout_seconds
        self._interactive = interactive
        self._insist = insist
        self._total_seconds, self._patience_seconds = _INTERACTIVE_SECONDS if interactive else _BULK_SECONDS
        self._sleep = sleep
        self._jitter = jitter
        self._lock = threading.Lock()
        self._reads: requests.Session | None = None
        self._owner = os.getpid()
        self.call_count = 0

    def close(self) -> None:
        """Drops the connections; a later call opens new ones."""
        with self._lock:
            session, self._reads = self._reads, None
        if session is not None:
            session.close()

    def get(self, path: str, *, query: Sequence[tuple[str, str]] = ()) -> object:
        """The decoded JSON of a GET, tried up to four times within 60 s (20 s where a person waits)."""
        with self._permitted() as permit:
            return self._get(path, query=query, may_try_again=not permit.probe)

    def _get(self, path: str, *, query: Sequence[tuple[str, str]], may_try_again: bool) -> object:
        ends_at = time.monotonic() + self._total_seconds
        attempt = 1
        while True:
            seconds = min(self._timeout_seconds, ends_at - time.monotonic())
            try:
                return _json(self._authorised("GET", path, query=query, seconds=seconds))
            except DastraError as error:
                delay = self._jitter(0.0, min(_BACKOFF_CAP_SECONDS, _BACKOFF_BASE_SECONDS * 2 ** (attempt - 1)))
                late = time.monotonic() + delay >= ends_at
                if attempt >= MOST_TRIES or late or not may_try_again or not _worth_another_try(error):
                    raise
                if not self._pacer.may_retry():
                    raise
            attempt += 1
            self._sleep(delay)

    def write(
        self, method: str, path: str, *, payload: object = None, content_type: str = "application/json"
    ) -> object | None:
        """Sends a change once. The decoded JSON of the answer, or None when it has none: most answers are not documented.

        An error says by `outcome_unknown` whether the change may have been applied all the same.
        """
        body: bytes | None = None
        if payload is not None:
            try:
                body = wire_json.encode(payload)
            except (ValueError, RecursionError):
                raise ConfigurationError("What was to be written cannot be expressed as JSON.") from None
        return self._write(method, path, body=body, content_type=content_type, seconds=self._timeout_seconds)

    def upload(self, path: str, *, name: str, content: bytes, part: str) -> object | None:
        """Sends a file once, as `part` of a form; else as `write`. Where Dastra is slow it may take 30 seconds."""
        body, content_type = multipart(name=name, content=content, part=part)
        seconds = max(self._timeout_seconds, UPLOAD_SECONDS)
        return self._write("POST", path, body=body, content_type=content_type, seconds=seconds)

    def download(self, path: str) -> Download:
        """A file of Dastra's, asked for once, whose first bytes have come. Close it."""
        with self._permitted():
            answer = self._authorised("GET", path, seconds=max(self._timeout_seconds, DOWNLOAD_SECONDS), opens=True)
        if answer.download is None:
            raise MalformedAnswer("Dastra answered with nothing.", status=answer.status)
        return answer.download

    def _write(self, method: str, path: str, *, body: bytes | None, content_type: str, seconds: float) -> object | None:
        with self._permitted():
            answer = self._authorised(method, path, body=body, content_type=content_type, seconds=seconds)
        if not answer.body.strip():
            return None
        try:
            return _json(answer)
        except NotTheApi as error:
            error.outcome_unknown = True
            raise
        except MalformedAnswer:
            return None

    @contextmanager
    def _permitted(self) -> Iterator[Permit]:
        """One call with the breaker's leave, which then learns how it ended. Raises CircuitOpen, and nothing is sent."""
        permit = self._pacer.allow(insist=self._insist)
        outcome = Outcome.NEUTRAL
        try:
            yield permit
            outcome = Outcome.ANSWERED
        except DastraError as error:
            outcome = outcome_of(error)
            raise
        finally:
            # What a person only tries out may be a wrong address: it says nothing against the credential.
            if outcome == Outcome.ANSWERED or not self._insist:
                with suppress(PacingUnavailable):  # the answer is there, and may be that of a write
                    self._pacer.record(permit, outcome=outcome)

    def _authorised(
        self,
        method: str,
        path: str,
        *,
        seconds: float,
        query: Sequence[tuple[str, str]] = (),
        body: bytes | None = None,
        content_type: str = "",
        opens: bool = False,
    ) -> _Answer:
        """One call with the credential; with a token that is refused, once more with a new one."""
        url = self._base.origin + path + (f"?{urlencode(query)}" if query else "")
        for last in (not isinstance(self._auth, ClientCredentials), True):
            credential = self._auth.headers() or self._renewed()
            headers = {**credential, **({"Content-Type": content_type} if body is not None else {})}
            headers |= {"Accept": "*/*", "Accept-Encoding": "identity"} if opens else {}
            try:
                return self._paced(
                    method, url, headers=headers, body=body, seconds=seconds, writes=method != "GET", opens=opens
                )
            except Unauthorized:
                if last:
                    raise
                if isinstance(self._auth, ClientCredentials):
                    self._auth.forget(credential)
        raise Unauthorized

    def _renewed(self) -> dict[str, str]:
        """The headers of a fresh token, asked for once however many threads wait for it."""
        auth, address = self._auth, self._token_address
        if not isinstance(auth, ClientCredentials) or address is None:
            raise Unauthorized
        with auth.renewing:
            found = auth.headers()
            if found:
                return found
            headers = {**auth.token_headers(), "Content-Type": "application/x-www-form-urlencoded"}
            try:
                answer = self._paced(
                    "POST",
                    address.origin + address.path,
                    headers=headers,
                    body=urlencode(auth.token_form()).encode("ascii"),
                    seconds=self._timeout_seconds,
                    writes=False,
                )
            except Rejected as error:
                raise Unauthorized("The token service does not accept the keys.", status=error.status) from None
            auth.accept(_json(answer))
            return auth.headers()

    def _paced(
        self,
        method: str,
        url: str,
        *,
        headers: dict[str, str],
        body: bytes | None,
        seconds: float,
        writes: bool,
        opens: bool = False,
    ) -> _Answer:
        """Waits for the pace, makes the call, and raises what its status stands for. `opens`: a good answer's body is left to be read."""
        self._pacer.acquire(interactive=self._interactive, patience_seconds=self._patience_seconds)
        with self._lock:
            self.call_count += 1
        problem: DastraError
        with ExitStack() as held:
            exchange = held.enter_context(Exchange(seconds=seconds))
            try:
                answer = self._exchanged(
                    exchange, method, url, headers=headers, body=body, writes=writes, held=held if opens else None
                )
            except DastraError as error:
                error.outcome_unknown = writes and exchange.sent
                raise
            except LIBRARY_ERRORS as error:
                problem = meaning_of(error, exchange=exchange)
                problem.outcome_unknown = writes and exchange.sent
            else:
                refusal = failure(
                    status=answer.status,
                    body=answer.body,
                    retry_after=answer.retry_after,
                    date=answer.date,
                    writes=writes,
                )
                if refusal is None:
                    if answer.download is not None:
                        answer.download.hold(held.pop_all())
                    return answer
                problem = refusal
        if isinstance(problem, RateLimited):
            with suppress(PacingUnavailable):  # what Dastra said of the call matters more; the next one fails closed
                self._pacer.pause(problem.pause_seconds)
        # Raised here and not where it was caught, so that the library's exception, which quotes the address, is not its context.
        raise problem

    def _exchanged(
        self,
        exchange: Exchange,
        method: str,
        url: str,
        *,
        headers: dict[str, str],
        body: bytes | None,
        writes: bool,
        held: ExitStack | None,
    ) -> _Answer:
        left = exchange.seconds_left()
        patience = left if held is None else min(left, self._timeout_seconds)
        # A write goes over a connection of its own: one that was closed while idle would leave its outcome unknown. A file may take long.
        is_own = writes or held is not None
        with ExitStack() as used:
            session = new_session(user_agent=USER_AGENT) if is_own else self._reading_session()
            if is_own:
                used.callback(session.close)
            response = used.enter_context(
                session.request(
                    method,
                    url,
                    headers=headers,
                    data=body,
                    timeout=(min(_CONNECT_SECONDS, left), patience),
                    allow_redirects=False,
                    verify=True,
                    stream=True,
                )
            )
            found = response.raw.headers
            download = None
            if held is not None and response.status_code == HTTPStatus.OK:
                download = Download(response, exchange=exchange)
                held.push(used.pop_all())
            return _Answer(
                status=response.status_code,
                body=b"" if download else b"".join(_chunks(response, exchange)),
                content_type=found.get("Content-Type") or "",
                retry_after=tuple(found.getlist("Retry-After")),
                date=found.get("Date") or "",
                download=download,
            )

    def _reading_session(self) -> requests.Session:
        with self._lock:
            if self._reads is None or self._owner != os.getpid():
                self._reads = new_session(user_agent=USER_AGENT)
                self._owner = os.getpid()
            return self._reads


def _chunks(response: requests.Response, exchange: Exchange) -> Iterator[bytes]:
    if (response.raw.headers.get("Content-Encoding") or "identity").strip().lower() not in {"gzip", "identity"}:
        raise MalformedAnswer("Dastra's answer is compressed in a way that was not asked for.")
    size = 0
    for chunk in response.raw.stream(_CHUNK, decode_content=True):
        size += len(chunk)
        if size > LARGEST_BODY:
            raise AnswerTooLarge
        exchange.seconds_left()
        yield chunk
    if exchange.expired:
        raise TimedOut


def _json(answer: _Answer) -> object:
    kind, _, parameters = answer.content_type.partition(";")
    start = answer.body[:1024].lstrip(b"\xef\xbb\xbf \t\r\n")
    if kind.strip().lower() in {"text/html", "application/xhtml+xml"} or start.startswith(b"<"):
        raise NotTheApi(status=answer.status)
    if not start:
        raise MalformedAnswer("Dastra answered with nothing.", status=answer.status)
    charset = next((p.partition("=")[2] for p in parameters.split(";") if p.strip().lower().startswith("charset=")), "")
    return wire_json.decode(wire_json.decode_text(answer.body, charset=charset))


def _worth_another_try(error: DastraError) -> bool:
    if isinstance(error, RateLimited):
        # Without a status it comes from our own pace, which has waited as long as it may.
        return error.status is not None and error.pause_seconds <= LONGEST_PAUSE_SLEPT_SECONDS
    return error.retryable and isinstance(error, Unreachable | ServerFailure)
