"""The ledger of a workspace's alerts as a page: what was sent to whom or to which channel, when and why, and what was cancelled and why. Called by
`views.alerts`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.db.models import CharField, Count, Q, QuerySet, Value
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from dsrportal.models import Alert, Channel, ChannelAlert, Membership, Role, User, Workspace
from dsrportal.models.alerts import AlertState, Because
from dsrportal.queries.channels import failure_words
from dsrportal.queries.detail_timeline import moment
from dsrportal.queries.freshness import clock_time
from dsrportal.queries.notice_words import told_of

PER_PAGE = 50
LONGEST_SEARCH = 40
SHOWN = ("all", *AlertState.values)
_ICONS = {
    AlertState.WAITING: "hourglass",
    AlertState.SENT: "circle-check",
    AlertState.PORTAL: "bell",
    AlertState.AWAY: "bell",
    AlertState.MUTED: "bell",
    AlertState.DRY: "eye",
    AlertState.CANCELLED: "undo-2",
}
RARE = frozenset({AlertState.AWAY, AlertState.MUTED, AlertState.DRY})
"""States that many workspaces never have; no tab for them while there is nothing in it."""
_ALL = gettext_lazy("All")
READING_ROLES = frozenset({Role.MANAGER, Role.ADMIN, Role.AUDITOR})
"""Who sees what others were told; everybody else sees their own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AlertTab:
    """One state with the number of alerts in it."""

    label: str
    url: str
    count: int
    is_current: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class AlertRow:
    """One alert in words."""

    reference: str
    request_url: str
    what: str
    day: str
    person: str
    because: str
    raised_at: str
    machine: str
    state: str
    icon: str
    more: str


@dataclass(frozen=True, kw_only=True, slots=True)
class AlertsPage:
    """A page of the ledger; `people` are those who were told, and the channels (their keys after a `c`), each as (key, name, is chosen); empty for
    who sees only their own."""

    tabs: list[AlertTab]
    rows: list[AlertRow]
    people: list[tuple[str, str, bool]]
    q: str
    show: str
    notice_id: int | None
    first: int
    last: int
    total: int
    previous_url: str
    next_url: str


