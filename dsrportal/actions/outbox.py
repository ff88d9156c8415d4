"""The wishes of people: kept before any call, held while they can be undone, sent once, settled by reading.

Called by the wishes' views, the jobs and the commands. Every change of a wish's state is one conditional update, so that of
several processes one wins; no call to Dastra is made inside a transaction. The wire itself is `writing.py`.
"""

from __future__ import annotations

import contextlib
import logging
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from types import ModuleType
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Coalesce
from django.utils import translation
from django.utils.translation import gettext as _

from dsrportal.actions import changes, creation_wire, deeds, fields, message_wire, writing
from dsrportal.actions.refusals import WishError
from dsrportal.actions.settling import settle
from dsrportal.actions.writing import Verdict
from dsrportal.credentials import CannotDecryptError
from dsrportal.models import DataSubjectRequest, Membership, OutboxEntry, User, WorkflowStep, Workspace
from dsrportal.models.outbox import FAILED_STATES, OPEN_STATES, PRIVATE_VALUES, WishKind, WishState, is_private

__all__ = [
    "WishError",
    "again",
    "dismiss",
    "is_work_left",
    "keep",
    "open_count",
    "seen_of",
    "send",
    "send_due",
    "settle_unknown",
    "undo",
    "wish",
]

logger = logging.getLogger(__name__)

STORED_LANGUAGE = "en"
PAGE_SECONDS = 2
"""A page that is open sends its person's wishes by itself; after this long it is taken to be closed."""

CLAIM_SECONDS = 60
"""A wish that has been `sending` for longer belongs to a process that died: whether it was written is unknown."""


def wish(
    *,
    action_id: uuid.UUID,
    kind: WishKind,
    dsr: DataSubjectRequest,
    step: WorkflowStep | None = None,
    wanted: Mapping[str, Any] | None = None,
    seen: Mapping[str, Any] | None = None,
    by: User,
    seen_step_upstream_id: int | None,
    seen_updated_at: datetime | None,
    now: datetime,
    hold_seconds: int | None = None,
    batch_id: uuid.UUID | None = None,
) -> OutboxEntry:
    """Keep a wish, to be sent `hold_seconds` (by default the setting `UNDO_SECONDS`) from now.

    The same `action_id` again gives the same row. `seen…` are what the person had on the screen; `wanted` and `seen` are values as
    `changes.checked` describes them, for the kinds that change fields. Raises `WishError`.
    """
    if kind == WishKind.CLOSE:
        step = changes.final_step(dsr)
    values = changes.checked(kind, dsr=dsr, wanted=wanted or {}, seen=seen or {})
    if known := _known(action_id, kind=kind, dsr=dsr, step=step, by=by, wanted=values.wanted):
        return known
    membership = _check(kind=kind, dsr=dsr, step=step, by=by, seen_step_upstream_id=seen_step_upstream_id)
    if kind == WishKind.EDIT and any(map(is_private, values.wanted)) and not membership.may_see_identity:
        raise _not_allowed()
    changes.check_difference(kind, dsr=dsr, values=values)
    hold = settings.UNDO_SECONDS if hold_seconds is None else hold_seconds
    entry = OutboxEntry(
        action_id=action_id,
        batch_id=batch_id,
        workspace=dsr.workspace,
        dsr=dsr,
        upstream_id=dsr.upstream_id,
        by=by,
        kind=kind,
        step_upstream_id=step.upstream_id if step else None,
        seen_step_upstream_id=seen_step_upstream_id,
        seen_updated_at=seen_updated_at,
        wanted=changes.public(values.wanted),
        seen=changes.public(values.seen),
        created_at=now,
        not_before=now + timedelta(seconds=hold),
    )
    entry.set_private({"wanted": changes.private(values.wanted), "seen": changes.private(values.seen)})
    try:
        with transaction.atomic():
            Workspace.note_change(dsr.workspace_id)
            _failed_of(dsr, by=by).update(dismissed_at=now, private_sealed=None)
            entry.save(force_insert=True)
    except IntegrityError:
        if known := _known(action_id, kind=kind, dsr=dsr, step=step, by=by, wanted=values.wanted):
            return known
        raise _busy(dsr) from None
    return entry


