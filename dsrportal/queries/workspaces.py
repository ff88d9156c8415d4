"""The workspaces that a person administers, with what an admin wants to know of each. Called by the settings pages; never opens a secret."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q

from dsrportal.models import DataSubjectRequest, DriftNote, Role, SetAsideRow, SyncLane, User, Workspace
from dsrportal.models.workspaces import Hold
from dsrportal.queries import freshness
from dsrportal.queries.sentences import in_words


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkspaceLine:
    """One workspace of the list. Counts are of the mirror; `live_count` and `archived_count` are None while nothing is known."""

    workspace: Workspace
    freshness: freshness.Freshness
    live_count: int | None
    archived_count: int | None
    set_aside_count: int

    @property
    def hold_sentence(self) -> str:
        """Why its pulls stopped short, in the reader's language."""
        return in_words(self.workspace.hold_sentence)

    @property
    def may_accept_missing(self) -> bool:
        """Whether the hold waits for somebody to say that the missing requests may be let go."""
        return self.workspace.hold == Hold.MISSING


def administered(user: User) -> list[Workspace]:
    """The workspaces where the person is an admin, by name. One query."""
    return list(Workspace.objects.filter(memberships__user=user, memberships__role=Role.ADMIN).order_by("name"))


def lines(workspaces: list[Workspace], *, now: datetime) -> list[WorkspaceLine]:
    """What the list shows of these workspaces, in their order. Three queries, however many they are."""
    lanes = list(SyncLane.objects.filter(workspace__in=workspaces))
    counts = {
        workspace_id: (live, archived)
        for workspace_id, live, archived in DataSubjectRequest.objects.filter(workspace__in=workspaces)
        .order_by()
        .values_list("workspace_id")
        .annotate(live=Count("pk", filter=Q(archived=False)), put_away=Count("pk", filter=Q(archived=True)))
    }
    set_aside = set_aside_counts(workspaces)
    return [
        _line(
            workspace,
            judged=freshness.of_workspace(workspace, lanes=lanes, now=now),
            counts=counts.get(workspace.pk, (0, 0)),
            set_aside_count=set_aside.get(workspace.pk, 0),
        )
        for workspace in workspaces
    ]


def set_aside_counts(workspaces: list[Workspace]) -> dict[int, int]:
    """How many rows of Dastra's answers could not be understood, by workspace; absent is none. One query."""
    rows = SetAsideRow.objects.filter(workspace__in=workspaces).order_by()
    return dict(rows.values_list("workspace_id").annotate(n=Count("pk")))


def drift_counts(workspaces: list[Workspace]) -> dict[int, int]:
    """How many fields Dastra sends otherwise than documented, by workspace; absent is none. One query."""
    rows = DriftNote.objects.filter(workspace__in=workspaces).order_by()
    return dict(rows.values_list("workspace_id").annotate(n=Count("pk")))


def _line(
    workspace: Workspace, *, judged: freshness.Freshness, counts: tuple[int, int], set_aside_count: int
) -> WorkspaceLine:
    # Of a workspace that could not be read no nought is known: it would look healthy.
    is_known = judged.is_trustworthy or counts != (0, 0)
    return WorkspaceLine(
        workspace=workspace,
        freshness=judged,
        live_count=counts[0] if is_known else None,
        archived_count=counts[1] if is_known else None,
        set_aside_count=set_aside_count,
    )
