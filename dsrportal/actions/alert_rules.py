"""How a workspace tells of its deadlines, changed by its admin: the rules, the dry run, a test message. Called by the settings page; audited."""

from __future__ import annotations

import logging
import smtplib
import uuid
from dataclasses import replace
from datetime import datetime
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from dsrportal.actions.refusals import WorkspaceError
from dsrportal.clocks import day_of
from dsrportal.models import AlertRules, AuditEvent, Membership, User, Workspace
from dsrportal.models.alert_rules import AlertPolicy, alert_policy_of
from dsrportal.models.audit import Operation

logger = logging.getLogger(__name__)


def change_rules(workspace: Workspace, *, policy: AlertPolicy, by: User, now: datetime) -> bool:
    """Keep these rules; `since` and `is_dry` of `policy` do not count. False when they are so already. Nobody is named who is no member."""
    with transaction.atomic():
        before = _locked(workspace)
        people = set(Membership.objects.filter(workspace=workspace).values_list("user_id", flat=True))
        wanted = replace(policy, named=policy.named & people, is_dry=before.is_dry, since=before.since)
        if wanted == before:
            return False
        wanted = as_saved(workspace, before=before, after=wanted, now=now)
        _store(workspace, policy=wanted, now=now)
        _record(workspace, by=by, now=now, details=_told(wanted, before=before))
    return True


def set_dry(workspace: Workspace, *, is_dry: bool, by: User, now: datetime) -> bool:
    """Begin or end the dry run. False when it is so already. What was decided meanwhile and still holds is told with the next run after the end."""
    with transaction.atomic():
        before = _locked(workspace)
        if before.is_dry == is_dry:
            return False
        _store(workspace, policy=replace(before, is_dry=is_dry), now=now)
        _record(workspace, by=by, now=now, details={"is_dry": is_dry})
    return True


def send_test(workspace: Workspace, *, to: User, now: datetime) -> None:
    """Send `to` a message at once. Raises `WorkspaceError` where there is no address, or the mail server did not take it: by its kind and code, since
    its own words may name somebody."""
    if not to.email:
        raise WorkspaceError(_("Your account has no e-mail address."))
    host = urlsplit(settings.PORTAL_URL).hostname or "localhost"
    page = settings.PORTAL_URL + reverse("alert_wishes.wishes")
    message = EmailMessage(
        subject=_("Test message of %(name)s") % {"name": " ".join(workspace.name.split())},
        body="\n\n".join(
            [
                _("Alerts reach you. Nothing is due because of this message."),
                _("What is mailed to you: %(url)s") % {"url": page},
            ]
        ),
        to=[to.email],
        headers={
            "Message-ID": f"<{uuid.uuid4().hex}@{host}>",
            "Auto-Submitted": "auto-generated",
            "List-Unsubscribe": f"<{page}>",
        },
    )
    error = ""
    try:
        message.connection = get_connection(fail_silently=False)
        message.send()
    except (OSError, smtplib.SMTPException) as problem:
        code = problem.smtp_code if isinstance(problem, smtplib.SMTPResponseException) else ""
        error = f"{type(problem).__name__} {code}".strip()
        logger.warning("A test message could not be sent: %s", error)
    AuditEvent.objects.create(
        at=now,
        by=to,
        workspace=workspace,
        operation=Operation.ALERT_TESTED,
        outcome="failed" if error else "done",
        details={"error": error} if error else {},
    )
    if error:
        raise WorkspaceError(_("The mail server did not take it: %(error)s") % {"error": error})


def as_saved(workspace: Workspace, *, before: AlertPolicy, after: AlertPolicy, now: datetime) -> AlertPolicy:
    """`after` with the days since which what it has is in the rules, where that was not always so: what stays keeps its day, what is new begins today."""
    today = day_of(now, zone=ZoneInfo(workspace.time_zone))
    old = {str(one) for one in before.thresholds.all()} | _copies(before)
    new = {str(one) for one in after.thresholds.all()} | _copies(after)
    kept = {what: day for what, day in before.since.items() if what in old & new}
    return replace(after, since=kept | dict.fromkeys(new - old, today))


def _copies(policy: AlertPolicy) -> set[str]:
    return {f"named_{pk}" for pk in policy.named} | ({"managers"} if policy.tells_managers else set())


def _locked(workspace: Workspace) -> AlertPolicy:
    """The rules as they are, while everybody else who would change them waits."""
    Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)
    return alert_policy_of(workspace)


def _store(workspace: Workspace, *, policy: AlertPolicy, now: datetime) -> None:
    row, _is_new = AlertRules.objects.update_or_create(
        workspace=workspace,
        defaults={
            **_shown(policy),
            "tells_assignee": policy.tells_assignee,
            "tells_managers": policy.tells_managers,
            "begins": policy.begins,
            "ends": policy.ends,
            "digest_at": policy.digest_at,
            "may_mute": policy.may_mute,
            "may_skip_digest": policy.may_skip_digest,
            "is_dry": policy.is_dry,
            "since": {what: day.isoformat() for what, day in policy.since.items()},
            "changed_at": now,
        },
    )
    row.named.set(policy.named)


def _shown(policy: AlertPolicy) -> dict[str, list[int] | list[str]]:
    """What is a list in the row."""
    return {
        "extend_days": sorted(set(policy.thresholds.extend) - {0}, reverse=True),
        "respond_days": sorted(set(policy.thresholds.respond) - {0}, reverse=True),
        "overdue_days": sorted(set(policy.thresholds.overdue)),
        "quiet_weekdays": sorted(policy.quiet_weekdays),
        "quiet_dates": [day.isoformat() for day in sorted(policy.quiet_dates)],
    }


def _told(policy: AlertPolicy, *, before: AlertPolicy) -> dict[str, object]:
    """What the audit log keeps: what changed, as it is now."""
    was, is_now = _plain(before), _plain(policy)
    return {name: value for name, value in is_now.items() if value != was[name]}


def _plain(policy: AlertPolicy) -> dict[str, object]:
    return {
        **_shown(policy),
        "named": sorted(policy.named),
        "tells_assignee": policy.tells_assignee,
        "tells_managers": policy.tells_managers,
        "begins": policy.begins.isoformat("minutes"),
        "ends": policy.ends.isoformat("minutes"),
        "digest_at": policy.digest_at.isoformat("minutes"),
        "may_mute": policy.may_mute,
        "may_skip_digest": policy.may_skip_digest,
    }


def _record(workspace: Workspace, *, by: User, now: datetime, details: dict[str, object]) -> None:
    AuditEvent.objects.create(
        at=now, by=by, workspace=workspace, operation=Operation.ALERT_RULES_CHANGED, outcome="done", details=details
    )
