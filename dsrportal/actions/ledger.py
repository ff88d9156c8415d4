"""What people record of a request's legal clock: pauses, an extension, a refusal, and taking one of them back. Called by the views of the ledger
and the demo.

Each deed is one transaction under the workspace's lock: the guards look at what is there by then, the entry is written, the row's dates are
computed anew, the audit log gets its line. Nothing is sent to Dastra, which knows nothing of this. Nothing is deleted or overwritten.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.translation import gettext as _

from dsrportal.actions.refusals import LedgerError
from dsrportal.clocks import Policy
from dsrportal.mirror import reckoning
from dsrportal.models import (
    AuditEvent,
    DataSubjectRequest,
    DateChange,
    Extension,
    Membership,
    Pause,
    Refusal,
    User,
    Workspace,
)
from dsrportal.models.audit import Operation
from dsrportal.models.history import DateReason
from dsrportal.models.ledger import ExtensionGround, PauseReason, RefusalGround
from dsrportal.models.rules import policy_of
from dsrportal.queries.clockmark import long_day

__all__ = ["ENTRIES", "LedgerError", "accept_dates", "extend", "pause", "refuse", "resume", "withdraw"]

LONGEST_TEXT = 2_000
UNDUE_DELAY_DAYS = 7
ENTRIES: dict[str, type[Pause | Extension | Refusal]] = {"pause": Pause, "extension": Extension, "refusal": Refusal}

AnyEntry = Pause | Extension | Refusal
Entry = TypeVar("Entry", Pause, Extension, Refusal)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Scene:
    """What the guards look at, read under the lock: the row, its workspace's rules, and what day it is there."""

    dsr: DataSubjectRequest
    workspace: Workspace
    policy: Policy | None
    today: date

    @property
    def received_on(self) -> date:
        """The day of receipt. Raises `LedgerError` where there is none to count from."""
        if self.dsr.received_on is None or self.dsr.extend_by is None:
            sentence = _("No date of receipt is known, so no clock runs. Enter it in Dastra first.")
            raise LedgerError(sentence, code="no_receipt")
        return self.dsr.received_on


def pause(
    dsr: DataSubjectRequest,
    *,
    action_id: uuid.UUID,
    reason: PauseReason,
    asked_on: date,
    text: str = "",
    by: User,
    now: datetime,
) -> Pause:
    """Stop the clock from the day the person was asked. The same `action_id` again gives the same entry. Raises `LedgerError`."""
    with _scene(dsr, by=by, now=now) as scene:
        if known := _known(Pause, action_id, dsr=dsr, by=by, reason=reason, asked_on=asked_on):
            return known
        _require_open(scene)
        if scene.policy is None or not scene.policy.terms.has_pauses:
            raise LedgerError(_("The rules of this workspace know no pauses."), code="no_pauses")
        if Pause.objects.filter(dsr=dsr, answered_on=None, withdrawn_at=None).exists():
            raise LedgerError(_("The clock is paused already."), code="paused")
        _require_day(asked_on, scene=scene, field="asked_on")
        due_on = scene.dsr.respond_by
        if due_on is not None and asked_on > due_on:
            sentence = _("On that day the time was over: the answer was due on %(day)s. A pause cannot bring it back.")
            raise LedgerError(sentence % {"day": long_day(due_on)}, code="over", field="asked_on")
        entry = Pause(reason=reason, asked_on=asked_on)
        is_late = (asked_on - scene.received_on).days > UNDUE_DELAY_DAYS
        _keep(entry, scene=scene, action_id=action_id, text=text, by=by, now=now)
        _record(
            Operation.PAUSE, scene=scene, by=by, now=now, details={"entry": entry.pk, "reason": reason, "late": is_late}
        )
        return entry


def resume(dsr: DataSubjectRequest, *, action_id: uuid.UUID, answered_on: date, by: User, now: datetime) -> Pause:
    """Let the clock go on from the day the person answered. Twice is once. Raises `LedgerError`."""
    with _scene(dsr, by=by, now=now) as scene:
        if known := Pause.objects.filter(answer_action_id=action_id).first():
            if (known.dsr_id, known.answered_on, known.answered_by_id) != (dsr.pk, answered_on, by.pk):
                raise _reused()
            return known
        entry = Pause.objects.filter(dsr=dsr, answered_on=None, withdrawn_at=None).first()
        if entry is None:
            raise LedgerError(_("The clock is not paused."), code="not_paused")
        _require_open(scene)
        if answered_on < entry.asked_on:
            sentence = _("The person was asked on %(day)s and cannot have answered before.")
            raise LedgerError(sentence % {"day": long_day(entry.asked_on)}, code="reversed", field="answered_on")
        _require_day(answered_on, scene=scene, field="answered_on")
        entry.answered_on, entry.answer_action_id = answered_on, action_id
        entry.answered_by, entry.answer_recorded_at = by, now
        entry.save(update_fields=["answered_on", "answer_action_id", "answered_by", "answer_recorded_at"])
        _record(Operation.RESUME, scene=scene, by=by, now=now, details={"entry": entry.pk})
        return entry