def seen_of(dsr: DataSubjectRequest, *, may_see_identity: bool) -> dict[str, Any]:
    """What a person has before them on the page of a request, to go back with their wish. What cannot be opened is left out."""
    names = dict.fromkeys(name for name in fields.FIELDS if name not in PRIVATE_VALUES)
    seen = {**fields.mirrored(dsr, names), "tags": dsr.tag_id_list()}
    if may_see_identity:
        with contextlib.suppress(CannotDecryptError):
            seen |= fields.mirrored(dsr, {"title": None})
    return seen


def undo(entry: OutboxEntry, *, by: User, now: datetime) -> bool:
    """Take a wish back before it is sent. False when it is too late, or when it is another person's."""
    if entry.by_id != by.pk:
        return False
    return settle(entry, Verdict(WishState.CANCELLED, code="undone"), from_state=WishState.HELD, now=now, by=by)


def dismiss(entry: OutboxEntry, *, by: User, now: datetime) -> bool:
    """Put a refusal out of sight, or leave a conflict as Dastra has it; both stay in the audit log."""
    failed = OutboxEntry.objects.filter(pk=entry.pk, by=by, state__in=FAILED_STATES, dismissed_at=None)
    with transaction.atomic():
        Workspace.note_change(entry.workspace_id)
        return bool(failed.update(dismissed_at=now, private_sealed=None))


def keep(entry: OutboxEntry, *, by: User, now: datetime, hold_seconds: int | None = None) -> OutboxEntry:
    """Wish the same again in the face of a conflict, with what it showed as the new base. Twice is once. Raises `WishError`."""
    action_id = uuid.uuid5(entry.action_id, "keep")
    if known := OutboxEntry.objects.filter(action_id=action_id, by=by).first():
        return known
    dsr = entry.dsr
    if entry.by_id != by.pk or entry.state != WishState.CONFLICT or entry.dismissed_at or dsr is None:
        raise WishError(_("This conflict is over."), code="stale")
    change = deeds.change_of(entry)
    theirs = {**entry.theirs, **entry.read_private().get("theirs", {})}
    is_about_step = entry.kind in deeds.STEP_KINDS
    return wish(
        action_id=action_id,
        kind=WishKind(entry.kind),
        dsr=dsr,
        step=WorkflowStep.objects.filter(workspace=entry.workspace, upstream_id=entry.step_upstream_id or 0).first(),
        wanted=change.wanted,
        seen={**change.seen, **({} if is_about_step else theirs)},
        by=by,
        seen_step_upstream_id=theirs["step"] if is_about_step else entry.seen_step_upstream_id,
        seen_updated_at=dsr.updated_at,
        now=now,
        hold_seconds=hold_seconds,
    )


def again(entry: OutboxEntry, *, by: User, now: datetime) -> OutboxEntry:
    """Wish once more what was refused, on the same base: what has changed since is a conflict. Twice is once. Raises `WishError`."""
    action_id = uuid.uuid5(entry.action_id, "again")
    if known := OutboxEntry.objects.filter(action_id=action_id, by=by).first():
        return known
    dsr = entry.dsr
    if entry.by_id != by.pk or not entry.may_be_repeated or entry.dismissed_at or dsr is None:
        raise WishError(_("This can no longer be tried again."), code="stale")
    return wish(
        action_id=action_id,
        kind=WishKind(entry.kind),
        dsr=dsr,
        step=WorkflowStep.objects.filter(workspace=entry.workspace, upstream_id=entry.step_upstream_id or 0).first(),
        wanted=entry.wanted,
        seen=entry.seen,
        by=by,
        seen_step_upstream_id=entry.seen_step_upstream_id,
        seen_updated_at=entry.seen_updated_at,
        now=now,
    )


def send(entry_id: int, *, now: datetime) -> OutboxEntry:
    """Bring one wish as far as it can be brought now: send it when it is due, settle it when its outcome is unknown.

    Never raises a `DastraError`: what went wrong is in the row. Raises `OutboxEntry.DoesNotExist`.
    """
    with translation.override(
        STORED_LANGUAGE
    ):  # a reason is read by people of several languages, and translated where it is shown
        return _send(entry_id, now=now)


