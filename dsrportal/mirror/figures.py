"""Keeps the tallies of the overview in the transaction of the rows that they count, and counts them anew to see whether they are right.

Called by `store.py` and `reckoning.py` under the workspace's lock, and by the nightly check. A line says only what the row's own columns say, never
what day it is: so a line is right until its row changes.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple, Protocol

from django.db import transaction

from dsrportal.mirror.leases import lease_number
from dsrportal.models import DataSubjectRequest, StepChange, Tally, TallyCheck, Workspace
from dsrportal.models.figures import TallyKind
from dsrportal.models.requests import ExtensionState

logger = logging.getLogger(__name__)

CLOSED = "Closed"
NO_DAY = DataSubjectRequest.NO_DAY
LONGEST_GROUP = 40
MOST_DAYS = 99_999
KEYS_PER_QUERY = 500
FIELDS = (
    "state", "archived", "step_id", "operator_id", "area_id", "purposes", "received_on", "respond_by", "extend_by", "paused_since",
    "extension_state", "refused_on", "closed_on", "late_days",
)  # fmt: skip
"""All that a row's lines depend on."""


class Line(NamedTuple):
    """What a tally counts; see `TallyKind`."""

    kind: TallyKind
    day: date = NO_DAY
    group: str = ""
    days: int = 0

    @property
    def key(self) -> str:
        """The line in one text."""
        return f"{self.kind} {self.day.toordinal()} {self.days} {self.group}"


class Countable(Protocol):
    """A request's row, or as much of it as is counted."""

    state: str
    archived: bool
    step_id: int | None
    operator_id: int | None
    area_id: int | None
    purposes: str
    received_on: date | None
    respond_by: date | None
    extend_by: date | None
    paused_since: date | None
    extension_state: str
    refused_on: date | None
    closed_on: date | None
    late_days: int | None


def lines_of(dsr: Countable) -> Iterator[Line]:
    """The lines in which a request is counted, each once."""
    if dsr.received_on is not None:
        yield Line(TallyKind.RECEIVED, week_of(dsr.received_on))
    if dsr.state == CLOSED:
        yield from _closing(dsr)
    elif not dsr.archived:
        yield from _open(dsr)


def week_of(day: date) -> date:
    """The Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def month_of(day: date) -> date:
    """The first day of a day's month."""
    return day.replace(day=1)


def keep(
    workspace_id: int,
    *,
    before: Iterable[Countable],
    after: Iterable[Countable],
    left: Mapping[Line, int] | None = None,
) -> None:
    """Take rows out of the tallies as they were, and put them in as they are. `left` are lines of steps that were left (`left_step`).

    Inside the transaction that writes the rows, under the workspace's lock.
    """
    changes: Counter[Line] = Counter(left or {})
    for dsr in after:
        changes.update(lines_of(dsr))
    for dsr in before:
        changes.subtract(lines_of(dsr))
    _apply(workspace_id, changes={line: number for line, number in changes.items() if number})


@contextmanager
def followed(workspace_id: int, pks: Collection[int]) -> Iterator[None]:
    """Keep the tallies right while the block updates these rows: they are read before it and after it. Under the workspace's lock."""
    before = _rows(pks)
    yield
    keep(workspace_id, before=before, after=_rows(pks))


def left_step(*, step_upstream_id: int | None, entered_at: datetime | None, seen_at: datetime) -> Iterator[Line]:
    """The line of a step that was left, where it is known since when the request was in it. By UTC, so that no setting can move it."""
    if step_upstream_id is not None and entered_at is not None:
        days = min(max((seen_at - entered_at).days, 0), MOST_DAYS)
        yield Line(TallyKind.STEP, month_of(seen_at.astimezone(UTC).date()), str(step_upstream_id), days)


def recount(workspace: Workspace, *, now: datetime) -> int:
    """Count all rows of the workspace, mend the tallies, and note it. Returns how many lines differed: none, unless there is a mistake somewhere.

    Counted first without the lock, since that takes seconds for a hundred thousand rows and hardly ever finds anything; what seems to differ may only
    have been written meanwhile, and is counted once more while nobody writes.
    """
    wrong = 0
    if differing(workspace):
        with transaction.atomic():
            lease_number(workspace.pk)
            wrong = _mend(workspace)
    noted: dict[str, datetime | int] = {"checked_at": now, "differing": wrong}
    if wrong:
        noted["differed_at"] = now
        logger.error("The overview of workspace %d was wrong in %d lines and was mended.", workspace.pk, wrong)
    TallyCheck.objects.update_or_create(workspace=workspace, defaults=noted)
    return wrong


def differing(workspace: Workspace) -> set[str]:
    """The keys of the lines that are not what a count of the rows gives. Without a lock: what is written meanwhile may seem to differ."""
    return _wrong(workspace.pk, right={line.key: number for line, number in _counted(workspace.pk).items()})


