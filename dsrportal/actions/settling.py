"""What became of a wish, written down: its state, and with it, in one transaction, the line of the audit log. Called by `outbox` alone."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from dsrportal.actions import changes, message_ends
from dsrportal.actions.writing import Verdict
from dsrportal.models import AuditEvent, DataSubjectRequest, OutboxEntry, User, Workspace
from dsrportal.models.audit import Operation
from dsrportal.models.outbox import OPEN_STATES, WishKind, WishState


def settle(
    entry: OutboxEntry, verdict: Verdict, *, from_state: WishState, now: datetime, by: User | None = None
) -> bool:
    """Write the verdict, if nobody else has since. Refreshes `entry`, and tells whether this was the one that wrote."""
    values: dict[str, object] = {"state": verdict.state, "reason": verdict.reason[:400]}
    if verdict.state not in OPEN_STATES:
        values |= {"settled_at": now, "private_sealed": None}
    if verdict.state == WishState.CONFLICT:
        values["theirs"] = changes.public(verdict.theirs)
        entry.set_private({**entry.read_private(), "theirs": changes.private(verdict.theirs)})
        values["private_sealed"] = entry.private_sealed
    if verdict.state == WishState.HELD:
        values["not_before"] = now + timedelta(seconds=verdict.retry_seconds)
    made = _made(entry, verdict)
    if made:
        values |= {"upstream_id": made.upstream_id, "dsr": made}
    mine = OutboxEntry.objects.filter(pk=entry.pk, state=from_state, claimed_at=entry.claimed_at)
    with transaction.atomic():
        Workspace.note_change(entry.workspace_id)
        try:
            with transaction.atomic():
                won = bool(mine.update(**values))
        except IntegrityError:  # another wish made that request: looked for again, among the others
            won = bool(mine.update(state=WishState.UNKNOWN))
            verdict = Verdict(WishState.UNKNOWN, code="another_wish_made_it")
        if won and entry.kind == WishKind.MESSAGE and verdict.state not in OPEN_STATES:
            more = message_ends.end(entry, state=verdict.state, now=now)
            if more:
                reason = f"{verdict.reason} {more}".strip()[:400]
                OutboxEntry.objects.filter(pk=entry.pk).update(reason=reason)
        if won and verdict.state != WishState.HELD:
            AuditEvent.objects.create(
                at=now,
                by=by or entry.by,
                workspace_id=entry.workspace_id,
                operation=Operation(entry.kind),
                upstream_id=verdict.upstream_id or entry.upstream_id,
                reference=about.reference if (about := made or entry.dsr) else "",
                outcome=verdict.state,
                details={
                    "wish": entry.pk,
                    "code": verdict.code,
                    "from_step": entry.seen_step_upstream_id,
                    "to_step": entry.step_upstream_id,
                    "fields": sorted(entry.wanted),
                },
            )
    # With its request: a read that follows may forget that, and the audit log still wants the reference.
    entry.refresh_from_db(from_queryset=OutboxEntry.objects.select_related("workspace", "dsr", "by"))
    return won


def _made(entry: OutboxEntry, verdict: Verdict) -> DataSubjectRequest | None:
    """The mirrored request that a wish for a new one led to."""
    if verdict.upstream_id is None:
        return None
    return DataSubjectRequest.objects.filter(workspace_id=entry.workspace_id, upstream_id=verdict.upstream_id).first()
