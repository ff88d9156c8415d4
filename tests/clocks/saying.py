"""Short ways to say a case: days as text, a computation in one line."""

from __future__ import annotations

from datetime import date
from typing import Any

from dsrportal.clocks import Clocks, Extension, Facts, Pause, Policy, Profile, compute

FRANCE = Policy()
GERMANY = Policy(country="DE")
UK = Policy(profile=Profile.UK)


def day(text: str) -> date:
    """`2026-03-02`, or `Mon 2026-03-02`, which must be a Monday."""
    name, _space, iso = text.rpartition(" ")
    found = date.fromisoformat(iso)
    assert not name or found.strftime("%a") == name, text
    return found


def pause(asked: str, answered: str | None = None) -> Pause:
    """A question, answered or not."""
    return Pause(asked_on=day(asked), answered_on=day(answered) if answered else None)


def extended(notice: str | None, *, has_ground: bool = True) -> Extension:
    """An extension with its notice."""
    return Extension(notice_on=day(notice) if notice else None, has_ground=has_ground)


def clocks(received: str | None, *, policy: Policy = FRANCE, today: str | None = None, **facts: Any) -> Clocks:
    """The clocks of a request; on the day of its receipt where no day is given."""
    received_on = day(received) if received else None
    on = day(today) if today else received_on or date(2026, 3, 2)
    return compute(Facts(received_on=received_on, **facts), policy=policy, today=on)


def respond_by(received: str, **rest: Any) -> date | None:
    """The day of the answer alone."""
    return clocks(received, **rest).respond_by