def _send(entry_id: int, *, now: datetime) -> OutboxEntry:
    clock = _clock(now)
    claimed = _claim(entry_id, now=now)
    entry = OutboxEntry.objects.select_related("workspace", "dsr", "by").get(pk=entry_id)
    if claimed:
        verdict = _wire(entry).attempt(entry, clock=clock)
        if not settle(entry, verdict, from_state=WishState.SENDING, now=clock()):
            _mend(entry, verdict, now=clock())
        return entry
    if entry.state == WishState.HELD and entry.not_before <= now:  # the workspace was disabled while it was held
        sentence = _("The workspace is disabled: nothing was changed.")
        settle(entry, Verdict(WishState.REFUSED, reason=sentence, code="disabled"), from_state=WishState.HELD, now=now)
        return entry
    if entry.state == WishState.SENDING and _is_abandoned(entry, now=now):
        verdict = Verdict(WishState.UNKNOWN, reason=_("The portal stopped while sending."), code="interrupted")
        settle(entry, verdict, from_state=WishState.SENDING, now=now)
    if entry.state == WishState.UNKNOWN:
        verdict = _wire(entry).check(entry, clock=clock)
        if verdict.state != WishState.UNKNOWN:
            settle(entry, verdict, from_state=WishState.UNKNOWN, now=clock())
    return entry


def _mend(entry: OutboxEntry, verdict: Verdict, *, now: datetime) -> None:
    """Whoever sent it stood still for so long that another settled it, and then the write went through all the same: what was said is set right."""
    if verdict.state == WishState.DONE and entry.state in {WishState.UNKNOWN, WishState.REFUSED}:
        settle(entry, verdict, from_state=WishState(entry.state), now=now)


def _wire(entry: OutboxEntry) -> ModuleType:
    """What can send and check it: a new request has no id to read it by, and a message is no field of one."""
    return {WishKind.CREATE: creation_wire, WishKind.MESSAGE: message_wire}.get(WishKind(entry.kind), writing)


def _claim(entry_id: int, *, now: datetime) -> bool:
    """Take a due wish to send it. Of several processes one gets it."""
    due = OutboxEntry.objects.filter(
        pk=entry_id, state=WishState.HELD, not_before__lte=now, workspace__disabled_at=None
    )
    workspace_id = due.values_list("workspace_id", flat=True).first()
    if workspace_id is None:
        return False
    with transaction.atomic():
        Workspace.note_change(workspace_id)
        return bool(
            due.update(
                state=WishState.SENDING,
                claimed_at=now,
                first_claimed_at=Coalesce("first_claimed_at", Value(now)),
                attempts=F("attempts") + 1,
            )
        )


def send_due(*, now: datetime) -> int:
    """Send every held wish whose window is over. Returns how many were taken up; one that fails stops no other."""
    due = OutboxEntry.objects.filter(state=WishState.HELD, not_before__lte=now)
    return _each(list(due.order_by("not_before", "pk").values_list("pk", flat=True)), now=now)


def settle_unknown(*, now: datetime) -> int:
    """Settle by reading every wish whose outcome is unknown, those of dead processes included. Returns how many were looked at."""
    unknown = OutboxEntry.objects.filter(state=WishState.UNKNOWN)
    abandoned = OutboxEntry.objects.filter(
        state=WishState.SENDING, claimed_at__lte=now - timedelta(seconds=CLAIM_SECONDS)
    )
    return _each([*unknown.values_list("pk", flat=True), *abandoned.values_list("pk", flat=True)], now=now)


def is_work_left(*, now: datetime) -> bool:
    """Whether a wish waits that no page has taken care of: its window has been over for a moment, or a read could settle it now. One query."""
    unsent = Q(state=WishState.HELD, not_before__lte=now - timedelta(seconds=PAGE_SECONDS))
    unproven = Q(state=WishState.UNKNOWN, claimed_at__lte=now - timedelta(seconds=writing.PROOF_SECONDS))
    abandoned = Q(state=WishState.SENDING, claimed_at__lte=now - timedelta(seconds=CLAIM_SECONDS))
    return OutboxEntry.objects.filter(unsent | unproven | abandoned).exists()


def open_count() -> int:
    """How many wishes are neither done, refused nor undone."""
    return OutboxEntry.objects.filter(state__in=OPEN_STATES).count()


