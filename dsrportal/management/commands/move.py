"""`manage.py move NAME UPSTREAM_ID STEP_UPSTREAM_ID --as USERNAME`: the board's move from a terminal, through the same action."""

from __future__ import annotations

import json
import sys
import uuid
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from dsrportal.actions import outbox
from dsrportal.dastra.errors import DastraError
from dsrportal.management.workspaces import find_workspace
from dsrportal.mirror.connections import connect
from dsrportal.mirror.refresh import refresh_request
from dsrportal.models import DataSubjectRequest, User, WorkflowStep
from dsrportal.models.outbox import WishKind, WishState

OPEN_EXIT = 3
EXITS = {WishState.DONE: 0, WishState.REFUSED: 1, WishState.CANCELLED: 1}
"""A conflict is told as a refusal: nothing was written, and nobody at a terminal is asked to choose."""


class Command(BaseCommand):
    help = (
        "Moves a request to a step. Exit 0: done and read back; 1: refused, nothing was changed; "
        "3: held, or unknown until a read settles it (see flush_outbox)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", metavar="NAME", help="name or short name of the workspace")
        parser.add_argument("upstream_id", metavar="UPSTREAM_ID", type=int, help="the request's id in Dastra")
        parser.add_argument("step_upstream_id", metavar="STEP_UPSTREAM_ID", type=int, help="the step's id in Dastra")
        parser.add_argument("--as", dest="username", required=True, metavar="USERNAME", help="who moves it")
        parser.add_argument("--now", action="store_true", help="skip the undo window")
        parser.add_argument("--json", action="store_true", help="one line: outcome and reason")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002  Django's signature
        outcome, reason = self._move(options)
        if options["json"]:
            self.stdout.write(json.dumps({"outcome": outcome.value, "reason": reason}))
        else:
            self.stdout.write(f"{outcome.label}{': ' if reason else '.'}{reason}")
        if code := EXITS.get(outcome, OPEN_EXIT):
            sys.exit(code)

    def _move(self, options: dict[str, Any]) -> tuple[WishState, str]:
        workspace = find_workspace(options["name"])
        user = User.objects.filter(username=options["username"]).first()
        if user is None:
            return WishState.REFUSED, f"There is no account “{options['username']}”."
        dsr = (
            DataSubjectRequest.objects.filter(workspace=workspace, upstream_id=options["upstream_id"])
            .select_related("workspace", "step")
            .first()
        )
        if dsr is None:
            return (
                WishState.REFUSED,
                f"The mirror has no request {options['upstream_id']}; `sync` reads it from Dastra.",
            )
        now = timezone.now()
        try:
            entry = outbox.wish(
                action_id=uuid.uuid4(),
                kind=WishKind.MOVE,
                dsr=dsr,
                step=WorkflowStep.objects.filter(workspace=workspace, upstream_id=options["step_upstream_id"]).first(),
                by=user,
                seen_step_upstream_id=dsr.step.upstream_id if dsr.step else None,
                seen_updated_at=dsr.updated_at,
                now=now,
                hold_seconds=0 if options["now"] else None,
            )
        except outbox.WishError as error:
            if error.code == "no_change":
                return _read_back(dsr, step_upstream_id=options["step_upstream_id"], now=now)
            return WishState.REFUSED, error.sentence
        if options["now"]:
            entry = outbox.send(entry.pk, now=now)
        state = WishState(entry.state)
        return (WishState.REFUSED if state == WishState.CONFLICT else state), entry.reason


def _read_back(dsr: DataSubjectRequest, *, step_upstream_id: int, now: datetime) -> tuple[WishState, str]:
    """The mirror has the request in this step already: whether Dastra has too, since the mirror may be behind."""
    try:
        with connect(dsr.workspace, interactive=True) as client:
            found = refresh_request(dsr.workspace, upstream_id=dsr.upstream_id, client=client, now=now)
    except DastraError as error:
        return WishState.REFUSED, error.sentence
    if found is None:
        return WishState.REFUSED, "Dastra no longer has this request."
    if found.archived or found.step_upstream_id != step_upstream_id:
        return WishState.REFUSED, "It was changed in Dastra meanwhile; the mirror has its new state now."
    return WishState.DONE, ""