def _mend(workspace: Workspace) -> int:
    counted = {line.key: (line, number) for line, number in _counted(workspace.pk).items()}
    wrong = sorted(_wrong(workspace.pk, right={key: number for key, (_line, number) in counted.items()}))
    for keys in _chunks(wrong):
        Tally.objects.filter(workspace=workspace, key__in=keys).delete()
    Tally.objects.bulk_create(
        [_row(workspace.pk, key=key, line=counted[key][0], count=counted[key][1]) for key in wrong if key in counted],
        batch_size=KEYS_PER_QUERY,
    )
    return len(wrong)


def _wrong(workspace_id: int, *, right: Mapping[str, int]) -> set[str]:
    kept = dict(Tally.objects.filter(workspace_id=workspace_id).values_list("key", "count"))
    return {key for key in kept.keys() | right.keys() if kept.get(key, 0) != right.get(key, 0)}


def _rows(pks: Collection[int]) -> list[Countable]:
    return list(DataSubjectRequest.objects.filter(pk__in=pks).only(*FIELDS))


def _open(dsr: Countable) -> Iterator[Line]:
    step, assignee = _text(dsr.step_id), _text(dsr.operator_id)
    yield Line(TallyKind.OPEN, group=step)
    yield Line(TallyKind.AGE, dsr.received_on or NO_DAY)
    if dsr.paused_since is not None:
        yield Line(TallyKind.PAUSED)
    elif dsr.respond_by is None:
        yield Line(TallyKind.NEEDS_DATA)
        return
    else:
        yield Line(TallyKind.RUNNING, dsr.respond_by, assignee)
        yield Line(TallyKind.RISK, dsr.respond_by, step)
    if dsr.extend_by is not None:
        yield Line(TallyKind.FIRST, dsr.extend_by)
        if dsr.extension_state != ExtensionState.VALID and dsr.refused_on is None:
            yield Line(TallyKind.UNDECIDED, dsr.extend_by)


def _closing(dsr: Countable) -> Iterator[Line]:
    if dsr.closed_on is None:
        return
    week, month = week_of(dsr.closed_on), month_of(dsr.closed_on)
    yield Line(TallyKind.CLOSED, week, _verdict(dsr.late_days))
    late_days = (dsr.closed_on - dsr.extend_by).days if dsr.extend_by and dsr.late_days is not None else None
    yield Line(TallyKind.CLOSED_FIRST, week, _verdict(late_days))
    days = min(max((dsr.closed_on - dsr.received_on).days, 0), MOST_DAYS) if dsr.received_on else Tally.NO_DAYS
    for code in {code[:LONGEST_GROUP] for code in dsr.purposes.split("|")} - {""} or {""}:
        yield Line(TallyKind.TOOK_RIGHT, month, code, days)
    yield Line(TallyKind.TOOK_AREA, month, _text(dsr.area_id), days)
    yield Line(TallyKind.TOOK_ASSIGNEE, month, _text(dsr.operator_id), days)


def _verdict(late_days: int | None) -> str:
    return "" if late_days is None else "late" if late_days > 0 else "in_time"


def _text(key: int | None) -> str:
    return "" if key is None else str(key)


def _counted(workspace_id: int) -> Counter[Line]:
    counted: Counter[Line] = Counter()
    rows = DataSubjectRequest.objects.filter(workspace_id=workspace_id)
    for dsr in rows.values_list(*FIELDS, named=True).iterator(chunk_size=2000):
        counted.update(lines_of(dsr))
    changes = StepChange.objects.filter(workspace_id=workspace_id).exclude(entered_at=None)
    for step, entered_at, seen_at in changes.values_list("from_step_upstream_id", "entered_at", "seen_at").iterator():
        counted.update(left_step(step_upstream_id=step, entered_at=entered_at, seen_at=seen_at))
    return counted


def _apply(workspace_id: int, *, changes: Mapping[Line, int]) -> None:
    """Add to the counts. Two writes and as many reads as there are 500 lines; the workspace's lock makes read and write one."""
    if not changes:
        return
    keyed = {line.key: (line, number) for line, number in changes.items()}
    kept: dict[str, int] = {}
    for chunk in _chunks(list(keyed)):
        found = Tally.objects.filter(workspace_id=workspace_id, key__in=chunk)
        kept.update(found.values_list("key", "count"))
    counts = {key: kept.get(key, 0) + number for key, (_line, number) in keyed.items()}
    Tally.objects.bulk_create(
        [_row(workspace_id, key=key, line=line, count=counts[key]) for key, (line, _n) in keyed.items() if counts[key]],
        update_conflicts=True,
        unique_fields=["workspace", "key"],
        update_fields=["count"],
    )
    for chunk in _chunks([key for key, count in counts.items() if not count]):
        Tally.objects.filter(workspace_id=workspace_id, key__in=chunk).delete()


def _row(workspace_id: int, *, key: str, line: Line, count: int) -> Tally:
    return Tally(
        workspace_id=workspace_id,
        key=key,
        kind=line.kind,
        day=line.day,
        group=line.group,
        days=line.days,
        count=count,
    )


def _chunks(keys: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(keys), KEYS_PER_QUERY):
        yield keys[start : start + KEYS_PER_QUERY]