def extend(
    dsr: DataSubjectRequest,
    *,
    action_id: uuid.UUID,
    ground: ExtensionGround,
    notice_on: date,
    text: str,
    by: User,
    now: datetime,
) -> Extension:
    """Record two further months, of which the person was told on `notice_on`; `text` says why, and where the proof is.

    Refused where the person was told too late: such an extension does not exist (Art. 12(3)). Raises `LedgerError`.
    """
    with _scene(dsr, by=by, now=now) as scene:
        if known := _known(Extension, action_id, dsr=dsr, by=by, ground=ground, notice_on=notice_on):
            return known
        _require_open(scene)
        if Extension.objects.filter(dsr=dsr, withdrawn_at=None).exists():
            raise LedgerError(
                _("It is extended already. Two further months are all that the law gives."), code="extended"
            )
        _require_day(notice_on, scene=scene, field="notice_on")
        extend_by = scene.dsr.extend_by
        if extend_by is not None and notice_on > extend_by:
            sentence = _(
                "The person had to be told by %(day)s, within the first period from receipt (GDPR Art. 12(3)). "
                "Told later, an extension does not exist, so none is recorded."
            )
            raise LedgerError(sentence % {"day": long_day(extend_by)}, code="too_late", field="notice_on")
        if not text.strip():
            sentence = _("Say why the time is needed and where the notice to the person can be found.")
            raise LedgerError(sentence, code="no_text", field="text")
        entry = Extension(ground=ground, notice_on=notice_on)
        _keep(entry, scene=scene, action_id=action_id, text=text, by=by, now=now)
        unexplained = DateChange.objects.filter(dsr=dsr, reason=DateReason.UNEXPLAINED)
        unexplained.update(reason=DateReason.EXTENSION)
        DataSubjectRequest.objects.filter(pk=dsr.pk).update(has_unexplained_change=False)
        _record(Operation.RECORD_EXTENSION, scene=scene, by=by, now=now, details={"entry": entry.pk, "ground": ground})
        return entry


def refuse(
    dsr: DataSubjectRequest,
    *,
    action_id: uuid.UUID,
    ground: RefusalGround,
    notice_on: date,
    text: str,
    by: User,
    now: datetime,
) -> Refusal:
    """Record that the person was told of a refusal on `notice_on`. One told after the first period is kept, and flagged (Art. 12(4)). It may be
    recorded of a closed request too. Raises `LedgerError`."""
    with _scene(dsr, by=by, now=now) as scene:
        if known := _known(Refusal, action_id, dsr=dsr, by=by, ground=ground, notice_on=notice_on):
            return known
        if Refusal.objects.filter(dsr=dsr, withdrawn_at=None).exists():
            raise LedgerError(_("A refusal is recorded already."), code="refused")
        _require_day(notice_on, scene=scene, field="notice_on")
        if not text.strip():
            sentence = _("Say why, and where the notice to the person can be found: the burden of proof is yours.")
            raise LedgerError(sentence, code="no_text", field="text")
        entry = Refusal(ground=ground, notice_on=notice_on)
        _keep(entry, scene=scene, action_id=action_id, text=text, by=by, now=now)
        _record(Operation.RECORD_REFUSAL, scene=scene, by=by, now=now, details={"entry": entry.pk, "ground": ground})
        return entry


def withdraw(entry: AnyEntry, *, by: User, now: datetime) -> AnyEntry:
    """Take an entry back: it stays in the timeline and counts no more. Twice is once. Raises `LedgerError`."""
    with _scene(entry.dsr, by=by, now=now) as scene:
        entry.refresh_from_db()
        if entry.is_withdrawn:
            return entry
        if not isinstance(entry, Refusal):
            _require_open(scene)
        entry.withdrawn_at, entry.withdrawn_by = now, by
        entry.save(update_fields=["withdrawn_at", "withdrawn_by"])
        if isinstance(entry, Extension):  # what it accounted for, nothing accounts for any more
            changes = DateChange.objects.filter(dsr_id=entry.dsr_id, reason=DateReason.EXTENSION)
            if changes.update(reason=DateReason.UNEXPLAINED):
                DataSubjectRequest.objects.filter(pk=entry.dsr_id).update(has_unexplained_change=True)
        details = {"entry": entry.pk, "kind": entry._meta.model_name}  # noqa: SLF001  documented API of Django
        _record(Operation.WITHDRAW_ENTRY, scene=scene, by=by, now=now, details=details)
        return entry


