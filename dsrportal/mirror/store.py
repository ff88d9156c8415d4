"""Payloads of Dastra -> rows, in bulk and idempotent: the one door through which mirrored requests are written or forgotten.

Called by pulls and refreshes. A row is written by a read with a number that is not lower than its own; an unchanged one is not
written at all. One transaction a call, under the lock of the workspace's row; no call to Dastra is made in here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import F

from dsrportal import credentials
from dsrportal.dastra import schema
from dsrportal.identity import words_of
from dsrportal.mirror import drift, figures, history, reckoning, rows
from dsrportal.mirror.gaps import filled, has_gaps
from dsrportal.mirror.leases import Lease, LeaseLostError, lease_number
from dsrportal.mirror.legal import NO_LEDGER, is_judged, legal_fields
from dsrportal.mirror.neighbours import Catalogues
from dsrportal.models import (
    DataSubjectRequest,
    ForgottenRequest,
    IdentityWord,
    SetAsideRow,
    WorkflowStep,
    Workspace,
)
from dsrportal.models.requests import identity_context

IDS_PER_QUERY = 500
_KEY_FIELDS = frozenset({"id", "workspace", "upstream_id", "identity_forgotten_at"})
_CARRIED_FIELDS = ("restated_at", "restated_from", "has_unexplained_change")
_KNOWN_FIELDS = (
    "upstream_id", "digest", "sequence", "step_id", "archived", "step_entered_at", "identity_forgotten_at", "state", "received_at",
    "created_at", "expires_at", "closed_at", "complex", "operator_id", "area_id", "purposes", "updated_at",
    *DataSubjectRequest.LEGAL_FIELDS, *_CARRIED_FIELDS,
)  # fmt: skip
"""What is needed of a row that exists, to decide about it, to count it out of its step, and to tell what changed."""
_WRITTEN_FIELDS = [
    field.name
    for field in DataSubjectRequest._meta.concrete_fields  # noqa: SLF001  documented API of Django
    if field.name not in _KEY_FIELDS and not field.generated
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Stored:
    """Upstream ids: `stored` were written, `unchanged` were as the mirror has them, `outdated` were older than what is known.

    `doubtful` were not written: a list tells them otherwise than the mirror, yet does not say that they changed since.
    """

    stored: frozenset[int]
    unchanged: frozenset[int]
    outdated: frozenset[int]
    doubtful: frozenset[int] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Kept:
    """What is needed of a row that exists, to tell whether an answer differs from it and may be older."""

    digest: bytes
    sequence: int
    updated_at: datetime | None


def next_sequence(workspace: Workspace) -> int:
    """The number of a read that is about to be made: take it before the call to Dastra."""
    with transaction.atomic():  # the row stays locked in between, so that no two reads get the same number
        Workspace.objects.filter(pk=workspace.pk).update(read_sequence=F("read_sequence") + 1)
        return Workspace.objects.values_list("read_sequence", flat=True).get(pk=workspace.pk)


def store_requests(
    workspace: Workspace,
    dsrs: Sequence[schema.DataSubjectRequest],
    *,
    sequence: int,
    now: datetime,
    lease: Lease | None = None,
    confirm: bool = False,
    is_list: bool = False,
) -> Stored:
    """Write what is new or changed since the mirror's copy; of an id that comes twice, the last counts.

    `sequence` is the number of the read (`next_sequence`). `confirm` stamps that number on unchanged rows too, so that a page
    that was fetched earlier and arrives later cannot undo them. `is_list`: lists may lag behind single reads, so a difference is only
    written where the list gives a later `dateUpdate`, or where the request is new; the others are `doubtful`, and a single read tells. For
    the same reason a list confirms nothing.
    Raises `LeaseLostError` when `lease` is no longer the current one.
    """
    search_key = workspace.read_search_key()
    latest = _without_gaps(workspace, {dsr.upstream_id: dsr for dsr in dsrs})
    key = bytes.fromhex(search_key)
    digests = {upstream_id: rows.digest_of(dsr, search_key=key) for upstream_id, dsr in latest.items()}
    kept = _kept(workspace, latest)
    differing = {i: dsr for i, dsr in latest.items() if i not in kept or kept[i].digest != digests[i]}
    unchanged = latest.keys() - differing.keys()
    doubtful = _doubtful(workspace, differing, kept=kept, sequence=sequence) if is_list else frozenset()
    differing = {i: dsr for i, dsr in differing.items() if i not in doubtful}
    _clear_set_aside(workspace, latest)
    drift.note(workspace, latest.values(), now=now)
    stored: frozenset[int] = frozenset()
    if differing:
        with transaction.atomic():
            lock(workspace, lease=lease)
            writer = _Writer(workspace, search_key=search_key, sequence=sequence, now=now, is_list=is_list)
            stored = writer.write(differing, digests=digests)
            if stored:
                Workspace.note_change(workspace.pk)
    if confirm and unchanged:
        DataSubjectRequest.objects.filter(workspace=workspace, upstream_id__in=unchanged, sequence__lt=sequence).update(
            sequence=sequence, mirrored_at=now
        )
    outdated = frozenset(differing.keys() - stored)
    return Stored(stored=stored, unchanged=frozenset(unchanged), outdated=outdated, doubtful=doubtful)


def forget_requests(
    workspace: Workspace, gone: Mapping[int, int], *, now: datetime, lease: Lease | None = None
) -> frozenset[int]:
    """Delete rows that Dastra no longer has: `gone` gives, for each upstream id, the number of the read that was answered 404 or 410.

    A row that a later read stored stays. Leaves a tombstone, so that an older page cannot bring the row back. Returns the ids of the
    deleted rows. Raises `LeaseLostError`.
    """
    deleted: set[int] = set()
    with transaction.atomic():
        lock(workspace, lease=lease)
        known = _known(workspace, gone)
        ids = [
            upstream_id
            for upstream_id in gone
            if upstream_id not in known or known[upstream_id].sequence <= gone[upstream_id]
        ]
        tombstones = [
            ForgottenRequest(workspace=workspace, upstream_id=i, sequence=gone[i], forgotten_at=now) for i in ids
        ]
        ForgottenRequest.objects.bulk_create(
            tombstones,
            update_conflicts=True,
            unique_fields=["workspace", "upstream_id"],
            update_fields=["sequence", "forgotten_at"],
        )
        deleted = {upstream_id for upstream_id in ids if upstream_id in known}
        for chunk in _chunks([known[upstream_id].pk for upstream_id in deleted]):
            DataSubjectRequest.objects.filter(pk__in=chunk).delete()
        _count(Counter(), out=(known[upstream_id] for upstream_id in deleted))
        figures.keep(workspace.pk, before=[known[upstream_id] for upstream_id in deleted], after=())
        if deleted:
            Workspace.note_change(workspace.pk)
        for chunk in _chunks(ids):
            SetAsideRow.objects.filter(workspace=workspace, upstream_id__in=chunk).delete()
    return frozenset(deleted)


def set_aside(workspace: Workspace, rejected: Iterable[schema.RejectedItem], *, now: datetime) -> None:
    """Note rows that could not be understood: id and reason, never their content. Their mirrored rows stay as they are."""
    for item in {(item.upstream_id, item.reason[:200]) for item in rejected}:
        upstream_id, reason = item
        with transaction.atomic():
            lock(workspace, lease=None)
            noted = SetAsideRow.objects.filter(workspace=workspace, upstream_id=upstream_id, reason=reason)
            if not noted.update(last_seen_at=now):
                SetAsideRow.objects.create(
                    workspace=workspace, upstream_id=upstream_id, reason=reason, first_seen_at=now, last_seen_at=now
                )


def drop_set_aside(workspace: Workspace, *, last_seen_before: datetime) -> None:
    """After a complete pass: notes about rows that it did not meet again are over, also those of rows without an id."""
    SetAsideRow.objects.filter(workspace=workspace, last_seen_at__lt=last_seen_before).delete()


def lock(workspace: Workspace, *, lease: Lease | None) -> None:
    """Let one writer at a time change this workspace's rows, until the transaction ends. Raises `LeaseLostError`."""
    number = lease_number(workspace.pk)
    if lease is not None and number != lease.number:
        raise LeaseLostError


