"""One line of a request's timeline; made by `detail_timeline` and `ledger`, drawn by the page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """`icon` of the sprite, what happened, who did it (a colleague; may be empty), when, and a remark."""

    at: datetime
    icon: str
    text: str
    by: str = ""
    when: str = ""
    machine: str = ""
    remark: str = ""
