"""Rows of the register, all strings: dates and numbers are put into words here, because templates are slow at it.

Called by `queries.register`. Opens the sealed identity of the rows on one page, and only as far as the reader's role allows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.urls import reverse

from dsrportal import credentials
from dsrportal.clocks import Policy
from dsrportal.models import Tag, Workspace
from dsrportal.models.requests import identity_context
from dsrportal.queries import clock_state, clockmark, words
from dsrportal.queries.vocabulary import Vocabulary

FIELDS = (
    "pk", "upstream_id", "reference", "state", "step_id", "archived", "complex", "operator_id", "area_id", "purposes", "tag_ids",
    "received_at", "updated_at", "expires_at", "mail_validated", "message_count", "unread_message_count", "identity_sealed",
    "identity_forgotten_at", *clock_state.FIELDS,
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class When:
    """A moment: short for the eye, in full for hover and screen readers, and for machines. All empty where there is none."""

    text: str = ""
    full: str = ""
    machine: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One line of the ledger. `step_colour` and the tags' colours come from Dastra and may be empty; `pick` is what a ticked row posts."""

    pk: int
    upstream_id: int
    pick: str
    url: str
    reference: str
    clock: clockmark.ClockMark
    upstream_due: When
    is_upstream_later: bool
    rights: str
    step: str
    step_colour: str
    state: str
    person: str
    assignee: str
    initials: str
    area: str
    received: When
    updated: When
    messages: str
    unread: str
    complex: bool
    unconfirmed: bool
    tags: tuple[Tag, ...]


def in_words(
    values: Mapping[str, Any],
    *,
    workspace: Workspace,
    policy: Policy | None,
    zone: ZoneInfo,
    vocabulary: Vocabulary,
    may_see_identity: bool,
    from_query: str,
    now: datetime,
) -> Row:
    """One row of `.values(*FIELDS)`. `from_query` is carried to the request's page, so that it knows what comes next."""
    step = vocabulary.steps.get(values["step_id"])
    area = vocabulary.areas.get(values["area_id"])
    assignee = vocabulary.shown_operator(values["operator_id"])
    url = reverse("dsr.dsr", args=[workspace.slug, values["upstream_id"]])
    unread = values["unread_message_count"]
    return Row(
        pk=values["pk"],
        upstream_id=values["upstream_id"],
        pick=_pick(values, vocabulary=vocabulary),
        url=f"{url}?{from_query}" if from_query else url,
        reference=values["reference"] or f"#{values['upstream_id']}",
        clock=clockmark.of_row(values, policy=policy, zone=zone, now=now, is_named=False),
        upstream_due=day(values["expires_at"], zone=zone, now=now),
        is_upstream_later=clock_state.is_upstream_later(values),
        rights=words.rights(values["purposes"]),
        step=step.label if step else "",
        step_colour=step.color if step else "",
        state=words.state(values["state"]),
        person=person(values, workspace_id=workspace.pk, may_see_identity=may_see_identity),
        assignee=assignee,
        initials=words.initials(assignee),
        area=area.label if area else "",
        received=day(values["received_at"], zone=zone, now=now),
        updated=day(values["updated_at"], zone=zone, now=now),
        messages=str(values["message_count"]) if values["message_count"] else "",
        unread=str(unread) if unread else "",
        complex=values["complex"],
        unconfirmed=not values["mail_validated"],
        tags=tuple(
            vocabulary.tags[int(part)] for part in values["tag_ids"].split("|") if part and int(part) in vocabulary.tags
        ),
    )


def _pick(values: Mapping[str, Any], *, vocabulary: Vocabulary) -> str:
    """What a ticked row says of itself (`forms.bulk`): its id, and the step, the assignee and the change that the person saw."""
    step, operator = vocabulary.steps.get(values["step_id"]), vocabulary.operators.get(values["operator_id"])
    seen_at = values["updated_at"].isoformat() if values["updated_at"] else ""
    ids = (values["upstream_id"], step.upstream_id if step else "", operator.upstream_id if operator else "")
    return "|".join(str(part) for part in (*ids, seen_at))


def day(moment: datetime | None, *, zone: ZoneInfo, now: datetime) -> When:
    """A day in the workspace's time zone: "Tue 10 Mar", "Tuesday 10 March 2026"."""
    if moment is None:
        return When()
    date = moment.astimezone(zone).date()
    today = now.astimezone(zone).date()
    return When(text=clockmark.short_day(date, today=today), full=clockmark.long_day(date), machine=date.isoformat())


def person(values: Mapping[str, Any], *, workspace_id: int, may_see_identity: bool) -> str:
    """The data subject's name, or initials for roles that may not see it; empty where nothing is kept or can be opened."""
    identity = read_identity(values, workspace_id=workspace_id)
    return words.person_name(identity) if may_see_identity else words.masked_name(identity)


def read_identity(values: Mapping[str, Any], *, workspace_id: int) -> dict[str, str]:
    """`title`, `given_name`, `family_name`, `email` in clear; empty where nothing is kept or the keys have changed."""
    if values["identity_sealed"] is None:
        return {}
    context = identity_context(workspace_id=workspace_id, upstream_id=values["upstream_id"])
    try:
        return credentials.unseal_fields(values["identity_sealed"], context=context)
    except credentials.CannotDecryptError:
        return {}
