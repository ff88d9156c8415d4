"""What a board may be asked for: the register's own filters, and lanes. Made by `forms.board` from the address, used by `queries.board`."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlencode

from django.db.models import Q

from dsrportal.models import Workspace
from dsrportal.queries import register_filters
from dsrportal.queries.register_filters import RegisterFilters

LANES = ("assignee", "right", "area", "urgency")
"""What a board can be cut into lanes by, as addresses have it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """`filters` holds filters alone, neither order nor looks; `lanes` is one of `LANES`, or empty."""

    filters: RegisterFilters = field(default_factory=RegisterFilters)
    lanes: str = ""

    @property
    def is_narrowed(self) -> bool:
        """Whether any filter is set."""
        return self.filters.is_narrowed

    def pairs(self) -> list[tuple[str, str]]:
        """The question as names and values of an address."""
        return [*self.filters.pairs(), *([("lanes", self.lanes)] if self.lanes else [])]

    def address(self, url: str, **more: str) -> str:
        """The board's address for it, with what else is asked."""
        query = urlencode([*self.pairs(), *more.items()])
        return f"{url}?{query}" if query else url

    def condition(self, workspace: Workspace, *, now: datetime) -> Q | None:
        """The filters as a condition on requests; None where there are none."""
        if not self.is_narrowed:
            return None
        return register_filters.condition(workspace=workspace, filters=self.filters, search=None, now=now)


PLAIN = Question()
