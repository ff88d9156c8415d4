"""Whether the background jobs succeed when they should, judged from outside of them: by the web process, and before the outside is told that all is
well. Reads the stamps of success; runs nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Exists, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from dsrportal.models import JobHeartbeat, User, Workspace
from dsrportal.queries import notices
from dsrportal.queries.freshness import clock_time
from dsrportal.timetable import SCHEDULED, Deed, Job

SLACK = timedelta(minutes=2)
"""A stamp further ahead than this was made before the clock went back."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Late:
    """A job that has missed three intervals, or its hour. `since`: its last success, or when it was declared if it had none; None when the clock went
    back, so that nobody can say."""

    job: Job
    since: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Standstill:
    """What stands still, in sentences, for the head of every page. `may_look`: the reader finds more on the jobs page."""

    sentences: tuple[str, ...]
    may_look: bool


def late_jobs(*, now: datetime, but: Collection[str] = ()) -> list[Late]:
    """Every job of the timetable that is late, in its order; empty when none is, and when the jobs were never started. Two queries at most.

    While every worker is in the middle of a pull (each renews a lease with every page), what comes every few minutes waits, and is not late.
    """
    found = {row.name: row for row in JobHeartbeat.objects.filter(_is_late(now))}
    late = [job for job in SCHEDULED if job.name in found and job.name not in but]
    if any(job.every_minutes for job in late) and _are_workers_pulling(now):
        late = [job for job in late if job.every_minutes is None]
    return [Late(job=job, since=_since(found[job.name], now=now)) for job in late]


def bell(person: User, *, workspace_ids: Collection[int], now: datetime) -> tuple[int, bool]:
    """How many notices the person has not read, and whether any job may be late (then `standstill` says more). One query."""
    unread = notices.unread(person, workspace_ids=workspace_ids).order_by().values("person")
    count = Coalesce(Subquery(unread.annotate(n=Count("pk")).values("n")), 0)
    is_late = Exists(JobHeartbeat.objects.filter(_is_late(now)))
    row = User.objects.filter(pk=person.pk).values_list(count, is_late).first()
    return (int(row[0]), bool(row[1])) if row else (0, False)


def standstill(*, deeds: Iterable[Deed], may_look: bool, now: datetime) -> Standstill | None:
    """What of `deeds` stands still; None for nothing. Two queries."""
    wanted = set(deeds)
    since = {one.job.deed: one.since for one in late_jobs(now=now) if one.job.deed in wanted}
    sentences = tuple(_sentence(deed, since=since[deed], now=now) for deed in Deed if deed in since)
    return Standstill(sentences=sentences, may_look=may_look) if sentences else None


def _sentence(deed: Deed, *, since: datetime | None, now: datetime) -> str:
    if since is None:
        return {
            Deed.READING: _("Requests are not read from Dastra, because the clock of the server went back."),
            Deed.SENDING: _("Changes are not sent to Dastra, because the clock of the server went back."),
            Deed.TELLING: _("Nobody is told of deadlines, because the clock of the server went back."),
        }[deed]
    words = {
        Deed.READING: _("Requests have not been read from Dastra since %(time)s."),
        Deed.SENDING: _("Changes have not been sent to Dastra since %(time)s."),
        Deed.TELLING: _("Nobody has been told of deadlines since %(time)s."),
    }[deed]
    return words % {"time": clock_time(since, now=now)}


def _since(row: JobHeartbeat, *, now: datetime) -> datetime | None:
    last = row.beat_at or row.since
    return last if last <= now + SLACK else None


def _is_late(now: datetime) -> Q:
    """On stamps: older than three intervals, or than the last hour of a daily job; never made in that time; or made by a clock that was ahead."""
    late = Q()
    for job in SCHEDULED:
        before = job.late_before(now)
        is_old = Q(beat_at__lt=before) | Q(beat_at=None, since__lt=before) | Q(beat_at__gt=now + SLACK)
        late |= Q(name=job.name) & is_old
    return late


def _are_workers_pulling(now: datetime) -> bool:
    pulling = Workspace.objects.filter(lease_until__gt=now, lease_until__lte=now + SLACK).count()
    queue: dict[str, Any] = settings.Q_CLUSTER
    return pulling >= int(queue["workers"])
