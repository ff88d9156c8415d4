"""One wish on the wire: compare with what the person saw, write, read back. Called by `outbox.py` alone.

It writes at most once, and only while the claim on the wish still holds; what a failed write did is never guessed but read. All
it knows is told as a `Verdict`; it changes no wish but for renewing the claim right before the write.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.utils.translation import gettext as _

from dsrportal.dastra import schema
from dsrportal.dastra.client import DastraClient
from dsrportal.dastra.errors import DastraError, NotFound, Rejected
from dsrportal.mirror import connections, refresh
from dsrportal.models import OutboxEntry, WorkflowStep
from dsrportal.models.outbox import WishKind, WishState

GIVE_UP_SECONDS = 60
"""How long a wish that provably did not reach Dastra is tried again after its undo window."""

PROOF_SECONDS = 40
"""After a write whose answer was lost, a read proves that it was not applied only when this much time has passed: longer than Dastra
takes to work on a call that the portal has given up."""

RETRY_SECONDS = 5
CLOSED = "Closed"

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Where a wish stands after an attempt, with a sentence for people, a code for the log, and for `held` the wait before the next."""

    state: WishState
    reason: str = ""
    code: str = ""
    retry_seconds: float = 0.0


def attempt(entry: OutboxEntry, *, clock: Clock) -> Verdict:
    """Send a claimed wish. Raises nothing of Dastra's."""
    try:
        with connections.connect(entry.workspace, interactive=True) as client:
            return _attempt(entry, client=client, clock=clock)
    except DastraError as error:
        # Only the connection itself gets here: nothing was sent.
        return _not_sent(entry, error, now=clock())


def check(entry: OutboxEntry, *, clock: Clock) -> Verdict:
    """Find out by reading whether a wish of unknown outcome was applied. `unknown` while that cannot be told yet."""
    try:
        with connections.connect(entry.workspace, interactive=True) as client:
            return _read_back(entry, client=client, clock=clock, is_proof=_proves(entry, now=clock()))
    except DastraError:
        return Verdict(WishState.UNKNOWN, reason=entry.reason, code="unreadable")


def step_name(step: WorkflowStep | schema.WorkflowStep | None) -> str:
    """The step's own name, or words for none."""
    return step.label if step else _("no step")


def _attempt(entry: OutboxEntry, *, client: DastraClient, clock: Clock) -> Verdict:
    try:
        before = _read(entry, client=client, clock=clock)
    except DastraError as error:
        return _not_sent(entry, error, now=clock())
    if settled := _settled_without_writing(entry, before):
        return settled
    if not _renew_claim(entry, now=clock()):
        # Another process took this for dead. It reads what became of the wish, so nothing may be written any more.
        return Verdict(WishState.UNKNOWN, code="overtaken")
    try:
        _write(entry, client=client)
    except DastraError as error:
        return _after_failed_write(entry, error, client=client, clock=clock)
    return _read_back(entry, client=client, clock=clock, is_proof=False)


def _settled_without_writing(entry: OutboxEntry, before: schema.DataSubjectRequest | None) -> Verdict | None:
    if before is None:
        return _gone()
    if _is_applied(entry, before):
        return Verdict(WishState.DONE, code="already_so")
    if conflict := _conflict(entry, before):
        return Verdict(WishState.REFUSED, reason=conflict, code="conflict")
    return None


def _write(entry: OutboxEntry, *, client: DastraClient) -> None:
    if entry.kind == WishKind.MOVE:
        assert entry.step_upstream_id is not None  # noqa: S101  a move is kept with its step
        client.change_step(entry.upstream_id, entry.step_upstream_id)
    elif entry.kind == WishKind.ARCHIVE:
        client.archive_request(entry.upstream_id)
    else:
        client.restore_request(entry.upstream_id)


def _after_failed_write(entry: OutboxEntry, error: DastraError, *, client: DastraClient, clock: Clock) -> Verdict:
    if error.outcome_unknown:
        # A plain 500 says that Dastra is done with the call, so that one read tells; otherwise it may still be at work on it.
        is_over = error.status == 500  # noqa: PLR2004
        return _read_back(entry, client=client, clock=clock, is_proof=is_over, sentence=error.sentence)
    if isinstance(error, (Rejected, NotFound)) or not error.retryable:
        return Verdict(WishState.REFUSED, reason=_nothing_changed(error), code=error.code)
    return _not_sent(entry, error, now=clock())


