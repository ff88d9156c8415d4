"""The lists of My day: which requests stand in each, how many they are, and the register that shows exactly those. Called by `my_day`.

Each list is a question to the register, one for each workspace, so that both cannot differ. One query counts all lists, one more
reads the first rows of each, however many workspaces there are.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db.models import Count, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from dsrportal.models import DataSubjectRequest, Membership
from dsrportal.queries import register_filters
from dsrportal.queries.my_day_places import Place
from dsrportal.queries.register import COUNT_CAP
from dsrportal.queries.register_chips import address
from dsrportal.queries.register_filters import RegisterFilters
from dsrportal.queries.register_spans import Spans

CAP = 8
"""How many rows of a list are shown."""


class Key(StrEnum):
    """The lists, in the order in which they are worked through."""

    ACT = "act"
    DECIDE = "decide"
    WAITING = "waiting"
    UNKNOWN = "unknown"
    NEWS = "news"
    NOBODYS = "nobodys"
    TEAM = "team"


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """One list: the rows that are shown, and by the key of its workspace how many there are, and where the register shows them all."""

    rows: list[DataSubjectRequest]
    counts: dict[int, int]
    urls: dict[int, str]
    questions: dict[int, str]

    @property
    def number(self) -> int:
        """How many there are in all workspaces."""
        return sum(self.counts.values())


@dataclass(frozen=True, kw_only=True, slots=True)
class Lists:
    """All lists that the person has. `next_on` is the next legal date beyond what is to be done today, `next_paused_on` the first one that would
    come if no clock stood still; None where there is none."""

    by_key: dict[Key, Found]
    next_on: date | None
    next_paused_on: date | None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Part:
    """One list in one workspace."""

    key: Key
    place: Place
    filters: RegisterFilters
    rows: QuerySet[DataSubjectRequest]

    @property
    def first(self) -> QuerySet[DataSubjectRequest]:
        """The rows in the list's order."""
        if self.key == Key.NEWS:
            return self.rows.order_by(Coalesce("updated_at", "created_at").desc(), "-pk")
        return self.rows.order_by("clock_rank", "clock_on", "pk")


def lists_of(places: Sequence[Place], *, now: datetime) -> Lists:
    """The lists with their counts. At most eight queries."""
    parts = [part for key in Key for place in places if (part := _part(key, place=place, now=now)) is not None]
    later = [_part(Key.ACT, place=place, now=now, is_beyond=True) for place in places]
    asked: dict[str, Any] = {f"n{at}": _count(part.rows) for at, part in enumerate(parts)}
    asked |= {f"next{at}": _first_on(part.rows) for at, part in enumerate(later) if part is not None}
    asked |= {f"paused{at}": _first_on(part.rows) for at, part in enumerate(parts) if part.key == Key.WAITING}
    told = _ask(places, asked=asked)
    by_key = {
        key: _found(
            [(part, told[f"n{at}"] or 0) for at, part in enumerate(parts) if part.key == key],
        )
        for key in Key
        if any(part.key == key for part in parts)
    }
    return Lists(
        by_key=by_key,
        next_on=_least(on for name, on in told.items() if name.startswith("next")),
        next_paused_on=_least(on for name, on in told.items() if name.startswith("paused")),
    )


