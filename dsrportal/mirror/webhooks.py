"""Signed events -> reads. Called by jobs, and by pulls to count what no event told of.

Never trusts or sees a payload: an event is an id to read again, or a reason for a pull. Whatever is lost here, pulls find; so an event
that cannot be worked off after some tries is given up.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce

from dsrportal.credentials import CannotDecryptError
from dsrportal.dastra import schema
from dsrportal.dastra.client import DastraClient
from dsrportal.dastra.errors import DastraError, MalformedAnswer
from dsrportal.mirror import refresh, store
from dsrportal.mirror.connections import connect
from dsrportal.models import DataSubjectRequest, UnheardChange, WebhookEvent, WebhookReceiver, Workspace
from dsrportal.models.webhooks import EventOutcome

BUSY_LASTS = timedelta(minutes=2)
PULLS_APART = timedelta(minutes=1)
WORK_LASTS = timedelta(minutes=1)
PAUSE_SECONDS = 2.0
"""Between two rounds: of a request that changes all the time one event in two seconds is read."""

MOST_EVENTS = 2_000
MOST_FAILURES = 3
MOST_ATTEMPTS = 3
KEPT_FOR = timedelta(days=7)

SLACK = timedelta(minutes=2)
"""How far Dastra's clock may be from ours."""

LATE = timedelta(minutes=5)
"""Dastra sends an event up to two minutes after it happened: only what is later counts as never told."""

LONGEST_AGO = timedelta(days=1)
IDS_PER_QUERY = 500


@dataclass(kw_only=True, slots=True)
class Work:
    """What was done: requests read, found gone, or not readable; `wants_pull`: an event told no id, so all open requests are to be read."""

    read: int = 0
    gone: int = 0
    failed: int = 0
    wants_pull: bool = False


def read_events(
    receiver_id: int, *, clock: Callable[[], datetime], pause: Callable[[float], object] = time.sleep
) -> Work:
    """Read each request that waiting events name, once however many they are, until none waits or a minute is over.

    Of several at once one works; the others return at once. Never raises a DastraError: such events wait for the next minute.
    """
    work = Work()
    ends_at = clock() + WORK_LASTS
    receiver = WebhookReceiver.objects.select_related("workspace").filter(pk=receiver_id).first()
    while receiver is not None and _begin(receiver, now=clock()):
        try:
            _work_off(receiver, work=work, ends_at=ends_at, clock=clock, pause=pause)
        finally:
            WebhookReceiver.objects.filter(pk=receiver_id).update(busy_until=None, woken_at=None)
        # What came after the last look, and found this worker busy, would wait a minute.
        if work.failed or clock() >= ends_at or not _waiting(receiver).filter(upstream_id__isnull=False).exists():
            break
    return work


def receivers_with_events() -> list[int]:
    """The ids of the receivers with events that wait."""
    waiting = WebhookEvent.objects.filter(outcome="")
    return sorted(waiting.order_by().values_list("receiver_id", flat=True).distinct())


def purge(*, now: datetime) -> int:
    """Delete events that are older than a week; returns how many."""
    deleted, _by_model = WebhookEvent.objects.filter(received_at__lt=now - KEPT_FOR).delete()
    return deleted


def note_changes(workspace: Workspace, upstream_ids: Collection[int], *, now: datetime) -> None:
    """Remember what a pull found changed, where a webhook was ever heard, until `settle_changes` knows whether an event told of it.

    Only changes that Dastra dates after the first event and within a day: a mirror that is built anew is no gap.
    """
    receiver = WebhookReceiver.objects.filter(workspace=workspace, first_heard_at__isnull=False).first()
    if receiver is None or receiver.first_heard_at is None:
        return
    since = max(receiver.first_heard_at, now - LONGEST_AGO)
    ids = sorted(upstream_ids)
    for start in range(0, len(ids), IDS_PER_QUERY):
        changed = (
            DataSubjectRequest.objects.filter(workspace=workspace, upstream_id__in=ids[start : start + IDS_PER_QUERY])
            .annotate(changed_at=Coalesce("updated_at", "created_at"))
            .filter(changed_at__gte=since)
        )
        UnheardChange.objects.bulk_create(
            [
                UnheardChange(receiver=receiver, upstream_id=upstream_id, since=changed_at - SLACK, found_at=now)
                for upstream_id, changed_at in changed.values_list("upstream_id", "changed_at")
            ],
            ignore_conflicts=True,
        )


def settle_changes(*, now: datetime) -> int:
    """Count as gaps the changes of which no event told in time; returns how many."""
    told = WebhookEvent.objects.filter(
        receiver=OuterRef("receiver"), upstream_id=OuterRef("upstream_id"), received_at__gte=OuterRef("since")
    )
    ripe = list(
        UnheardChange.objects.filter(found_at__lte=now - LATE)
        .annotate(is_told=Exists(told))
        .values_list("pk", "receiver_id", "is_told")[:IDS_PER_QUERY]
    )
    gaps = 0
    for pk, receiver_id, is_told in ripe:
        is_mine, _by_model = UnheardChange.objects.filter(pk=pk).delete()
        if is_mine and not is_told:
            gaps += 1
            WebhookReceiver.objects.filter(pk=receiver_id).update(gap_count=F("gap_count") + 1, last_gap_at=now)
    return gaps