class _Writer:
    """Writes changed requests inside a transaction that holds the workspace's lock."""

    def __init__(self, workspace: Workspace, *, search_key: str, sequence: int, now: datetime, is_list: bool) -> None:
        self._workspace = workspace
        self._search_key = search_key
        self._sequence = sequence
        self._is_list = is_list
        self._now = now
        self._catalogues = Catalogues(workspace)

    def write(self, dsrs: Mapping[int, schema.DataSubjectRequest], *, digests: Mapping[int, bytes]) -> frozenset[int]:
        """Upstream ids of what was written; left out is what is known from a later read."""
        known = _known(self._workspace, dsrs)
        newer = {i for i, row in known.items() if self._is_outdated(dsrs[i], row=row)} | self._buried(dsrs)
        chosen = {i: dsr for i, dsr in dsrs.items() if i not in newer}
        if not chosen:
            return frozenset()
        self._catalogues.learn(chosen.values())
        written = [self._row(dsr, known=known.get(i), digest=digests[i]) for i, dsr in chosen.items()]
        self._reckon(written, known={i: row for i, row in known.items() if i in chosen})
        DataSubjectRequest.objects.bulk_create(
            written,
            update_conflicts=True,
            unique_fields=["workspace", "upstream_id"],
            update_fields=_WRITTEN_FIELDS,
        )
        _count(
            Counter((row.step_id, row.archived) for row in written),
            out=(row for i, row in known.items() if i in chosen),
        )
        self._keep_figures(written, known={i: row for i, row in known.items() if i in chosen})
        self._write_words(chosen, known=known, digests=digests)
        return frozenset(chosen)

    def _is_outdated(self, dsr: schema.DataSubjectRequest, *, row: DataSubjectRequest) -> bool:
        """Whether the row is of a later read. A list asked after our single read may have told of a moment before it: `dateUpdate` says."""
        is_later = not self._is_list and dsr.updated_at and row.updated_at and dsr.updated_at > row.updated_at
        return row.sequence > self._sequence and not is_later

    def _buried(self, ids: Iterable[int]) -> set[int]:
        """Ids that a read after ours found gone. A tombstone that is older than our read is lifted: ids are used again."""
        tombstones = ForgottenRequest.objects.filter(workspace=self._workspace, upstream_id__in=list(ids))
        buried = set(tombstones.filter(sequence__gt=self._sequence).values_list("upstream_id", flat=True))
        tombstones.filter(sequence__lte=self._sequence).delete()
        return buried

    def _row(
        self, dsr: schema.DataSubjectRequest, *, known: DataSubjectRequest | None, digest: bytes
    ) -> DataSubjectRequest:
        step_id = self._catalogues.steps.primary_key(dsr.step_upstream_id)
        row = DataSubjectRequest(
            workspace=self._workspace,
            upstream_id=dsr.upstream_id,
            step_id=step_id,
            operator_id=self._catalogues.operators.primary_key(dsr.operator_upstream_id),
            area_id=self._catalogues.areas.primary_key(dsr.area_upstream_id),
            mirrored_at=self._now,
            sequence=max(self._sequence, known.sequence if known else 0),
            digest=digest,
            **rows.plain_fields(dsr),
        )
        if known is None or known.identity_forgotten_at is None:
            context = identity_context(workspace_id=self._workspace.pk, upstream_id=dsr.upstream_id)
            row.identity_sealed = credentials.seal_fields(rows.identity_fields(dsr), context=context)
        if known is not None:
            # When a request was first seen, nobody can say how long it has been in its step.
            row.step_entered_at = known.step_entered_at if known.step_id == step_id else self._now
            for name in _CARRIED_FIELDS:
                setattr(row, name, getattr(known, name))
        return row

    def _reckon(self, written: Sequence[DataSubjectRequest], *, known: Mapping[int, DataSubjectRequest]) -> None:
        """Give the rows their legal dates, and keep what changed for the reports. A verdict that stands is left as it was given."""
        rules = reckoning.rules_of(self._workspace.pk)
        ledgers = reckoning.ledgers_of([row.pk for row in known.values()])
        for row in written:
            before = known.get(row.upstream_id)
            ledger = ledgers.get(before.pk, NO_LEDGER) if before else NO_LEDGER
            fields = legal_fields(row, ledger=ledger, rules=rules)
            if before and is_judged(row, before=before):
                kept = {name: getattr(before, name) for name in DataSubjectRequest.LEGAL_FIELDS}
                fields = {**kept, "upstream_due_on": fields["upstream_due_on"]}
            for name, value in fields.items():
                setattr(row, name, value)
        history.keep(
            self._workspace,
            [(known[row.upstream_id], row) for row in written if row.upstream_id in known],
            steps={step.pk: upstream_id for upstream_id, step in self._catalogues.steps.rows.items()},
            ledgers=ledgers,
            now=self._now,
            sequence=self._sequence,
        )

    def _keep_figures(self, written: Sequence[DataSubjectRequest], *, known: Mapping[int, DataSubjectRequest]) -> None:
        left: Counter[figures.Line] = Counter()
        steps = {step.pk: upstream_id for upstream_id, step in self._catalogues.steps.rows.items()}
        for row in written:
            before = known.get(row.upstream_id)
            if before is not None and before.step_id != row.step_id:
                step = steps.get(before.step_id or 0)
                left.update(
                    figures.left_step(step_upstream_id=step, entered_at=before.step_entered_at, seen_at=self._now)
                )
        figures.keep(self._workspace.pk, before=known.values(), after=written, left=left)

    def _write_words(
        self,
        dsrs: Mapping[int, schema.DataSubjectRequest],
        *,
        known: Mapping[int, DataSubjectRequest],
        digests: Mapping[int, bytes],
    ) -> None:
        """Replace the words of the requests whose identity is new."""
        renamed = [
            i
            for i in dsrs
            if i not in known
            or (
                known[i].identity_forgotten_at is None
                and rows.identity_half(known[i].digest) != rows.identity_half(digests[i])
            )
        ]
        if not renamed:
            return
        IdentityWord.objects.filter(dsr__in=[known[i].pk for i in renamed if i in known]).delete()
        keys = dict(
            DataSubjectRequest.objects.filter(workspace=self._workspace, upstream_id__in=renamed).values_list(
                "upstream_id", "pk"
            )
        )
        IdentityWord.objects.bulk_create(
            IdentityWord(workspace=self._workspace, dsr_id=keys[i], digest=digest)
            for i in renamed
            for digest in credentials.digest_words(words_of(rows.identity_fields(dsrs[i])), search_key=self._search_key)
        )