def page(
    workspace: Workspace,
    *,
    viewer: Membership,
    show: str,
    q: str,
    person_id: int | None,
    number: int,
    channel_id: int | None = None,
    notice_id: int | None = None,
) -> AlertsPage:
    """Three queries, two more for who sees what everybody was told, three more where there are channels. `show` is one of `SHOWN`; `q` is a part of a
    reference; `number` counts pages from 1 and is clamped. `notice_id` is a notice of the viewer's own: then it is what that one tells of, alone.
    `channel_id`: what that channel was told, alone."""
    sees_all = viewer.role in READING_ROLES
    channels = list(Channel.objects.filter(workspace=workspace).order_by("name")) if sees_all else []
    alerts, posted = Alert.objects.filter(workspace=workspace), ChannelAlert.objects.filter(channel__in=channels)
    if channel_id is not None and channels:
        alerts, posted = alerts.none(), posted.filter(channel_id=channel_id)
    elif person_id is not None or notice_id is not None:
        posted = posted.none()
    if not sees_all:
        alerts = alerts.filter(person_id=viewer.user_id)
    elif person_id is not None:
        alerts = alerts.filter(person_id=person_id)
    if notice_id is not None:
        told = Q(notice__part_of=notice_id) | Q(notice__part_of__part_of=notice_id)
        alerts = alerts.filter(told, person_id=viewer.user_id)
    if q:
        alerts, posted = alerts.filter(reference__icontains=q), posted.filter(reference__icontains=q)
    by_state = {"all": Count("pk"), **{s: Count("pk", filter=Q(state=s)) for s in AlertState.values}}
    counts = alerts.aggregate(**by_state)
    if channels:
        counts = {name: counts[name] + count for name, count in posted.aggregate(**by_state).items()}

    def address(name: str = show, *, page: int = 1) -> str:
        wanted = {
            "show": name,
            "q": q,
            "person": f"c{channel_id}" if channel_id else person_id or "",
            "notice": notice_id or "",
            "page": page if page > 1 else "",
        }
        kept = urlencode({key: value for key, value in wanted.items() if value})
        return f"{reverse('alerts.alerts', args=[workspace.slug])}?{kept}"

    total = counts[show]
    last_page = max((total + PER_PAGE - 1) // PER_PAGE, 1)
    number = min(max(number, 1), last_page)
    first = (number - 1) * PER_PAGE
    if show != "all":
        alerts, posted = alerts.filter(state=show), posted.filter(state=show)
    rows = _rows(alerts, posted=posted if channels else None, first=first, workspace=workspace)
    return AlertsPage(
        tabs=[
            AlertTab(label=_label(name), url=address(name), count=counts[name], is_current=name == show)
            for name in SHOWN
            if name not in RARE or counts[name] or name == show
        ],
        rows=rows,
        people=_people(workspace, channels=channels, chosen=f"c{channel_id}" if channel_id else str(person_id))
        if sees_all
        else [],
        q=q,
        show=show,
        notice_id=notice_id,
        first=first + 1 if rows else 0,
        last=first + len(rows),
        total=total,
        previous_url=address(page=number - 1) if number > 1 else "",
        next_url=address(page=number + 1) if number < last_page else "",
    )


def _label(name: str) -> str:
    return str(_ALL if name == "all" else AlertState(name).label)


def _people(workspace: Workspace, *, channels: list[Channel], chosen: str) -> list[tuple[str, str, bool]]:
    """Whoever was ever told something here, and the channels."""
    told = User.objects.filter(alerts__workspace=workspace).distinct().order_by("username")
    found = [(str(person.pk), person.display_name()) for person in told]
    found += [(f"c{channel.pk}", channel.name) for channel in channels]
    return [(key, name, key == chosen) for key, name in found]


def _rows(
    alerts: QuerySet[Alert], *, posted: QuerySet[ChannelAlert] | None, first: int, workspace: Workspace
) -> list[AlertRow]:
    """The latest from `first` on; `posted` is what channels were told, None where there are none."""
    zone = ZoneInfo(workspace.time_zone)
    alerts = alerts.select_related("person", "mail", "stands_in_for")
    if posted is None:
        latest = alerts.order_by("-raised_at", "-pk")[first : first + PER_PAGE]
        return [_row(alert, zone=zone, workspace=workspace) for alert in latest]
    both = (
        _keys(alerts, who="person").union(_keys(posted, who="channel"), all=True).order_by("-raised_at", "-pk", "who")
    )
    keys = list(both[first : first + PER_PAGE])
    people = alerts.in_bulk([pk for _at, pk, who in keys if who == "person"])
    told = posted.select_related("channel", "message").in_bulk([pk for _at, pk, who in keys if who == "channel"])
    found = [people.get(pk) if who == "person" else told.get(pk) for _at, pk, who in keys]
    return [_row(alert, zone=zone, workspace=workspace) for alert in found if alert is not None]


def _keys(alerts: QuerySet[Any], *, who: str) -> QuerySet[Any, Any]:
    marked: QuerySet[Any, Any] = alerts.order_by().annotate(who=Value(who, output_field=CharField()))
    return marked.values_list("raised_at", "pk", "who")


def _row(alert: Alert | ChannelAlert, *, zone: ZoneInfo, workspace: Workspace) -> AlertRow:
    return AlertRow(
        reference=alert.reference or f"#{alert.upstream_id}",
        request_url=reverse("dsr.dsr", args=[workspace.slug, alert.upstream_id]) if alert.dsr_id else "",
        what=told_of(alert, zone=zone),
        day=_("%(clock)s %(day)s")
        % {"clock": alert.get_clock_display(), "day": date_format(alert.due_on, _("D j M Y"))},
        person=alert.person.display_name() if isinstance(alert, Alert) else alert.channel.name,
        because=_because(alert) if isinstance(alert, Alert) else str(alert.channel.get_kind_display()),
        raised_at=moment(alert.raised_at, zone=zone),
        machine=alert.raised_at.isoformat(),
        state=str(alert.get_state_display()),
        icon=_ICONS[AlertState(alert.state)],
        more=_more(alert, zone=zone),
    )


def _because(alert: Alert) -> str:
    if alert.stands_in_for is None:
        return str(alert.get_because_display())
    name = alert.stands_in_for.display_name()
    if alert.because == Because.DEPUTY:
        return _("Stands in for %(name)s") % {"name": name}
    return _("%(name)s is away") % {"name": name}


def _more(alert: Alert | ChannelAlert, *, zone: ZoneInfo) -> str:
    """What is to be said beside the state."""
    carrier = alert.mail if isinstance(alert, Alert) else alert.message
    if alert.state == AlertState.CANCELLED:
        return str(alert.get_cancelled_because_display())
    if alert.state == AlertState.SENT and alert.sent_at and carrier:
        how = {"kind": carrier.get_kind_display(), "time": moment(alert.sent_at, zone=zone)}
        told = _("%(kind)s, %(time)s") % how
        if not alert.was_unchecked:
            return told
        since = clock_time(alert.unchecked_since, now=alert.sent_at) if alert.unchecked_since else _("the beginning")
        return f"{told} · {_('not checked since %(time)s') % {'time': since}}"
    return _delay(alert) if alert.state == AlertState.WAITING else ""


def _delay(alert: Alert | ChannelAlert) -> str:
    """Why it still waits, where that is not only for its hour."""
    if isinstance(alert, Alert):
        error = alert.mail.last_error if alert.mail else ""
        return _("The mail server did not take it yet: %(error)s") % {"error": error} if error else ""
    if not alert.channel.is_enabled:
        return _("The channel is disabled.")
    error = alert.message.last_error if alert.message else ""
    return failure_words(error) if error else ""
