"""Rows of the register, all words: dates and numbers are put into words here, for the columns that are shown and no other.

Called by `queries.register` and its export. Opens the sealed identity of the rows on one page, and only as far as the reader's role allows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.urls import reverse

from dsrportal import credentials
from dsrportal.clocks import Policy
from dsrportal.models import Tag, Workspace
from dsrportal.models.requests import ExtensionState, identity_context
from dsrportal.queries import clock_state, clockmark, register_columns, words
from dsrportal.queries.vocabulary import Vocabulary
from dsrportal.queries.wishes import WishView

ALWAYS = ("pk", "upstream_id", "reference", "step_id", "operator_id", "updated_at")
"""What every row needs: its name, its link, and what a ticked row says of itself."""


@dataclass(frozen=True, kw_only=True, slots=True)
class When:
    """A day: short for the eye, in full for hover and screen readers, and as it is. All empty where there is none."""

    text: str = ""
    full: str = ""
    on: date | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Clock:
    """The clock's mark, and the legal date where it is known."""

    mark: clockmark.ClockMark
    respond_by: date | None


@dataclass(frozen=True, kw_only=True, slots=True)
class UpstreamDue:
    """Dastra's date, and whether it is later than the law's."""

    when: When
    is_later: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Rights:
    """The rights in words, and Dastra's own flag."""

    text: str
    is_complex: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """A step; `colour` comes from Dastra and may be empty. All empty for a request without one."""

    label: str
    colour: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """The data subject as far as the reader may know; `unconfirmed`: the e-mail address."""

    name: str
    unconfirmed: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Assignee:
    """Who has it in Dastra; both empty for nobody."""

    name: str
    initials: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Messages:
    """How many messages, and how many of them nobody has read."""

    count: int
    unread: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One line of the ledger. `cells` hold the words of each column but the reference's, by the column's key; `pick` is what a ticked row
    posts; `group` is the value of the column that the list is grouped by; `wish` is a change that waits, or came back, `target` the step it leads to."""

    pk: int
    upstream_id: int
    pick: str
    url: str
    path: str
    reference: str
    cells: dict[str, Any]
    group: Any = None
    wish: WishView | None = None
    target: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reader:
    """Who reads, where and when: the same for all rows of a page. `from_query` is carried to a request's page, so that it knows what comes next."""

    workspace: Workspace
    policy: Policy | None
    zone: ZoneInfo
    known: Vocabulary
    may_see_identity: bool
    now: datetime
    from_query: str = ""


def in_words(
    values: Mapping[str, Any],
    *,
    columns: Sequence[str],
    reader: Reader,
    group: Any = None,
    wish: WishView | None = None,
) -> Row:
    """One row of `.values(*ALWAYS, …)` with the fields of the columns (`register_columns.fields_of`)."""
    path = reverse("dsr.dsr", args=[reader.workspace.slug, values["upstream_id"]])
    return Row(
        pk=values["pk"],
        upstream_id=values["upstream_id"],
        pick=_pick(values, known=reader.known),
        url=f"{path}?{reader.from_query}" if reader.from_query else path,
        path=path,
        reference=values["reference"] or f"#{values['upstream_id']}",
        cells={key: CELLS[key](values, reader) for key in columns if key != register_columns.LOCKED},
        group=group,
        wish=wish,
        target=_target(wish, known=reader.known),
    )


def _target(wish: WishView | None, *, known: Vocabulary) -> str:
    if wish is None or not wish.is_pending or wish.step_upstream_id is None:
        return ""
    return next((step.label for step in known.steps.values() if step.upstream_id == wish.step_upstream_id), "")


def _pick(values: Mapping[str, Any], *, known: Vocabulary) -> str:
    """What a ticked row says of itself (`forms.bulk`): its id, and the step, the assignee and the change that the person saw."""
    step, operator = known.steps.get(values["step_id"]), known.operators.get(values["operator_id"])
    seen_at = values["updated_at"].isoformat() if values["updated_at"] else ""
    ids = (values["upstream_id"], step.upstream_id if step else "", operator.upstream_id if operator else "")
    return "|".join(str(part) for part in (*ids, seen_at))


def _clock(values: Mapping[str, Any], reader: Reader) -> Clock:
    mark = clockmark.of_row(values, policy=reader.policy, zone=reader.zone, now=reader.now, is_named=False)
    return Clock(mark=mark, respond_by=values["respond_by"])


