"""The rows of a board's columns: which belong there, in which order, and what comes after a cursor. Called by `queries.board` and its neighbours.

Open work is never left out. A closing shows what was closed within `DONE_DAYS`; what was closed before is a link away.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet, Value

from dsrportal.models import DataSubjectRequest, Workspace

PAGE = 25
DONE_DAYS = 14
RANKS = ("0", "1", "2", "3")
LONGEST_PK = 18
"""Digits that surely are within 64 bits."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Scope:
    """Whose rows, as of when, and which of them: `narrow` is the board's filter, if any."""

    workspace: Workspace
    now: datetime
    narrow: Q | None = None

    @property
    def today(self) -> date:
        """The workspace's own day."""
        return self.now.astimezone(ZoneInfo(self.workspace.time_zone)).date()

    @property
    def done_since(self) -> datetime:
        """The first moment of the days of which a closing shows its requests."""
        day = self.today - timedelta(days=DONE_DAYS)
        return datetime.combine(day, time.min, tzinfo=ZoneInfo(self.workspace.time_zone))

    def rows(self) -> QuerySet[DataSubjectRequest]:
        """The live rows that the filter lets through."""
        found = live(self.workspace)
        return found.filter(self.narrow) if self.narrow is not None else found

    def full_rows(self) -> QuerySet[DataSubjectRequest]:
        """The same with all that a card needs of them."""
        return self.rows().select_related("step", "area", "operator")


def live(workspace: Workspace) -> QuerySet[DataSubjectRequest]:
    """What is not archived. Not `archived=False`: Django writes that as NOT archived, which no index of SQLite serves."""
    return DataSubjectRequest.objects.filter(workspace=workspace, archived__in=[False])


def recent(since: datetime) -> tuple[Q, Q, Q]:
    """What a closing shows: what was closed since, what is open in spite of an older closing date, and what has no closing date."""
    return (
        Q(closed_at__gte=since),
        Q(closed_at__lt=since, is_closed=Value(value=False)),
        Q(closed_at__isnull=True),
    )


def parts(own: QuerySet[DataSubjectRequest], *, closing: bool, since: datetime) -> list[QuerySet[DataSubjectRequest]]:
    """A column's rows in order. A closing shows the newest first; rows without a closing date are a part of their own, because the two
    databases disagree on where such rows sort."""
    if not closing:
        return [own.order_by("clock_rank", "clock_on", "pk")]
    fresh, odd, undated = recent(since)
    newest = ("-closed_at", "-pk")
    return [own.filter(fresh).order_by(*newest), own.filter(odd).order_by(*newest), own.filter(undated).order_by("-pk")]


def in_order(rows: Sequence[DataSubjectRequest], *, closing: bool) -> list[DataSubjectRequest]:
    """Rows of several parts as one column has them."""
    if not closing:
        return sorted(rows, key=lambda dsr: (dsr.clock_rank, dsr.clock_on, dsr.pk))
    oldest = datetime.min.replace(tzinfo=UTC)
    return sorted(rows, key=lambda dsr: (dsr.closed_at or oldest, dsr.pk), reverse=True)


def after(
    own: QuerySet[DataSubjectRequest], *, closing: bool, cursor: str, since: datetime
) -> list[DataSubjectRequest]:
    """The next rows of a column, one more than a page where there are more. A cursor that makes no sense starts at the top."""
    found: list[DataSubjectRequest] = []
    for part in _parts_after(own, closing=closing, cursor=cursor, since=since):
        found += part[: PAGE + 1]
    return in_order(found, closing=closing)[: PAGE + 1]


def _parts_after(
    own: QuerySet[DataSubjectRequest], *, closing: bool, cursor: str, since: datetime
) -> list[QuerySet[DataSubjectRequest]]:
    everything = parts(own, closing=closing, since=since)
    if not closing:
        place = _parse_place(cursor)
        if place is None:
            return everything
        rank, on, pk = place
        beyond = Q(clock_rank__gt=rank) | Q(clock_rank=rank, clock_on__gt=on)
        return [everything[0].filter(beyond | Q(clock_rank=rank, clock_on=on, pk__gt=pk))]
    moment = _parse_moment(cursor)
    if moment is None:
        return everything
    *dated, undated = everything
    at, pk = moment
    if at is None:
        return [undated.filter(pk__lt=pk)]
    return [*(part.filter(Q(closed_at__lt=at) | Q(closed_at=at, pk__lt=pk)) for part in dated), undated]


def _parse_place(text: str) -> tuple[int, date, int] | None:
    """A place in the order by the legal clock."""
    place, _separator, pk = text.partition("~")
    rank, _colon, on = place.partition(":")
    if rank not in RANKS or not (pk.isascii() and pk.isdigit()) or len(pk) > LONGEST_PK:
        return None
    try:
        return int(rank), date.fromisoformat(on), int(pk)
    except ValueError:
        return None


def _parse_moment(text: str) -> tuple[datetime | None, int] | None:
    at, separator, pk = text.partition("~")
    if not separator or not (pk.isascii() and pk.isdigit()) or len(pk) > LONGEST_PK:
        return None
    try:
        moment = datetime.fromisoformat(at) if at else None
    except ValueError:
        return None
    return (moment, int(pk)) if moment is None or moment.tzinfo else None
