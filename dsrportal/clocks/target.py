"""A workspace's own target: the day by which its team wants to have answered. Called by the mirror and by the preview of a new request.

It is no legal date: it moves no clock, and no clock's state depends on it.
"""

from __future__ import annotations

from datetime import date

from dsrportal.clocks import pauses
from dsrportal.clocks.facts import Clocks, Facts
from dsrportal.clocks.profiles import Policy, Term
from dsrportal.clocks.trace import Trace


def own_target(facts: Facts, *, clocks: Clocks, days: int, policy: Policy, today: date) -> date | None:
    """The end of `days` calendar days from receipt, or the law's day where that is earlier. `clocks` is what `compute` makes of the same arguments.

    Pauses count by the rules of the legal clock, over the target's own period: a question that is asked when it has passed does not bring it back.
    None where no receipt is known, and while a question is out that moves it.
    """
    if clocks.received_on is None:
        return None
    counted = pauses.count(
        facts,
        received_on=clocks.received_on,
        term=Term(days=days),
        policy=policy,
        today=today,
        trace=Trace(law=policy.terms.law),
    )
    if clocks.respond_by is not None and clocks.respond_by <= counted.raw_on:
        return None if clocks.is_paused else clocks.respond_by
    return None if counted.since else counted.raw_on
