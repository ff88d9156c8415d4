"""What the mirror must hold, told by the local Dastra's own state, and what it does hold. An independent reading of the JSON."""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from typing import Any

from django.core.management import call_command

from dsrportal.mirror import figures
from dsrportal.models import DataSubjectRequest, WorkflowStep, Workspace
from dsrportal.sandbox.server import Server

Line = dict[str, Any]


def upstream(server: Server, *, workspace_id: int = 101) -> list[Line]:
    """The requests of the local Dastra as `dump_mirror --with-identity` prints them."""
    return [line_of(served) for served in server.state[workspace_id].all()]


def line_of(served: dict[str, Any]) -> Line:
    """One request as Dastra serves it, in the words of the dump."""
    return {
        "upstream_id": served["id"],
        "reference": served["demandId"] or None,
        "state": served["state"],
        "step": served["workFlowStep"]["id"],
        "archived": served["archived"],
        "complex": served["complex"],
        "operator": served["operator"]["id"] if served["operator"] else None,
        "area": served["area"]["id"] if served["area"] else None,
        "tags": sorted(tag["id"] for tag in served["tags"]),
        "purposes": sorted(served["purposes"]),
        "channel": served["channel"],
        "received_at": instant(served["dateDemand"]),
        "expires_at": instant(served["expiryTime"]),
        "closed_at": instant(served["dateClosed"]),
        "updated_at": instant(served["dateUpdate"]),
        "title": served["title"] or None,
        "given_name": served["givenName"] or None,
        "family_name": served["familyName"] or None,
        "email": served["email"] or None,
    }


def instant(text: str | None) -> str | None:
    """`2026-01-02T03:04:05.1234567` without zone -> six digits, UTC."""
    if text is None or text.startswith("0001"):
        return None
    match = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?", text)
    assert match, text
    return f"{match[1]}.{(match[2] or '').ljust(6, '0')[:6]}+00:00"


def mirror(workspace: Workspace) -> list[Line]:
    """The mirror, by the command that prints it."""
    out = io.StringIO()
    call_command("dump_mirror", workspace.slug, "--with-identity", stdout=out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def ids(workspace: Workspace) -> set[int]:
    """The upstream ids in the mirror."""
    return set(DataSubjectRequest.objects.filter(workspace=workspace).values_list("upstream_id", flat=True))


def counters_are_right(workspace: Workspace) -> bool:
    """Whether the counters of all steps, and the tallies of the overview, equal a recount."""
    rows = DataSubjectRequest.objects.filter(workspace=workspace).values_list("step_id", "archived")
    counted = Counter(rows)
    return not figures.differing(workspace) and all(
        (step.live_count, step.archived_count) == (counted[step.pk, False], counted[step.pk, True])
        for step in WorkflowStep.objects.filter(workspace=workspace)
    )


def list_calls(server: Server) -> list[str]:
    """The queries of the lists of requests that were asked for so far."""
    return [entry.query for entry in server.journal.entries if entry.path.lower().endswith("/datasubjectrequests")]
