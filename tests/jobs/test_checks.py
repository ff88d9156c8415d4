"""Queue settings that lose work, or repeat it for ever, stop the start with a sentence."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings as django_settings

from dsrportal import checks

BAD: list[tuple[dict[str, Any], str]] = [
    ({"retry": 120}, "E006"),
    ({"retry": 60}, "E006"),
    ({"retry": 240}, "E006"),
    ({"queue_limit": 0.1}, "E005"),
    ({"retry": None}, "E006"),
    ({"timeout": None}, "E003"),
    ({"timeout": 0}, "E003"),
    ({"timeout": 120.5}, "E003"),
    ({"queue_limit": 50}, "E006"),
    ({"workers": 0}, "E004"),
    ({"bulk": 10}, "E007"),
    ({"max_attempts": 0}, "E008"),
    ({"ack_failures": False}, "E009"),
    ({"orm": None, "redis": {"host": "localhost"}}, "E002"),
    ({"orm": "elsewhere"}, "E001"),
    ({"broker_class": "somewhere.Broker"}, "E002"),
    ({"catch_up": True}, "E010"),
    ({"sync": True}, "E011"),
    ({"scheduler": False}, "E012"),
]


def test_the_portals_own_settings_are_sound() -> None:
    assert checks.check_queue(None) == []


@pytest.mark.parametrize(("change", "code"), BAD, ids=str)
def test_unsound_settings_are_refused_with_a_sentence(settings: Any, change: dict[str, Any], code: str) -> None:
    settings.Q_CLUSTER = {**django_settings.Q_CLUSTER, **change}
    found = {message.id: message.msg for message in checks.check_queue(None)}
    assert f"dsrportal.{code}" in found
    assert all(sentence.startswith("Q_CLUSTER: ") and sentence.endswith(".") for sentence in found.values())


def test_a_setting_that_is_missing_is_refused(settings: Any) -> None:
    for name in (
        "orm",
        "timeout",
        "workers",
        "queue_limit",
        "retry",
        "bulk",
        "max_attempts",
        "ack_failures",
        "catch_up",
    ):
        settings.Q_CLUSTER = {key: value for key, value in django_settings.Q_CLUSTER.items() if key != name}
        assert checks.check_queue(None), name
