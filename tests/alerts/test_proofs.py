"""Short forms of the proofs that `scripts/torture_alerts.py` runs at length."""

from __future__ import annotations

import pytest

from tests.alerts.proof import crowd, failing, outage, storm, table
from tests.alerts.proof.stage import Asked

pytestmark = pytest.mark.django_db(transaction=True)
SEED = 20_261_122


def asked(*, share: float) -> Asked:
    """So much of it."""
    return Asked(kills=0, share=share, seed=SEED)


def test_many_who_decide_at_the_same_moment_write_each_row_once() -> None:
    *_, met = crowd.decide_at_once(asked(share=0.1))
    assert met["rows, each once"] == 200


def test_many_who_send_at_the_same_moment_send_each_mail_once() -> None:
    *_, met = crowd.send_at_once(asked(share=0.1))
    assert met["mails, each once"] > 0


@pytest.mark.one_database
def test_a_message_that_fails_holds_up_no_other_and_none_goes_twice() -> None:
    *_, met = failing.fail(asked(share=0.06))
    assert met["messages"] == failing.LEAST**2 * len(failing.WAYS)


@pytest.mark.one_database
def test_when_everything_is_overdue_at_once_nobody_gets_more_than_two_mails_an_hour() -> None:
    *_, met = storm.overwhelm(asked(share=0.02))
    assert met["most mails of one person in an hour"] <= storm.MOST_IN_AN_HOUR


@pytest.mark.one_database
def test_every_threshold_is_told_once_on_its_day_whatever_the_zone_and_the_hour() -> None:
    *_, met = table.check(asked(share=1 / 199))
    assert met["cases"] == 16 * 6 * 24


@pytest.mark.one_database
def test_the_ledger_holds_what_the_table_says() -> None:
    *_, met = table.sample(asked(share=1 / 48))
    assert met["cases in the database"] == 21


@pytest.mark.one_database
def test_an_outage_is_one_notice_for_each_admin_and_afterwards_everything_is_told_in_time() -> None:
    *_, met = outage.outlast(asked(share=0.1))
    assert met["alerts within a quarter of an hour"] == 2 * 12
