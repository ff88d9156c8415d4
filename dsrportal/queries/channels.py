"""The channels of a workspace as its page shows them: what each is told, whether it takes it, and why not. Called by `views.channels`; opens no address."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from http import HTTPStatus
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Count, Q
from django.utils.translation import gettext as _

from dsrportal.models import Channel, Workspace
from dsrportal.models.alerts import AlertState
from dsrportal.queries.detail_timeline import moment


class ChannelLevel(StrEnum):
    """What to think of a channel: it took the last message, took none of late, never had one, or is switched off."""

    WORKS = "works"
    FAILS = "fails"
    NEW = "new"
    DISABLED = "disabled"


@dataclass(frozen=True, kw_only=True, slots=True)
class ChannelLine:
    """One channel in words. `trouble` says why the last message was not taken, and when it is tried again; empty where all is well."""

    pk: int
    name: str
    kind: str
    host: str
    tells: str
    language: str
    level: ChannelLevel
    is_enabled: bool
    is_signed: bool
    last_success: str
    waiting: int
    trouble: str


def lines(workspace: Workspace, *, now: datetime) -> list[ChannelLine]:
    """All channels, by name. One query."""
    waiting = Count("alerts", filter=Q(alerts__state=AlertState.WAITING))
    found = Channel.objects.filter(workspace=workspace).annotate(waiting=waiting).order_by("name", "pk")
    zone, languages = ZoneInfo(workspace.time_zone), dict(settings.LANGUAGES)
    return [
        ChannelLine(
            pk=channel.pk,
            name=channel.name,
            kind=str(channel.get_kind_display()),
            host=channel.host,
            tells=str(channel.get_tells_display()),
            language=str(languages.get(channel.language, channel.language)),
            level=_level(channel),
            is_enabled=channel.is_enabled,
            is_signed=channel.signing_key_sealed is not None,
            last_success=moment(channel.last_success_at, zone=zone) if channel.last_success_at else "",
            waiting=channel.waiting,
            trouble=_trouble(channel, zone=zone, now=now),
        )
        for channel in found
    ]


def _level(channel: Channel) -> ChannelLevel:
    if not channel.is_enabled:
        return ChannelLevel.DISABLED
    if channel.failures:
        return ChannelLevel.FAILS
    return ChannelLevel.WORKS if channel.last_success_at else ChannelLevel.NEW


def _trouble(channel: Channel, *, zone: ZoneInfo, now: datetime) -> str:
    if not channel.failures or channel.last_failure_at is None:
        return ""
    told = [
        _("%(time)s: %(what)s")
        % {"time": moment(channel.last_failure_at, zone=zone), "what": failure_words(channel.last_failure)}
    ]
    if channel.is_enabled and channel.rest_until is not None and channel.rest_until > now:
        again = channel.rest_until.astimezone(zone).strftime("%H:%M")
        told.append(_("It is tried again from %(time)s on.") % {"time": again})
    return " ".join(told)


def failure_words(code: str) -> str:
    """Why a message was not taken, as a sentence: of a code of `alerts.posts`."""
    name, _blank, number = code.partition(" ")
    if name == "answered":
        return _answer_words(int(number))
    sentences = {
        "connection_failed": _("No connection could be made."),
        "name_not_resolved": _("The name of the server could not be resolved."),
        "certificate_refused": _("The server's certificate could not be trusted."),
        "timed_out": _("The server did not answer in time."),
        "host_not_allowed": _(
            "The portal may not post there: the name leads into a private network that CHANNEL_ALLOWED_HOSTS does not list."
        ),
        "configuration": _("The address is not one of this kind."),
        "sealed": _("The address cannot be opened with CREDENTIAL_KEYS: delete the channel and add it again."),
    }
    return sentences.get(name, _("The server's answer could not be read."))


def _answer_words(status: int) -> str:
    n = {"status": status}
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return _("The server redirected the message elsewhere (%(status)d); redirects are not followed.") % n
    if status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
        return (
            _("The server knows no such channel (%(status)d): the webhook was deleted there, or the address is wrong.")
            % n
        )
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return _("The server asks to slow down (%(status)d).") % n
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return _("The server reports a failure on its side (%(status)d).") % n
    return _("The server did not take the message (%(status)d).") % n
