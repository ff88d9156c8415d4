"""Payloads of Dastra -> rows, in bulk and idempotent: the one door through which mirrored requests are written.

Called by pulls and refreshes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import F

from dsrportal.dastra import schema
from dsrportal.mirror.leases import Lease
from dsrportal.models import Workspace


@dataclass(frozen=True, kw_only=True, slots=True)
class Stored:
    """Upstream ids: `stored` were written, `unchanged` were as the mirror has them, `outdated` were older than the mirror's."""

    stored: frozenset[int]
    unchanged: frozenset[int]
    outdated: frozenset[int]


def next_sequence(workspace: Workspace) -> int:
    """The number of a read that is about to be made: take it before the call to Dastra."""
    with transaction.atomic():  # the row stays locked in between, so no two reads get the same number
        Workspace.objects.filter(pk=workspace.pk).update(read_sequence=F("read_sequence") + 1)
        return Workspace.objects.values_list("read_sequence", flat=True).get(pk=workspace.pk)


def store_requests(
    workspace: Workspace,
    dsrs: Sequence[schema.DataSubjectRequest],
    *,
    sequence: int,
    now: datetime,
    lease: Lease | None = None,
) -> Stored:
    """Write what is new or changed. Raises `LeaseLostError` when `lease` is no longer the current one."""
    raise NotImplementedError
