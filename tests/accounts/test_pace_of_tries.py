"""Guessing passwords is slow, per account and per address, and nobody is locked out by somebody else's guesses."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.core.cache import cache
from django.test import Client, RequestFactory

from dsrportal.actions import sign_in
from dsrportal.models import User
from dsrportal.views.accounts import network_address

LOGIN = "/accounts/login/"
PASSWORD = "correct horse battery"
WRONG = "wrong"


class Checked:
    """Stands before the real check and counts how often it is reached."""

    def __init__(self) -> None:
        self.names: list[str] = []

    @property
    def count(self) -> int:
        return len(self.names)

    def __call__(self, request: Any, **credentials: str) -> Any:
        self.names.append(credentials["username"])
        return authenticate(request, **credentials)


@pytest.fixture(autouse=True)
def checked(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Checked:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    cache.clear()
    counter = Checked()
    monkeypatch.setattr(sign_in, "authenticate", counter)
    return counter


def guess(now: datetime, *, username: str = "olivia", password: str = WRONG, address: str = "192.0.2.1") -> User | None:
    """One try at a moment; a refusal for the pace is None as well."""
    try:
        return sign_in.check_credentials(
            RequestFactory().post(LOGIN), username=username, password=password, address=address, now=now
        )
    except sign_in.TooManyTriesError:
        return None


def test_a_thousand_guesses_in_an_hour_at_one_account_leave_ten(officer: User, checked: Checked, now: datetime) -> None:
    for number in range(1000):
        guess(now + timedelta(seconds=3.6 * number))
    assert checked.count == 10


def test_a_thousand_guesses_in_an_hour_from_one_address_leave_twenty(
    officer: User, checked: Checked, now: datetime
) -> None:
    for number in range(1000):
        guess(now + timedelta(seconds=3.6 * number), username=f"name-{number}")
    assert 12 < checked.count <= 20


def test_a_thousand_guesses_at_once_from_many_addresses_leave_twenty(
    officer: User, checked: Checked, now: datetime
) -> None:
    for number in range(1000):
        guess(now, address=f"198.51.100.{number}")
    assert checked.count == 20


def test_guesses_at_the_same_moment_cannot_slip_through_together(now: datetime, settings: Any) -> None:
    counters = sign_in._counters(username="olivia", address="192.0.2.1")
    passed: list[int] = []
    start = threading.Barrier(8)

    def try_often() -> None:
        start.wait()
        for _number in range(20):
            try:
                with sign_in._one_at_a_time():
                    sign_in._reserve(counters, now=now)
            except sign_in.TooManyTriesError:
                continue
            passed.append(1)

    threads = [threading.Thread(target=try_often) for _number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(passed) == sign_in.ACCOUNT_AT_ADDRESS.free_tries


def test_the_owner_enters_from_another_address_while_somebody_guesses(officer: User, now: datetime) -> None:
    for number in range(200):
        guess(now + timedelta(seconds=number), address="198.51.100.7")
    assert guess(now + timedelta(seconds=200), password=PASSWORD, address="203.0.113.5") == officer


def test_waiting_is_enough_even_after_guesses_from_everywhere(officer: User, now: datetime) -> None:
    for number in range(300):
        guess(now, address=f"198.51.100.{number}")
    assert guess(now, password=PASSWORD, address="203.0.113.5") is None
    assert guess(now + timedelta(seconds=61), password=PASSWORD, address="203.0.113.5") == officer


def test_a_success_forgets_the_accounts_failures_here(officer: User, now: datetime) -> None:
    for _number in range(4):
        guess(now)
    assert guess(now, password=PASSWORD) == officer
    for _number in range(4):
        guess(now)
    assert guess(now, password=PASSWORD) == officer


def test_a_success_of_ones_own_does_not_clear_the_address(officer: User, checked: Checked, now: datetime) -> None:
    for number in range(100):
        guess(now, username=f"name-{number}")
        guess(now, password=PASSWORD)
    assert sum(name.startswith("name-") for name in checked.names) == sign_in.ADDRESS.free_tries


def test_capital_letters_and_look_alike_forms_count_as_one_account(
    officer: User, checked: Checked, now: datetime
) -> None:
    for name in ("olivia", "OLIVIA", "Olivia", "ｏｌｉｖｉａ", "oLIVIA", "olivIA"):
        guess(now, username=name)
    assert checked.count == 5


def test_the_page_says_how_long_to_wait_and_keeps_the_name(client: Client, officer: User) -> None:
    for _number in range(5):
        client.post(LOGIN, {"username": "olivia", "password": "wrong"})
    answer = client.post(LOGIN, {"username": "olivia", "password": PASSWORD})
    assert answer.status_code == 429
    assert b"There were too many tries. Wait 1 minute, then try again." in answer.content
    assert b'value="olivia"' in answer.content


def test_neither_names_nor_addresses_are_kept_in_clear(officer: User) -> None:
    keys = " ".join(sign_in._counters(username="olivia", address="192.0.2.1"))
    assert "olivia" not in keys
    assert "192.0.2.1" not in keys


@pytest.mark.parametrize(
    ("secure", "peer", "forwarded", "expected"),
    [
        (False, "192.0.2.1", "203.0.113.9", "192.0.2.1"),
        (True, "127.0.0.1", "203.0.113.9", "203.0.113.9"),
        (True, "127.0.0.1", "10.0.0.1, 203.0.113.9", "203.0.113.9"),
        (True, "127.0.0.1", "", "127.0.0.1"),
        (True, "127.0.0.1", "<script>", "127.0.0.1"),
        (True, "", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
    ],
)
def test_a_forged_address_is_not_believed(
    settings: Any, *, secure: bool, peer: str, forwarded: str, expected: str
) -> None:
    settings.IS_SECURE = secure
    request = RequestFactory().get("/", REMOTE_ADDR=peer, HTTP_X_FORWARDED_FOR=forwarded)
    assert network_address(request) == expected