def _each(ids: list[int], *, now: datetime) -> int:
    clock = _clock(now)
    for entry_id in ids:
        try:
            send(entry_id, now=clock())
        except Exception:
            # The row stays open and is settled by reading later: what failed here must not keep the others waiting.
            logger.exception("wish %s could not be worked on", entry_id)
    return len(ids)


def _known(
    action_id: uuid.UUID,
    *,
    kind: WishKind,
    dsr: DataSubjectRequest,
    step: WorkflowStep | None,
    by: User,
    wanted: Mapping[str, Any],
) -> OutboxEntry | None:
    entry = OutboxEntry.objects.filter(action_id=action_id).select_related("workspace", "by").first()
    if entry is None:
        return None
    asked = (dsr.workspace_id, dsr.upstream_id, kind, step.upstream_id if step else None, by.pk)
    kept = (entry.workspace_id, entry.upstream_id, entry.kind, entry.step_upstream_id, entry.by_id)
    is_same = entry.wanted == changes.public(wanted)
    if is_same and entry.private_sealed is not None:
        is_same = deeds.change_of(entry).wanted == dict(wanted)
    if kept != asked or not is_same:
        raise WishError(_("This form was used before. Please try again."), code="reused")
    return entry


def _check(
    *,
    kind: WishKind,
    dsr: DataSubjectRequest,
    step: WorkflowStep | None,
    by: User,
    seen_step_upstream_id: int | None,
) -> Membership:
    membership = Membership.objects.filter(user=by, workspace_id=dsr.workspace_id).first()
    if membership is None or not membership.may_act or not by.is_active or not dsr.workspace.is_enabled:
        raise _not_allowed()
    if kind == WishKind.DELETE and not membership.may_delete:
        raise WishError(_("You may not delete requests of this workspace."), code="not_allowed")
    if kind == WishKind.MOVE and (step is None or step.workspace_id != dsr.workspace_id or step.is_gone):
        raise WishError(_("Dastra no longer has this step."), code="unknown_step")
    if OutboxEntry.objects.filter(
        workspace_id=dsr.workspace_id, upstream_id=dsr.upstream_id, state__in=OPEN_STATES
    ).exists():
        raise _busy(dsr)
    here = dsr.step.upstream_id if dsr.step else None
    if kind in deeds.STEP_KINDS and seen_step_upstream_id != here:
        raise WishError(
            _("It was moved to “%(step)s” in Dastra meanwhile.") % {"step": deeds.step_name(dsr.step)}, code="stale"
        )
    if dsr.archived and kind not in {WishKind.RESTORE, WishKind.DELETE}:
        raise WishError(_("It is archived in Dastra."), code="no_change" if kind == WishKind.ARCHIVE else "stale")
    if kind == WishKind.RESTORE and not dsr.archived:
        raise WishError(_("It is not archived."), code="no_change")
    if kind == WishKind.MOVE and step is not None and step.upstream_id == here:
        raise WishError(_("It is in “%(step)s” already.") % {"step": step.label}, code="no_change")
    return membership


def _not_allowed() -> WishError:
    return WishError(_("You may not change requests of this workspace."), code="not_allowed")


def _busy(dsr: DataSubjectRequest) -> WishError:
    entry = (
        OutboxEntry.objects.filter(workspace_id=dsr.workspace_id, upstream_id=dsr.upstream_id, state__in=OPEN_STATES)
        .select_related("by")
        .first()
    )
    name = entry.by.display_name() if entry else _("Someone")
    return WishError(_("%(name)s is already changing this request.") % {"name": name}, code="busy")


def _failed_of(dsr: DataSubjectRequest, *, by: User) -> QuerySet[OutboxEntry]:
    return OutboxEntry.objects.filter(dsr=dsr, by=by, state__in=FAILED_STATES, dismissed_at=None)


def _is_abandoned(entry: OutboxEntry, *, now: datetime) -> bool:
    return entry.claimed_at is not None and now - entry.claimed_at >= timedelta(seconds=CLAIM_SECONDS)


def _clock(start: datetime) -> Callable[[], datetime]:
    """The time as `start` plus what has passed since: calls last seconds, and tests choose where time starts."""
    began = time.monotonic()
    return lambda: start + timedelta(seconds=time.monotonic() - began)
