"""The channels of a workspace beside mail: an admin adds, disables, enables, deletes and tries them. Called by the views of channels.

An address is checked before it is sealed, and again before each post. No sentence and no line of the audit log ever holds one.
"""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from dsrportal.actions.addresses import checked_secret
from dsrportal.actions.refusals import WorkspaceError
from dsrportal.alerts import channel_delivery
from dsrportal.alerts.posts import checked_target
from dsrportal.dastra import posting
from dsrportal.dastra.errors import HostNotAllowed
from dsrportal.models import AuditEvent, Channel, User, Workspace
from dsrportal.models.audit import Operation
from dsrportal.models.channels import ChannelKind, ChannelTells

LONGEST_ADDRESS = posting.LONGEST_ADDRESS
MOST_CHANNELS = 20
SHORTEST_SIGNING_KEY = 16


def add(
    workspace: Workspace,
    *,
    name: str,
    kind: ChannelKind,
    url: str,
    tells: ChannelTells,
    language: str,
    signing_key: str = "",
    by: User,
    now: datetime,
) -> Channel:
    """Keep a channel, its address sealed. Posts nothing. Raises `WorkspaceError` whose field is `name`, `url` or `signing_key`."""
    try:
        target = checked_target(url.strip(), kind=kind)
    except HostNotAllowed as error:
        raise WorkspaceError(_refusal_of(kind), field="url", code=error.code) from None
    channel = Channel(
        workspace=workspace,
        name=name,
        kind=kind,
        tells=tells,
        language=language if language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE,
        created_at=now,
    )
    channel.set_url(url.strip(), host=target.shown)
    if signing_key:
        channel.set_signing_key(_checked_key(signing_key))
    try:
        with transaction.atomic():
            Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)
            if Channel.objects.filter(workspace=workspace).count() >= MOST_CHANNELS:
                raise WorkspaceError(_("A workspace has %(n)d channels at most.") % {"n": MOST_CHANNELS})
            channel.save()
            _audit(channel, operation=Operation.CHANNEL_ADDED, by=by, now=now)
    except IntegrityError:
        raise WorkspaceError(_("Another channel has this name."), field="name") from None
    return channel


def disable(channel: Channel, *, by: User, now: datetime) -> None:
    """It is told nothing from now on; what waits for it waits."""
    _switch(channel, disabled_at=now, by=by, now=now)


def enable(channel: Channel, *, by: User, now: datetime) -> None:
    """It is told again what holds; a rest after failures ends."""
    Channel.objects.filter(pk=channel.pk).update(failures=0, rest_until=None)
    _switch(channel, disabled_at=None, by=by, now=now)


def delete(channel: Channel, *, by: User, now: datetime) -> None:
    """Forget the channel, its address, and what it was told."""
    with transaction.atomic():
        _audit(channel, operation=Operation.CHANNEL_DELETED, by=by, now=now)
        Channel.objects.filter(pk=channel.pk).delete()


def send_test(channel: Channel, *, by: User, now: datetime) -> str:
    """Post a test message now, also to a disabled channel. Returns "" when it was taken, else the code of what went wrong."""
    code = channel_delivery.test(channel, now=now)
    _audit(channel, operation=Operation.CHANNEL_TESTED, by=by, now=now, outcome="failed" if code else "done")
    return code


def _switch(channel: Channel, *, disabled_at: datetime | None, by: User, now: datetime) -> None:
    with transaction.atomic():
        changed = Channel.objects.filter(pk=channel.pk, disabled_at__isnull=disabled_at is not None)
        if changed.update(disabled_at=disabled_at):
            _audit(channel, operation=Operation.CHANNEL_CHANGED, by=by, now=now)


def _refusal_of(kind: ChannelKind) -> str:
    """What an address of this kind looks like."""
    return {
        ChannelKind.SLACK: _("An address of Slack looks like https://hooks.slack.com/services/T…/B…/…"),
        ChannelKind.TEAMS: _(
            "An address of Teams begins with https:// and holds /workflows/…/triggers/manual/paths/invoke and a signature: "
            "copy it from the workflow that posts to the channel."
        ),
        ChannelKind.MATTERMOST: _("An address of Mattermost looks like https://chat.example.org/hooks/…"),
        ChannelKind.WEBHOOK: _(
            "The address must begin with https:// and hold no user name, no part after # and no parameter twice."
        ),
    }[kind]


def _checked_key(text: str) -> str:
    try:
        key = checked_secret(text)
    except WorkspaceError as error:
        raise WorkspaceError(error.sentence, field="signing_key") from None
    if len(key) < SHORTEST_SIGNING_KEY:
        raise WorkspaceError(
            _("The key is too short: %(n)d characters at least.") % {"n": SHORTEST_SIGNING_KEY}, field="signing_key"
        )
    return key


def _audit(channel: Channel, *, operation: Operation, by: User, now: datetime, outcome: str = "done") -> None:
    AuditEvent.objects.create(
        at=now,
        by=by,
        workspace_id=channel.workspace_id,
        operation=operation,
        outcome=outcome,
        details={"channel": channel.pk, "kind": str(channel.kind)},
    )
