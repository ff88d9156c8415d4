"""What each kind of wish means in Dastra: when it is so already, what stands against it, and the ways to write it. Called by `writing`.

A way is tried only when Dastra does not offer the one before it. Nothing in here reads, decides on a retry, or touches a row.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from dsrportal.actions import fields
from dsrportal.dastra import schema
from dsrportal.dastra.client import DastraClient
from dsrportal.dastra.errors import DastraError, Rejected
from dsrportal.models import OutboxEntry, WorkflowStep
from dsrportal.models.outbox import CUSTOM, WishKind

CLOSED = "Closed"
FIELD_KINDS = frozenset({WishKind.ASSIGN, WishKind.EXTEND, WishKind.EDIT})
STEP_KINDS = frozenset({WishKind.MOVE, WishKind.ARCHIVE, WishKind.RESTORE, WishKind.CLOSE, WishKind.DELETE})

Way = Callable[[DastraClient, schema.DataSubjectRequest], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Conflict:
    """What somebody else changed since the person looked: a sentence, and Dastra's values by the names of `fields`."""

    sentence: str
    theirs: dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """The values of a wish in clear: what is to be, and what the person had before them. Use and drop."""

    wanted: dict[str, Any]
    seen: dict[str, Any]

    def __repr__(self) -> str:
        return f"Change({sorted(self.wanted)})"


def change_of(entry: OutboxEntry) -> Change:
    """Raises `credentials.CannotDecryptError`."""
    private = entry.read_private()
    return Change(wanted={**entry.wanted, **private.get("wanted", {})}, seen={**entry.seen, **private.get("seen", {})})


def step_of(dsr: schema.DataSubjectRequest) -> int | None:
    """The upstream id of the step it is in."""
    return dsr.step.upstream_id if dsr.step else dsr.step_upstream_id


def step_name(step: WorkflowStep | schema.WorkflowStep | None) -> str:
    """The step's own name, or words for none."""
    return step.label if step else _("no step")


def is_applied(entry: OutboxEntry, dsr: schema.DataSubjectRequest) -> bool:
    """Whether Dastra shows what the wish asked for. What it still shows is not deleted."""
    if entry.kind == WishKind.DELETE:
        return False
    if entry.kind == WishKind.MOVE:
        return step_of(dsr) == entry.step_upstream_id and not dsr.archived
    if entry.kind in {WishKind.ARCHIVE, WishKind.RESTORE}:
        return dsr.archived == (entry.kind == WishKind.ARCHIVE)
    if entry.kind == WishKind.CLOSE:
        return dsr.state == CLOSED and dsr.closed_reason == entry.wanted["reason"]
    if entry.kind == WishKind.TAG:
        ids = {tag.upstream_id for tag in dsr.tags}
        return ids >= set(entry.wanted["add"]) and not ids & set(entry.wanted["remove"])
    wanted = change_of(entry).wanted
    return fields.told(dsr, wanted) == wanted


def is_applied_before(entry: OutboxEntry, dsr: schema.DataSubjectRequest) -> bool:
    """Whether there is nothing left to write. A closing by somebody else said other words to the person, so it never counts."""
    return entry.kind != WishKind.CLOSE and is_applied(entry, dsr)


def is_moved_on(entry: OutboxEntry, dsr: schema.DataSubjectRequest) -> bool:
    """After a write that is not seen: whether Dastra shows a third thing, neither what the person saw nor what was asked for."""
    if entry.kind == WishKind.CLOSE and dsr.state == CLOSED:
        return bool(dsr.closed_reason != entry.wanted["reason"])
    if entry.kind in STEP_KINDS:
        if entry.kind == WishKind.MOVE and step_of(dsr) == entry.step_upstream_id:
            return not is_applied(entry, dsr)  # there, and archived since
        return step_of(dsr) not in {entry.seen_step_upstream_id, entry.step_upstream_id}
    if entry.kind in FIELD_KINDS:
        change = change_of(entry)
        now = fields.told(dsr, change.wanted)
        return any(now[name] not in (change.wanted[name], change.seen.get(name)) for name in now)
    return False


def lost(before: schema.DataSubjectRequest, after: schema.DataSubjectRequest, *, wanted: Collection[str]) -> list[str]:
    """Custom fields that were answered before a write and are empty after it, though nobody asked for that: Dastra drops without a word what
    its settings no longer know."""
    empty: tuple[object, ...] = (None, "", [])
    return [
        name
        for name, value in before.custom_fields.items()
        if value not in empty and after.custom_fields.get(name) in empty and f"{CUSTOM}{name}" not in wanted
    ]


def conflict(entry: OutboxEntry, dsr: schema.DataSubjectRequest) -> Conflict | None:
    """What stands against the wish. Only what it touches counts: a change elsewhere stands against nothing."""
    if entry.kind in STEP_KINDS:
        sentence = _step_conflict(entry, dsr)
        theirs = {"step": step_of(dsr), "step_name": step_name(dsr.step), "archived": dsr.archived, "state": dsr.state}
        return Conflict(sentence=sentence, theirs=theirs) if sentence else None
    if entry.kind == WishKind.TAG:
        return None  # others' tags stay, and adding or taking away the same tag twice is one thing
    change = change_of(entry)
    now = fields.told(dsr, change.wanted)
    theirs = {n: value for n, value in now.items() if value not in (change.wanted[n], change.seen.get(n))}
    return (
        Conflict(sentence=_("Somebody else changed the same in Dastra meanwhile."), theirs=theirs) if theirs else None
    )


