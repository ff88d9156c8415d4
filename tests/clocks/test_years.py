"""Every receipt of nine years, in every calendar that the portal promises, against a second reckoning that shares nothing with the first."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from dsrportal.clocks import Extension, Facts, Policy, calendar_of, compute
from tests.clocks import witness

DAYS = [date(2024, 1, 1) + timedelta(days=n) for n in range((date(2033, 1, 1) - date(2024, 1, 1)).days)]
SIX = [("FR", ""), ("FR", "57"), ("BE", ""), ("NL", ""), ("DE", ""), ("GB", "")]


@pytest.mark.parametrize(("country", "region"), witness.CALENDARS)
def test_working_days_are_those_of_the_law(country: str, region: str) -> None:
    is_working_day = witness.working_days(witness.CALENDARS[country, region])
    calendar = calendar_of(country, region, frozenset())
    assert [day for day in DAYS if calendar.is_working_day(day) != is_working_day(day)] == []


@pytest.mark.parametrize(("country", "region"), SIX)
def test_every_receipt_of_nine_years_has_the_dates_of_the_law(country: str, region: str) -> None:
    is_working_day = witness.working_days(witness.CALENDARS[country, region])
    policy = Policy(country=country, region=region)
    wrong = []
    for received_on in DAYS:
        extension = Extension(notice_on=received_on, has_ground=True)
        found = compute(Facts(received_on=received_on, extension=extension), policy=policy, today=received_on)
        notice_by = witness.due(received_on, months=1, is_working_day=is_working_day)
        respond_by = witness.due(received_on, months=3, is_working_day=is_working_day)
        if (found.extend_by, found.refuse_by, found.respond_by) != (notice_by, notice_by, respond_by):
            wrong.append((received_on, found))
    assert wrong == []


def test_in_2026_dastras_date_is_later_than_the_law_for_24_receipts_in_france() -> None:
    differences = []
    for day in (day for day in DAYS if day.year == 2026):
        found = compute(Facts(received_on=day), policy=Policy(), today=day)
        assert found.upstream_rule is not None
        assert found.respond_by is not None
        differences.append((found.upstream_rule - found.respond_by).days)
    assert sum(days > 0 for days in differences) == 24
    assert sum(days == 0 for days in differences) == 90
    assert (sum(days < 0 for days in differences), min(differences)) == (251, -4)


def test_the_witness_knows_easter() -> None:
    known = ["2024-03-31", "2025-04-20", "2026-04-05", "2027-03-28", "2028-04-16", "2029-04-01", "2030-04-21"]
    assert [witness.easter(2024 + n).isoformat() for n in range(len(known))] == known
