"""What is behind the bell: a person's own notices in all their workspaces, newest first. Called by `views.notices` and the frame."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from dsrportal.models import Notice, User
from dsrportal.models.alerts import AlertState
from dsrportal.queries.detail_timeline import moment

PER_PAGE = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class NoticeRow:
    """One notice. `over` says why it no longer matters, else it is empty."""

    reference: str
    url: str
    place: str
    what: str
    day: str
    because: str
    at: str
    machine: str
    is_unread: bool
    over: str


@dataclass(frozen=True, kw_only=True, slots=True)
class NoticesPage:
    """A page of notices. `newest` is the key of the latest notice there is, 0 for none: what came later is not marked as read with the page."""

    rows: list[NoticeRow]
    newest: int
    unread: int
    first: int
    last: int
    total: int
    previous_url: str
    next_url: str


def unread_count(person: User, *, workspace_ids: Collection[int]) -> int:
    """How many notices the person has not read; what was cancelled needs no reading. One query."""
    return _unread(person, workspace_ids=workspace_ids).count()


def page(person: User, *, workspace_ids: Collection[int], number: int) -> NoticesPage:
    """Four queries. `number` counts pages from 1 and is clamped. What belongs to a workspace that the person has left is not shown."""
    notices = Notice.objects.filter(person=person, alert__workspace__in=workspace_ids).order_by("-created_at", "-pk")
    total = notices.count()
    last_page = max((total + PER_PAGE - 1) // PER_PAGE, 1)
    number = min(max(number, 1), last_page)
    first = (number - 1) * PER_PAGE
    found = list(notices.select_related("alert__workspace")[first : first + PER_PAGE])
    newest = notices.order_by("-pk").values_list("pk", flat=True).first()
    url = reverse("notices.notices")
    return NoticesPage(
        rows=[_row(notice) for notice in found],
        newest=newest or 0,
        unread=unread_count(person, workspace_ids=workspace_ids),
        first=first + 1 if found else 0,
        last=first + len(found),
        total=total,
        previous_url=f"{url}?page={number - 1}" if number > 1 else "",
        next_url=f"{url}?page={number + 1}" if number < last_page else "",
    )


def _unread(person: User, *, workspace_ids: Collection[int]) -> QuerySet[Notice]:
    mine = Notice.objects.filter(person=person, read_at=None, alert__workspace__in=workspace_ids)
    return mine.exclude(alert__state=AlertState.CANCELLED)


def _row(notice: Notice) -> NoticeRow:
    alert = notice.alert
    is_over = alert.state == AlertState.CANCELLED
    has_request = alert.dsr_id is not None
    return NoticeRow(
        reference=alert.reference or f"#{alert.upstream_id}",
        url=reverse("dsr.dsr", args=[alert.workspace.slug, alert.upstream_id]) if has_request else "",
        place=alert.workspace.name,
        what=str(alert.get_threshold_display()),
        day=_("%(clock)s %(day)s") % {"clock": alert.get_clock_display(), "day": date_format(alert.due_on, "D j M Y")},
        because=str(alert.get_because_display()),
        at=moment(notice.created_at, zone=ZoneInfo(alert.workspace.time_zone)),
        machine=notice.created_at.isoformat(),
        is_unread=notice.read_at is None and not is_over,
        over=str(alert.get_cancelled_because_display()) if is_over else "",
    )