def _without_gaps(
    workspace: Workspace, dsrs: dict[int, schema.DataSubjectRequest]
) -> dict[int, schema.DataSubjectRequest]:
    gaping = [upstream_id for upstream_id, dsr in dsrs.items() if has_gaps(dsr)]
    if not gaping:
        return dsrs
    found = DataSubjectRequest.objects.filter(workspace=workspace, upstream_id__in=gaping)
    known = found.select_related("step", "operator", "area")
    return dsrs | {row.upstream_id: filled(dsrs[row.upstream_id], row=row) for row in known}


def _kept(workspace: Workspace, ids: Iterable[int]) -> dict[int, _Kept]:
    found = DataSubjectRequest.objects.filter(workspace=workspace, upstream_id__in=list(ids))
    return {
        upstream_id: _Kept(digest=bytes(digest), sequence=sequence, updated_at=updated_at)
        for upstream_id, digest, sequence, updated_at in found.values_list(
            "upstream_id", "digest", "sequence", "updated_at"
        )
    }


def _doubtful(
    workspace: Workspace,
    differing: Mapping[int, schema.DataSubjectRequest],
    *,
    kept: Mapping[int, _Kept],
    sequence: int,
) -> frozenset[int]:
    """Of what a list tells otherwise than the mirror: what may be older all the same, or was forgotten before the list was read."""
    undated = {
        i
        for i, dsr in differing.items()
        if i in kept and kept[i].sequence <= sequence and not _is_later(dsr.updated_at, than=kept[i].updated_at)
    }
    new = differing.keys() - kept.keys()
    if not new:
        return frozenset(undated)
    buried = ForgottenRequest.objects.filter(workspace=workspace, upstream_id__in=list(new), sequence__lte=sequence)
    return frozenset(undated.union(buried.values_list("upstream_id", flat=True)))


