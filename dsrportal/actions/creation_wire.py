"""A new request on the wire: sent once, read back, and looked for where its answer was lost. Called by `outbox.py` alone.

Dastra takes no number of ours with a creation. So the newest id that Dastra has is noted before the write, and afterwards only a request with a
later id and the same title, e-mail address and day of receipt is the one. What cannot be proven is said, and nothing is sent a second time.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from dsrportal.actions import deeds
from dsrportal.actions.writing import Clock, Verdict, not_sent, nothing_changed, proves, renew_claim
from dsrportal.credentials import CannotDecryptError
from dsrportal.dastra import schema
from dsrportal.dastra.client import DastraClient
from dsrportal.dastra.errors import DastraError, NotFound, Rejected
from dsrportal.mirror import connections, refresh
from dsrportal.models import OutboxEntry
from dsrportal.models.outbox import WishKind, WishState

WIRE = {
    "title": "title",
    "given_name": "givenName",
    "family_name": "familyName",
    "email": "email",
    "phone": "phoneNumber",
    "locale": "locale",
    "area": "areaId",
    "purposes": "purposes",
    "received": "dateDemand",
    "channel": "channel",
    "complex": "complex",
    "operator": "operatorId",
    "message": "message",
    "description": "description",
    "customer_reference": "refId",
}
"""Dastra's names of the values of a wish for a new request."""

PAGE_SIZE = 100
MOST_PAGES = 5
SAME_DAY = timedelta(hours=24)
"""Dastra's instants have no zone, so that a received date may come back some hours apart."""


def attempt(entry: OutboxEntry, *, clock: Clock) -> Verdict:
    """Send a claimed wish for a new request. Raises nothing of Dastra's."""
    try:
        wanted = deeds.change_of(entry).wanted
        with connections.connect(entry.workspace, interactive=True) as client:
            return _attempt(entry, wanted=wanted, client=client, clock=clock)
    except DastraError as error:
        return not_sent(entry, error, now=clock())  # the connection itself: nothing was sent
    except CannotDecryptError:
        reason = _("What was to be written can no longer be opened.")
        return Verdict(WishState.REFUSED, reason=reason, code="unreadable")


def check(entry: OutboxEntry, *, clock: Clock) -> Verdict:
    """Find out whether a new request of unknown outcome was made. `unknown` while that cannot be told yet."""
    if "newest" not in entry.seen:
        # Whoever was at work on it died, or lost the claim, before it could write.
        return Verdict(WishState.HELD, code="never_sent")
    is_proof = proves(entry, now=clock())
    try:
        wanted = deeds.change_of(entry).wanted
        with connections.connect(entry.workspace, interactive=True) as client:
            return _look(entry, wanted=wanted, client=client, clock=clock, is_proof=is_proof)
    except DastraError:
        return Verdict(WishState.UNKNOWN, reason=entry.reason, code="unreadable")
    except CannotDecryptError:
        return _may_exist() if is_proof else Verdict(WishState.UNKNOWN, reason=entry.reason, code="unreadable")


def _attempt(entry: OutboxEntry, *, wanted: Mapping[str, Any], client: DastraClient, clock: Clock) -> Verdict:
    try:
        newest = max((dsr.upstream_id for dsr in _newest(client, after=None)), default=0)
    except DastraError as error:
        return not_sent(entry, error, now=clock())
    if not renew_claim(entry, now=clock(), seen={"newest": newest}):
        return Verdict(WishState.UNKNOWN, code="overtaken")
    try:
        made = client.create_request({WIRE[name]: value for name, value in wanted.items() if value not in ("", None)})
    except DastraError as error:
        if error.outcome_unknown:
            return _looked(entry, wanted=wanted, client=client, clock=clock, is_proof=False, sentence=error.sentence)
        if isinstance(error, Rejected | NotFound) or not error.retryable:
            return Verdict(WishState.REFUSED, reason=nothing_changed(error), code=error.code)
        return not_sent(entry, error, now=clock())
    # From here on a read by this id tells, whatever becomes of this process.
    seen = {**entry.seen, "made": made.upstream_id}
    OutboxEntry.objects.filter(pk=entry.pk, state=WishState.SENDING, claimed_at=entry.claimed_at).update(seen=seen)
    entry.seen = seen
    return _looked(entry, wanted=wanted, client=client, clock=clock, is_proof=False)


def _looked(
    entry: OutboxEntry,
    *,
    wanted: Mapping[str, Any],
    client: DastraClient,
    clock: Clock,
    is_proof: bool,
    sentence: str = "",
) -> Verdict:
    try:
        return _look(entry, wanted=wanted, client=client, clock=clock, is_proof=is_proof, sentence=sentence)
    except DastraError as error:
        reason = _("Dastra could not be read back: %(sentence)s") % {"sentence": error.sentence}
        return Verdict(WishState.UNKNOWN, reason=reason, code=error.code)


def _look(
    entry: OutboxEntry,
    *,
    wanted: Mapping[str, Any],
    client: DastraClient,
    clock: Clock,
    is_proof: bool,
    sentence: str = "",
) -> Verdict:
    """Raises DastraError."""
    made = entry.seen.get("made")
    candidates = [made] if made is not None else _candidates(entry, wanted=wanted, client=client)
    for upstream_id in candidates:
        read = refresh.refresh_request(entry.workspace, upstream_id=upstream_id, client=client, now=clock())
        if read is not None and _is_same(read, wanted):
            return Verdict(WishState.DONE, code="read_back", upstream_id=upstream_id)
    return _may_exist() if is_proof else Verdict(WishState.UNKNOWN, reason=sentence, code="not_seen_yet")


def _candidates(entry: OutboxEntry, *, wanted: Mapping[str, Any], client: DastraClient) -> list[int]:
    """Requests made since that look like it, the oldest first, without those that other wishes made."""
    after = entry.seen["newest"]
    found = {
        dsr.upstream_id for dsr in _newest(client, after=after) if dsr.upstream_id > after and _is_same(dsr, wanted)
    }
    others = OutboxEntry.objects.filter(
        workspace=entry.workspace, kind=WishKind.CREATE, state=WishState.DONE, upstream_id__in=found
    )
    return sorted(found - set(others.values_list("upstream_id", flat=True)))


def _newest(client: DastraClient, *, after: int | None) -> list[schema.DataSubjectRequest]:
    """The newest requests that Dastra lists: one page, or as many as hold ids later than `after`. Raises DastraError."""
    found: list[schema.DataSubjectRequest] = []
    for number, page in enumerate(client.iter_request_pages(size=PAGE_SIZE, sort_by="id", asc=False), start=1):
        found += page.items
        if after is None or number == MOST_PAGES or all(dsr.upstream_id <= after for dsr in page.items):
            break
    return found


def _is_same(dsr: schema.DataSubjectRequest, wanted: Mapping[str, Any]) -> bool:
    if dsr.title.strip() != wanted["title"].strip() or dsr.email.lower() != wanted.get("email", "").lower():
        return False
    received = datetime.fromisoformat(wanted["received"])
    return dsr.received_at is None or abs(dsr.received_at - received) < SAME_DAY


def _may_exist() -> Verdict:
    reason = _(
        "Whether Dastra made it could not be found out: it may exist. Please look for it among the newest requests."
    )
    return Verdict(WishState.REFUSED, reason=reason, code="may_exist")
