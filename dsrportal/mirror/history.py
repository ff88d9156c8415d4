"""What a read changed that reports ask for later: lines of steps and of Dastra's dates. Called by `store.py` in its own transaction; no names."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from dsrportal.mirror.legal import CLOSED, Ledger
from dsrportal.models import DataSubjectRequest, DateChange, OutboxEntry, StepChange, Workspace
from dsrportal.models.history import DateReason
from dsrportal.models.outbox import WishKind, WishState

OUR_KINDS = (WishKind.EXTEND, WishKind.EDIT)
OUR_STATES = (WishState.SENDING, WishState.UNKNOWN, WishState.DONE)

Pair = tuple[DataSubjectRequest, DataSubjectRequest]


def keep(
    workspace: Workspace,
    pairs: Collection[Pair],
    *,
    steps: Mapping[int, int],
    ledgers: Mapping[int, Ledger],
    now: datetime,
    sequence: int,
) -> None:
    """Store the lines of a read. `pairs` are rows before and after it; `steps` gives the upstream id of a step's key.

    Marks a row (not yet written) as having an unexplained change. One query for each kind of line, and none where nothing changed.
    """
    moved = [pair for pair in pairs if pair[0].step_id != pair[1].step_id]
    if moved:
        StepChange.objects.bulk_create(
            StepChange(
                workspace=workspace,
                dsr_id=before.pk,
                upstream_id=after.upstream_id,
                seen_at=now,
                sequence=sequence,
                from_step_upstream_id=steps.get(before.step_id or 0),
                to_step_upstream_id=steps.get(after.step_id or 0),
                entered_at=before.step_entered_at,
            )
            for before, after in moved
        )
    dated = [pair for pair in pairs if pair[0].expires_at != pair[1].expires_at]
    if dated:
        _keep_dates(workspace, dated, ledgers=ledgers, now=now, sequence=sequence)


def _keep_dates(
    workspace: Workspace, dated: Collection[Pair], *, ledgers: Mapping[int, Ledger], now: datetime, sequence: int
) -> None:
    ours = _wished(workspace, [after.upstream_id for _before, after in dated])
    lines = []
    for before, after in dated:
        ledger = ledgers.get(before.pk)
        is_extended = ledger is not None and ledger.extension is not None
        reason = _reason(
            before, after, is_ours=after.expires_at in ours.get(after.upstream_id, ()), is_extended=is_extended
        )
        after.has_unexplained_change |= reason == DateReason.UNEXPLAINED
        lines.append(
            DateChange(
                workspace=workspace,
                dsr_id=before.pk,
                upstream_id=after.upstream_id,
                seen_at=now,
                sequence=sequence,
                from_at=before.expires_at,
                to_at=after.expires_at,
                reason=reason,
            )
        )
    DateChange.objects.bulk_create(lines)


def _reason(before: DataSubjectRequest, after: DataSubjectRequest, *, is_ours: bool, is_extended: bool) -> DateReason:
    """What accounts for the other date, as far as the two reads and our own records tell."""
    accounts = {
        DateReason.HERE: is_ours,
        DateReason.FIRST: before.expires_at is None,
        DateReason.COMPLEX: before.complex != after.complex,
        DateReason.RECEIPT: before.received_at != after.received_at,
        DateReason.CLOSING: (before.state == CLOSED) != (after.state == CLOSED),
        DateReason.EXTENSION: is_extended,
    }
    return next((reason for reason, holds in accounts.items() if holds), DateReason.UNEXPLAINED)


def _wished(workspace: Workspace, upstream_ids: Collection[int]) -> dict[int, set[datetime]]:
    """The dates that people asked for from here."""
    wished: dict[int, set[datetime]] = {}
    entries = OutboxEntry.objects.filter(
        workspace=workspace, upstream_id__in=upstream_ids, kind__in=OUR_KINDS, state__in=OUR_STATES
    )
    for upstream_id, wanted in entries.values_list("upstream_id", "wanted"):
        if upstream_id is not None and wanted.get("expires"):
            wished.setdefault(upstream_id, set()).add(datetime.fromisoformat(wanted["expires"]))
    return wished