_PLAIN_DEEDS: dict[str, Callable[[DastraClient, int], None]] = {
    WishKind.ARCHIVE: DastraClient.archive_request,
    WishKind.RESTORE: DastraClient.restore_request,
    WishKind.DELETE: DastraClient.delete_request,
}


def ways(entry: OutboxEntry) -> list[Way]:
    """The ways to write the wish, the best first. Each gets the request as it has just been read."""
    pk = entry.target
    if entry.kind == WishKind.MOVE:
        step = entry.step_upstream_id or 0
        return [lambda client, _before: client.change_step(pk, step)]
    if plain := _PLAIN_DEEDS.get(entry.kind):
        return [lambda client, _before: plain(client, pk)]
    if entry.kind == WishKind.CLOSE:
        return _closing_ways(entry)
    if entry.kind == WishKind.TAG:
        return [
            lambda client, before: client.patch_request(
                pk, [{"op": "replace", "path": "/tags", "value": _tags(entry, before)}]
            ),
            lambda client, before: client.update_request(pk, {**before.raw, "tags": _tags(entry, before)}),
        ]
    wanted = change_of(entry).wanted

    def patch(client: DastraClient, before: schema.DataSubjectRequest) -> None:
        client.patch_request(pk, fields.patch_of(_different(wanted, before)))

    def put(client: DastraClient, before: schema.DataSubjectRequest) -> None:
        whole = dict(before.raw)
        fields.put_into(whole, _different(wanted, before))
        client.update_request(pk, whole)

    return [patch, put]


def _different(wanted: dict[str, Any], before: schema.DataSubjectRequest) -> dict[str, Any]:
    now = fields.told(before, wanted)
    return {name: value for name, value in wanted.items() if now[name] != value}


def _tags(entry: OutboxEntry, before: schema.DataSubjectRequest) -> list[Any]:
    """Dastra's own objects of the tags that stay, and the new ones by id."""
    removed = set(entry.wanted["remove"])
    kept = [tag for tag in before.raw.get("tags") or [] if not (isinstance(tag, dict) and tag.get("id") in removed)]
    present = {tag.upstream_id for tag in before.tags}
    return kept + [{"id": number, "label": label} for number, label in _labels(entry) if number not in present]


def _labels(entry: OutboxEntry) -> list[tuple[int, str]]:
    known = dict(entry.workspace.tags.values_list("upstream_id", "label"))
    return [(number, known.get(number, "")) for number in entry.wanted["add"]]


def _closing_ways(entry: OutboxEntry) -> list[Way]:
    wanted = change_of(entry).wanted
    pk = entry.target
    notify = wanted["notify"] is True
    step = {} if entry.step_upstream_id is None else {"workFlowStepId": entry.step_upstream_id}
    body = {
        **step,
        "closedReason": wanted["reason"],
        "closedReasonDescription": wanted.get("description") or None,
        "resolutionMessage": wanted.get("message") or None,
        "dateClosed": wanted["closed_at"],
        "sendNotification": notify,
    }
    return [
        lambda client, _before: client.close_request(
            pk,
            closed_reason=wanted["reason"],
            closed_at=datetime.fromisoformat(wanted["closed_at"]),
            closed_reason_description=wanted.get("description", ""),
            resolution_message=wanted.get("message", ""),
            send_notification=notify,
        ),
        lambda client, _before: _close_by_patch(client, pk, body=body),
        lambda client, before: client.update_request(pk, {**before.raw, **body}),
    ]


def _close_by_patch(client: DastraClient, pk: int, *, body: dict[str, Any]) -> None:
    """Where Dastra refuses a patch of the step, the step's own endpoint closes, and the words follow."""
    try:
        client.patch_request(pk, _operations(body))
    except Rejected:  # a patch is refused whole: nothing was changed
        step = body.get("workFlowStepId")
        if step is None:
            raise
        client.change_step(pk, step)
        try:
            client.patch_request(pk, _operations({name: body[name] for name in body if name != "workFlowStepId"}))
        except DastraError as error:
            error.outcome_unknown = True  # the step has changed: only a read tells where the request is
            raise


def _operations(body: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"op": "replace", "path": f"/{name}", "value": value} for name, value in body.items()]


def _step_conflict(entry: OutboxEntry, dsr: schema.DataSubjectRequest) -> str:
    is_changed = dsr.updated_at != entry.seen_updated_at
    if step_of(dsr) != entry.seen_step_upstream_id:
        return _("It was moved to “%(step)s” in Dastra meanwhile.") % {"step": step_name(dsr.step)}
    if entry.kind in {WishKind.MOVE, WishKind.CLOSE} and dsr.archived:
        return _("It was archived in Dastra meanwhile.")
    if is_changed and dsr.state == CLOSED and not (dsr.step and dsr.step.mapped_state == CLOSED):
        return _("It was closed in Dastra meanwhile.")
    if entry.kind == WishKind.CLOSE and dsr.state == CLOSED:
        return _("It was closed in Dastra meanwhile.")
    if entry.kind == WishKind.DELETE and is_changed:  # what is final is for what the person saw, and for nothing else
        return _("It was changed in Dastra meanwhile.")
    return ""
