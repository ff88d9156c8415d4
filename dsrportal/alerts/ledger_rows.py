"""What the two ledgers of alerts have in common, that of people (`raising.py`, `wanted.py`) and that of channels (`channels.py`): which requests are looked
at, what became of them, and why a row no longer holds. Reads rows, writes none.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, TypeVar

from django.db.models import Q

from dsrportal.alerts.thresholds import Dates
from dsrportal.models import Alert, ChannelAlert, DataSubjectRequest, Workspace
from dsrportal.models.alert_rules import AlertPolicy
from dsrportal.models.alerts import AlertClock, AlertState, CancelledBecause
from dsrportal.models.requests import ExtensionState

BATCH = 500
COLUMNS = ("pk", "upstream_id", "reference", "operator_id", "respond_by", "extend_by", "extension_state", "refused_on")

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """A row of a ledger."""

    pk: int
    state: AlertState
    threshold: str
    fires_on: date


def due_requests(
    workspace: Workspace, *, policy: AlertPolicy, today: date, only: Collection[int] | None
) -> Iterator[dict[str, Any]]:
    """The open requests of which a threshold may have been reached by `today`, in order, each with `COLUMNS`; `only` names some by upstream id. One query."""
    horizon = today + timedelta(days=policy.thresholds.horizon_days)
    rows = DataSubjectRequest.objects.filter(
        Q(respond_by__lte=horizon) | Q(extend_by__gte=today, extend_by__lte=horizon),
        workspace=workspace,
        archived=False,
        is_closed=False,
    )
    if only is not None:
        rows = rows.filter(upstream_id__in=only)
    yield from rows.order_by("upstream_id").values(*COLUMNS)


def dates_of(row: dict[str, Any]) -> Dates:
    """The legal dates of one of those."""
    return Dates(
        respond_by=row["respond_by"],
        extend_by=row["extend_by"],
        is_extended=row["extension_state"] == ExtensionState.VALID,
        is_refused=row["refused_on"] is not None,
    )


def requests_of(workspace: Workspace, *, alerts: Iterable[Alert | ChannelAlert]) -> dict[int, dict[str, Any]]:
    """What the requests of these rows are like now, by upstream id; one that is gone is left out. A query for each 500."""
    found: dict[int, dict[str, Any]] = {}
    for some in batches(sorted({alert.upstream_id for alert in alerts})):
        rows = DataSubjectRequest.objects.filter(workspace=workspace, upstream_id__in=some)
        for row in rows.values("upstream_id", "is_closed", "archived", "respond_by", "extend_by", "extension_state"):
            found[row["upstream_id"]] = dict(row)
    return found


def why_over(alert: Alert | ChannelAlert, *, row: dict[str, Any] | None, is_held: bool) -> CancelledBecause | None:
    """Why a row no longer holds, by what its request is like now; None where the request is no reason. `is_held`: another row of that date holds."""
    if row is None:
        return CancelledBecause.GONE
    if row["is_closed"]:
        return CancelledBecause.CLOSED
    if row["archived"]:
        return CancelledBecause.ARCHIVED
    if is_held:
        return CancelledBecause.LATER
    on = row["respond_by"] if alert.clock == AlertClock.RESPOND else row["extend_by"]
    is_settled = alert.clock == AlertClock.EXTEND and row["extension_state"] == ExtensionState.VALID
    return CancelledBecause.MOVED if on != alert.due_on or is_settled else None


def batches(all_of_them: list[T]) -> Iterator[list[T]]:
    """Pieces small enough for one statement."""
    return (all_of_them[start : start + BATCH] for start in range(0, len(all_of_them), BATCH))
