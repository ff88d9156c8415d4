"""One message -> one post to a channel, written by a plugin of apprise (`plugins.py`). Called by `channel_delivery.py` and for test messages.

The plugins call `requests`; in its place they find a door that leads to `dastra.posting` alone, once a message, to the host of the channel. apprise is
loaded with the first message, since most processes never send one.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import importlib
import logging
import re
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings

from dsrportal.alerts.markup import Message
from dsrportal.dastra.errors import ConfigurationError, DastraError, HostNotAllowed
from dsrportal.dastra.posting import Answer, Target, post, target_of
from dsrportal.models.channels import ChannelKind

SECONDS = 10.0
SIGNATURE_HEADER = "Dsr-Portal-Signature"
DELIVERY_HEADER = "Dsr-Portal-Delivery"
SLACK_HOST = "hooks.slack.com"
SHAPES = {
    ChannelKind.SLACK: re.compile(r"/services/(?P<a>[A-Za-z0-9]+)/(?P<b>[A-Za-z0-9]+)/(?P<c>[A-Za-z0-9]+)/?"),
    ChannelKind.TEAMS: re.compile(
        r"(?P<direct>/powerautomate/automations/direct(?:/cu/(?P<route>[0-9]+))?)?"
        r"/workflows/(?P<flow>[A-Za-z0-9_-]+)/triggers/manual/paths/invoke/?"
    ),
    ChannelKind.MATTERMOST: re.compile(r"(?P<before>(?:/[A-Za-z0-9._-]+)*)/hooks/(?P<token>[A-Za-z0-9]+)/?"),
    ChannelKind.WEBHOOK: re.compile(r"/.*"),
}

# Its words quote tokens and addresses.
logging.getLogger("apprise").setLevel(logging.CRITICAL)


class PostFailedError(Exception):
    """The message was not taken, or nobody knows. `code` is for the database: that of a `DastraError`, or `answered` with the status after a blank."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(slots=True)
class _Passage:
    """The one post that may go through the door now."""

    target: Target
    headers: Mapping[str, str]
    signing_key: str
    is_used: bool = False
    status: int | None = None


_passage: ContextVar[_Passage | None] = ContextVar("passage", default=None)


class Door:
    """What the plugins find under the name of `requests`: its codes and its exception, and one way out."""

    def __init__(self, library: Any) -> None:
        self.codes = library.codes
        self.RequestException = library.RequestException

    def post(self, url: str, **how: Any) -> Answer:
        """As the library's, within the passage."""
        return self.request("POST", url, **how)

    def request(
        self,
        method: str,
        url: str,
        *,
        data: str,
        headers: Mapping[str, str],
        params: Mapping[str, str] | None = None,
        **_ignored: Any,  # time, redirects and certificates are not the plugin's to choose
    ) -> Answer:
        """Post once. Raises a `DastraError`, which no plugin catches."""
        passage = _passage.get()
        if passage is None or passage.is_used or method.upper() != "POST":
            raise ConfigurationError
        passage.is_used = True
        body = data.encode()
        wanted = {"Content-Type": headers["Content-Type"], **passage.headers}
        if passage.signing_key:
            digest = hmac.new(passage.signing_key.encode(), body, hashlib.sha256).hexdigest()
            wanted[SIGNATURE_HEADER] = f"sha256={digest}"
        parts = urlsplit(url)
        if parts.netloc.lower() != passage.target.shown:
            raise HostNotAllowed
        # The scheme is the target's: the plugin for Teams knows https alone, and a test listens without.
        address = f"{passage.target.origin}{parts.path}{f'?{urlencode(params)}' if params else ''}"
        answer = post(address, target=passage.target, body=body, headers=wanted, seconds=SECONDS)
        passage.status = answer.status_code
        return answer


def checked_target(url: str, *, kind: ChannelKind) -> Target:
    """The parts of a channel's address. Raises HostNotAllowed for what the kind cannot post to, without quoting it."""
    target = target_of(url, listed_hosts=settings.CHANNEL_ALLOWED_HOSTS)
    names = [name for name, _value in target.query]
    is_shaped = SHAPES[kind].fullmatch(target.path) is not None
    if kind == ChannelKind.TEAMS:
        is_shaped = is_shaped and re.fullmatch(r"[A-Za-z0-9_-]+", dict(target.query).get("sig", "")) is not None
    elif kind != ChannelKind.WEBHOOK:
        is_shaped = is_shaped and not names
    if kind == ChannelKind.SLACK and not target.is_listed:
        is_shaped = is_shaped and target.shown == SLACK_HOST
    if not is_shaped or len(set(names)) != len(names):
        raise HostNotAllowed("The address is not one of this kind.")
    return target


def send(message: Message, *, kind: ChannelKind, url: str, delivery_id: str, signing_key: str = "") -> None:
    """Post the message once. `delivery_id` is the same however often it is tried. Raises `PostFailedError`."""
    try:
        target = checked_target(url, kind=kind)
        headers = {DELIVERY_HEADER: delivery_id} if kind == ChannelKind.WEBHOOK else {}
        passage = _Passage(target=target, headers=headers, signing_key=signing_key)
        token = _passage.set(passage)
        try:
            is_taken = _plugins().send(message, kind=kind, target=target)
        finally:
            _passage.reset(token)
    except DastraError as error:
        raise PostFailedError(error.code) from None
    except TypeError:  # what apprise raises for an address it does not like, which it quotes
        raise PostFailedError(ConfigurationError.code) from None
    if not is_taken:
        raise PostFailedError(f"answered {passage.status}" if passage.status else ConfigurationError.code)


@functools.cache
def _plugins() -> Any:
    return importlib.import_module("dsrportal.alerts.plugins")
