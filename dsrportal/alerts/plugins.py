"""The four plugins of apprise, made by hand from an address whose parts were checked. Loaded by `posts.py` with the first message.

apprise's own addresses, which could name any of its other plugins, a file or a redirect, are never read, and none of these plugins finds another way out
than the door of `posts.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from apprise import AppriseAsset, NotifyFormat, NotifyType
from apprise.plugins import custom_json, mattermost, slack, workflows
from django.conf import settings

from dsrportal.alerts.markup import TITLED_BY_BODY, Message, body_of, document_of
from dsrportal.alerts.posts import SHAPES, Door
from dsrportal.dastra.posting import Target
from dsrportal.models.channels import ChannelKind

SENDER = "DSR Portal"
MODULES = (slack, workflows, mattermost, custom_json)
_SLACK: Any = slack.NotifySlack
_TEAMS: Any = workflows.NotifyWorkflows
_MATTERMOST: Any = mattermost.NotifyMattermost
_WEBHOOK: Any = custom_json.NotifyJSON

for _module in MODULES:
    vars(_module)["requests"] = Door(vars(_module)["requests"])


def send(message: Message, *, kind: ChannelKind, target: Target) -> bool:
    """Post the message through the door. Whether it was taken; raises what the door raises."""
    plugin = _MAKERS[kind](target, message)
    # Not `notify`: it would cut a message into several posts.
    taken: bool = plugin.send(
        body=body_of(message, kind=kind),
        title="" if kind in TITLED_BY_BODY else message.title,
        notify_type=NotifyType.FAILURE if message.is_late else NotifyType.INFO,
        body_format=NotifyFormat.MARKDOWN,
    )
    return taken


def _common(target: Target) -> dict[str, Any]:
    asset = AppriseAsset(app_id=SENDER, app_desc=SENDER, app_url=settings.PORTAL_URL, http_redirects=False)
    default = 443 if target.scheme == "https" else 80
    port = None if target.port == default else target.port
    return {"asset": asset, "host": target.host, "port": port, "secure": target.scheme == "https"}


def _slack(target: Target, _message: Message) -> Any:
    tokens = SHAPES[ChannelKind.SLACK].fullmatch(target.path)
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
    parts, query = SHAPES[ChannelKind.TEAMS].fullmatch(target.path), dict(target.query)
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
    parts = SHAPES[ChannelKind.MATTERMOST].fullmatch(target.path)
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