def accept_dates(dsr: DataSubjectRequest, *, by: User, now: datetime) -> int:
    """Say that the unexplained changes of Dastra's date were looked at and stand. Returns how many there were. Raises `LedgerError`."""
    with _scene(dsr, by=by, now=now) as scene:
        count = DateChange.objects.filter(dsr=dsr, reason=DateReason.UNEXPLAINED).update(reason=DateReason.ACCEPTED)
        DataSubjectRequest.objects.filter(pk=dsr.pk).update(has_unexplained_change=False)
        if count:
            _record(Operation.ACCEPT_DATE, scene=scene, by=by, now=now, details={"changes": count})
        return count


@contextmanager
def _scene(dsr: DataSubjectRequest, *, by: User, now: datetime) -> Iterator[_Scene]:
    """The row as it is under the lock, for a person who may act. Raises `LedgerError`."""
    with transaction.atomic():
        reckoning.lock(dsr.workspace_id)
        membership = (
            Membership.objects.filter(user=by, workspace_id=dsr.workspace_id).select_related("workspace").first()
        )
        if membership is None or not membership.may_act or not by.is_active or not membership.workspace.is_enabled:
            raise LedgerError(_("You may not change requests of this workspace."), code="not_allowed")
        workspace = membership.workspace
        row = DataSubjectRequest.objects.filter(pk=dsr.pk).first()
        if row is None:
            raise LedgerError(_("Dastra no longer has this request."), code="gone")
        today = now.astimezone(ZoneInfo(workspace.time_zone)).date()
        yield _Scene(dsr=row, workspace=workspace, policy=policy_of(workspace), today=today)


def _require_open(scene: _Scene) -> None:
    if scene.dsr.is_closed:
        raise LedgerError(_("It is closed: its dates stay as they are."), code="closed")
    if scene.dsr.archived:
        raise LedgerError(_("It is archived in Dastra."), code="archived")


def _require_day(day: date, *, scene: _Scene, field: str) -> None:
    """Raise `LedgerError` for a day before receipt, or one that is still to come."""
    if day < scene.received_on:
        sentence = _("The request was received on %(day)s: nothing can have happened before.")
        raise LedgerError(sentence % {"day": long_day(scene.received_on)}, code="before_receipt", field=field)
    if day > scene.today:
        raise LedgerError(_("This day is still to come."), code="future", field=field)


def _known(
    model: type[Entry], action_id: uuid.UUID, *, dsr: DataSubjectRequest, by: User, **asked: Any
) -> Entry | None:
    """What the same form has stored before. Raises `LedgerError` where it asked for something else."""
    entry = model.objects.filter(action_id=action_id).first()
    if entry is None:
        return None
    is_same = all(getattr(entry, name) == value for name, value in asked.items())
    if (entry.dsr_id, entry.by_id) != (dsr.pk, by.pk) or not is_same:
        raise _reused()
    return entry


def _reused() -> LedgerError:
    return LedgerError(_("This form was used before. Please try again."), code="reused")


def _keep(entry: AnyEntry, *, scene: _Scene, action_id: uuid.UUID, text: str, by: User, now: datetime) -> None:
    if len(text) > LONGEST_TEXT:
        raise LedgerError(_("This text is too long."), code="too_long", field="text")
    entry.action_id, entry.workspace, entry.dsr = action_id, scene.workspace, scene.dsr
    entry.by, entry.at = by, now
    entry.set_text(text.strip())
    entry.save(force_insert=True)


def _record(operation: Operation, *, scene: _Scene, by: User, now: datetime, details: dict[str, Any]) -> None:
    """The dates anew, the sign that pages look for, and the line of the audit log: ids and codes alone."""
    Workspace.note_change(scene.workspace.pk)
    reckoning.reckon(scene.dsr)
    AuditEvent.objects.create(
        at=now,
        by=by,
        workspace=scene.workspace,
        operation=operation,
        upstream_id=scene.dsr.upstream_id,
        reference=scene.dsr.reference,
        outcome="done",
        details=details,
    )
