"""Who was told of a request's dates, and who looked at what the person wrote, as events of its timeline. Called by `queries.detail`; never writes.

Managers, admins and auditors see everybody's; everyone else sees their own alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dsrportal.models import Alert, AuditEvent, DataSubjectRequest, Membership
from dsrportal.models.audit import Operation
from dsrportal.queries.alerts import READING_ROLES
from dsrportal.queries.notice_words import told_of
from dsrportal.queries.timeline_event import Event

MOST_ALERTS = 50
MOST_READS = 200


def events(dsr: DataSubjectRequest, *, viewer: Membership, zone: ZoneInfo) -> Iterator[Event]:
    """Two queries."""
    yield from _alerts(dsr, viewer=viewer, zone=zone)
    yield from _reads(dsr, viewer=viewer, zone=zone)


def _alerts(dsr: DataSubjectRequest, *, viewer: Membership, zone: ZoneInfo) -> Iterator[Event]:
    found = Alert.objects.filter(dsr=dsr)
    if viewer.role not in READING_ROLES:
        found = found.filter(person_id=viewer.user_id)
    for alert in found.select_related("person").order_by("-raised_at", "-pk")[:MOST_ALERTS]:
        day = {"clock": alert.get_clock_display(), "day": date_format(alert.due_on, _("D j M Y"))}
        yield Event(
            at=alert.raised_at,
            kind="alerts",
            icon="bell",
            text=_("%(name)s was told") % {"name": alert.person.display_name()},
            remark=f"{_('%(clock)s %(day)s') % day} · {told_of(alert, zone=zone)} · {alert.get_state_display()}",
        )


@dataclass(slots=True)
class _Look:
    """One person's looks of one kind on one day; `at` is the latest."""

    operation: str
    by_id: int | None
    on: date
    at: datetime
    name: str
    count: int = 1


def _reads(dsr: DataSubjectRequest, *, viewer: Membership, zone: ZoneInfo) -> Iterator[Event]:
    lines = AuditEvent.objects.filter(
        workspace_id=dsr.workspace_id,
        upstream_id=dsr.upstream_id,
        operation__in=[Operation.OPEN, Operation.DOWNLOAD],
    )
    if viewer.role not in READING_ROLES:
        lines = lines.filter(by_id=viewer.user_id)
    looks: dict[tuple[str, int | None, date], _Look] = {}
    for line in lines.select_related("by").order_by("-at", "-pk")[:MOST_READS]:
        on = line.at.astimezone(zone).date()
        look = looks.get((line.operation, line.by_id, on))
        if look:
            look.count += 1
            continue
        name = line.by.display_name() if line.by else ""
        looks[line.operation, line.by_id, on] = _Look(line.operation, line.by_id, on, line.at, name)
    for look in looks.values():
        is_file = look.operation == Operation.DOWNLOAD
        text = _("Saved a file") if is_file else _("Read what the person wrote")
        times = ngettext("%(n)d time that day", "%(n)d times that day", look.count) % {"n": look.count}
        yield Event(
            at=look.at,
            kind="reads",
            icon="download" if is_file else "eye",
            text=text,
            by=look.name,
            remark=times if look.count > 1 else "",
        )
