"""Who did what and when, as a page and as a file. Called by `views.audit`; the log itself is written by the actions and never changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from dsrportal.models import AuditEvent, User, Workspace
from dsrportal.models.audit import Operation
from dsrportal.models.outbox import WishState
from dsrportal.queries.detail_timeline import moment
from dsrportal.queries.spreadsheet import Cell

PER_PAGE = 50
LONGEST_SEARCH = 40
LARGEST_ID = 2**63 - 1


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditQuestion:
    """What is asked of the log: each part may be empty. `q` is the beginning of a reference; `since` and `until` are days, both included; `before` is
    the key of the line after which to go on."""

    workspace_id: int | None = None
    operation: str = ""
    person_id: int | None = None
    q: str = ""
    since: date | None = None
    until: date | None = None
    before: int | None = None

    def query(self, **changes: object) -> str:
        """As a query string."""
        values = {
            "workspace": self.workspace_id,
            "operation": self.operation,
            "person": self.person_id,
            "q": self.q,
            "since": self.since,
            "until": self.until,
        }
        return urlencode({name: value for name, value in {**values, **changes}.items() if value not in (None, "")})


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditRow:
    """One line in words. `machine_at` is ISO 8601; `request_url` is empty where there is no request to look at."""

    at: str
    machine_at: str
    who: str
    what: str
    place: str
    reference: str
    request_url: str
    outcome: str


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditPage:
    """A page of the log, newest first; `next_url` where it goes on."""

    rows: list[AuditRow]
    people: list[tuple[int, str]]
    operations: list[tuple[str, str]]
    next_url: str


def page(workspaces: list[Workspace], *, question: AuditQuestion) -> AuditPage:
    """Three queries. Lines without a workspace (signing in) are those of the workspaces' people."""
    lines = list(_lines(workspaces, question=question)[: PER_PAGE + 1])
    more = lines[PER_PAGE:]
    people = User.objects.filter(memberships__workspace__in=workspaces).distinct()
    named = sorted(((one.pk, one.display_name()) for one in people), key=lambda pair: pair[1].casefold())
    next_query = question.query(before=lines[PER_PAGE - 1].pk) if more else ""
    return AuditPage(
        rows=[_row(line) for line in lines[:PER_PAGE]],
        people=named,
        operations=sorted(((one.value, str(one.label)) for one in Operation), key=lambda pair: pair[1]),
        next_url=f"{reverse('audit.audit')}?{next_query}" if next_query else "",
    )


def table(workspaces: list[Workspace], *, question: AuditQuestion) -> Iterator[list[Cell]]:
    """All that is asked for as rows of a table, the first with the names; read in pieces. Instants are ISO 8601."""
    yield [_("When"), _("Who"), _("What"), _("Workspace"), _("Request"), _("Outcome")]
    for line in _lines(workspaces, question=question).iterator(chunk_size=2000):
        row = _row(line)
        yield [row.machine_at, row.who, row.what, row.place, row.reference, row.outcome]


def _lines(workspaces: list[Workspace], *, question: AuditQuestion) -> QuerySet[AuditEvent]:
    mine = [one for one in workspaces if question.workspace_id in (None, one.pk)]
    # Keys grow with time: the order of writing, which no clock can turn round.
    lines = AuditEvent.objects.select_related("by", "workspace").order_by("-pk")
    if question.workspace_id is None:
        of_people = Q(workspace=None, by__memberships__workspace__in=workspaces)
        lines = lines.filter(pk__in=AuditEvent.objects.filter(Q(workspace__in=mine) | of_people).values("pk"))
    else:
        lines = lines.filter(workspace__in=mine)
    if question.operation:
        lines = lines.filter(operation=question.operation)
    if question.person_id is not None:
        lines = lines.filter(by_id=question.person_id)
    if question.q:
        lines = lines.filter(reference__istartswith=question.q)
    if question.since:
        lines = lines.filter(at__gte=_begin(question.since))
    if question.until:
        lines = lines.filter(at__lt=_begin(question.until + timedelta(days=1)))
    return lines if question.before is None else lines.filter(pk__lt=question.before)


def _begin(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=ZoneInfo(settings.TIME_ZONE))


def _row(line: AuditEvent) -> AuditRow:
    place = line.workspace
    zone = ZoneInfo(place.time_zone if place else settings.TIME_ZONE)
    is_request = place is not None and line.upstream_id is not None
    reference = line.reference or (f"#{line.upstream_id}" if line.upstream_id is not None else "")
    return AuditRow(
        at=moment(line.at, zone=zone),
        machine_at=line.at.isoformat(),
        who=line.by.display_name() if line.by else _("The portal"),
        what=_label(line.operation),
        place=place.name if place else "",
        reference=reference,
        request_url=reverse("dsr.dsr", args=[place.slug, line.upstream_id]) if place and is_request else "",
        outcome=_outcome(line.outcome),
    )


def _label(operation: str) -> str:
    return str(Operation(operation).label) if operation in Operation.values else operation


def _outcome(code: str) -> str:
    return str(WishState(code).label) if code in WishState.values else code
