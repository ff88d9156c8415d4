"""One post to a host that is not Dastra's, within the same walls as a call to Dastra. Called by `alerts/posts.py`.

No redirect, no proxy, no cookie, one deadline for all of it, a small answer, a peer that may be spoken to. Never tries twice, and lets no text of
the library's exceptions out: they quote addresses, and the address of a channel is its secret.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from .addresses import is_loopback, may_connect
from .connections import LIBRARY_ERRORS, Exchange, meaning_of, new_session
from .errors import AnswerTooLarge, HostNotAllowed, NameNotResolved, TimedOut

USER_AGENT = "dsr-portal/0.1"
LARGEST_ANSWER = 64 * 1024
LONGEST_ADDRESS = 2000
_CHUNK = 8 * 1024
_CONNECT_SECONDS = 5.0
_LARGEST_PORT = 65535
_DEFAULT_PORTS = {"https": 443, "http": 80}
_TARGET = re.compile(
    r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>/[A-Za-z0-9/._~%@:+,=-]*)(?:\?(?P<query>[A-Za-z0-9/._~%@:+,=&-]*))?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """An address that may be posted to, in its parts. `is_listed`: the operator named host and port."""

    scheme: str
    host: str
    port: int
    path: str
    query: tuple[tuple[str, str], ...]
    is_listed: bool

    @property
    def origin(self) -> str:
        """`scheme://host[:port]`."""
        shown = "" if self.port == _DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{self.host}{shown}"

    @property
    def shown(self) -> str:
        """The host, with the port where it says something: all of the address that people may see."""
        return self.origin.partition("://")[2]

    def may_reach(self, peer: str) -> bool:
        """Whether the address that the host's name led to may be spoken to."""
        listed_loopback = self.is_listed and is_loopback(self.host)
        return may_connect(peer, loopback_listed=listed_loopback, private_listed=self.is_listed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back. `status_code` and `content` are the names that a plugin of apprise reads."""

    status_code: int
    content: bytes


def target_of(text: str, *, listed_hosts: Collection[str]) -> Target:
    """The parts of a typed address: https, or http to a listed host of this machine. `listed_hosts` are `host` (port 443) or `host:port`.

    Raises HostNotAllowed for every form that could be read in two ways, without quoting it.
    """
    match = _TARGET.fullmatch(text) if len(text) <= LONGEST_ADDRESS else None
    if match is None:
        raise HostNotAllowed("The address is not of the form https://host/path.")
    scheme, host = match["scheme"], match["host"].lower()
    port = int(match["port"] or _DEFAULT_PORTS[scheme])
    segments = match["path"].split("/")
    if not 0 < port <= _LARGEST_PORT or ".." in segments or "." in segments or ".." in host:
        raise HostNotAllowed("The address is not of the form https://host/path.")
    is_listed = any(
        entry in {f"{host}:{port}", *([host] if port == _DEFAULT_PORTS["https"] else [])} for entry in listed_hosts
    )
    if scheme != "https" and not (is_listed and is_loopback(host)):
        raise HostNotAllowed("The address must begin with https://.")
    query = tuple(parse_qsl(match["query"] or "", keep_blank_values=True))
    return Target(scheme=scheme, host=host, port=port, path=match["path"], query=query, is_listed=is_listed)


def post(url: str, *, target: Target, body: bytes, headers: Mapping[str, str], seconds: float) -> Answer:
    """Post once to an address of the target's origin. The answer of whatever status, a redirect's too.

    Raises a `DastraError` that says what went wrong; `outcome_unknown` when the post may have arrived all the same.
    """
    if not url.startswith(f"{target.origin}/"):
        raise HostNotAllowed
    _look_up(target)
    with (
        Exchange(seconds=seconds, may_reach=target.may_reach) as exchange,
        new_session(user_agent=USER_AGENT) as session,
    ):
        try:
            with session.post(
                url,
                data=body,
                headers=dict(headers),
                timeout=(min(_CONNECT_SECONDS, seconds), seconds),
                allow_redirects=False,
                verify=True,
                stream=True,
            ) as response:
                content = b""
                for chunk in response.raw.stream(_CHUNK, decode_content=True):
                    content += chunk
                    if len(content) > LARGEST_ANSWER:
                        raise AnswerTooLarge(outcome_unknown=True)
                if exchange.expired:
                    raise TimedOut(outcome_unknown=True)
                return Answer(status_code=response.status_code, content=content)
        except LIBRARY_ERRORS as error:
            problem = meaning_of(error, exchange=exchange)
            problem.outcome_unknown = exchange.sent
    # Raised here and not where it was caught, so that the library's exception, which quotes the address, is not its context.
    raise problem


def _look_up(target: Target) -> None:
    """Raise HostNotAllowed where the name leads to an address that may not be spoken to, before a connection could tell whether somebody listens
    there. What the connection then reaches is judged again."""
    try:
        found = socket.getaddrinfo(target.host.strip("[]"), target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise NameNotResolved from None
    if not all(target.may_reach(str(address[0])) for *_kind, address in found):
        raise HostNotAllowed("The server's name leads to an address that the portal may not call.")
