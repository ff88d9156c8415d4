"""All of it, once: decide, plan, deliver. Called by the job `send_alerts` and by the command of that name; run twice it sends nothing twice.

`now` decides what is due; leases and pauses after failures follow the real clock, so that a run at another moment can neither hold nor skip them.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from dsrportal.alerts.channel_delivery import send_to_channels
from dsrportal.alerts.checking import Checker
from dsrportal.alerts.delivery import Outcome, deliver
from dsrportal.alerts.desks import desks
from dsrportal.alerts.planning import plan
from dsrportal.alerts.raising import decide
from dsrportal.models import Mail, Workspace
from dsrportal.models.alerts import MailState

logger = logging.getLogger(__name__)

MOST_FAILURES = 3
"""So many in a row, and the mail server is left alone until the next run."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """Counts of one run: alerts that were `raised`, their `notices` behind the bell, `mails` that went, `posts` to channels, alerts that were
    `cancelled`."""

    raised: int = 0
    notices: int = 0
    mails: int = 0
    posts: int = 0
    cancelled: int = 0


def send_alerts(*, now: datetime, insist: bool = False) -> Told:
    """Raise and deliver what is due at `now`. `insist` (a person asks) tries mails again that rest after a failure."""
    raised, noticed, cancelled = _decide(now=now)
    mails, checker = 0, Checker(now=now)
    failures = 0
    for desk in desks(now=now):
        if not desk.is_at_work(now):
            continue  # what could not be sent in the working hours is not tried again at night either
        plan(desk, now=now)
        waiting = Mail.objects.filter(person=desk.person, state=MailState.WAITING).select_related("person")
        if not insist:
            waiting = waiting.filter(not_before__lte=max(now, timezone.now()))
        for mail in waiting.order_by("pk"):
            if failures >= MOST_FAILURES:
                break
            try:
                outcome = deliver(mail, desk=desk, checker=checker, now=now)
            except Exception:
                # One mail that cannot be written delays no other; it stays in the list and is tried again.
                logger.exception("mail %d could not be made", mail.pk)
                continue
            mails += outcome == Outcome.SENT
            failures = failures + 1 if outcome == Outcome.BROKEN else 0
    posts = send_to_channels(now=now, checker=checker, insist=insist)
    return Told(raised=raised, notices=noticed, mails=mails, posts=posts, cancelled=cancelled + checker.cancelled)


def preview(*, now: datetime) -> Told:
    """What `send_alerts` would do by what the mirror knows; nothing is kept and nobody is asked."""
    with transaction.atomic():
        raised, noticed, cancelled = _decide(now=now)
        for desk in desks(now=now):
            plan(desk, now=now)
        mails = Mail.objects.filter(state=MailState.WAITING).count()
        transaction.set_rollback(True)
    return Told(raised=raised, notices=noticed, mails=mails, cancelled=cancelled)


def _decide(*, now: datetime) -> tuple[int, int, int]:
    """How many alerts were raised, how many of them with a notice, and how many were cancelled."""
    done = [decide(workspace, now=now) for workspace in Workspace.objects.filter(disabled_at=None).order_by("pk")]
    raised = sum(one.raised for one in done)
    return raised, raised - sum(one.silent for one in done), sum(one.cancelled for one in done)
