"""One pull at a time for each workspace, over all processes and machines: a lease in the workspace's row.

Called by pulls. A lease that is not renewed runs out; a pull that lost its lease may not commit (`lease_number` grew).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q

from dsrportal.models import Workspace

LEASE_SECONDS = 60


class BusyError(Exception):
    """Another pull of this workspace is running."""


class LeaseLostError(Exception):
    """The lease ran out and another pull took over: nothing more may be written."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Lease:
    """The right to pull one workspace. `number` is its fencing number."""

    workspace_id: int
    owner: str
    number: int


def acquire(workspace: Workspace, *, now: datetime) -> Lease:
    """Take the lease of a workspace for 60 s. Raises `BusyError` while another holds it."""
    owner = secrets.token_hex(16)
    free = Q(lease_until__isnull=True) | Q(lease_until__lte=now)
    taken = Workspace.objects.filter(free, pk=workspace.pk).update(
        lease_owner=owner, lease_until=now + timedelta(seconds=LEASE_SECONDS), lease_number=F("lease_number") + 1
    )
    if not taken:
        raise BusyError
    found = Workspace.objects.filter(pk=workspace.pk, lease_owner=owner).values_list("lease_number", flat=True).first()
    if found is None:
        raise BusyError
    return Lease(workspace_id=workspace.pk, owner=owner, number=found)


def renew(lease: Lease, *, now: datetime) -> int:
    """Hold the lease for another 60 s and number the read that follows. Raises `LeaseLostError`."""
    mine = Workspace.objects.filter(pk=lease.workspace_id, lease_number=lease.number, lease_owner=lease.owner)
    until = now + timedelta(seconds=LEASE_SECONDS)
    with transaction.atomic():  # the row stays locked in between, so no two reads get the same number
        renewed = mine.update(lease_until=until, read_sequence=F("read_sequence") + 1)
        sequence = mine.values_list("read_sequence", flat=True).first() if renewed else None
    if sequence is None:
        raise LeaseLostError
    return sequence


def release(lease: Lease) -> None:
    """Give the lease back; nothing happens when it is another's by now."""
    Workspace.objects.filter(pk=lease.workspace_id, lease_number=lease.number, lease_owner=lease.owner).update(
        lease_owner="", lease_until=None
    )


def lease_number(workspace_id: int) -> int:
    """The fencing number of the latest lease. Locks the workspace's row until the transaction ends."""
    workspaces = Workspace.objects.select_for_update(no_key=True)
    return workspaces.values_list("lease_number", flat=True).get(pk=workspace_id)
