"""What a workspace's alerts would be today, by its own rules or by others that nobody has saved: decided and planned, and taken back. Called by the
settings page. Nothing is kept, nobody is told, Dastra is not asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction

from dsrportal.alerts.desks import Desk, desks
from dsrportal.alerts.letters import Line, compose
from dsrportal.alerts.planning import plan
from dsrportal.alerts.raising import decide
from dsrportal.models import Alert, Mail, Workspace
from dsrportal.models.alert_rules import AlertPolicy
from dsrportal.models.alerts import AlertState, MailKind, MailState

MOST_LINES = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class TriedMail:
    """A mail that would go `at` that moment: its kind in words, its subject, the first requests that it lists, and how many `more`."""

    at: datetime
    kind: str
    subject: str
    lines: list[Line]
    more: int


@dataclass(frozen=True, kw_only=True, slots=True)
class TriedPerson:
    """Somebody who would get mail."""

    name: str
    mails: list[TriedMail]


@dataclass(frozen=True, kw_only=True, slots=True)
class Tried:
    """A day's mails of one workspace, by person; `portal` are those who would be told behind the bell alone: name, why in words, of how many dates."""

    people: list[TriedPerson]
    portal: list[tuple[str, str, int]]


def try_rules(workspace: Workspace, *, policy: AlertPolicy, now: datetime) -> Tried:
    """What would be told from `now` until the end of the day, in the reader's own hours and the language of the moment. A mail of several workspaces
    counts with what it says of this one."""
    policy = replace(policy, is_dry=False)
    people: list[TriedPerson] = []
    with transaction.atomic():
        decide(workspace, now=now, policy=policy)
        portal = _portal(workspace, now=now)
        for desk in desks(now=now, trying={workspace.pk: policy}):
            if workspace in desk.workspaces:
                mails = list(_mails(desk, workspace=workspace, now=now))
                if mails:
                    people.append(TriedPerson(name=desk.person.display_name(), mails=mails))
        transaction.set_rollback(True)
    return Tried(people=people, portal=portal)


def _mails(desk: Desk, *, workspace: Workspace, now: datetime) -> Iterator[TriedMail]:
    here = replace(desk, workspaces=(workspace,))
    for moment in _moments(desk, now=now):
        plan(desk, now=moment)
        waiting = Mail.objects.filter(person=desk.person, state=MailState.WAITING).select_related("person")
        for mail in list(waiting.order_by("pk")):
            alerts = Alert.objects.filter(mail=mail, state=AlertState.WAITING)
            letter = compose(mail, desk=here, alerts=list(alerts.order_by("pk")), unchecked=(), now=moment)
            lines = [line for section in letter.sections for line in section.lines]
            if lines or (mail.kind == MailKind.DIGEST and workspace.pk in desk.managed):
                yield TriedMail(
                    at=moment.astimezone(desk.zone),
                    kind=str(mail.get_kind_display()),
                    subject=letter.subject,
                    lines=lines[:MOST_LINES],
                    more=len(lines[MOST_LINES:]),
                )
            alerts.update(state=AlertState.SENT, sent_at=moment)
        waiting.update(state=MailState.SENT)


def _moments(desk: Desk, *, now: datetime) -> list[datetime]:
    """When the day's mails would go: now, when the working hours begin, at the hour of the digest."""
    today = now.astimezone(desk.zone).date()
    later = (datetime.combine(today, at, tzinfo=desk.zone) for at in (desk.hours.begins, desk.hours.digest_at))
    moments = sorted({now, *(moment for moment in later if moment > now)})
    return [moment for moment in moments if desk.is_at_work(moment)]


def _portal(workspace: Workspace, *, now: datetime) -> list[tuple[str, str, int]]:
    quiet = (AlertState.PORTAL, AlertState.AWAY, AlertState.MUTED)
    counts: dict[tuple[str, str], int] = {}
    raised = Alert.objects.filter(workspace=workspace, raised_at=now, state__in=quiet).select_related("person")
    for alert in raised.order_by("person_id", "state"):
        key = (alert.person.display_name(), str(alert.get_state_display()))
        counts[key] = counts.get(key, 0) + 1
    return [(name, why, count) for (name, why), count in counts.items()]
