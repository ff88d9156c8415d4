"""How a workspace wants its alerts, and how a person does: thresholds, who is told, hours and quiet days; who stands in for whom and when, and what
somebody wants no mail of. Changed by `actions.alert_rules` and `actions.alert_wishes`, read by `dsrportal.alerts`.

`AlertPolicy` is the workspace's part as plain data: whoever decides is given one and asks no row.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, time

from django.db import models

from dsrportal.models.people import User
from dsrportal.models.requests import DataSubjectRequest
from dsrportal.models.thresholds import DEFAULT, Thresholds
from dsrportal.models.workspaces import Workspace

DAY_BEGINS, DAY_ENDS, DIGEST_AT = time(7), time(20), time(8, 30)


@dataclass(frozen=True, kw_only=True, slots=True)
class AlertPolicy:
    """The rules of one workspace; the defaults are those of a workspace that has none of its own.

    Mails go from `begins` until before `ends`, the digest from `digest_at` on, all in the workspace's zone. `named` are keys of accounts. On a quiet
    weekday (0 is Monday) or date no mail goes; what waits goes on the next day. `since` has the workspace's day since which a threshold (by its code),
    copies to the managers (`managers`) or a named person (`named_7`) are in the rules; what is not there always was. `is_dry`: everything is decided
    and written down, and nobody is told.
    """

    thresholds: Thresholds = DEFAULT
    tells_assignee: bool = True
    tells_managers: bool = False
    named: frozenset[int] = frozenset()
    begins: time = DAY_BEGINS
    ends: time = DAY_ENDS
    digest_at: time = DIGEST_AT
    quiet_weekdays: frozenset[int] = frozenset()
    quiet_dates: frozenset[date] = frozenset()
    may_mute: bool = True
    may_skip_digest: bool = False
    is_dry: bool = False
    since: Mapping[str, date] = field(default_factory=dict)

    def is_quiet(self, day: date) -> bool:
        """Whether mails wait until the next day."""
        return day.weekday() in self.quiet_weekdays or day in self.quiet_dates


class AlertRules(models.Model):
    """The rules of a workspace as an admin set them; without a row the defaults of `AlertPolicy` hold. `extend_days` and `respond_days` lack the day
    itself, which is always told. Dates are ISO 8601; `since` as in `AlertPolicy`."""

    workspace = models.OneToOneField(Workspace, on_delete=models.CASCADE, related_name="alert_rules")
    extend_days = models.JSONField(default=list)
    respond_days = models.JSONField(default=list)
    overdue_days = models.JSONField(default=list)
    tells_assignee = models.BooleanField(default=True)
    tells_managers = models.BooleanField(default=False)
    named = models.ManyToManyField(User, related_name="+")
    begins = models.TimeField(default=DAY_BEGINS)
    ends = models.TimeField(default=DAY_ENDS)
    digest_at = models.TimeField(default=DIGEST_AT)
    quiet_weekdays = models.JSONField(default=list)
    quiet_dates = models.JSONField(default=list)
    may_mute = models.BooleanField(default=True)
    may_skip_digest = models.BooleanField(default=False)
    is_dry = models.BooleanField(default=False)
    since = models.JSONField(default=dict)
    changed_at = models.DateTimeField()

    def policy(self, *, named: Collection[int]) -> AlertPolicy:
        """The row as plain data; `named` are the keys of `self.named`."""
        return AlertPolicy(
            thresholds=Thresholds(
                extend=(*self.extend_days, 0), respond=(*self.respond_days, 0), overdue=tuple(self.overdue_days)
            ),
            tells_assignee=self.tells_assignee,
            tells_managers=self.tells_managers,
            named=frozenset(named),
            begins=self.begins,
            ends=self.ends,
            digest_at=self.digest_at,
            quiet_weekdays=frozenset(self.quiet_weekdays),
            quiet_dates=frozenset(date.fromisoformat(day) for day in self.quiet_dates),
            may_mute=self.may_mute,
            may_skip_digest=self.may_skip_digest,
            is_dry=self.is_dry,
            since={what: date.fromisoformat(day) for what, day in self.since.items()},
        )


class Absence(models.Model):
    """Somebody is away from `first_on` until `last_on`, both included, by the day of each workspace; `deputy` is told meanwhile."""

    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="absences")
    deputy = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    first_on = models.DateField()
    last_on = models.DateField()

    class Meta:
        ordering = ["first_on"]
        indexes = [models.Index(fields=["last_on"], name="absence_last_day")]


class AlertWish(models.Model):
    """What a person wants no mail of, as far as the rules of a workspace allow it: `mutes_approaching` what is not due yet; `skips_digest` the digest,
    and with it what would wait for one. No row: everything comes."""

    person = models.OneToOneField(User, on_delete=models.CASCADE, related_name="alert_wish")
    mutes_approaching = models.BooleanField(default=False)
    skips_digest = models.BooleanField(default=False)


class MutedRequest(models.Model):
    """A request of which a person wants no mail until it is overdue."""

    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="muted_requests")
    dsr = models.ForeignKey(DataSubjectRequest, on_delete=models.CASCADE, related_name="+")
    muted_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "dsr"], name="one_mute_per_person_and_request")]


def alert_policy_of(workspace: Workspace) -> AlertPolicy:
    """The rules of one workspace. At most two queries."""
    return alert_policies_of([workspace])[workspace.pk]


def alert_policies_of(workspaces: Collection[Workspace]) -> dict[int, AlertPolicy]:
    """The rules of several workspaces by key. At most two queries."""
    rows = AlertRules.objects.filter(workspace__in=workspaces).prefetch_related("named")
    own = {row.workspace_id: row.policy(named=[person.pk for person in row.named.all()]) for row in rows}
    return {workspace.pk: own.get(workspace.pk, AlertPolicy()) for workspace in workspaces}
