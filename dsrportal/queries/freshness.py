"""How old a workspace's data is, and whether it could be read. Shown on every page; a workspace that was not read never looks healthy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.conf import settings
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dsrportal.models import Lane, SyncLane, Workspace
from dsrportal.queries.sentences import in_words


class Level(StrEnum):
    """What to think of the data: `fresh`; `stale` (old, but the last try went well); `unread` (the last try failed); `never` read; `disabled`."""

    FRESH = "fresh"
    STALE = "stale"
    UNREAD = "unread"
    NEVER = "never"
    DISABLED = "disabled"


@dataclass(frozen=True, kw_only=True, slots=True)
class Freshness:
    """The age of a workspace's data in words. `read_at` is the start of the last pull that succeeded; `text` is one short line, `detail` says why."""

    level: Level
    text: str
    detail: str
    read_at: datetime | None

    @property
    def is_trustworthy(self) -> bool:
        """Whether counts may be shown without a warning beside them."""
        return self.level == Level.FRESH


def of_workspace(workspace: Workspace, *, lanes: Iterable[SyncLane], now: datetime) -> Freshness:
    """Judge a workspace by its lanes (those that read all open requests count: active and full). No query."""
    reading = [lane for lane in lanes if lane.lane in {Lane.ACTIVE, Lane.FULL} and lane.workspace_id == workspace.pk]
    read_at = max((lane.last_success_at for lane in reading if lane.last_success_at), default=None)
    last = max((lane for lane in reading if lane.last_attempt_at), key=_attempt, default=None)
    error = last.last_error if last else ""
    if not workspace.is_enabled:
        level, detail = Level.DISABLED, _("This workspace is disabled and is not read from Dastra.")
    elif error:
        level, detail = Level.UNREAD, in_words(error)
    elif read_at is None:
        level, detail = Level.NEVER, _("The first read from Dastra is not complete yet.")
    elif now - read_at > timedelta(minutes=settings.FRESHNESS_MINUTES):
        level, detail = Level.STALE, _("The background jobs have not read Dastra as often as they should.")
    else:
        level, detail = Level.FRESH, ""
    return Freshness(level=level, text=_text(level, read_at=read_at, now=now), detail=detail, read_at=read_at)


def _attempt(lane: SyncLane) -> datetime:
    assert lane.last_attempt_at is not None  # noqa: S101  the caller kept those that were tried
    return lane.last_attempt_at


def _text(level: Level, *, read_at: datetime | None, now: datetime) -> str:
    if read_at is None:
        return _("Not read from Dastra yet")
    if level == Level.UNREAD:
        return _("Dastra not read since %(time)s") % {"time": clock_time(read_at, now=now)}
    if level == Level.DISABLED:
        return _("Disabled; read %(time)s") % {"time": clock_time(read_at, now=now)}
    return _("Read from Dastra %(age)s") % {"age": age(now - read_at)}


def clock_time(moment: datetime, *, now: datetime) -> str:
    """`02:10` on the same day, else with the date."""
    moment, now = localtime(moment), localtime(now)
    return date_format(moment, "H:i") if moment.date() == now.date() else date_format(moment, _("j M H:i"))


def age(span: timedelta) -> str:
    """A span as people say it: `just now`, `2 min ago`, `3 h ago`, `4 d ago`."""
    minutes = int(span.total_seconds() // 60)
    if minutes < 1:
        return _("just now")
    if minutes < 60:  # noqa: PLR2004
        return ngettext("%(n)d min ago", "%(n)d min ago", minutes) % {"n": minutes}
    if minutes < 48 * 60:
        return ngettext("%(n)d h ago", "%(n)d h ago", minutes // 60) % {"n": minutes // 60}
    return ngettext("%(n)d d ago", "%(n)d d ago", minutes // 1440) % {"n": minutes // 1440}
