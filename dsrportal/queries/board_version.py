"""A cheap sign of whether what a page shows may have changed: asked every two seconds by each page that is looked at. One query each.

A sign is made of numbers that change in the transaction of the rows themselves: who has seen a sign and then reads, reads at least those rows.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

from dsrportal.models import Membership, User


def of_workspace(slug: str, *, viewer: User) -> str | None:
    """The sign of the board: of all that the mirror and the wishes of the workspace hold, and of whether a pull is at work. None when the
    workspace is not among the viewer's."""
    found = (
        Membership.objects.filter(user=viewer, workspace__slug=slug)
        .values_list("workspace__change_number", "workspace__lease_until", "workspace__disabled_at", "role")
        .first()
    )
    if found is None:
        return None
    number, lease_until, disabled_at, role = found
    times = (f"{at.timestamp():.6f}" if at else "" for at in (lease_until, disabled_at))
    return "-".join((str(number), *times, role))


def of_everything(viewer: User, *, now: datetime) -> str:
    """The sign of the board over all the viewer's workspaces: changes with each of theirs, with the viewer's roles, and with the day."""
    found = (
        Membership.objects.filter(user=viewer)
        .order_by("workspace_id")
        .values_list(
            "workspace_id", "workspace__change_number", "workspace__lease_until", "workspace__disabled_at", "role"
        )
    )
    says = repr(([tuple(row) for row in found], now.strftime("%Y-%m-%d %H")))
    return hashlib.blake2s(says.encode(), digest_size=8).hexdigest()
