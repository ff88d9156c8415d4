"""The clock of one request as its page shows it: the three legal dates, Dastra's and the team's own beside them, why, what is recorded, what may be done.

Called by `queries.detail`; reads no row by itself, never writes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dsrportal.clocks import Policy, compute
from dsrportal.mirror.legal import facts_of
from dsrportal.models import DataSubjectRequest, Workspace
from dsrportal.models.workspaces import ClockProfile
from dsrportal.queries import clock_bar, clock_state, clock_words, clockmark, ledger, target_words
from dsrportal.queries.clock_bar import ClockBar
from dsrportal.queries.clock_words import TraceLine
from dsrportal.queries.clockmark import ClockMark, long_day
from dsrportal.queries.ledger import Line, Recorded


@dataclass(frozen=True, kw_only=True, slots=True)
class LegalDate:
    """One line of the table: its name, the day in words and for machines (empty: none), and a remark."""

    name: str
    day: str = ""
    machine: str = ""
    remark: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ClockPanel:
    """What the panel draws. `deeds` are the dialogs that make sense now, of pause, resume, extend, refuse; `set_date` is the day that Dastra's
    date may be set to (empty: it is that already, or nothing to set it to); `warnings` are what somebody should look at."""

    mark: ClockMark
    bar: ClockBar | None
    dates: list[LegalDate]
    warnings: list[str]
    trace: list[TraceLine]
    lines: list[Line]
    deeds: tuple[str, ...]
    no_extension: str
    set_date: str
    set_date_text: str
    unexplained_count: int


def of_request(
    dsr: DataSubjectRequest, *, recorded: Recorded, workspace: Workspace, policy: Policy | None, now: datetime
) -> ClockPanel:
    """The panel as of the workspace's own day."""
    zone = ZoneInfo(workspace.time_zone)
    today = now.astimezone(zone).date()
    settable_on = _settable(dsr, workspace=workspace)
    return ClockPanel(
        mark=clockmark.of_row(clock_state.columns_of(dsr), policy=policy, zone=zone, now=now),
        bar=clock_bar.of_row(dsr, pauses=recorded.ledger.pauses, today=today),
        dates=_dates(dsr, workspace=workspace, today=today),
        warnings=_warnings(dsr, recorded=recorded, policy=policy),
        trace=_trace(dsr, recorded=recorded, workspace=workspace, policy=policy, zone=zone, today=today),
        lines=ledger.lines(recorded, dsr=dsr, workspace=workspace),
        deeds=_deeds(dsr, recorded=recorded, policy=policy),
        no_extension=_no_extension(dsr, recorded=recorded, today=today),
        set_date=settable_on.isoformat() if settable_on else "",
        set_date_text=long_day(settable_on) if settable_on else "",
        unexplained_count=recorded.unexplained_count,
    )


def _dates(dsr: DataSubjectRequest, *, workspace: Workspace, today: date) -> list[LegalDate]:
    respond = _line(_("Respond by"), dsr.respond_by)
    if dsr.paused_since and not dsr.is_closed:
        left = dsr.paused_working_left or 0
        remark = ngettext(
            "%(n)d working day is left when it goes on", "%(n)d working days are left when it goes on", left
        )
        respond = LegalDate(name=_("Respond by"), remark=remark % {"n": left})
    found = [respond, *_own_target(dsr, workspace=workspace, today=today)]
    if dsr.without_pauses and dsr.without_pauses != dsr.respond_by:
        found.append(_line(_("Without pauses"), dsr.without_pauses))
    if dsr.extend_by:
        state = dsr.get_extension_state_display() if dsr.extension_state else ""
        found.append(_line(_("Extend by"), dsr.extend_by, remark=state))
        refused = _("told on %s") % long_day(dsr.refused_on) if dsr.refused_on else ""
        found.append(_line(_("Refuse by"), dsr.extend_by, remark=refused))
    if workspace.profile != ClockProfile.UPSTREAM:
        found.append(_line(_("Dastra's date"), dsr.upstream_due_on, remark=_beside(dsr)))
    return found