def _upstream_due(values: Mapping[str, Any], reader: Reader) -> UpstreamDue:
    return UpstreamDue(
        when=day(values["expires_at"], zone=reader.zone, now=reader.now),
        is_later=clock_state.is_upstream_later(values),
    )


def _step(values: Mapping[str, Any], reader: Reader) -> Step:
    step = reader.known.steps.get(values["step_id"])
    return Step(label=step.label, colour=step.color) if step else Step(label="", colour="")


def _person(values: Mapping[str, Any], reader: Reader) -> Person:
    identity = read_identity(values, workspace_id=reader.workspace.pk)
    name = words.person_name(identity) if reader.may_see_identity else words.masked_name(identity)
    return Person(name=name, unconfirmed=not values["mail_validated"])


def _assignee(values: Mapping[str, Any], reader: Reader) -> Assignee:
    name = reader.known.shown_operator(values["operator_id"])
    return Assignee(name=name, initials=words.initials(name))


def _area(values: Mapping[str, Any], reader: Reader) -> str:
    area = reader.known.areas.get(values["area_id"])
    return area.label if area else ""


def _tags(values: Mapping[str, Any], reader: Reader) -> tuple[Tag, ...]:
    tags = reader.known.tags
    return tuple(tags[int(part)] for part in values["tag_ids"].split("|") if part and int(part) in tags)


def _extend_by(values: Mapping[str, Any], reader: Reader) -> When:
    if values["is_closed"] or values["extension_state"] == ExtensionState.VALID or values["extend_by"] is None:
        return When()
    return _when(values["extend_by"], today=reader.now.astimezone(reader.zone).date())


def _own_target(values: Mapping[str, Any], reader: Reader) -> When:
    target_on = values["target_on"]
    return _when(target_on, today=reader.now.astimezone(reader.zone).date()) if target_on else When()


def _in_step(values: Mapping[str, Any], reader: Reader) -> int | None:
    if values["step_entered_at"] is None:
        return None
    entered_at: datetime = values["step_entered_at"]
    today = reader.now.astimezone(reader.zone).date()
    return max((today - entered_at.astimezone(reader.zone).date()).days, 0)


def _day_of(field: str) -> Callable[[Mapping[str, Any], Reader], When]:
    return lambda values, reader: day(values[field], zone=reader.zone, now=reader.now)


CELLS: dict[str, Callable[[Mapping[str, Any], Reader], Any]] = {
    "clock": _clock,
    "expiryTime": _upstream_due,
    "purposes": lambda values, _reader: Rights(text=words.rights(values["purposes"]), is_complex=values["complex"]),
    "workFlowStep": _step,
    "state": lambda values, _reader: words.state(values["state"]),
    "person": _person,
    "operator": _assignee,
    "area": _area,
    "dateDemand": _day_of("received_at"),
    "dateUpdate": _day_of("updated_at"),
    "nbMessages": lambda values, _reader: Messages(
        count=values["message_count"], unread=values["unread_message_count"]
    ),
    "tags": _tags,
    "extendBy": _extend_by,
    "ownTarget": _own_target,
    "inStep": _in_step,
    "channel": lambda values, _reader: words.channel(values["channel"]),
    "lastMessageDate": _day_of("last_message_at"),
    "dateCreation": _day_of("created_at"),
    "dateClosed": _day_of("closed_at"),
    "closedReason": lambda values, _reader: words.closed_reason(values["closed_reason"]),
    "widgetId": lambda values, _reader: "" if values["widget_id"] is None else str(values["widget_id"]),
    "id": lambda values, _reader: str(values["upstream_id"]),
}
"""The words of each column for one row."""


def day(moment: datetime | None, *, zone: ZoneInfo, now: datetime) -> When:
    """A day in the workspace's time zone: "Tue 10 Mar", "Tuesday 10 March 2026"."""
    if moment is None:
        return When()
    return _when(moment.astimezone(zone).date(), today=now.astimezone(zone).date())


def _when(on: date, *, today: date) -> When:
    return When(text=clockmark.short_day(on, today=today), full=clockmark.long_day(on), on=on)


def read_identity(values: Mapping[str, Any], *, workspace_id: int) -> dict[str, str]:
    """`title`, `given_name`, `family_name`, `email` in clear; empty where nothing is kept or the keys have changed."""
    if values["identity_sealed"] is None:
        return {}
    context = identity_context(workspace_id=workspace_id, upstream_id=values["upstream_id"])
    try:
        return credentials.unseal_fields(values["identity_sealed"], context=context)
    except credentials.CannotDecryptError:
        return {}
