"""What the rule says, read off a list of working days: an independent witness of `dsrportal.alerts.thresholds` and of the hours of a desk.

It shares no line with them: positions in a sorted list instead of steps from day to day, and clock time instead of instants.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

FIRST_YEAR, LAST_YEAR = 2022, 2034
EXTEND, RESPOND, OVERDUE = (10, 0), (5, 2, 0), (1, 3, 7)
WORK_BEGINS, WORK_ENDS, DIGEST = time(7), time(20), time(8, 30)

Told = tuple[str, date]
"""A threshold's code and the legal date it is about."""


class Almanac:
    """The working days of a country, in order."""

    def __init__(self, country: str, *, added: Iterable[date] = ()) -> None:
        off = {*holidays.country_holidays(country, years=range(FIRST_YEAR, LAST_YEAR + 1)), *added}
        first, last = date(FIRST_YEAR, 1, 1).toordinal(), date(LAST_YEAR, 12, 31).toordinal()
        days = map(date.fromordinal, range(first, last + 1))
        self.days = [day for day in days if day.isoweekday() < 6 and day not in off]

    def works(self, day: date) -> bool:
        """Whether it is in the list."""
        place = bisect_left(self.days, day)
        return place < len(self.days) and self.days[place] == day

    def until(self, day: date, *, back: int = 0) -> date:
        """The last working day that is not after `day`, or the one so many places before that."""
        return self.days[bisect_right(self.days, day) - 1 - back]

    def after(self, day: date) -> date:
        """The first working day after `day`."""
        return self.days[bisect_right(self.days, day)]

    def fires(self, *, respond_by: date | None, extend_by: date | None) -> dict[Told, date]:
        """On which day each threshold of an open request is reached for the first time; of those of one kind that are reached on one day, only the
        most pressing is told."""
        kinds: list[list[tuple[date, Told]]] = []
        if extend_by:
            wanted = [n for n in EXTEND if n or extend_by != respond_by]
            kinds.append([(self.until(extend_by - timedelta(n)), (f"extend_{n}", extend_by)) for n in wanted])
        if respond_by:
            kinds.append([(self.until(respond_by, back=n), (f"respond_{n}", respond_by)) for n in RESPOND])
            late = [(self.until(respond_by + timedelta(n)), (f"overdue_{n}", respond_by)) for n in OVERDUE]
            kinds.append([(max(day, self.after(respond_by)), told) for day, told in late])
        return {told: day for kind in kinds for day, told in _one_a_day(kind)}

    def mail_from(self, moment: datetime, *, zone: ZoneInfo, opens: time) -> datetime:
        """The first moment, not before `moment`, at which a mail may arrive that waits for `opens` on a working day."""
        local = moment.astimezone(zone).replace(tzinfo=None, fold=0)
        day, clock = local.date(), local.time()
        if self.works(day) and opens <= clock < WORK_ENDS:
            return moment
        if not self.works(day) or clock >= opens:
            day = self.after(day)
        return datetime.combine(day, opens, tzinfo=zone)


def _one_a_day(kind: list[tuple[date, Told]]) -> list[tuple[date, Told]]:
    """`kind` comes in the order of the law, from far to near."""
    latest = dict(kind)
    return [(day, told) for day, told in kind if latest[day] == told]


@lru_cache(maxsize=16)
def almanac(country: str) -> Almanac:
    """Made once."""
    return Almanac(country)