def _own_target(dsr: DataSubjectRequest, *, workspace: Workspace, today: date) -> list[LegalDate]:
    """The team's own target, where the workspace has one and the request too: one that was closed before has none."""
    if workspace.target_days is None:
        return []
    if dsr.target_on is not None:
        return [_line(target_words.name(), dsr.target_on, remark=target_words.remark(dsr, today=today))]
    is_paused = dsr.paused_since is not None and not dsr.is_closed
    return [LegalDate(name=target_words.name(), remark=target_words.paused())] if is_paused else []


def _line(name: str, day: date | None, *, remark: str = "") -> LegalDate:
    return LegalDate(
        name=name, day=long_day(day) if day else _("None"), machine=day.isoformat() if day else "", remark=remark
    )


def _beside(dsr: DataSubjectRequest) -> str:
    """How Dastra's date stands to the law's; nothing while a pause moves the latter."""
    if dsr.upstream_due_on is None or dsr.respond_by is None:
        return ""
    return clock_words.days_beside((dsr.upstream_due_on - dsr.respond_by).days)


def _warnings(dsr: DataSubjectRequest, *, recorded: Recorded, policy: Policy | None) -> list[str]:
    found = []
    if policy is None:
        found.append(_("No holidays are known for this workspace's country and region, so no date can be told."))
    if dsr.is_receipt_from_creation:
        found.append(_("Dastra gives no day of receipt; the day of its entry stands for it."))
    if dsr.is_refusal_late:
        found.append(_("The refusal was told after the first period: GDPR Art. 12(4) was not kept."))
    if recorded.unexplained_count:
        count = recorded.unexplained_count
        text = ngettext(
            "Dastra's date was changed %(n)d time without an extension or another reason that is known here.",
            "Dastra's date was changed %(n)d times without an extension or another reason that is known here.",
            count,
        )
        found.append(text % {"n": count})
    return found


def _trace(
    dsr: DataSubjectRequest,
    *,
    recorded: Recorded,
    workspace: Workspace,
    policy: Policy | None,
    zone: ZoneInfo,
    today: date,
) -> list[TraceLine]:
    if policy is None:
        return []
    clocks = compute(facts_of(dsr, ledger=recorded.ledger, zone=zone), policy=policy, today=today)
    found = clock_words.trace_lines(clocks.trace, policy=policy)
    if dsr.is_closed and dsr.rules_number != workspace.rules_number:
        text = _(
            "The rules of the workspace were changed since it was closed: it keeps the dates and the verdict of then."
        )
        found.append(TraceLine(text=text, rules=(), sources=()))
    if dsr.restated_at and dsr.restated_from:
        text = _("On %(day)s the rules of the workspace were changed, and the date moved from %(former)s.") % {
            "day": long_day(dsr.restated_at.astimezone(zone).date()),
            "former": long_day(dsr.restated_from),
        }
        found.append(TraceLine(text=text, rules=(), sources=()))
    return found


def _deeds(dsr: DataSubjectRequest, *, recorded: Recorded, policy: Policy | None) -> tuple[str, ...]:
    if dsr.received_on is None or dsr.extend_by is None:
        return ()
    is_open = not (dsr.is_closed or dsr.archived)
    deeds = []
    if is_open and recorded.open_pause:
        deeds.append("resume")
    elif is_open and policy is not None and policy.terms.has_pauses:
        deeds.append("pause")
    if is_open and recorded.ledger.extension is None:
        deeds.append("extend")
    if recorded.ledger.refusal is None:
        deeds.append("refuse")
    return tuple(deeds)


def _no_extension(dsr: DataSubjectRequest, *, recorded: Recorded, today: date) -> str:
    """Why an extension can no longer be told; empty while it can, or where there is one."""
    if dsr.is_closed or dsr.extend_by is None or dsr.extend_by >= today or recorded.ledger.extension:
        return ""
    return _("An extension had to be told by %s. A notice that was sent in time can still be recorded.") % long_day(
        dsr.extend_by
    )


def _settable(dsr: DataSubjectRequest, *, workspace: Workspace) -> date | None:
    """The legal day where Dastra has another."""
    is_settled = dsr.is_closed or dsr.archived or dsr.paused_since is not None
    if is_settled or workspace.profile == ClockProfile.UPSTREAM or dsr.respond_by == dsr.upstream_due_on:
        return None
    return dsr.respond_by
