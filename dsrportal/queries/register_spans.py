"""The part of a question to the register that the overview and My day ask: spans of days, verdicts, what is absent, what is new. So each of their
figures has its list.

Used by the register's filters, chips and form. Days are the workspace's own; what they are compared with is stored with the row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, Value
from django.db.models.functions import Coalesce
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from dsrportal.models import DataSubjectRequest, OutboxEntry, Workspace
from dsrportal.models.outbox import WishState
from dsrportal.queries import forecast
from dsrportal.queries.clockmark import short_day

IN_TIME, LATE, UNJUDGED = "in_time", "late", "unjudged"
VERDICTS = (IN_TIME, LATE, UNJUDGED)
FIRST_VERDICTS = (IN_TIME, LATE)
ABSENT = ("area", "right", "step", "receipt")
CLOCKS_DIFFER = timedelta(seconds=15)
"""How far Dastra's clock may be ahead of ours: a change of one's own is still known as such."""
LONGEST_INSTANT = 40
LONGEST_ID = 18

# Field of Spans -> name in the address.
NAMES = {
    "is_open": "open",
    "anywhere": "anywhere",
    "verdict": "verdict",
    "first": "first",
    "absent": "absent",
    "is_at_risk": "risk",
    "due_from": "dueFrom",
    "due_to": "dueTo",
    "received_from": "receivedFrom",
    "received_to": "receivedTo",
    "closed_from": "closedFrom",
    "closed_to": "closedTo",
    "changed_since": "changedSince",
    "not_by": "notBy",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Spans:
    """`is_open`: not closed. `anywhere`: archived ones too. `verdict`: of a closed one, one of `VERDICTS`; `first`: the same by the first period,
    as if there were no pauses and extensions, of open ones too. `absent`: one of `ABSENT`. `is_at_risk`: by the forecast. Days are inclusive.
    `changed_since`: new or changed in Dastra from that moment on; `not_by` leaves out what the account of this number changed last, from here.
    """

    is_open: bool = False
    anywhere: bool = False
    verdict: str = ""
    first: str = ""
    absent: str = ""
    is_at_risk: bool = False
    due_from: date | None = None
    due_to: date | None = None
    received_from: date | None = None
    received_to: date | None = None
    closed_from: date | None = None
    closed_to: date | None = None
    changed_since: datetime | None = None
    not_by: int | None = None

    def pairs(self) -> list[tuple[str, str]]:
        """Names and values for an address; none where nothing is asked."""
        return [(NAMES[name], _text(value)) for name, value in self._asked()]

    def _asked(self) -> Iterator[tuple[str, date | str | bool | int]]:
        for field in fields(self):
            value = getattr(self, field.name)
            if value:
                yield field.name, value


NO_SPANS = Spans()


def read(query: Mapping[str, str]) -> Spans:
    """What an address asks; what makes no sense is left out."""
    values: dict[str, date | str | bool | int | None] = {
        "is_open": _flag(query, "open"),
        "anywhere": _flag(query, "anywhere"),
        "is_at_risk": _flag(query, "risk"),
        "verdict": _one_of(query, "verdict", known=VERDICTS),
        "first": _one_of(query, "first", known=FIRST_VERDICTS),
        "absent": _one_of(query, "absent", known=ABSENT),
    }
    values |= {name: _day(query.get(key, "")) for name, key in NAMES.items() if name.endswith(("_from", "_to"))}
    since = _instant(query.get("changedSince", ""))
    values |= {"changed_since": since, "not_by": _id(query.get("notBy", "")) if since else None}
    return Spans(**values)  # type: ignore[arg-type]


def conditions(spans: Spans, *, workspace: Workspace, today: date) -> Iterator[Q]:
    """The spans as conditions on `DataSubjectRequest`; the forecast takes two queries."""
    rows = DataSubjectRequest
    if spans.is_open:
        yield Q(is_closed=Value(value=False))
    if spans.due_from or spans.due_to:
        yield Q(clock_rank=rows.RUNNING) & _between("clock_on", since=spans.due_from, until=spans.due_to)
    if spans.received_from or spans.received_to:
        yield _between("received_on", since=spans.received_from, until=spans.received_to)
    if spans.closed_from or spans.closed_to:
        yield Q(clock_rank=rows.CLOSED) & _between("closed_on", since=spans.closed_from, until=spans.closed_to)
    if spans.verdict:
        yield Q(clock_rank=rows.CLOSED) & _verdict(spans.verdict)
    if spans.first:
        yield _first(spans.first, today=today)
    if spans.absent:
        yield {"area": Q(area=None), "right": Q(purposes=""), "step": Q(step=None), "receipt": Q(received_on=None)}[
            spans.absent
        ]
    if spans.is_at_risk:
        yield forecast.of_workspace(workspace, today=today).condition(today=today)
    if spans.changed_since:
        yield _changed(spans.changed_since, not_by=spans.not_by, workspace=workspace)


def active(spans: Spans, *, today: date) -> Iterator[tuple[Spans, str, str]]:
    """For each chip: the spans without it, its name and its text."""
    for name, value in _said(spans, today=today):
        yield _without(spans, name=name), *value


def _said(spans: Spans, *, today: date) -> Iterator[tuple[str, tuple[str, str]]]:
    verdicts: dict[str, Callable[[], str]] = {
        IN_TIME: lambda: _("In time"),
        LATE: lambda: _("Late"),
        UNJUDGED: lambda: _("Not known"),
    }
    absent = {"area": _("No area"), "right": _("No right"), "step": _("No step"), "receipt": _("No day of receipt")}
    if spans.is_open:
        yield "is_open", ("", _("Open"))
    if spans.anywhere:
        yield "anywhere", ("", _("Archived ones too"))
    if spans.verdict:
        yield "verdict", (_("Closed"), verdicts[spans.verdict]())
    if spans.first:
        yield "first", (_("Without pauses and extensions"), verdicts[spans.first]())
    if spans.absent:
        yield "absent", ("", absent[spans.absent])
    if spans.is_at_risk:
        yield "is_at_risk", ("", _("Likely to be late"))
    if spans.changed_since:
        at = localtime(spans.changed_since)
        moment = f"{short_day(at.date(), today=today)}, {date_format(at, 'H:i')}"
        name = _("Changed by others since") if spans.not_by else _("Changed since")
        yield "changed", (name, moment)
    for name, label in (("due", _("Respond by")), ("received", _("Received")), ("closed", _("Closed"))):
        since, until = getattr(spans, f"{name}_from"), getattr(spans, f"{name}_to")
        if since or until:
            yield name, (label, _days(since, until=until, today=today))


def _days(since: date | None, *, until: date | None, today: date) -> str:
    if since and until:
        if since == until:
            return short_day(since, today=today)
        return _("%(first)s to %(last)s") % {
            "first": short_day(since, today=today),
            "last": short_day(until, today=today),
        }
    if since:
        return _("from %s") % short_day(since, today=today)
    return _("until %s") % (short_day(until, today=today) if until else "")


def _without(spans: Spans, *, name: str) -> Spans:
    names = ["changed_since", "not_by"] if name == "changed" else [f"{name}_from", f"{name}_to"]
    names = [name] if name in NAMES else names
    kept: dict[str, Any] = {one: getattr(NO_SPANS, one) for one in names}
    return replace(spans, **kept)


def _between(column: str, *, since: date | None, until: date | None) -> Q:
    bounds = {f"{column}__gte": since, f"{column}__lte": until}
    return Q(**{name: day for name, day in bounds.items() if day is not None})


def _verdict(verdict: str) -> Q:
    if verdict == UNJUDGED:
        return Q(late_days=None)
    return Q(late_days__gt=0) if verdict == LATE else Q(late_days__lte=0)


def _first(verdict: str, *, today: date) -> Q:
    """Closed ones by the day of their closing; open ones count from the day they are late."""
    closed, judged = Q(clock_rank=DataSubjectRequest.CLOSED), Q(late_days__isnull=False)
    if verdict == IN_TIME:
        return closed & judged & Q(closed_on__lte=F("extend_by"))
    ticking = Q(clock_rank__in=(DataSubjectRequest.RUNNING, DataSubjectRequest.PAUSED))
    return (closed & judged & Q(closed_on__gt=F("extend_by"))) | (ticking & Q(extend_by__lt=today))


def _changed(since: datetime, *, not_by: int | None, workspace: Workspace) -> Q:
    """Dastra gives no date of change before the first one. Two lists of keys, because an index serves each of them and not the choice between both."""
    rows = DataSubjectRequest.objects.filter(workspace=workspace, archived__in=(False, True))
    changed = rows.filter(updated_at__gte=since)
    fresh = rows.filter(updated_at=None, created_at__gte=since)
    wanted = Q(pk__in=changed.values("pk")) | Q(pk__in=fresh.values("pk"))
    if not_by is None:
        return wanted
    own = OutboxEntry.objects.filter(
        dsr=OuterRef("pk"),
        by=not_by,
        state=WishState.DONE,
        settled_at__gte=Coalesce(OuterRef("updated_at"), OuterRef("created_at")) - CLOCKS_DIFFER,
    )
    return wanted & Q(~Exists(own))


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text.isascii() and len(text) == len("2026-01-01") else None
    except ValueError:
        return None


def _instant(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text) if len(text) <= LONGEST_INSTANT else None
        return moment.astimezone(UTC) if moment and moment.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _id(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= LONGEST_ID else None


def _flag(query: Mapping[str, str], name: str) -> bool:
    return query.get(name, "").lower() in {"true", "1", "on"}


def _one_of(query: Mapping[str, str], name: str, *, known: tuple[str, ...]) -> str:
    return query.get(name, "") if query.get(name, "") in known else ""


def _text(value: date | str | bool | int) -> str:  # noqa: FBT001
    return "true" if value is True else value.isoformat() if isinstance(value, date) else str(value)
