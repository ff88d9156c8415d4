"""Credentials: cleaned when pasted, refused when no header can carry them, shown to nobody."""

from __future__ import annotations

import pytest

from dsrportal.dastra.auth import LONGEST_SECRET, ApiKey, ClientCredentials, key_id
from dsrportal.dastra.errors import ConfigurationError

TOKEN_URL = "https://account.dastra.eu/connect/token"


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def credentials(clock: Clock | None = None) -> ClientCredentials:
    return ClientCredentials(public_key="pub", secret="synthetic-private", token_url=TOKEN_URL, clock=clock or Clock())


@pytest.mark.parametrize("pasted", ["abc-123", " abc-123\n", '"abc-123"', "' abc-123 '"])
def test_a_pasted_key_is_trimmed(pasted: str) -> None:
    assert ApiKey(pasted).headers() == {"X-API-Key": "abc-123"}


@pytest.mark.parametrize("pasted", ["", "  ", '""', "abc\ndef", "abc def", "clé", "a\0b", "k" * (LONGEST_SECRET + 1)])
def test_what_no_header_can_carry_is_refused_without_an_echo(pasted: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        ApiKey(pasted)
    assert len(pasted.strip()) < 3 or pasted not in str(caught.value)


def test_no_repr_shows_a_secret() -> None:
    auth = credentials()
    auth.accept({"access_token": "synthetic-token", "expires_in": 3600})
    for shown in (repr(ApiKey("synthetic-key")), repr(auth), str(auth)):
        assert "synthetic" not in shown


def test_the_name_of_a_credential_tells_nothing_and_differs() -> None:
    names = {ApiKey("synthetic-a").key_id, ApiKey("synthetic-b").key_id, credentials().key_id}
    assert len(names) == 3
    assert all(len(name) == 20 and "synthetic" not in name for name in names)
    assert ApiKey("synthetic-a").key_id == key_id("synthetic-a")


@pytest.mark.parametrize(
    ("lifetime", "good_for"), [(3600, 3540), (600, 540), (100, 90), (None, 3540), ("x", 3540), (-1, 3540), (True, 3540)]
)
def test_a_token_is_renewed_a_minute_or_a_tenth_of_its_life_before_its_end(lifetime: object, good_for: float) -> None:
    clock = Clock()
    auth = credentials(clock)
    assert auth.headers() == {}
    auth.accept({"access_token": "t", "expires_in": lifetime})
    clock.now = good_for - 1
    assert auth.headers() == {"Authorization": "Bearer t"}
    clock.now = good_for
    assert auth.headers() == {}


def test_a_refused_token_is_forgotten_unless_another_thread_was_faster() -> None:
    auth = credentials()
    auth.accept({"access_token": "old", "expires_in": 3600})
    old = auth.headers()
    auth.accept({"access_token": "new", "expires_in": 3600})
    auth.forget(old)
    assert auth.headers() == {"Authorization": "Bearer new"}
    auth.forget(auth.headers())
    assert auth.headers() == {}
