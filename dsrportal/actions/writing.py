"""One wish on the wire: compare with what the person saw, write, read back. Called by `outbox.py` alone; what a kind means is in `deeds`.

Dastra takes at most one write, and that only while the claim on the wish still holds; what a failed write did is never guessed but read. All
it knows is told as a `Verdict`; it changes no wish but for renewing the claim right before the write.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from dsrportal.actions import deeds
from dsrportal.credentials import CannotDecryptError
from dsrportal.dastra import schema
from dsrportal.dastra.client import DastraClient
from dsrportal.dastra.errors import DastraError, NotFound, Rejected
from dsrportal.mirror import connections, refresh
from dsrportal.models import OutboxEntry
from dsrportal.models.outbox import WishKind, WishState

GIVE_UP_SECONDS = 60
"""How long a wish that provably did not reach Dastra is tried again after the first attempt."""

PROOF_SECONDS = 40
"""After a write whose answer was lost, a read proves that it was not applied only when this much time has passed: longer than Dastra
takes to work on a call that the portal has given up."""

RETRY_SECONDS = 5
NOT_OFFERED = frozenset({404, 405, 415, 501})
"""What Dastra answers where it does not know a way of writing; nothing was applied, and a read before the next way proves it."""

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Where a wish stands after an attempt: a sentence for people, in English, a code for the log, for `held` the wait before the next,
    for `conflict` Dastra's values of the fields in question, and for a new request the id that Dastra gave it."""

    state: WishState
    reason: str = ""
    code: str = ""
    retry_seconds: float = 0.0
    theirs: Mapping[str, Any] = field(default_factory=dict, repr=False)
    upstream_id: int | None = None


def attempt(entry: OutboxEntry, *, clock: Clock) -> Verdict:
    """Send a claimed wish. Raises nothing of Dastra's."""
    try:
        with connections.connect(entry.workspace, interactive=True) as client:
            return _attempt(entry, client=client, clock=clock)
    except DastraError as error:
        # Only the connection itself gets here: nothing was sent.
        return not_sent(entry, error, now=clock())
    except CannotDecryptError:
        return Verdict(
            WishState.REFUSED, reason=_("What was to be written can no longer be opened."), code="unreadable"
        )


def check(entry: OutboxEntry, *, clock: Clock) -> Verdict:
    """Find out by reading whether a wish of unknown outcome was applied. `unknown` while that cannot be told yet."""
    try:
        with connections.connect(entry.workspace, interactive=True) as client:
            return _read_back(entry, client=client, clock=clock, is_proof=proves(entry, now=clock()))
    except DastraError:
        return Verdict(WishState.UNKNOWN, reason=entry.reason, code="unreadable")
    except CannotDecryptError:
        reason = _("Whether Dastra applied it can no longer be checked: please look there.")
        return Verdict(WishState.REFUSED, reason=reason, code="unreadable")


def _attempt(entry: OutboxEntry, *, client: DastraClient, clock: Clock) -> Verdict:
    ways = deeds.ways(entry)
    before: schema.DataSubjectRequest | None = None
    for number, way in enumerate(ways, start=1):
        try:
            before = _read(entry, client=client, clock=clock)
        except DastraError as error:
            return not_sent(entry, error, now=clock())
        settled = _settled_without_writing(entry, before)
        if settled or before is None:
            return settled or _gone(entry)
        if not renew_claim(entry, now=clock(), base_updated_at=before.updated_at):
            # Another process took this for dead. It reads what became of the wish, so nothing may be written any more.
            return Verdict(WishState.UNKNOWN, code="overtaken")
        try:
            way(client, before)
        except DastraError as error:
            if number < len(ways) and error.status in NOT_OFFERED:
                continue  # the next turn reads again before it writes in another way
            return _after_failed_write(entry, error, client=client, clock=clock)
        break
    return _read_back(entry, client=client, clock=clock, is_proof=False, before=before)


def _settled_without_writing(entry: OutboxEntry, before: schema.DataSubjectRequest | None) -> Verdict | None:
    if before is None:
        return _gone(entry)
    if deeds.is_applied_before(entry, before):
        return Verdict(WishState.DONE, code="already_so")
    if found := deeds.conflict(entry, before):
        return Verdict(WishState.CONFLICT, reason=found.sentence, code="conflict", theirs=found.theirs)
    return None


def _after_failed_write(entry: OutboxEntry, error: DastraError, *, client: DastraClient, clock: Clock) -> Verdict:
    if error.outcome_unknown:
        # A plain 500 says that Dastra is done with the call, so that one read tells; otherwise it may still be at work on it.
        is_over = error.status == 500  # noqa: PLR2004
        return _read_back(entry, client=client, clock=clock, is_proof=is_over, sentence=error.sentence)
    if isinstance(error, NotFound) and entry.kind == WishKind.DELETE:
        return _read_back(entry, client=client, clock=clock, is_proof=True, sentence=error.sentence)
    if isinstance(error, (Rejected, NotFound)) or not error.retryable:
        return Verdict(WishState.REFUSED, reason=nothing_changed(error), code=error.code)
    return not_sent(entry, error, now=clock())


