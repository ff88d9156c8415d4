"""Working days of a country and region: Saturdays, Sundays and public holidays are none. Used by the rules and by whoever needs a threshold
as a date. The holidays come from the package of that name and from the days that an admin has added. Never asks what day it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from holidays import HolidayBase

EARLIEST, LATEST = date(1970, 1, 1), date(2199, 12, 31)
"""A day outside of these is a slip of somebody's pen, not one to reckon with."""
DAY = timedelta(days=1)
SATURDAY, SUNDAY = 5, 6
DAYS_OF_A_WEEK, WORKING_DAYS_OF_A_WEEK = 7, 5
DEFAULT_REGIONS = {"GB": "ENG"}
"""Where a country alone is not enough: the United Kingdom's common holidays lack Easter Monday, which England and most others keep."""


class UnknownCalendarError(ValueError):
    """No holidays are known for this country or region; `country` and `region` say which."""

    def __init__(self, *, country: str, region: str) -> None:
        what = f"the region {region} of {country}" if region else f"the country {country}"
        super().__init__(f"No holidays are known for {what}.")
        self.country, self.region = country, region


class Rest(StrEnum):
    """Why a day is no working day."""

    SATURDAY = "saturday"
    SUNDAY = "sunday"
    HOLIDAY = "holiday"
    ADDED = "added"


class Calendar:
    """The working days of one country and region (a code of the `holidays` package, or nothing), less the days that were added.

    Raises `UnknownCalendarError` for a country or region of which no holidays are known. Make it by `calendar_of`, which keeps it.
    """

    __slots__ = ("_resting", "added", "country", "region")

    def __init__(self, *, country: str, region: str, added: frozenset[date]) -> None:
        self.country = country
        self.region = region or DEFAULT_REGIONS.get(country, "")
        self.added = added
        self._resting: dict[int, frozenset[date]] = {}
        check_region(country, region=self.region)

    def rest(self, day: date) -> Rest | None:
        """Why the day is no working day; None for a working day."""
        weekday = day.weekday()
        if weekday == SATURDAY:
            return Rest.SATURDAY
        if weekday == SUNDAY:
            return Rest.SUNDAY
        if day not in self._resting_of(day.year):
            return None
        return Rest.HOLIDAY if day in public_holidays(self.country, self.region, day.year) else Rest.ADDED

    def is_working_day(self, day: date) -> bool:
        """Whether it is neither a Saturday, a Sunday nor a holiday (Reg. 1182/71 Art. 2(2))."""
        return self.rest(day) is None

    def roll(self, day: date) -> date:
        """The first working day from `day` on (Reg. 1182/71 Art. 3(4))."""
        while self.rest(day) is not None:
            day += DAY
        return day

    def skipped(self, *, since: date, until: date) -> tuple[tuple[date, Rest], ...]:
        """The days in [since, until) that are no working days, each with the reason."""
        days = (since + n * DAY for n in range((until - since).days))
        return tuple((day, why) for day in days if (why := self.rest(day)) is not None)

    def add_working_days(self, day: date, *, count: int) -> date:
        """The `count`-th working day after `day`, or before it where `count` is negative; `day` itself for 0."""
        step = DAY if count > 0 else -DAY
        for _n in range(abs(count)):
            day += step
            while self.rest(day) is not None:
                day += step
        return day

    def working_days_between(self, *, after: date, until: date) -> int:
        """The number of working days in (after, until]; negative, those in (until, after], where `until` is the earlier one."""
        if until < after:
            return -self.working_days_between(after=until, until=after)
        weekdays = _weekdays_before(until.toordinal() + 1) - _weekdays_before(after.toordinal() + 1)
        years = range(after.year, until.year + 1)
        return weekdays - sum(after < day <= until for year in years for day in self._resting_of(year))

    def last_day_within(self, today: date, *, working_days: int) -> date:
        """The last day that is at most so many working days away from `today`: "due within 5 working days" as a date."""
        return self.add_working_days(today, count=working_days + 1) - DAY

    def _resting_of(self, year: int) -> frozenset[date]:
        """The days from Monday to Friday that are holidays, added ones too."""
        found = self._resting.get(year)
        if found is None:
            days = public_holidays(self.country, self.region, year) | {day for day in self.added if day.year == year}
            found = self._resting[year] = frozenset(day for day in days if day.weekday() < SATURDAY)
        return found


def _weekdays_before(ordinal: int) -> int:
    """How many days from Monday to Friday lie before the day of this ordinal; day 1 is a Monday."""
    weeks, days = divmod(ordinal - 1, DAYS_OF_A_WEEK)
    return weeks * WORKING_DAYS_OF_A_WEEK + min(days, WORKING_DAYS_OF_A_WEEK)


@lru_cache(maxsize=256)
def calendar_of(country: str, region: str, added: frozenset[date]) -> Calendar:
    """The calendar of a country and region. Raises `UnknownCalendarError`."""
    return Calendar(country=country, region=region, added=added)


@lru_cache(maxsize=4096)
def public_holidays(country: str, region: str, year: int) -> frozenset[date]:
    """The public holidays of one year, substitute days included; none far from our own time. Raises `UnknownCalendarError`."""
    if not EARLIEST.year <= year <= LATEST.year:
        return frozenset()
    return frozenset(_ask(country, region=region, years=(year,), language=None))


@lru_cache(maxsize=4096)
def holiday_name(day: date, *, country: str, region: str, language: str) -> str:
    """What the holiday is called, in the language (`en`, `fr`, `nl`) where the country's names are known in it, else in English or its own.

    "" for a day that is none.
    """
    region = region or DEFAULT_REGIONS.get(country, "")
    known = _ask(country, region=region, years=(), language=None)
    wanted = next((code for code in (language, "en_US", "en_GB") if code in known.supported_languages), None)
    named = _ask(country, region=region, years=(day.year,), language=wanted or known.default_language)
    return str(named.get(day, ""))


@lru_cache(maxsize=256)
def check_region(country: str, *, region: str) -> None:
    """Raise `UnknownCalendarError` unless the holidays of the country, and of the region where one is given, are known."""
    known = _ask(country, region="", years=(), language=None)
    if region and region not in known.subdivisions and region not in known.subdivisions_aliases:
        raise UnknownCalendarError(country=country, region=region)


@lru_cache(maxsize=256)
def regions_of(country: str) -> tuple[str, ...]:
    """The codes of a country's regions; none where the whole country keeps the same days. Raises `UnknownCalendarError`."""
    return tuple(_ask(country, region="", years=(), language=None).subdivisions)


def country_codes() -> tuple[str, ...]:
    """The two-letter codes of all countries whose holidays are known, in order."""
    from holidays import registry  # noqa: PLC0415  a quarter of a second that most processes never need

    return tuple(sorted(codes[1] for codes in registry.COUNTRIES.values()))


def _ask(country: str, *, region: str, years: Iterable[int], language: str | None) -> HolidayBase:
    import holidays  # noqa: PLC0415  as above

    if country not in country_codes():
        raise UnknownCalendarError(country=country, region="")
    try:
        return holidays.country_holidays(country, subdiv=region or None, years=years, expand=False, language=language)
    except NotImplementedError:
        raise UnknownCalendarError(country=country, region=region) from None
