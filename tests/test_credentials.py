"""A secret comes back for its own context alone, and never as its ciphertext."""

from __future__ import annotations

from typing import Any

import pytest

from dsrportal import credentials, environment
from dsrportal.models import Workspace


def test_a_secret_comes_back_for_its_own_context() -> None:
    sealed = credentials.seal("k" * 40, context="workspace 1")
    assert b"kkkk" not in sealed
    assert credentials.unseal(sealed, context="workspace 1") == "k" * 40


def test_a_secret_does_not_open_for_another_workspace() -> None:
    sealed = credentials.seal("secret", context="workspace 1")
    with pytest.raises(credentials.CannotDecryptError):
        credentials.unseal(sealed, context="workspace 2")


def test_an_altered_secret_does_not_open() -> None:
    sealed = bytearray(credentials.seal("secret", context="x"))
    sealed[-1] ^= 1
    with pytest.raises(credentials.CannotDecryptError):
        credentials.unseal(bytes(sealed), context="x")


def test_an_old_key_still_decrypts_and_the_first_encrypts(settings: Any) -> None:
    sealed = credentials.seal("secret", context="x")
    settings.CREDENTIAL_KEYS = [environment.make_key(), *settings.CREDENTIAL_KEYS]
    assert credentials.unseal(sealed, context="x") == "secret"
    assert not credentials.is_sealed_with_first_key(sealed)
    assert credentials.is_sealed_with_first_key(credentials.seal("secret", context="x"))


def test_without_its_key_a_secret_raises_instead_of_returning_ciphertext(settings: Any) -> None:
    sealed = credentials.seal("secret", context="x")
    settings.CREDENTIAL_KEYS = [environment.make_key()]
    with pytest.raises(credentials.CannotDecryptError):
        credentials.unseal(sealed, context="x")


def test_word_digests_are_keyed_by_the_workspace() -> None:
    one, other = credentials.new_search_key(), credentials.new_search_key()
    assert credentials.digest_words(["dupont"], search_key=one) == credentials.digest_words(["dupont"], search_key=one)
    assert credentials.digest_words(["dupont"], search_key=one) != credentials.digest_words(
        ["dupont"], search_key=other
    )


def test_a_workspace_keeps_its_secret_sealed_and_its_last_four_in_clear(workspace: Workspace) -> None:
    workspace.set_secret("abcdef-1234")
    assert workspace.secret_last_four == "1234"
    assert b"abcdef" not in bytes(workspace.secret_sealed)
    assert workspace.read_secret() == "abcdef-1234"