def _read_back(
    entry: OutboxEntry, *, client: DastraClient, clock: Clock, is_proof: bool, sentence: str = ""
) -> Verdict:
    try:
        after = _read(entry, client=client, clock=clock)
    except DastraError as error:
        return Verdict(
            WishState.UNKNOWN, reason=_("Dastra could not be read back: %s") % error.sentence, code=error.code
        )
    if after is None:
        return _gone()
    if _is_applied(entry, after):
        return Verdict(WishState.DONE, code="read_back")
    where = _where(after)
    if _step_of(after) not in {entry.seen_step_upstream_id, entry.step_upstream_id}:
        reason = _("It is in “%(step)s” in Dastra now.") % {"step": where}
        return Verdict(WishState.REFUSED, reason=reason, code="overtaken")
    if is_proof:
        reason = _("Dastra did not apply it: the request is still in “%(step)s”.") % {"step": where}
        return Verdict(WishState.REFUSED, reason=f"{reason} {sentence}".strip(), code="not_applied")
    return Verdict(WishState.UNKNOWN, reason=sentence, code="not_seen_yet")


def _read(entry: OutboxEntry, *, client: DastraClient, clock: Clock) -> schema.DataSubjectRequest | None:
    return refresh.refresh_request(entry.workspace, upstream_id=entry.upstream_id, client=client, now=clock())


def _step_of(dsr: schema.DataSubjectRequest) -> int | None:
    return dsr.step.upstream_id if dsr.step else dsr.step_upstream_id


def _where(dsr: schema.DataSubjectRequest) -> str:
    return step_name(dsr.step)


def _is_applied(entry: OutboxEntry, dsr: schema.DataSubjectRequest) -> bool:
    if entry.kind == WishKind.MOVE:
        return _step_of(dsr) == entry.step_upstream_id and not dsr.archived
    return dsr.archived == (entry.kind == WishKind.ARCHIVE)


def _conflict(entry: OutboxEntry, dsr: schema.DataSubjectRequest) -> str:
    """What somebody else changed since the person looked, as a sentence; empty when the wish still makes sense.

    A change of other fields is none: a step change, an archiving and a restoring touch nothing but themselves.
    """
    if _step_of(dsr) != entry.seen_step_upstream_id:
        return _("It was moved to “%(step)s” in Dastra meanwhile.") % {"step": _where(dsr)}
    if entry.kind == WishKind.MOVE and dsr.archived:
        return _("It was archived in Dastra meanwhile.")
    is_changed = dsr.updated_at != entry.seen_updated_at
    if is_changed and dsr.state == CLOSED and not (dsr.step and dsr.step.mapped_state == CLOSED):
        return _("It was closed in Dastra meanwhile.")
    return ""


def _renew_claim(entry: OutboxEntry, *, now: datetime) -> bool:
    """Hold the claim from now on. The time of the write counts from here."""
    mine = OutboxEntry.objects.filter(pk=entry.pk, state=WishState.SENDING, claimed_at=entry.claimed_at)
    if not mine.update(claimed_at=now):
        return False
    entry.claimed_at = now
    return True


def _proves(entry: OutboxEntry, *, now: datetime) -> bool:
    return entry.claimed_at is None or now - entry.claimed_at >= timedelta(seconds=PROOF_SECONDS)


def _gone() -> Verdict:
    return Verdict(WishState.REFUSED, reason=_("The request is no longer in Dastra."), code="gone")


def _not_sent(entry: OutboxEntry, error: DastraError, *, now: datetime) -> Verdict:
    """Nothing reached Dastra: try again for a while where that may help, else say so."""
    ends_at = entry.created_at + timedelta(seconds=settings.UNDO_SECONDS + GIVE_UP_SECONDS)
    if error.retryable:
        wait = max(RETRY_SECONDS * entry.attempts, float(getattr(error, "pause_seconds", 0.0)))
        if now + timedelta(seconds=wait) <= ends_at:
            return Verdict(WishState.HELD, reason=error.sentence, code=error.code, retry_seconds=wait)
    return Verdict(WishState.REFUSED, reason=_nothing_changed(error), code=error.code)


def _nothing_changed(error: DastraError) -> str:
    sentence = error.sentence if error.sentence.endswith((".", "!", "?")) else f"{error.sentence}."
    return _("%(sentence)s Nothing was changed.") % {"sentence": sentence}
