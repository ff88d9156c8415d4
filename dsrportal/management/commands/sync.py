"""`manage.py sync NAME`: one pull now. A thin door to `dsrportal.mirror.pull`."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from dsrportal.actions.workspaces import end_hold
from dsrportal.management.workspaces import find_workspace
from dsrportal.mirror.pull import BusyError, Progress, pull
from dsrportal.models import Lane, SyncRun, Workspace
from dsrportal.models.runs import SyncOutcome
from dsrportal.models.workspaces import Hold


class Command(BaseCommand):
    help = "Reads a workspace from Dastra now. Exit 0 when the pass was complete, 1 with the reason otherwise."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", metavar="NAME", help="name or short name of the workspace")
        lanes = parser.add_mutually_exclusive_group()
        lanes.add_argument(
            "--active", dest="lane", action="store_const", const=Lane.ACTIVE, help="all that is not closed (default)"
        )
        lanes.add_argument(
            "--full", dest="lane", action="store_const", const=Lane.FULL, help="everything, closed and archived too"
        )
        lanes.add_argument(
            "--overtaking",
            dest="lane",
            action="store_const",
            const=Lane.OVERTAKING,
            help="what Dastra counts as overdue",
        )
        parser.add_argument("--json", action="store_true", help="one line of counts on standard output")
        parser.add_argument(
            "--accept-missing",
            action="store_true",
            help="forget what Dastra confirms as gone, even more than a fifth; reads everything unless told otherwise",
        )

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002  Django's signature
        workspace = find_workspace(options["name"])
        accept = options["accept_missing"]
        lane = options["lane"] or (Lane.FULL if accept else Lane.ACTIVE)
        if not workspace.is_enabled:
            self._print(SyncRun(lane=lane), as_json=options["json"])
            raise CommandError(f"“{workspace.name}” is disabled.")
        try:
            run = self._pull(workspace, lane=lane, accept_missing=accept)
        except BusyError:
            self._print(SyncRun(lane=lane), as_json=options["json"])
            raise CommandError(f"“{workspace.name}” is being read by another pull at the moment.") from None
        self._print(run, as_json=options["json"])
        if run.outcome != SyncOutcome.COMPLETE:
            raise CommandError(run.error)

    def _pull(self, workspace: Workspace, *, lane: Lane, accept_missing: bool) -> SyncRun:
        progress = self._show if self.stderr.isatty() else None
        if accept_missing and workspace.hold == Hold.MISSING:
            return end_hold(workspace, by=None, now=timezone.now(), lane=lane, progress=progress)
        return pull(workspace, lane=lane, now=timezone.now, accept_missing=accept_missing, progress=progress)

    def _show(self, progress: Progress) -> None:
        of = f" (this list: {progress.total})" if progress.total is not None else ""
        self.stderr.write(f"\r{progress.seen} requests read{of} …", style_func=str, ending="")

    def _print(self, run: SyncRun, *, as_json: bool) -> None:
        if self.stderr.isatty():
            self.stderr.write("\r\033[K", style_func=str, ending="")
        seconds = round((run.finished_at - run.started_at).total_seconds(), 3) if run.finished_at else 0.0
        counts = {name: getattr(run, name) for name in ("calls", "seen", "stored", "unchanged", "gone")}
        if as_json:
            self.stdout.write(json.dumps({**counts, "seconds": seconds}))
        elif run.finished_at:
            told = ", ".join(f"{count} {name}" for name, count in counts.items())
            aside = f", {run.set_aside} set aside" if run.set_aside else ""
            self.stdout.write(f"{told}{aside} in {seconds:.1f} s")
