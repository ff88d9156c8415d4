"""The ledger's sealed texts outlive a change of keys, and one that cannot be opened is said."""

from __future__ import annotations

import base64
from datetime import date
from typing import Any

from dsrportal.mirror.resealing import reseal_everything
from dsrportal.models import DataSubjectRequest, User
from tests.ledger.conftest import extend, noon, pause


def key(letter: str) -> str:
    return base64.urlsafe_b64encode(letter.encode() * 32).decode()


def test_texts_are_sealed_again_with_the_first_key(dsr: DataSubjectRequest, officer: User, settings: Any) -> None:
    former = settings.CREDENTIAL_KEYS[0]
    told = extend(dsr, notice_on=date(2026, 2, 12), by=officer, now=noon(2, 12))
    pause(dsr, asked_on=date(2026, 2, 12), by=officer, now=noon(2, 12))  # no text, nothing to seal
    settings.CREDENTIAL_KEYS = [key("n"), former]
    assert not reseal_everything().problems
    settings.CREDENTIAL_KEYS = [key("n")]
    told.refresh_from_db()
    assert told.read_text() == "Three systems. Letter 42."
    settings.CREDENTIAL_KEYS = [key("m")]
    assert f"The text of extension {told.pk} cannot be opened with any of the keys." in reseal_everything().problems
