"""The legal dates of rows that exist: computed anew when the ledger or the rules of a workspace change. Called by `actions` and the jobs.

Under the lock of the workspace's row, like every writer of the mirror. A closed request keeps its verdict whatever happens to the rules.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet, Value

from dsrportal.mirror import figures
from dsrportal.mirror.leases import lease_number
from dsrportal.mirror.legal import NO_LEDGER, Ledger, Rules, ledger_of, legal_fields
from dsrportal.models import DataSubjectRequest, Extension, Pause, Refusal, Workspace
from dsrportal.models.rules import policy_of

BATCH = 500
_READ = (
    "pk",
    "state",
    "received_at",
    "created_at",
    "expires_at",
    "closed_at",
    "complex",
    *DataSubjectRequest.LEGAL_FIELDS,
)


def rules_of(workspace_id: int) -> Rules:
    """The rules as they are now. Two queries; call it under the workspace's lock where rows are written by them."""
    workspace = Workspace.objects.get(pk=workspace_id)
    return Rules(
        policy=policy_of(workspace),
        zone=ZoneInfo(workspace.time_zone),
        number=workspace.rules_number,
        target_days=workspace.target_days,
    )


def ledgers_of(dsr_pks: Collection[int]) -> dict[int, Ledger]:
    """What counts of the ledgers of these requests; one that has none is absent. Three queries."""
    if not dsr_pks:
        return {}
    standing = {"dsr__in": dsr_pks, "withdrawn_at": None}
    entries: dict[int, tuple[list[Pause], list[Extension], list[Refusal]]] = defaultdict(lambda: ([], [], []))
    for pause in Pause.objects.filter(**standing):
        entries[pause.dsr_id][0].append(pause)
    for extension in Extension.objects.filter(**standing):
        entries[extension.dsr_id][1].append(extension)
    for refusal in Refusal.objects.filter(**standing):
        entries[refusal.dsr_id][2].append(refusal)
    return {pk: ledger_of(pauses=one[0], extensions=one[1], refusals=one[2]) for pk, one in entries.items()}


def lock(workspace_id: int) -> None:
    """Keep every other writer of the workspace's rows waiting until the transaction ends."""
    lease_number(workspace_id)


def reckon(dsr: DataSubjectRequest) -> None:
    """Compute one request's dates anew and write them, inside a transaction that holds the lock. Of a closed one only the refusal's are touched."""
    rules = rules_of(dsr.workspace_id)
    ledger = ledgers_of([dsr.pk]).get(dsr.pk, NO_LEDGER)
    fields = legal_fields(dsr, ledger=ledger, rules=rules)
    if dsr.is_closed:
        refused_on, due_on = fields["refused_on"], dsr.extend_by
        is_late = refused_on is not None and due_on is not None and refused_on > due_on
        fields = {"refused_on": refused_on, "is_refusal_late": is_late}
    with figures.followed(dsr.workspace_id, [dsr.pk]):
        DataSubjectRequest.objects.filter(pk=dsr.pk).update(**fields)
    for name, value in fields.items():
        setattr(dsr, name, value)


def is_behind(workspace: Workspace) -> bool:
    """Whether open requests still show dates of former rules."""
    return _behind(workspace.pk, number=workspace.rules_number).exists()


def workspaces_behind() -> list[Workspace]:
    """The workspaces of which open requests still show dates of former rules. One query."""
    rows = DataSubjectRequest.objects.filter(workspace=OuterRef("pk"), is_closed=Value(value=False))
    return list(Workspace.objects.filter(Exists(rows.exclude(rules_number=OuterRef("rules_number")))))


def restate(workspace: Workspace, *, now: datetime, most: int | None = None) -> int:
    """Compute the open requests anew that were computed by former rules, in batches of 500, each a transaction; `most` stops after so many.
    Returns how many dates moved.

    May be stopped at any line and run again: what is done is done, and what is left is found by its number.
    """
    moved = done = 0
    while most is None or done < most:
        with transaction.atomic():
            lock(workspace.pk)
            rules = rules_of(workspace.pk)
            rows = list(_behind(workspace.pk, number=rules.number).only(*_READ).order_by("pk")[:BATCH])
            if not rows:
                break
            done += len(rows)
            with figures.followed(workspace.pk, [row.pk for row in rows]):
                moved += _restate(rows, rules=rules, now=now)
            Workspace.note_change(workspace.pk)
    return moved


def _behind(workspace_id: int, *, number: int) -> QuerySet[DataSubjectRequest]:
    rows = DataSubjectRequest.objects.filter(workspace_id=workspace_id, is_closed=Value(value=False))
    return rows.exclude(rules_number=number)


def _restate(rows: list[DataSubjectRequest], *, rules: Rules, now: datetime) -> int:
    """Most changes of the rules move few dates: what stays gets its new number in one go."""
    ledgers = ledgers_of([row.pk for row in rows])
    same, moved = [], 0
    for row in rows:
        fields = legal_fields(row, ledger=ledgers.get(row.pk, NO_LEDGER), rules=rules)
        differing = {name: value for name, value in fields.items() if value != getattr(row, name)}
        if differing.keys() <= {"rules_number"}:
            same.append(row.pk)
            continue
        before = row.respond_by or row.without_pauses
        if before is not None and before != (fields["respond_by"] or fields["without_pauses"]):
            differing |= {"restated_at": now, "restated_from": before}
            moved += 1
        DataSubjectRequest.objects.filter(pk=row.pk).update(**differing)
    DataSubjectRequest.objects.filter(pk__in=same).update(rules_number=rules.number)
    return moved
