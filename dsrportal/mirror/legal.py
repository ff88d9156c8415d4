"""One request and its ledger -> the legal dates of its row. Pure: no database, no clock read; what time changes is not among them.

Called by `store.py` for what Dastra tells, and by `reckoning.py` when the ledger or the rules change.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from dsrportal import models
from dsrportal.clocks import Extension, Facts, Pause, Policy, Refusal, compute, day_of, own_target
from dsrportal.models import DataSubjectRequest
from dsrportal.models.requests import ExtensionState

CLOSED = "Closed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """By what a workspace's dates are computed. `number` is its `rules_number`; without a `policy` (no holidays known) every date is unknown.
    `target_days` is the team's own target, None where there is none.
    """

    policy: Policy | None
    zone: ZoneInfo
    number: int
    target_days: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Ledger:
    """What people have recorded of one request, as the clocks take it; withdrawn entries are not in it."""

    pauses: tuple[Pause, ...] = ()
    extension: Extension | None = None
    refusal: Refusal | None = None


NO_LEDGER = Ledger()


def ledger_of(
    *, pauses: Iterable[models.Pause], extensions: Iterable[models.Extension], refusals: Iterable[models.Refusal]
) -> Ledger:
    """What stands of the entries of one request. Of extensions and refusals at most one does."""
    extension = next((one for one in extensions if not one.is_withdrawn), None)
    refusal = next((one for one in refusals if not one.is_withdrawn), None)
    return Ledger(
        pauses=tuple(Pause(asked_on=p.asked_on, answered_on=p.answered_on) for p in pauses if not p.is_withdrawn),
        extension=Extension(notice_on=extension.notice_on, has_ground=bool(extension.ground)) if extension else None,
        refusal=Refusal(notice_on=refusal.notice_on) if refusal else None,
    )


def facts_of(dsr: DataSubjectRequest, *, ledger: Ledger, zone: ZoneInfo) -> Facts:
    """What the clocks need to know. Dastra's `dateDemand` is the receipt; where it is missing, `dateCreation` stands for it."""
    received_on, created_on = _day(dsr.received_at, zone=zone), _day(dsr.created_at, zone=zone)
    return Facts(
        received_on=received_on or created_on,
        is_receipt_from_creation=received_on is None and created_on is not None,
        pauses=ledger.pauses,
        extension=ledger.extension,
        refusal=ledger.refusal,
        upstream_due_on=_day(dsr.expires_at, zone=zone),
        is_complex=dsr.complex,
        closed_on=_day(dsr.closed_at, zone=zone) if dsr.state == CLOSED else None,
    )


def legal_fields(dsr: DataSubjectRequest, *, ledger: Ledger, rules: Rules) -> dict[str, Any]:
    """The values of `DataSubjectRequest.LEGAL_FIELDS`. They depend on nothing but what is given: tomorrow they are the same."""
    facts = facts_of(dsr, ledger=ledger, zone=rules.zone)
    fields: dict[str, Any] = {
        "received_on": facts.received_on,
        "is_receipt_from_creation": facts.is_receipt_from_creation,
        "respond_by": None,
        "extend_by": None,
        "without_pauses": None,
        "paused_since": None,
        "paused_working_left": None,
        "extension_state": "",
        "refused_on": ledger.refusal.notice_on if ledger.refusal else None,
        "is_refusal_late": False,
        "target_on": None,
        "upstream_due_on": facts.upstream_due_on,
        "closed_on": facts.closed_on,
        "late_days": None,
        "rules_number": rules.number,
    }
    if rules.policy is not None:
        still_on = _still(facts)
        clocks = compute(facts, policy=rules.policy, today=still_on)
        is_paused = clocks.is_paused and dsr.state != CLOSED
        fields |= {
            "received_on": clocks.received_on,
            "respond_by": None if is_paused else clocks.respond_by,
            "extend_by": clocks.extend_by,
            "without_pauses": clocks.without_pauses,
            "paused_since": clocks.paused_since if is_paused else None,
            "paused_working_left": clocks.working_days_left if is_paused else None,
            "extension_state": _extension_state(clocks.extension_valid),
            "is_refusal_late": clocks.refusal_in_time is False,
            "late_days": clocks.days_late,
        }
        if rules.target_days is not None:
            fields["target_on"] = own_target(
                facts, clocks=clocks, days=rules.target_days, policy=rules.policy, today=still_on
            )
    return fields | {"clock_on": fields["respond_by"] or fields["without_pauses"] or DataSubjectRequest.NO_DAY}


def is_judged(dsr: DataSubjectRequest, *, before: DataSubjectRequest) -> bool:
    """Whether the verdict on a closed request stands: it was closed before, and nothing that the verdict rests on has changed in Dastra."""
    names = ("state", "closed_at", "received_at", "created_at", "complex")
    return dsr.state == CLOSED and all(getattr(dsr, name) == getattr(before, name) for name in names)


def _still(facts: Facts) -> date:
    """A day on which the answer is the same whenever it is asked: the last one that the ledger or the closing names, else the receipt."""
    named = [facts.received_on, facts.closed_on]
    named += [day for pause in facts.pauses for day in (pause.asked_on, pause.answered_on)]
    return max((day for day in named if day is not None), default=DataSubjectRequest.NO_DAY)


def _extension_state(is_valid: bool | None) -> str:  # noqa: FBT001
    return "" if is_valid is None else ExtensionState.VALID if is_valid else ExtensionState.INVALID


def _day(moment: datetime | None, *, zone: ZoneInfo) -> date | None:
    try:
        return day_of(moment, zone=zone) if moment is not None else None
    except OverflowError:  # the last hours of the year 9999 have no day further east
        return None
