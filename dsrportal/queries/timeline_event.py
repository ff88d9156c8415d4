"""One line of a request's timeline; made by `detail_timeline`, `detail_told` and `ledger`, drawn by the page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

KINDS: dict[str, Promise] = {
    "dastra": _("In Dastra"),
    "deeds": _("From here"),
    "clock": _("Clock"),
    "messages": _("Messages"),
    "alerts": _("Alerts"),
    "reads": _("Who looked"),
}
"""What a line may be about, in the order of the filter."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """`icon` of the sprite, what happened, who did it (a colleague; may be empty), when, and a remark. `kind` is one of `KINDS`."""

    at: datetime
    kind: str
    icon: str
    text: str
    by: str = ""
    when: str = ""
    machine: str = ""
    remark: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class EventTab:
    """One kind to filter by, with how many lines there are; `url` is the query alone."""

    label: str
    url: str
    count: int
    is_current: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Timeline:
    """What is shown: the newest lines, the filter, and how many older lines are left out (`more_url` shows them)."""

    events: list[Event]
    tabs: list[EventTab]
    left_out: int
    more_url: str
