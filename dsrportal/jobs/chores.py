"""The doors to everything but pulls: wishes that wait, webhook events, legal dates, alerts, the watch, and the nightly chores."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.utils import timezone
from django_q.models import Task

from dsrportal.actions import account_letters, outbox, rules
from dsrportal.alerts import outages, pinging, sending
from dsrportal.jobs.pulls import queue_pull
from dsrportal.jobs.running import CLUSTER, enqueue, job, purge_attempts, stamp
from dsrportal.mirror import figures, reckoning, webhooks
from dsrportal.models import Lane, WebhookReceiver, Workspace

logger = logging.getLogger(__name__)

RESULTS_ARE_KEPT_FOR = timedelta(days=7)


@job()
def send_outbox() -> int:
    """Send every held wish whose window is over, and settle by reading those whose outcome is unknown."""
    now = timezone.now()
    return outbox.send_due(now=now) + outbox.settle_unknown(now=now)


@job()
def read_events() -> int:
    """Queue the reading of webhook events that still wait, and count the changes that no event told of."""
    webhooks.settle_changes(now=timezone.now())
    ids = webhooks.receivers_with_events()
    for receiver_id in ids:
        _queue_events(receiver_id)
    return len(ids)


@job()
def run_events(receiver_id: int) -> str:
    """Read what webhook events told of, and queue the pull that the rest leads to. Delivered twice, the second finds nothing."""
    work = webhooks.read_events(receiver_id, clock=timezone.now)
    if work.wants_pull:
        workspace_id = WebhookReceiver.objects.values_list("workspace_id", flat=True).get(pk=receiver_id)
        queue_pull(workspace_id=workspace_id, lane=Lane.ACTIVE, queued_at=timezone.now())
    return f"{work.read} read, {work.gone} gone, {work.failed} failed"


@job()
def restate_clocks() -> int:
    """Compute the dates anew that a change of a workspace's rules has left behind."""
    return rules.restate_all(now=timezone.now())


@job()
def send_alerts() -> int:
    """Raise the alerts that are due and send their mails; returns how many mails went. Two runs at once write and send what one would."""
    return sending.send_alerts(now=timezone.now()).mails


@job()
def watch_mirrors() -> int:
    """Tell the admins of a workspace that Dastra could not be read for too long, once; returns how many notices that made."""
    return outages.tell_of_outages(now=timezone.now())


@job()
def beat() -> int:
    """Prove that scheduler, queue and a worker are alive: the heartbeat named `cluster` is stamped by nobody else. Then tell the outside, if
    somebody there listens and no job is late."""
    stamp(CLUSTER)
    pinging.ping_if_on_time(now=timezone.now())
    return 1


@job()
def purge_results() -> int:
    """Delete what the queue remembers of jobs that ended more than a week ago, webhook events of that age, and attempts that count no more."""
    now = timezone.now()
    webhooks.purge(now=now)
    purge_attempts(now=now)
    deleted, _by_model = Task.objects.filter(stopped__lt=now - RESULTS_ARE_KEPT_FOR).delete()
    return int(deleted)


@job()
def recount() -> int:
    """Queue a recount of the overview for each workspace: a large one takes a while, and delays no other."""
    ids = list(Workspace.objects.order_by("pk").values_list("pk", flat=True))
    for workspace_id in ids:
        enqueue("run_recount", workspace_id, group="recount")
    return len(ids)


@job()
def run_recount(workspace_id: int) -> str:
    """Count what a workspace's overview shows anew from its rows, mend it where it differs, and say so in the log and on the page."""
    workspace = Workspace.objects.filter(pk=workspace_id).first()
    if workspace is None:
        return "gone"
    return f"{figures.recount(workspace, now=timezone.now())} lines differed"


@job()
def run_invitation(invitation_id: int) -> str:
    """Send the mail of one invitation."""
    return account_letters.send_invitation(invitation_id, now=timezone.now())


@job()
def run_reset(user_id: int, asked_at: str) -> str:
    """Send the link to a new password that was asked for at that moment."""
    return account_letters.send_reset(user_id, asked_at=datetime.fromisoformat(asked_at))


def request_invitation(invitation_id: int) -> None:
    """Have a worker send it."""
    enqueue("run_invitation", invitation_id, group="accounts")


def request_reset(user_id: int, *, now: datetime) -> None:
    """Have a worker send it: how long the answer takes must not tell whether the account is known."""
    enqueue("run_reset", user_id, now, group="accounts")


def request_events(receiver_id: int) -> None:
    """Have a worker read what came in. Never fails: the events are kept, and within a minute `read_events` finds what the queue lost."""
    try:
        _queue_events(receiver_id)
    except Exception:
        logger.exception("the queue did not take the events of receiver %d", receiver_id)


def request_sending(*, now: datetime) -> bool:
    """Have a worker see to the outbox now, if anything in it waits; False otherwise. Asked by the supervisor, which looks more often than
    the timetable. Queued twice, the second run finds nothing."""
    if not outbox.is_work_left(now=now):
        return False
    enqueue("send_outbox", group="outbox")
    return True


def request_restating(workspace: Workspace) -> None:
    """Have a worker compute anew what a change of the rules has left behind, if it has; the timetable looks every five minutes anyway."""
    if reckoning.is_behind(workspace):
        enqueue("restate_clocks", group="clocks")


def _queue_events(receiver_id: int) -> None:
    enqueue("run_events", receiver_id, group="events")
