"""What goes behind the bell: one notice for each person and key, however often it is told. Called by `raising.py`, by jobs, by whatever finds
something that a person should know. Never sends anything; the words are made where they are read (`queries.notice_words`)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import TypeAlias

from django.db import transaction
from django.db.models import Count, Q

from dsrportal.models import Alert, Membership, Notice, Role, User, Workspace
from dsrportal.models.alerts import AlertClock, NoticeKind

MOST_AT_ONCE = 10
AT_ONCE = timedelta(minutes=15)
BATCH = 500

Facts: TypeAlias = Mapping[str, str | int]
"""Ids, codes, counts, instants in ISO 8601. Never a name, an address or a text of anybody."""


def tell(
    people: Iterable[User],
    *,
    kind: NoticeKind,
    key: str,
    now: datetime,
    workspace: Workspace | None = None,
    facts: Facts | None = None,
) -> int:
    """Put one notice behind the bell of each of `people` who has none with this `key` yet; returns for how many it is new.

    `key` says what it is about (`stale:3:2026-03-10T07:30:00+00:00`), at most 120 characters. Told again, or by two at once, nothing happens;
    a notice that was read stays read. A new kind needs its words in `queries.notice_words`.
    """
    wanted = {person.pk for person in people}
    with transaction.atomic():
        told = set(Notice.objects.filter(key=key, person__in=wanted).values_list("person_id", flat=True))
        new = [
            Notice(person_id=pk, kind=kind, key=key, workspace=workspace, facts=dict(facts or {}), created_at=now)
            for pk in sorted(wanted - told)
        ]
        Notice.objects.bulk_create(new, ignore_conflicts=True)
    return len(new)


def end(*, key: str, now: datetime, facts: Facts | None = None) -> int:
    """What these notices tell of is over: they say so with `facts` beside what they had, and need no reading. Returns how many were open."""
    count = 0
    with transaction.atomic():
        for notice in Notice.objects.select_for_update().filter(key=key, ended_at=None).order_by("pk"):
            notice.facts, notice.ended_at = {**notice.facts, **(facts or {})}, now
            notice.save(update_fields=["facts", "ended_at"])
            count += 1
    return count


def open_keys(*, kind: NoticeKind, workspace: Workspace | None = None) -> set[str]:
    """The keys of what was told of this kind and is not over. One query."""
    open_ones = Notice.objects.filter(kind=kind, ended_at=None, alert=None)
    if workspace is not None:
        open_ones = open_ones.filter(workspace=workspace)
    return set(open_ones.values_list("key", flat=True))


def admins_of(workspace: Workspace) -> list[User]:
    """Who looks after the workspace's connection: its admins, else its managers. Accounts that were closed are told nothing. One query."""
    members = Membership.objects.filter(workspace=workspace, user__is_active=True).select_related("user")
    found = list(members.filter(role__in=(Role.ADMIN, Role.MANAGER)).order_by("user_id"))
    admins = [member.user for member in found if member.role == Role.ADMIN]
    return admins or [member.user for member in found]


def admins() -> list[User]:
    """Who looks after the portal: the admins of any workspace and its operators. One query."""
    is_admin = Q(memberships__role=Role.ADMIN) | Q(is_superuser=True)
    return list(User.objects.filter(is_admin, is_active=True).distinct().order_by("pk"))


def tell_of_alerts(alerts: Collection[Alert], *, workspace: Workspace, now: datetime) -> None:
    """Give each of these stored alerts of one workspace its notice. To be called in their transaction, under the workspace's lock.

    Both clocks of a request for one day are one line: the notice of the date to extend is part of that of the date to answer. A person for whom
    more than ten lines come within a quarter of an hour (the first decision of a workspace, other rules) gets one notice of them all: those not read
    yet become its parts, and the bell counts one.
    """
    Notice.objects.bulk_create(
        Notice(person_id=a.person_id, alert=a, key=f"alert:{a.pk}", workspace=workspace, created_at=now) for a in alerts
    )
    heads: dict[tuple[int, int, date], int] = {}
    for alert in alerts:
        if alert.clock == AlertClock.RESPOND:
            heads[(alert.person_id, alert.upstream_id, alert.due_on)] = alert.pk
    beside = {a.pk: heads.get((a.person_id, a.upstream_id, a.due_on)) for a in alerts if a.clock == AlertClock.EXTEND}
    joined = {pk: head for pk, head in beside.items() if head is not None}
    if joined:
        keys = dict(Notice.objects.filter(alert__in=joined.values()).values_list("alert_id", "pk"))
        parts = list(Notice.objects.filter(alert__in=joined))
        for part in parts:
            part.part_of_id = keys[joined[part.alert_id or 0]]
        Notice.objects.bulk_update(parts, ["part_of"])
    _hold_back_a_flood({alert.person_id for alert in alerts}, workspace=workspace, now=now)


def _hold_back_a_flood(people: Collection[int], *, workspace: Workspace, now: datetime) -> None:
    fresh = Notice.objects.filter(
        Q(part_of=None) | Q(part_of__kind=NoticeKind.MANY),
        kind=NoticeKind.ALERT,
        workspace=workspace,
        read_at=None,
        created_at__gt=now - AT_ONCE,
        created_at__lte=now,
    )
    counted = fresh.filter(person__in=people).order_by().values("person_id").annotate(count=Count("pk"))
    for person_id in list(counted.filter(count__gt=MOST_AT_ONCE).values_list("person_id", flat=True)):
        loose = list(fresh.filter(person_id=person_id, part_of=None).values_list("pk", flat=True))
        gathering = _gathering(person_id, workspace=workspace, now=now)
        for start in range(0, len(loose), BATCH):
            Notice.objects.filter(pk__in=loose[start : start + BATCH]).update(part_of=gathering)


def _gathering(person_id: int, *, workspace: Workspace, now: datetime) -> Notice:
    """The person's notice of what comes at once: that of the last quarter of an hour while it is unread, else a new one."""
    mine = Notice.objects.filter(person_id=person_id, kind=NoticeKind.MANY, workspace=workspace, read_at=None)
    latest = mine.filter(created_at__gt=now - AT_ONCE, created_at__lte=now).order_by("-pk").first()
    if latest is not None:
        return latest
    key = f"many:{workspace.pk}:{now.isoformat()}"
    found, _is_new = Notice.objects.get_or_create(
        person_id=person_id, key=key, defaults={"kind": NoticeKind.MANY, "workspace": workspace, "created_at": now}
    )
    return found
