"""The three pulls. Called by jobs and by the command `sync`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from dsrportal.mirror.leases import BusyError
from dsrportal.models import Lane, SyncRun, Workspace

__all__ = ["BusyError", "Progress", "pull"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """How far a pull is: requests seen, and Dastra's own count of the list being read where it gives one."""

    seen: int
    total: int | None


def pull(
    workspace: Workspace,
    *,
    lane: Lane,
    now: Callable[[], datetime] | datetime,
    accept_missing: bool = False,
    progress: Callable[[Progress], None] | None = None,
) -> SyncRun:
    """Run one pull to its end. The run tells how it went; errors of the API are in it. Raises `BusyError`."""
    raise NotImplementedError
