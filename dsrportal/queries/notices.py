"""What is behind the bell: a person's own notices in all their workspaces, newest first. Called by `views.notices` and the frame."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.urls import reverse

from dsrportal.models import Notice, User
from dsrportal.models.alerts import AlertState, NoticeKind
from dsrportal.queries.detail_timeline import moment
from dsrportal.queries.notice_words import Words, words_of

PER_PAGE = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class NoticeRow:
    """One notice in words. `place` is empty for what concerns the whole portal."""

    words: Words
    place: str
    at: str
    machine: str
    is_unread: bool


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
    """How many notices the person has not read; what is over needs no reading. One query."""
    return unread(person, workspace_ids=workspace_ids).count()


def unread(person: User, *, workspace_ids: Collection[int]) -> QuerySet[Notice]:
    """The notices that the bell counts. A notice that others are part of counts as one, as long as any of them still holds."""
    return _mine(person, workspace_ids=workspace_ids).filter(read_at=None, ended_at=None).exclude(_is_over())


def page(person: User, *, workspace_ids: Collection[int], number: int) -> NoticesPage:
    """Five queries. `number` counts pages from 1 and is clamped. What belongs to a workspace that the person has left is not shown."""
    notices = _mine(person, workspace_ids=workspace_ids).order_by("-created_at", "-pk")
    total = notices.count()
    last_page = max((total + PER_PAGE - 1) // PER_PAGE, 1)
    number = min(max(number, 1), last_page)
    first = (number - 1) * PER_PAGE
    counted = notices.select_related("alert__workspace", "workspace").annotate(
        all_parts=Count("parts"), open_parts=Count("parts", filter=~Q(parts__alert__state=AlertState.CANCELLED))
    )
    shown = list(counted[first : first + PER_PAGE])
    parts: dict[int | None, list[Notice]] = {}
    heads = [notice.pk for notice in shown if notice.kind == NoticeKind.ALERT]
    for part in Notice.objects.filter(part_of__in=heads).select_related("alert"):
        parts.setdefault(part.part_of_id, []).append(part)
    newest = Notice.objects.filter(person=person).order_by("-pk").values_list("pk", flat=True).first()
    url = reverse("notices.notices")
    return NoticesPage(
        rows=[_row(notice, parts=parts.get(notice.pk, [])) for notice in shown],
        newest=newest or 0,
        unread=unread_count(person, workspace_ids=workspace_ids),
        first=first + 1 if shown else 0,
        last=first + len(shown),
        total=total,
        previous_url=f"{url}?page={number - 1}" if number > 1 else "",
        next_url=f"{url}?page={number + 1}" if number < last_page else "",
    )


def _mine(person: User, *, workspace_ids: Collection[int]) -> QuerySet[Notice]:
    is_here = Q(workspace=None) | Q(workspace__in=workspace_ids)
    return Notice.objects.filter(is_here, person=person, part_of=None)


def _is_over() -> Q:
    still = Notice.objects.filter(part_of=OuterRef("pk")).exclude(alert__state=AlertState.CANCELLED)
    is_empty = Q(kind=NoticeKind.MANY) | Q(alert__isnull=False, alert__state=AlertState.CANCELLED)
    return is_empty & Q(~Exists(still))


def _row(notice: Notice, *, parts: list[Notice]) -> NoticeRow:
    zone = ZoneInfo(notice.workspace.time_zone if notice.workspace else settings.TIME_ZONE)
    words = words_of(notice, parts=parts, zone=zone)
    return NoticeRow(
        words=words,
        place=notice.workspace.name if notice.workspace else "",
        at=moment(notice.created_at, zone=zone),
        machine=notice.created_at.isoformat(),
        is_unread=notice.read_at is None and not words.is_over,
    )
