"""The people of the workspaces that an admin looks after, and who was invited. Called by the people page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dsrportal.models import Invitation, Membership, Workspace


@dataclass(frozen=True, kw_only=True, slots=True)
class InvitedLine:
    """An invitation that nobody has taken up yet. `state` is one of `waiting` (for the mail), `sent`, `failed`, `over`."""

    invitation: Invitation
    state: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PeopleOfWorkspace:
    """One workspace with its members, by name, and those who were asked."""

    workspace: Workspace
    members: list[Membership]
    invited: list[InvitedLine]


def people_of(workspaces: list[Workspace], *, now: datetime) -> list[PeopleOfWorkspace]:
    """Of these workspaces, in their order. Two queries, however many they are."""
    members: dict[int, list[Membership]] = {one.pk: [] for one in workspaces}
    rows = Membership.objects.filter(workspace__in=workspaces).select_related("user")
    for row in sorted(rows, key=lambda one: one.user.display_name().casefold()):
        members[row.workspace_id].append(row)
    invited: dict[int, list[InvitedLine]] = {one.pk: [] for one in workspaces}
    waiting = Invitation.objects.filter(workspace__in=workspaces, accepted_at=None, revoked_at=None)
    for invitation in waiting.order_by("email"):
        line = InvitedLine(invitation=invitation, state=_state(invitation, now=now))
        invited[invitation.workspace_id].append(line)
    return [PeopleOfWorkspace(workspace=one, members=members[one.pk], invited=invited[one.pk]) for one in workspaces]


def _state(invitation: Invitation, *, now: datetime) -> str:
    if not invitation.is_open(now):
        return "over"
    if invitation.sent_at:
        return "sent"
    return "failed" if invitation.failed_at else "waiting"