def _begin(receiver: WebhookReceiver, *, now: datetime) -> bool:
    free = Q(busy_until=None) | Q(busy_until__lte=now)
    mine = WebhookReceiver.objects.filter(free, pk=receiver.pk)
    return bool(mine.update(busy_until=now + BUSY_LASTS, woken_at=None))


def _waiting(receiver: WebhookReceiver) -> QuerySet[WebhookEvent]:
    return WebhookEvent.objects.filter(receiver=receiver, outcome="")


def _work_off(
    receiver: WebhookReceiver,
    *,
    work: Work,
    ends_at: datetime,
    clock: Callable[[], datetime],
    pause: Callable[[float], object],
) -> None:
    if not receiver.workspace.is_enabled:
        _waiting(receiver).update(outcome=EventOutcome.DROPPED)
        return
    _ask_for_pull(receiver, work=work, now=clock())
    named = _waiting(receiver).filter(upstream_id__isnull=False)
    if not named.exists():
        return
    try:
        client = connect(receiver.workspace)
    except DastraError:
        work.failed += 1
        _try_later(receiver, list(named.values_list("pk", flat=True)[:MOST_EVENTS]), work=work, now=clock())
        return
    failed: set[int] = set()
    with client:
        while events := _by_request(named.exclude(upstream_id__in=failed)):
            for upstream_id, keys in events.items():
                WebhookReceiver.objects.filter(pk=receiver.pk).update(busy_until=clock() + BUSY_LASTS)
                if not _read(receiver, upstream_id, keys, client=client, work=work, clock=clock):
                    failed.add(upstream_id)
                if len(failed) >= MOST_FAILURES or clock() >= ends_at:
                    return
            if not named.exclude(upstream_id__in=failed).exists():
                return
            pause(PAUSE_SECONDS)


def _by_request(waiting: QuerySet[WebhookEvent]) -> dict[int, list[int]]:
    """The keys of the waiting events by the request that they name, the first to come first.

    Collected before the read: an event that comes while it is made leads to another one.
    """
    found: dict[int, list[int]] = {}
    for pk, upstream_id in waiting.order_by("pk").values_list("pk", "upstream_id")[:MOST_EVENTS]:
        if upstream_id is not None:
            found.setdefault(upstream_id, []).append(pk)
    return found


def _read(
    receiver: WebhookReceiver,
    upstream_id: int,
    keys: Sequence[int],
    *,
    client: DastraClient,
    work: Work,
    clock: Callable[[], datetime],
) -> bool:
    workspace = receiver.workspace
    events = WebhookEvent.objects.filter(pk__in=keys)
    try:
        found = refresh.refresh_request(workspace, upstream_id=upstream_id, client=client, now=clock())
    except MalformedAnswer as error:
        rejected = schema.RejectedItem(upstream_id=upstream_id, reason=error.sentence)
        store.set_aside(workspace, (rejected,), now=clock())
        events.update(outcome=EventOutcome.FAILED)
        work.failed += 1
        return False
    except (DastraError, CannotDecryptError):
        work.failed += 1
        _try_later(receiver, keys, work=work, now=clock())
        return False
    events.update(outcome=EventOutcome.READ if found else EventOutcome.GONE)
    work.read += found is not None
    work.gone += found is None
    return True


def _try_later(receiver: WebhookReceiver, keys: Sequence[int], *, work: Work, now: datetime) -> None:
    """Count the attempt; after the last one the events are given up, and a pull is to find what they told of."""
    events = WebhookEvent.objects.filter(pk__in=keys)
    events.update(attempts=F("attempts") + 1)
    if events.filter(attempts__gte=MOST_ATTEMPTS).update(outcome=EventOutcome.FAILED):
        work.wants_pull = work.wants_pull or _may_pull(receiver, now=now)


def _ask_for_pull(receiver: WebhookReceiver, *, work: Work, now: datetime) -> None:
    """Events that name no request lead to one pull a minute; what comes sooner waits for the next."""
    nameless = list(_waiting(receiver).filter(upstream_id=None).values_list("pk", flat=True)[:MOST_EVENTS])
    if nameless and _may_pull(receiver, now=now):
        work.wants_pull = True
        WebhookEvent.objects.filter(pk__in=nameless).update(outcome=EventOutcome.PULLED)


def _may_pull(receiver: WebhookReceiver, *, now: datetime) -> bool:
    is_time = Q(pulled_at=None) | Q(pulled_at__lte=now - PULLS_APART)
    return bool(WebhookReceiver.objects.filter(is_time, pk=receiver.pk).update(pulled_at=now))
