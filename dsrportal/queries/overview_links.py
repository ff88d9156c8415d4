"""From a figure of the overview to the list of exactly those requests. Pure; the register understands the rest."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from dsrportal.queries.register import COUNT_CAP
from dsrportal.queries.register_chips import address
from dsrportal.queries.register_filters import RegisterFilters
from dsrportal.queries.register_spans import Spans

SPANS = frozenset(Spans.__dataclass_fields__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Links:
    """The addresses of one workspace's register. `url` is its plain one."""

    url: str

    def to(self, number: int, **asked: Any) -> str:
        """The list of `number` requests that the filters (fields of `RegisterFilters` and `Spans`) find; of many, with an exact count."""
        spans = Spans(**{name: value for name, value in asked.items() if name in SPANS})
        others = {name: value for name, value in asked.items() if name not in SPANS}
        return address(self.url, filters=RegisterFilters(spans=spans, count=number > COUNT_CAP, **others))

    def closed(self, number: int, *, since: date, until: date | None, **asked: Any) -> str:
        """Closed ones of a span of days, archived or not."""
        return self.to(number, anywhere=True, closed_from=since, closed_to=until, **asked)