def _read_back(
    entry: OutboxEntry,
    *,
    client: DastraClient,
    clock: Clock,
    is_proof: bool,
    sentence: str = "",
    before: schema.DataSubjectRequest | None = None,
) -> Verdict:
    try:
        after = _read(entry, client=client, clock=clock)
    except DastraError as error:
        return Verdict(
            WishState.UNKNOWN,
            reason=_("Dastra could not be read back: %(sentence)s") % {"sentence": error.sentence},
            code=error.code,
        )
    if after is None:
        return _gone(entry)
    if deeds.is_applied(entry, after):
        dropped = deeds.lost(before, after, wanted=entry.wanted) if before else []
        reason = _("Dastra dropped what was in: %(names)s.") % {"names": ", ".join(dropped)} if dropped else ""
        return Verdict(WishState.DONE, code="read_back", reason=reason)
    return _not_seen(entry, after, is_proof=is_proof, sentence=sentence)


def _not_seen(entry: OutboxEntry, after: schema.DataSubjectRequest, *, is_proof: bool, sentence: str) -> Verdict:
    """What a read tells that does not show what was written."""
    where = {"step": deeds.step_name(after.step)}
    is_about_step = entry.kind in deeds.STEP_KINDS
    if deeds.is_moved_on(entry, after):
        reason = _("Dastra holds something else now.")
        if is_about_step:
            reason = (
                _("It is archived in Dastra.") if after.archived else _("It is in “%(step)s” in Dastra now.") % where
            )
        return Verdict(WishState.REFUSED, reason=reason, code="overtaken")
    if not is_proof:
        return Verdict(WishState.UNKNOWN, reason=sentence, code="not_seen_yet")
    is_changed = entry.base_updated_at is not None and after.updated_at != entry.base_updated_at
    if is_changed and entry.kind != WishKind.DELETE:
        # Applied and undone by somebody, or never applied and changed elsewhere: a read cannot tell these apart.
        reason = _("It was changed in Dastra since. Look at it before you try again.")
        return Verdict(WishState.REFUSED, reason=reason, code="overtaken")
    reason = _("Dastra did not apply it.")
    if is_about_step:
        reason = _("Dastra did not apply it: the request is still in “%(step)s”.") % where
    return Verdict(WishState.REFUSED, reason=f"{reason} {sentence}".strip(), code="not_applied")


def _read(entry: OutboxEntry, *, client: DastraClient, clock: Clock) -> schema.DataSubjectRequest | None:
    return refresh.refresh_request(entry.workspace, upstream_id=entry.target, client=client, now=clock())


def renew_claim(entry: OutboxEntry, *, now: datetime, **noted: Any) -> bool:
    """Hold the claim from now on, and keep what is `noted` of the wish with it. The time of the write counts from here."""
    mine = OutboxEntry.objects.filter(pk=entry.pk, state=WishState.SENDING, claimed_at=entry.claimed_at)
    if not mine.update(claimed_at=now, **noted):
        return False
    entry.claimed_at = now
    for name, value in noted.items():
        setattr(entry, name, value)
    return True


def proves(entry: OutboxEntry, *, now: datetime) -> bool:
    return entry.claimed_at is None or now - entry.claimed_at >= timedelta(seconds=PROOF_SECONDS)


def _gone(entry: OutboxEntry) -> Verdict:
    """Dastra answers that it has no such request: that proves a deletion, and refuses everything else."""
    if entry.kind == WishKind.DELETE:
        return Verdict(WishState.DONE, code="gone")
    return Verdict(WishState.REFUSED, reason=_("The request is no longer in Dastra."), code="gone")


def not_sent(entry: OutboxEntry, error: DastraError, *, now: datetime) -> Verdict:
    """Nothing reached Dastra: try again for a while where that may help, else say so. The while begins with the first attempt, not with the
    wish, which may have waited long before anybody could send it."""
    ends_at = (entry.first_claimed_at or now) + timedelta(seconds=GIVE_UP_SECONDS)
    if error.retryable:
        wait = max(RETRY_SECONDS * entry.attempts, float(getattr(error, "pause_seconds", 0.0)))
        if now + timedelta(seconds=wait) <= ends_at:
            return Verdict(WishState.HELD, reason=error.sentence, code=error.code, retry_seconds=wait)
    return Verdict(WishState.REFUSED, reason=nothing_changed(error), code=error.code)


def nothing_changed(error: DastraError) -> str:
    sentence = error.sentence if error.sentence.endswith((".", "!", "?")) else f"{error.sentence}."
    return _("%(sentence)s Nothing was changed.") % {"sentence": sentence}
