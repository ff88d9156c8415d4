"""A person as a reader of mail: their workspaces, their zone, whether they are at work. Called by planning and letters; reads rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from dsrportal.alerts.recipients import recipients_of
from dsrportal.clocks import Policy, day_of
from dsrportal.models import Membership, User, Workspace
from dsrportal.models.rules import policies_of

DAY_BEGINS, DAY_ENDS = time(7), time(20)
DIGEST_AT = time(8, 30)


@dataclass(frozen=True, kw_only=True, slots=True)
class Desk:
    """One person with an address and the enabled workspaces they work in, in order; `managed` are the keys of those whose deadlines they answer for,
    `own` the Dastra users that they are."""

    person: User
    workspaces: tuple[Workspace, ...]
    managed: frozenset[int]
    own: frozenset[int]
    policies: dict[int, Policy | None]

    @property
    def zone(self) -> ZoneInfo:
        """That of the first workspace."""
        return ZoneInfo(self.workspaces[0].time_zone)

    def today(self, now: datetime) -> date:
        """The reader's day."""
        return day_of(now, zone=self.zone)

    def is_at_work(self, now: datetime) -> bool:
        """Whether a mail may arrive now: in the working hours of a day on which one of the workspaces works."""
        local = now.astimezone(self.zone)
        policies = [policy for policy in self.policies.values() if policy]
        works = any(policy.calendar.is_working_day(local.date()) for policy in policies)
        return works and DAY_BEGINS <= local.time() < DAY_ENDS

    def is_digest_time(self, now: datetime) -> bool:
        """Whether the hour of the day's digest has come."""
        return now.astimezone(self.zone).time() >= DIGEST_AT


def desks() -> list[Desk]:
    """Everybody who may be sent mail, in the order of their accounts. Four queries a workspace and two more."""
    workspaces = list(Workspace.objects.filter(disabled_at=None).order_by("pk"))
    policies = policies_of(workspaces)
    recipients = {workspace.pk: recipients_of(workspace) for workspace in workspaces}
    members = Membership.objects.filter(workspace__in=workspaces, user__is_active=True).exclude(user__email="")
    found: dict[int, list[Membership]] = {}
    for member in members.select_related("user", "workspace").order_by("user_id", "workspace_id"):
        if member.may_act:
            found.setdefault(member.user_id, []).append(member)
    return [
        Desk(
            person=held[0].user,
            workspaces=tuple(member.workspace for member in held),
            managed=frozenset(m.workspace_id for m in held if m.user in recipients[m.workspace_id].managers),
            own=frozenset(
                operator_id
                for member in held
                for operator_id, person in recipients[member.workspace_id].accounts.items()
                if person == member.user
            ),
            policies={member.workspace_id: policies[member.workspace_id] for member in held},
        )
        for held in found.values()
    ]
