"""One request, as its page shows it: clock, facts, person, what has happened, and its neighbours in the list the reader came from.

Called by `views.dsr`. What Dastra alone keeps (message, description) is not here: `actions.reading` reads it through.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dsrportal.models import DataSubjectRequest, Membership, Tag, WorkflowStep, Workspace
from dsrportal.models.rules import policy_of
from dsrportal.queries import (
    clock_panel,
    detail_timeline,
    detail_told,
    ledger,
    repeats,
    vocabulary,
    walk,
    wishes,
    words,
)
from dsrportal.queries.clock_panel import ClockPanel
from dsrportal.queries.register_filters import RegisterFilters, Search
from dsrportal.queries.register_rows import read_identity
from dsrportal.queries.repeats import Repeats
from dsrportal.queries.timeline_event import Timeline
from dsrportal.queries.vocabulary import Vocabulary
from dsrportal.queries.walk import Walk
from dsrportal.queries.wishes import WishView


@dataclass(frozen=True, kw_only=True, slots=True)
class Fact:
    """A line of the facts: its name and its words."""

    name: str
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class StepChoice:
    """A step to move to."""

    upstream_id: int
    label: str
    colour: str
    is_current: bool
    is_final: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class DetailPage:
    """What the templates of a request draw. `action_id` goes into the form of a wish; `seen_…` say what the reader had before them."""

    upstream_id: int
    reference: str
    clock: ClockPanel
    is_closed: bool
    archived: bool
    complex: bool
    rights: str
    step: str
    step_colour: str
    state: str
    facts: list[Fact]
    person: list[Fact]
    is_masked: bool
    is_identity_forgotten: bool
    repeats: Repeats
    tags: list[Tag]
    timeline: Timeline
    steps: list[StepChoice]
    next_step: StepChoice | None
    walk: Walk
    wish: WishView | None
    action_id: str
    seen_step: str
    seen_updated_at: str
    mirrored: str
    known: Vocabulary


def find(workspace: Workspace, *, upstream_id: int) -> DataSubjectRequest | None:
    """The mirrored request with this id in Dastra, in this workspace. One query."""
    found = DataSubjectRequest.objects.filter(workspace=workspace, upstream_id=upstream_id)
    return found.select_related("operator", "area").first()


def page(
    dsr: DataSubjectRequest,
    *,
    workspace: Workspace,
    viewer: Membership,
    filters: RegisterFilters,
    search: Search | None,
    now: datetime,
    show: str = "",
    shows_all: bool = False,
) -> DetailPage:
    """At most twenty-two queries. `filters` and `search` are the list that the reader came from; `show` and `shows_all` say which events."""
    known = vocabulary.of_workspace(workspace)
    recorded = ledger.of_request(dsr)
    zone = ZoneInfo(workspace.time_zone)
    step = known.steps.get(dsr.step_id) if dsr.step_id else None
    steps = _steps(known, current=step)
    events = [
        *detail_timeline.events(dsr, recorded=recorded, viewer=viewer, known=known, zone=zone),
        *detail_told.events(dsr, viewer=viewer, zone=zone),
    ]
    return DetailPage(
        upstream_id=dsr.upstream_id,
        reference=dsr.reference or f"#{dsr.upstream_id}",
        clock=clock_panel.of_request(dsr, recorded=recorded, workspace=workspace, policy=policy_of(workspace), now=now),
        is_closed=dsr.is_closed,
        archived=dsr.archived,
        complex=dsr.complex,
        rights=words.rights(dsr.purposes),
        step=step.label if step else "",
        step_colour=step.color if step else "",
        state=words.state(dsr.state),
        facts=list(_facts(dsr, known=known, zone=zone)),
        person=_person(dsr, viewer=viewer),
        is_masked=not viewer.may_see_identity,
        is_identity_forgotten=dsr.identity_forgotten_at is not None,
        repeats=repeats.of_request(dsr, workspace=workspace) if viewer.may_see_identity else Repeats(),
        tags=[known.tags[upstream_id] for upstream_id in dsr.tag_id_list() if upstream_id in known.tags],
        timeline=detail_timeline.timeline(
            events, show=show, shows_all=shows_all, came_from=filters.query_string(), zone=zone
        ),
        steps=steps,
        next_step=_next_step(steps),
        walk=walk.of_list(dsr, workspace=workspace, filters=filters, search=search, known=known, now=now),
        wish=wishes.of_request(dsr, slug=workspace.slug, viewer=viewer, now=now),
        action_id=str(uuid.uuid4()),
        seen_step=str(step.upstream_id) if step else "",
        seen_updated_at=dsr.updated_at.isoformat() if dsr.updated_at else "",
        mirrored=detail_timeline.moment(dsr.mirrored_at, zone=zone),
        known=known,
    )


def _steps(known: Vocabulary, *, current: WorkflowStep | None) -> list[StepChoice]:
    return [
        StepChoice(
            upstream_id=step.upstream_id,
            label=step.label,
            colour=step.color,
            is_current=current is not None and step.pk == current.pk,
            is_final=step.is_final,
        )
        for step in known.steps.values()
        if not step.is_gone or step == current
    ]


def _next_step(steps: list[StepChoice]) -> StepChoice | None:
    here = next((place for place, step in enumerate(steps) if step.is_current), None)
    return steps[here + 1] if here is not None and here + 1 < len(steps) else None


def _facts(dsr: DataSubjectRequest, *, known: Vocabulary, zone: ZoneInfo) -> Iterator[Fact]:
    area = known.areas.get(dsr.area_id) if dsr.area_id else None
    messages = ngettext("%(n)d message", "%(n)d messages", dsr.message_count) % {"n": dsr.message_count}
    if dsr.unread_message_count:
        messages += ", " + _("%(n)d unread") % {"n": dsr.unread_message_count}
    yield Fact(name=_("Rights"), text=words.rights(dsr.purposes))
    yield Fact(name=_("State"), text=words.state(dsr.state))
    yield Fact(name=_("Assignee"), text=known.shown_operator(dsr.operator_id) or _("Unassigned"))
    yield Fact(name=_("Area"), text=area.label if area else _("None"))
    yield Fact(name=_("Channel"), text=words.channel(dsr.channel))
    yield Fact(name=_("Received"), text=_day(dsr.received_at, zone=zone))
    yield Fact(name=_("Messages"), text=messages)
    if dsr.last_message_at:
        yield Fact(name=_("Last message"), text=_day(dsr.last_message_at, zone=zone))
    yield Fact(name=_("E-mail"), text=_("Confirmed") if dsr.mail_validated else _("Not confirmed"))
    identity = _("Proven %(date)s") % {"date": _day(dsr.identity_validated_at, zone=zone)}
    yield Fact(name=_("Identity"), text=identity if dsr.identity_validated_at else _("Not proven yet"))
    if dsr.is_closed:
        yield Fact(name=_("Closed as"), text=words.closed_reason(dsr.closed_reason) or _("No reason given"))
    if dsr.widget_id is not None:
        yield Fact(name=_("Form"), text=str(dsr.widget_id))
    if dsr.locale:
        yield Fact(name=_("Language"), text=words.language(dsr.locale))
    if dsr.updated_at:
        yield Fact(name=_("Updated"), text=_day(dsr.updated_at, zone=zone))
    yield Fact(name=_("Id in Dastra"), text=str(dsr.upstream_id))


def _day(moment: datetime | None, *, zone: ZoneInfo) -> str:
    return date_format(moment.astimezone(zone), _("j M Y")) if moment else _("Not known")


def _person(dsr: DataSubjectRequest, *, viewer: Membership) -> list[Fact]:
    values = {"identity_sealed": dsr.identity_sealed, "upstream_id": dsr.upstream_id}
    identity = read_identity(values, workspace_id=dsr.workspace_id)
    if not viewer.may_see_identity:
        initials = words.masked_name(identity)
        return [Fact(name=_("Name"), text=initials)] if initials else []
    name = f"{identity.get('given_name', '')} {identity.get('family_name', '')}".strip()
    title = identity.get("title", "")
    lines = [
        (_("Name"), name),
        (_("E-mail"), identity.get("email", "")),
        (_("Title"), "" if title == f"{dsr.reference} {name}" else title),  # what Dastra's own form makes of the two
    ]
    return [Fact(name=label, text=text) for label, text in lines if text]
