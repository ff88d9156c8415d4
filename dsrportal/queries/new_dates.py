"""The legal dates, and the team's own target, that a new request would have, before it is entered. Called by `views.creating`; reads the rules alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from dsrportal.clocks import Clocks, Facts, Policy, own_target
from dsrportal.models import Workspace
from dsrportal.models.rules import policy_of
from dsrportal.queries import target_words
from dsrportal.queries.calculator import Answer, DateRow, Question, answer
from dsrportal.queries.clockmark import long_day

__all__ = ["NewDates", "of_receipt"]


@dataclass(frozen=True, kw_only=True, slots=True)
class NewDates:
    """The dates as the calculator words them, with why; `answer` is None where no calendar is known."""

    answer: Answer | None


def of_receipt(workspace: Workspace, *, received_on: date, is_complex: bool, now: datetime) -> NewDates:
    """One query."""
    policy = policy_of(workspace)
    if policy is None:
        return NewDates(answer=None)
    today = now.astimezone(ZoneInfo(workspace.time_zone)).date()
    facts = Facts(received_on=received_on, is_complex=is_complex)
    found = answer(Question(facts=facts, policy=policy, today=today))
    own = _own_target(facts, clocks=found.clocks, days=workspace.target_days, policy=policy, today=today)
    return NewDates(answer=replace(found, rows=[*found.rows[:1], *own, *found.rows[1:]]))


def _own_target(facts: Facts, *, clocks: Clocks, days: int | None, policy: Policy, today: date) -> list[DateRow]:
    """The team's own target as a line after the legal date; none where the workspace has none."""
    target_on = own_target(facts, clocks=clocks, days=days, policy=policy, today=today) if days else None
    if target_on is None:
        return []
    note = target_words.before_law((clocks.respond_by - target_on).days) if clocks.respond_by else ""
    return [DateRow(label=target_words.name(), day=target_on, text=long_day(target_on), note=note)]
