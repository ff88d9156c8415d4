"""A person as a reader of mail: their workspaces, their zone, whether they are at work. Called by planning and letters; reads rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from dsrportal.alerts.recipients import Recipients, recipients_of
from dsrportal.clocks import Policy, day_of
from dsrportal.models import AlertWish, Membership, User, Workspace
from dsrportal.models.alert_rules import AlertPolicy, alert_policies_of
from dsrportal.models.rules import policies_of


@dataclass(frozen=True, kw_only=True, slots=True)
class Desk:
    """One person with an address and the enabled workspaces that they are told of, in order; `managed` are the keys of those whose deadlines they
    answer for, `own` the Dastra users that they are or stand in for. `policies` are the workspaces' clocks, `rules` what is mailed and when."""

    person: User
    workspaces: tuple[Workspace, ...]
    managed: frozenset[int]
    own: frozenset[int]
    policies: dict[int, Policy | None]
    rules: dict[int, AlertPolicy] = field(default_factory=dict)
    skips_digest: bool = False

    @property
    def zone(self) -> ZoneInfo:
        """That of the first workspace."""
        return ZoneInfo(self.workspaces[0].time_zone)

    @property
    def hours(self) -> AlertPolicy:
        """The rules whose hours count: those of the first workspace."""
        return self._rules(self.workspaces[0])

    def today(self, now: datetime) -> date:
        """The reader's day."""
        return day_of(now, zone=self.zone)

    def is_at_work(self, now: datetime) -> bool:
        """Whether a mail may arrive now: in the working hours of a day on which one of the workspaces works and is not quiet."""
        local = now.astimezone(self.zone)
        policies = [self.policies[workspace.pk] for workspace in self.awake(now)]
        works = any(policy.calendar.is_working_day(local.date()) for policy in policies if policy)
        return works and self.hours.begins <= local.time() < self.hours.ends

    def is_digest_time(self, now: datetime) -> bool:
        """Whether the hour of the day's digest has come."""
        return now.astimezone(self.zone).time() >= self.hours.digest_at

    def awake(self, now: datetime) -> list[Workspace]:
        """The workspaces that are not quiet on the reader's day: the others' alerts wait."""
        today = self.today(now)
        return [workspace for workspace in self.workspaces if not self._rules(workspace).is_quiet(today)]

    def _rules(self, workspace: Workspace) -> AlertPolicy:
        return self.rules.get(workspace.pk) or AlertPolicy()


def desks(*, now: datetime, trying: Mapping[int, AlertPolicy] | None = None) -> list[Desk]:
    """Everybody who may be sent mail at `now`, in the order of their accounts: not who is away, and of no workspace that only tries its rules.
    `trying` has other rules for some workspaces, by their keys. Seven queries a workspace and four more."""
    enabled = list(Workspace.objects.filter(disabled_at=None).order_by("pk"))
    rules = alert_policies_of(enabled) | dict(trying or {})
    workspaces = [one for one in enabled if not rules[one.pk].is_dry]
    policies = policies_of(workspaces)
    recipients = {
        one.pk: recipients_of(one, on=day_of(now, zone=ZoneInfo(one.time_zone)), policy=rules[one.pk])
        for one in workspaces
    }
    members = Membership.objects.filter(workspace__in=workspaces, user__is_active=True).exclude(user__email="")
    found: dict[int, list[Membership]] = {}
    for member in members.select_related("user", "workspace").order_by("user_id", "workspace_id"):
        people = recipients[member.workspace_id]
        if (member.may_act or member.user in people.named) and not people.is_away(member.user):
            found.setdefault(member.user_id, []).append(member)
    wishes = AlertWish.objects.filter(skips_digest=True, person__in=found)
    skipping = set(wishes.values_list("person_id", flat=True))
    return [
        Desk(
            person=held[0].user,
            workspaces=tuple(member.workspace for member in held),
            managed=frozenset(m.workspace_id for m in held if _manages(m.user, people=recipients[m.workspace_id])),
            own=frozenset(pk for m in held for pk in _operators(m.user, people=recipients[m.workspace_id])),
            policies={member.workspace_id: policies[member.workspace_id] for member in held},
            rules={member.workspace_id: rules[member.workspace_id] for member in held},
            skips_digest=person_id in skipping and all(rules[m.workspace_id].may_skip_digest for m in held),
        )
        for person_id, held in found.items()
    ]


def _manages(person: User, *, people: Recipients) -> bool:
    """Whether the person answers for the deadlines, or stands in for somebody who does."""
    stood_in_for = people.stood_in_for(person)
    return any(manager == person or manager.pk in stood_in_for for manager in people.managers)


def _operators(person: User, *, people: Recipients) -> set[int]:
    """The keys of the Dastra users that the person is, or stands in for."""
    stood_in_for = people.stood_in_for(person)
    return {pk for pk, user in people.accounts.items() if user == person or user.pk in stood_in_for}
