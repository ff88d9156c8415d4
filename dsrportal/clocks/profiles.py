"""Which law a workspace answers to, and the policy it has chosen within it. Values alone; the rules read them. Called by whoever computes a clock."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

from dsrportal.clocks.calendars import Calendar, calendar_of, regions_of

MONTHS_OF_A_YEAR = 12


class Profile(StrEnum):
    """The law that the clocks follow. `upstream` trusts Dastra's own date for the answer."""

    GDPR = "gdpr"
    UK = "uk"
    CCPA = "ccpa"
    UPSTREAM = "upstream"


class PausePolicy(StrEnum):
    """What an answered question does to the clock: the remaining time resumes, or a new period begins on the day of the answer."""

    SUSPEND = "suspend"
    RESTART = "restart"


@dataclass(frozen=True, kw_only=True, slots=True)
class Term:
    """A period of the law: calendar months, or calendar days. One of the two is 0."""

    months: int = 0
    days: int = 0

    def end(self, start: date) -> date:
        """The day on which the period ends: the same day of a later month, that month's last where there is none (Reg. 1182/71 Art. 3(2)(c))."""
        return add_months(start, self.months) if self.months else start + timedelta(days=self.days)


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """What a profile allows: the period and the extended one (both from receipt), whether a pause may stop the clock, the country and region that
    it is at home in, and the rules of its own law that stand in for those of the GDPR.
    """

    first: Term = Term(months=1)
    extended: Term = Term(months=3)
    has_pauses: bool = True
    home: tuple[str, str] | None = None
    law: Mapping[str, str] = field(default_factory=dict)


CALIFORNIA = dict.fromkeys(("R1", "R3", "R7", "R8", "R9", "R10", "R13"), "R21") | dict.fromkeys(("R5", "R6"), "R22")
TERMS = {
    Profile.GDPR: Terms(),
    Profile.UK: Terms(home=("GB", "ENG")),
    Profile.CCPA: Terms(
        first=Term(days=45), extended=Term(days=90), has_pauses=False, home=("US", "CA"), law=CALIFORNIA
    ),
    Profile.UPSTREAM: Terms(has_pauses=False),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """What an admin has chosen for a workspace. `country` is an ISO code of two letters, `region` a code of the `holidays` package or "".

    The profiles `uk` and `ccpa` are at home in one country: its holidays count whatever is set here, those of England and of California where
    the region is none of its own.
    """

    profile: Profile = Profile.GDPR
    country: str = "FR"
    region: str = ""
    pause_policy: PausePolicy = PausePolicy.SUSPEND
    added_holidays: frozenset[date] = frozenset()

    @property
    def terms(self) -> Terms:
        """The periods of the profile."""
        return TERMS[self.profile]

    @property
    def calendar(self) -> Calendar:
        """The working days. Raises `UnknownCalendarError`."""
        country, region = self.country, self.region
        if self.terms.home:
            at_home = country == self.terms.home[0] or region in regions_of(self.terms.home[0])
            country, region = self.terms.home[0], (region if region and at_home else self.terms.home[1])
        return calendar_of(country, region, self.added_holidays)


def add_months(day: date, months: int) -> date:
    """The same day so many months later, the month's last day where it has no such day. Raises `ValueError` beyond the year 9999."""
    years, month = divmod(day.month - 1 + months, MONTHS_OF_A_YEAR)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))
