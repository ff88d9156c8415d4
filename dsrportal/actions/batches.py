"""One wish for many requests: a row of the outbox for each, kept together before any call is made. Called by the register's view.

Each row is sent, refused and undone by itself. What cannot even be wished of a request is kept as refused, so that every one that was
chosen has an outcome to look at.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from dsrportal.actions import outbox
from dsrportal.actions.refusals import WishError
from dsrportal.models import DataSubjectRequest, Membership, OutboxEntry, User, WorkflowStep, Workspace
from dsrportal.models.outbox import WishKind, WishState

KINDS = frozenset({WishKind.MOVE, WishKind.ASSIGN, WishKind.TAG, WishKind.ARCHIVE, WishKind.RESTORE})
MOST = 200
SEND_SECONDS = 2.0
"""How long one visit of a page works on a batch; the worker and the next visit do the rest."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pick:
    """One chosen request, with what the person saw of it: the step, the assignee, and when Dastra had last changed it."""

    upstream_id: int
    seen_step: int | None
    seen_operator: int | None
    seen_updated_at: datetime | None


def wish_many(
    *,
    batch_id: uuid.UUID,
    workspace: Workspace,
    kind: WishKind,
    picks: Collection[Pick],
    step: WorkflowStep | None = None,
    wanted: Mapping[str, Any] | None = None,
    by: User,
    now: datetime,
    hold_seconds: int | None = None,
) -> list[OutboxEntry]:
    """Keep the same wish for each of the picks, at most `MOST`, in one transaction. The same `batch_id` again gives the same rows.

    Raises `WishError` (`not_allowed`, `invalid`, `reused`) for what concerns the batch; what concerns one request is in its row.
    """
    membership = Membership.objects.filter(user=by, workspace=workspace).first()
    if membership is None or not membership.may_act or not by.is_active or not workspace.is_enabled:
        raise WishError(_("You may not change requests of this workspace."), code="not_allowed")
    if kind not in KINDS or not picks or len(picks) > MOST:
        raise WishError(_("Choose between one and %(most)d requests.") % {"most": MOST}, code="invalid")
    chosen = {pick.upstream_id: pick for pick in picks}
    found = DataSubjectRequest.objects.filter(workspace=workspace, upstream_id__in=chosen)
    dsrs = {dsr.upstream_id: dsr for dsr in found.select_related("step", "workspace", "operator", "area")}
    with translation.override(outbox.STORED_LANGUAGE), transaction.atomic():
        Workspace.note_change(workspace.pk)  # of two identical posts one waits here for the other
        if known := list(OutboxEntry.objects.filter(batch_id=batch_id).order_by("pk")):
            asked = {(workspace.pk, kind, by.pk, step.upstream_id if step else None, pk) for pk in chosen}
            kept = {(one.workspace_id, one.kind, one.by_id, one.step_upstream_id, one.upstream_id) for one in known}
            if asked != kept:
                raise WishError(_("This form was used before. Please try again."), code="reused")
            return known
        return [
            _one(
                pick,
                dsr=dsrs.get(pick.upstream_id),
                batch_id=batch_id,
                workspace=workspace,
                kind=kind,
                step=step,
                wanted=wanted or {},
                by=by,
                now=now,
                hold_seconds=hold_seconds,
            )
            for pick in chosen.values()
        ]


def undo_many(batch_id: uuid.UUID, *, workspace: Workspace, by: User, now: datetime) -> int:
    """Take back what of a batch has not been sent yet; returns how many."""
    held = OutboxEntry.objects.filter(workspace=workspace, batch_id=batch_id, by=by, state=WishState.HELD)
    return sum(outbox.undo(entry, by=by, now=now) for entry in held.select_related("workspace", "dsr", "by"))


def send_some(batch_id: uuid.UUID, *, workspace: Workspace, by: User, now: datetime) -> int:
    """Send what is due of a batch, for about `SEND_SECONDS`; returns how many were taken up."""
    due = OutboxEntry.objects.filter(workspace=workspace, batch_id=batch_id, by=by)
    due = due.filter(state=WishState.HELD, not_before__lte=now) | due.filter(state=WishState.UNKNOWN)
    began = time.monotonic()
    count = 0
    for entry_id in due.order_by("not_before", "pk").values_list("pk", flat=True):
        passed = time.monotonic() - began
        if count and passed > SEND_SECONDS:
            break
        outbox.send(entry_id, now=now + timedelta(seconds=passed))
        count += 1
    return count


def _one(
    pick: Pick,
    *,
    dsr: DataSubjectRequest | None,
    batch_id: uuid.UUID,
    workspace: Workspace,
    kind: WishKind,
    step: WorkflowStep | None,
    wanted: Mapping[str, Any],
    by: User,
    now: datetime,
    hold_seconds: int | None,
) -> OutboxEntry:
    action_id = uuid.uuid5(batch_id, str(pick.upstream_id))
    error = WishError(_("The portal no longer has this request."), code="stale")
    if dsr is not None:
        try:
            return outbox.wish(
                action_id=action_id,
                batch_id=batch_id,
                kind=kind,
                dsr=dsr,
                step=step,
                wanted=wanted,
                seen={"operator": pick.seen_operator},
                by=by,
                seen_step_upstream_id=pick.seen_step,
                seen_updated_at=pick.seen_updated_at,
                now=now,
                hold_seconds=hold_seconds,
            )
        except WishError as refusal:
            error = refusal
    return OutboxEntry.objects.create(
        action_id=action_id,
        batch_id=batch_id,
        workspace=workspace,
        dsr=dsr,
        upstream_id=pick.upstream_id,
        by=by,
        kind=kind,
        step_upstream_id=step.upstream_id if step else None,
        seen_step_upstream_id=pick.seen_step,
        seen_updated_at=pick.seen_updated_at,
        wanted=_kept(kind, wanted),
        seen={"operator": pick.seen_operator} if kind == WishKind.ASSIGN else {},
        state=WishState.REFUSED,
        reason=error.sentence[:400],
        created_at=now,
        not_before=now,
        settled_at=now,
        dismissed_at=now if error.code == "no_change" else None,  # nothing to decide: it is so already
    )


def _kept(kind: WishKind, wanted: Mapping[str, Any]) -> dict[str, Any]:
    return {"add": [], "remove": [], **wanted} if kind == WishKind.TAG else dict(wanted)
