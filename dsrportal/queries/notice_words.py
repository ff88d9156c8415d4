"""A notice of each kind in the reader's words: what of, why, and where it leads. Called by `queries.notices`; reads no row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dsrportal import timetable
from dsrportal.models import Alert, ChannelAlert, Notice
from dsrportal.models.alerts import AlertClock, AlertState, NoticeKind
from dsrportal.models.thresholds import Threshold, ThresholdKind


@dataclass(frozen=True, kw_only=True, slots=True)
class Words:
    """`head` with its `url` (empty for none), `what` and its `day`, `why`; `remark` is a word more. `is_over`: nothing is left to do."""

    head: str
    url: str
    what: str
    why: str
    day: str = ""
    remark: str = ""
    is_over: bool = False
    is_reference: bool = False


def words_of(notice: Notice, *, parts: list[Notice], zone: ZoneInfo) -> Words:
    """The words of a notice whose alert and workspace are loaded, with the notices that are one line with it (their alerts loaded too); a notice
    of `many` has the counts `open_parts` and `all_parts`. Instants are said in `zone`."""
    return _WRITERS[NoticeKind(notice.kind)](notice, parts, zone)


def day_of_alert(alert: Alert, *, is_both: bool = False) -> str:
    """ "Respond by Tue 10 Mar 2026"; of both clocks on one day "Extend or answer by …"."""
    day = date_format(alert.due_on, _("D j M Y"))
    if is_both:
        return _("Extend or answer by %(day)s") % {"day": day}
    return _("%(clock)s %(day)s") % {"clock": AlertClock(alert.clock).label, "day": day}


def told_of(alert: Alert | ChannelAlert, *, zone: ZoneInfo) -> str:
    """How far away the date was on the day of the telling, in `zone`: the threshold in words where it was told on its own day, else what was true then. Who
    sees a workspace for the first time is told of dates long past."""
    threshold, on = Threshold(alert.threshold), alert.raised_at.astimezone(zone).date()
    left = (alert.due_on - on).days
    if left < 0:
        return ngettext("%(n)d day overdue", "%(n)d days overdue", -left) % {"n": -left}
    if on <= alert.fires_on or threshold.kind == ThresholdKind.OVERDUE:
        return threshold.words
    if left == 0 or threshold.kind == ThresholdKind.EXTEND:
        return Threshold.of(threshold.kind, days=left).words
    return ngettext("%(n)d day left", "%(n)d days left", left) % {"n": left}


def _alert(notice: Notice, parts: list[Notice], zone: ZoneInfo) -> Words:
    alerts = [one.alert for one in (notice, *parts) if one.alert is not None]
    holding = [alert for alert in alerts if alert.state != AlertState.CANCELLED]
    said = holding or alerts[:1]
    first = said[0]
    return Words(
        head=first.reference or f"#{first.upstream_id}",
        url=reverse("dsr.dsr", args=[notice.workspace.slug, first.upstream_id])
        if first.dsr_id is not None and notice.workspace
        else "",
        what=" · ".join(dict.fromkeys(told_of(alert, zone=zone) for alert in said)),
        day=day_of_alert(first, is_both=len(said) > 1),
        why=str(first.get_because_display()),
        remark="" if holding else str(first.get_cancelled_because_display()),
        is_over=not holding,
        is_reference=True,
    )


def _many(notice: Notice, parts: list[Notice], zone: ZoneInfo) -> Words:  # noqa: ARG001
    assert notice.workspace is not None  # noqa: S101  this kind has one
    count, still = int(getattr(notice, "all_parts", 0)), int(getattr(notice, "open_parts", 0))  # counted by the query
    gone = count - still
    return Words(
        head=ngettext("%(n)d deadline at once", "%(n)d deadlines at once", count) % {"n": count},
        url=f"{reverse('alerts.alerts', args=[notice.workspace.slug])}?notice={notice.pk}",
        what=_("Listed in the alerts"),
        why=_("They came together"),
        remark=ngettext("%(n)d of them is over", "%(n)d of them are over", gone) % {"n": gone} if gone else "",
        is_over=not still,
    )


def _stale(notice: Notice, parts: list[Notice], zone: ZoneInfo) -> Words:  # noqa: ARG001
    assert notice.workspace is not None  # noqa: S101  this kind has one
    is_over = notice.ended_at is not None
    since, again = _said(notice, "read_at", zone), _said(notice, "again_at", zone)
    remark = _("Read again at %(time)s") % {"time": again} if again else _("Disabled")
    return Words(
        head=_("Dastra could not be read"),
        url=reverse("board.board", args=[notice.workspace.slug]),
        what=_("Not read since %(time)s") % {"time": since} if since else _("Not read from Dastra yet"),
        why=_("You look after this workspace"),
        remark=remark if is_over else "",
        is_over=is_over,
    )


def _parked(notice: Notice, parts: list[Notice], zone: ZoneInfo) -> Words:  # noqa: ARG001
    is_over = notice.ended_at is not None
    return Words(
        head=_("A background job was stopped three times"),
        url=reverse("jobs.jobs"),
        what=timetable.label(str(notice.facts.get("job", ""))),
        why=_("You look after the portal"),
        remark=_("It has run since") if is_over else "",
        is_over=is_over,
    )


def _said(notice: Notice, name: str, zone: ZoneInfo) -> str:
    """An instant of the notice as `02:10` where it was on the day of the notice, else with the date."""
    value = notice.facts.get(name)
    if not value:
        return ""
    at, told_at = datetime.fromisoformat(value).astimezone(zone), notice.created_at.astimezone(zone)
    return date_format(at, "H:i" if at.date() == told_at.date() else _("j M H:i"))


_WRITERS: dict[NoticeKind, Callable[[Notice, list[Notice], ZoneInfo], Words]] = {
    NoticeKind.ALERT: _alert,
    NoticeKind.MANY: _many,
    NoticeKind.STALE: _stale,
    NoticeKind.PARKED: _parked,
}