def _is_later(moment: datetime | None, *, than: datetime | None) -> bool:
    return moment is not None and (than is None or moment > than)


def _known(workspace: Workspace, ids: Iterable[int]) -> dict[int, DataSubjectRequest]:
    known: dict[int, DataSubjectRequest] = {}
    for chunk in _chunks(list(ids)):
        found = DataSubjectRequest.objects.filter(workspace=workspace, upstream_id__in=chunk).only(*_KNOWN_FIELDS)
        known.update((row.upstream_id, row) for row in found)
    return known


def _count(into: Counter[tuple[int | None, bool]], *, out: Iterable[DataSubjectRequest]) -> None:
    """Keep the counters of the steps in the same transaction as the rows."""
    deltas = Counter(into)
    deltas.subtract((row.step_id, row.archived) for row in out)
    for step_id in sorted({step_id for step_id, _ in deltas if step_id is not None}):
        live, archived = deltas[step_id, False], deltas[step_id, True]
        if live or archived:
            WorkflowStep.objects.filter(pk=step_id).update(
                live_count=F("live_count") + live, archived_count=F("archived_count") + archived
            )


def _clear_set_aside(workspace: Workspace, ids: Iterable[int]) -> None:
    noted = SetAsideRow.objects.filter(workspace=workspace, upstream_id__in=list(ids))
    if noted.exists():
        noted.delete()


def _chunks(ids: Sequence[int]) -> Iterable[Sequence[int]]:
    for start in range(0, len(ids), IDS_PER_QUERY):
        yield ids[start : start + IDS_PER_QUERY]
