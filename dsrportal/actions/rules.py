"""By which rules a workspace's clocks run, changed by its admin: the law, what a pause does, its own target, holidays of its own. Called by the
settings page; the workspace's place (country, region, zone) is changed by `actions.workspaces`, which raises the same number.

A change raises `rules_number` in its own transaction; open requests are then computed anew, the first here and the rest by a job.
"""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from dsrportal.actions.refusals import WorkspaceError
from dsrportal.mirror import reckoning
from dsrportal.models import AddedHoliday, AuditEvent, User, Workspace
from dsrportal.models.audit import Operation
from dsrportal.models.workspaces import ClockProfile, PauseRule

MOST_HOLIDAYS = 500
LONGEST_NAME = 80
EARLIEST_YEAR, LATEST_YEAR = 2000, 2100


def change_rules(
    workspace: Workspace,
    *,
    profile: ClockProfile,
    pause_policy: PauseRule,
    target_days: int | None,
    by: User,
    now: datetime,
) -> int:
    """Set the law, what a pause does and the own target (days from receipt; None: none). Returns how many legal dates moved at once."""
    with transaction.atomic():
        reckoning.lock(workspace.pk)
        before = Workspace.objects.values_list("profile", "pause_policy", "target_days").get(pk=workspace.pk)
        if before == (profile, pause_policy, target_days):
            return 0
        Workspace.objects.filter(pk=workspace.pk).update(
            profile=profile, pause_policy=pause_policy, target_days=target_days
        )
        details = {"profile": str(profile), "pause_policy": str(pause_policy), "target_days": str(target_days or "")}
        raise_number(workspace, by=by, now=now, details=details)
    return _restate(workspace, now=now)


def add_holiday(workspace: Workspace, *, on: date, name: str, by: User, now: datetime) -> int:
    """Add a day on which nobody works. Twice is once. Returns how many dates moved at once. Raises `WorkspaceError`."""
    if not EARLIEST_YEAR <= on.year <= LATEST_YEAR:
        raise WorkspaceError(_("This year makes no sense."), field="on")
    if AddedHoliday.objects.filter(workspace=workspace).count() >= MOST_HOLIDAYS:
        raise WorkspaceError(_("These are more holidays than a calendar can hold."), field="on")
    with transaction.atomic():
        reckoning.lock(workspace.pk)
        name = name.strip()[:LONGEST_NAME]
        _day, is_new = AddedHoliday.objects.get_or_create(workspace=workspace, on=on, defaults={"name": name})
        if not is_new:
            return 0
        raise_number(workspace, by=by, now=now, details={"holiday_added": on.isoformat()})
    return _restate(workspace, now=now)


def remove_holiday(workspace: Workspace, *, on: date, by: User, now: datetime) -> int:
    """Take an added holiday away. Returns how many dates moved at once."""
    with transaction.atomic():
        reckoning.lock(workspace.pk)
        if not AddedHoliday.objects.filter(workspace=workspace, on=on).delete()[0]:
            return 0
        raise_number(workspace, by=by, now=now, details={"holiday_removed": on.isoformat()})
    return _restate(workspace, now=now)


def raise_number(workspace: Workspace, *, by: User | None, now: datetime, details: dict[str, str]) -> None:
    """Say that the rules are others now, inside the transaction that changed them."""
    Workspace.objects.filter(pk=workspace.pk).update(rules_number=F("rules_number") + 1, rules_changed_at=now)
    AuditEvent.objects.create(
        at=now, by=by, workspace=workspace, operation=Operation.RULES_CHANGED, outcome="done", details=details
    )


def _restate(workspace: Workspace, *, now: datetime) -> int:
    workspace.refresh_from_db()
    return reckoning.restate(workspace, now=now, most=reckoning.BATCH)


def restate_all(*, now: datetime) -> int:
    """Compute anew whatever still shows dates of former rules, in every workspace. Returns how many dates moved. One query where nothing does."""
    return sum(reckoning.restate(workspace, now=now) for workspace in reckoning.workspaces_behind())
