"""The legal dates that a new request would have, before it is entered. Called by `views.creating`; reads the workspace's rules alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from dsrportal.clocks import Facts
from dsrportal.models import Workspace
from dsrportal.models.rules import policy_of
from dsrportal.queries.calculator import Answer, Question, answer

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
    return NewDates(answer=answer(Question(facts=facts, policy=policy, today=today)))