def _part(key: Key, *, place: Place, now: datetime, is_beyond: bool = False) -> _Part | None:
    """The question of a list in a workspace; None where the person has no such list there. `is_beyond` asks for what runs after it."""
    membership = place.membership
    filters: RegisterFilters | None = None
    own = _OWN[key]
    if key in {Key.ACT, Key.TEAM}:
        spans = Spans(due_from=_after(place)) if is_beyond else Spans(due_to=place.act_until)
        filters = RegisterFilters(spans=spans)
        if key == Key.TEAM and (place.is_everybodys or not membership.may_manage):
            return None
    elif key == Key.DECIDE:
        filters = RegisterFilters(clocks=("extend",), spans=Spans(due_from=_after(place)))
    elif key == Key.WAITING:
        filters = RegisterFilters(clocks=("paused",))
    elif key == Key.UNKNOWN:
        filters = RegisterFilters(clocks=("unknown",))
    elif key == Key.NEWS and place.since is not None:
        spans = Spans(changed_since=place.since, not_by=membership.user_id)
        filters = RegisterFilters(spans=spans, sort_by="dateUpdate", asc=False)
    elif key == Key.NOBODYS and membership.may_act:
        filters = RegisterFilters(unassigned=True, spans=Spans(is_open=True))
    if filters is None:
        return None
    condition = register_filters.condition(workspace=place.workspace, filters=filters, search=None, now=now)
    if own is not None and place.own:  # by key: the register's own way joins the assignees
        condition &= own(place.own)
        filters = replace(filters, users=tuple(place.own.values()), unassigned=key == Key.NEWS)
    return _Part(key=key, place=place, filters=filters, rows=DataSubjectRequest.objects.filter(condition))


def _theirs(own: Collection[int]) -> Q:
    return Q(operator__in=tuple(own))


def _theirs_or_nobodys(own: Collection[int]) -> Q:
    return Q(operator__in=tuple(own)) | Q(operator=None)


_OWN: dict[Key, Callable[[Collection[int]], Q] | None] = {
    Key.ACT: _theirs,
    Key.DECIDE: _theirs,
    Key.WAITING: _theirs,
    Key.UNKNOWN: _theirs,
    Key.NEWS: _theirs_or_nobodys,
    Key.NOBODYS: None,
    Key.TEAM: None,
}


def _after(place: Place) -> date:
    return place.act_until + timedelta(days=1)


def _found(counted: Sequence[tuple[_Part, int]]) -> Found:
    parts = [part for part, number in counted if number]
    rows: list[DataSubjectRequest] = []
    if parts:
        wanted = Q()
        for part in parts:
            wanted |= Q(pk__in=part.first.values("pk")[:CAP])
        rows = list(DataSubjectRequest.objects.filter(wanted).select_related("step", "operator"))
        rows = _in_order(rows, key=parts[0].key)[:CAP]
    return Found(
        rows=rows,
        counts={part.place.workspace.pk: number for part, number in counted},
        urls={part.place.workspace.pk: _url(part, number=number) for part, number in counted},
        questions={part.place.workspace.pk: part.filters.query_string() for part, _number in counted},
    )


def _in_order(rows: list[DataSubjectRequest], *, key: Key) -> list[DataSubjectRequest]:
    if key == Key.NEWS:
        return sorted(rows, key=lambda dsr: (news_at(dsr), dsr.pk), reverse=True)
    return sorted(rows, key=lambda dsr: (dsr.clock_rank, dsr.clock_on, dsr.pk))


def news_at(dsr: DataSubjectRequest) -> datetime:
    """When Dastra had the last news of a request."""
    at = dsr.updated_at or dsr.created_at
    assert at is not None  # noqa: S101  what has neither date is no news
    return at


def _url(part: _Part, *, number: int) -> str:
    return address(part.place.register_url, filters=replace(part.filters, count=number > COUNT_CAP))


def _count(rows: QuerySet[DataSubjectRequest]) -> Subquery:
    return Subquery(rows.order_by().values("workspace").annotate(number=Count("pk")).values("number"))


def _first_on(rows: QuerySet[DataSubjectRequest]) -> Subquery:
    return Subquery(rows.order_by("clock_rank", "clock_on", "pk").values("clock_on")[:1])


def _ask(places: Sequence[Place], *, asked: dict[str, Any]) -> dict[str, Any]:
    """All numbers and days in one query, on a row that surely is there. One query."""
    if not places:
        return {}
    membership = Membership.objects.filter(pk=places[0].membership.pk)
    return membership.values(**asked).first() or dict.fromkeys(asked)


def _least(days: Iterable[date | None]) -> date | None:
    return min((on for on in days if on is not None), default=None)
