"""One message -> one post to a channel, written by a plugin of apprise. Called by `channel_delivery.py` and for test messages.

Four plugins are made by hand from an address whose parts were checked; apprise's own addresses, which could name any of its other plugins, a file or a
redirect, are never read. The plugins call `requests`; in its place they find a door that leads to `dastra.posting` alone, once a message, to the
host of the channel.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from apprise import AppriseAsset, NotifyFormat, NotifyType
from apprise.plugins import custom_json, mattermost, slack, workflows
from django.conf import settings

from dsrportal.alerts.markup import TITLED_BY_BODY, Message, body_of, document_of
from dsrportal.dastra.errors import ConfigurationError, DastraError, HostNotAllowed
from dsrportal.dastra.posting import Answer, Target, post, target_of
from dsrportal.models.channels import ChannelKind

SENDER = "DSR Portal"
SECONDS = 10.0
SIGNATURE_HEADER = "Dsr-Portal-Signature"
DELIVERY_HEADER = "Dsr-Portal-Delivery"
SLACK_HOST = "hooks.slack.com"
_SHAPES = {
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


class _Door:
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


_SLACK: Any = slack.NotifySlack
_TEAMS: Any = workflows.NotifyWorkflows
_MATTERMOST: Any = mattermost.NotifyMattermost
_WEBHOOK: Any = custom_json.NotifyJSON

for _plugin in (slack, workflows, mattermost, custom_json):
    vars(_plugin)["requests"] = _Door(vars(_plugin)["requests"])


def checked_target(url: str, *, kind: ChannelKind) -> Target:
    """The parts of a channel's address. Raises HostNotAllowed for what the kind cannot post to, without quoting it."""
    target = target_of(url, listed_hosts=settings.CHANNEL_ALLOWED_HOSTS)
    names = [name for name, _value in target.query]
    is_shaped = _SHAPES[kind].fullmatch(target.path) is not None
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
    passage: _Passage | None = None
    try:
        target = checked_target(url, kind=kind)
        headers = {DELIVERY_HEADER: delivery_id} if kind == ChannelKind.WEBHOOK else {}
        passage = _Passage(target=target, headers=headers, signing_key=signing_key)
        token = _passage.set(passage)
        try:
            plugin = _MAKERS[kind](target, message)
            is_taken = plugin.send(
                body=body_of(message, kind=kind),
                title="" if kind in TITLED_BY_BODY else message.title,
                notify_type=NotifyType.FAILURE if message.is_late else NotifyType.INFO,
                body_format=NotifyFormat.MARKDOWN,
            )
        finally:
            _passage.reset(token)
    except DastraError as error:
        raise PostFailedError(error.code) from None
    if not is_taken:
        raise PostFailedError(f"answered {passage.status}" if passage.status else ConfigurationError.code)


def _common(target: Target) -> dict[str, Any]:
    asset = AppriseAsset(app_id=SENDER, app_desc=SENDER, app_url=settings.PORTAL_URL, http_redirects=False)
    default = 443 if target.scheme == "https" else 80
    port = None if target.port == default else target.port
    return {"asset": asset, "host": target.host, "port": port, "secure": target.scheme == "https"}


def _slack(target: Target, _message: Message) -> Any:
    tokens = _SHAPES[ChannelKind.SLACK].fullmatch(target.path)
    assert tokens is not None  # noqa: S101  `checked_target` saw to it
    plugin = _SLACK(
        token_a=tokens["a"],
        token_b=tokens["b"],
        token_c=tokens["c"],
        mode=slack.SlackMode.WEBHOOK,
        include_image=False,
        include_footer=False,
        **_common(target),
    )
    plugin.webhook_url = f"{target.origin}/services"
    return plugin


def _teams(target: Target, _message: Message) -> Any:
    parts, query = _SHAPES[ChannelKind.TEAMS].fullmatch(target.path), dict(target.query)
    assert parts is not None  # noqa: S101
    return _TEAMS(
        workflow=parts["flow"],
        signature=query["sig"],
        power_automate=parts["direct"] is not None,
        routing_id=parts["route"],
        version=query.get("api-version"),
        include_image=False,
        **_common(target),
    )


def _mattermost(target: Target, _message: Message) -> Any:
    parts = _SHAPES[ChannelKind.MATTERMOST].fullmatch(target.path)
    assert parts is not None  # noqa: S101
    return _MATTERMOST(token=parts["token"], fullpath=parts["before"], include_image=False, **_common(target))


def _webhook(target: Target, message: Message) -> Any:
    # An empty value takes a name of apprise's own out of the document.
    document = {"version": "", "type": "", "attachments": ""} | document_of(message)
    return _WEBHOOK(fullpath=target.path, params=dict(target.query), payload=document, **_common(target))


_MAKERS: dict[ChannelKind, Callable[[Target, Message], Any]] = {
    ChannelKind.SLACK: _slack,
    ChannelKind.TEAMS: _teams,
    ChannelKind.MATTERMOST: _mattermost,
    ChannelKind.WEBHOOK: _webhook,
}
