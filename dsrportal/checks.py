"""Refuses to start jobs with queue settings that lose work or repeat it for ever. Registered by `apps.py`; run by `manage.py check` and before commands.

The reasons lie in how django-q2 delivers: a task comes again after `retry` seconds unless it was acknowledged, and its wait in the
cluster's own queue counts. Nothing here reads the database.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

OTHER_BROKERS = ("redis", "django_redis", "iron_mq", "sqs", "mongo", "broker_class")


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _outlasts(q: dict[str, Any]) -> bool:
    """Whether a task that waits behind a full internal queue and then takes its whole time still ends before it is delivered again."""
    if not all(_is_count(q.get(name)) for name in ("retry", "timeout", "workers", "queue_limit")):
        return False
    longest = q["timeout"] * (q["queue_limit"] / q["workers"] + 1)
    return bool(q["retry"] >= 1.5 * q["timeout"] and q["retry"] > longest)


RULES: tuple[tuple[str, Callable[[dict[str, Any]], bool], str], ...] = (
    (
        "E001",
        lambda q: q.get("orm") == "default",
        "orm must be 'default': the queue lives in the database of the schedules.",
    ),
    (
        "E002",
        lambda q: not any(q.get(name) for name in OTHER_BROKERS),
        "no other broker may be named: Redis loses work when a worker dies.",
    ),
    (
        "E003",
        lambda q: _is_count(q.get("timeout")),
        "timeout must be a whole number of seconds: a job without one can hang a worker for good.",
    ),
    ("E004", lambda q: _is_count(q.get("workers")), "workers must be a whole number above zero."),
    ("E005", lambda q: _is_count(q.get("queue_limit")), "queue_limit must be a whole number above zero."),
    (
        "E006",
        _outlasts,
        "retry must be at least 1.5 times timeout, and more than timeout × (queue_limit ÷ workers + 1): else running jobs start twice.",
    ),
    ("E007", lambda q: q.get("bulk") == 1, "bulk must be 1: jobs fetched in bulk are delivered again while they wait."),
    (
        "E008",
        lambda q: _is_count(q.get("max_attempts")),
        "max_attempts must be above zero: else a failing job comes back for ever.",
    ),
    (
        "E009",
        lambda q: q.get("ack_failures") is True,
        "ack_failures must be True: the portal repeats its jobs by schedule.",
    ),
    (
        "E010",
        lambda q: q.get("catch_up") is False,
        "catch_up must be False: else every run missed while stopped is repeated.",
    ),
    ("E011", lambda q: not q.get("sync"), "sync must be off: jobs belong in the cluster, not in the web server."),
    (
        "E012",
        lambda q: q.get("scheduler") is not False,
        "scheduler must be on: without it nothing is ever read from Dastra.",
    ),
)


@register(Tags.compatibility)
def check_queue(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:  # noqa: ARG001  Django's signature
    """Every way in which `Q_CLUSTER` would lose or repeat work, one sentence each."""
    queue: dict[str, Any] = settings.Q_CLUSTER
    return [
        Error(f"Q_CLUSTER: {sentence}", id=f"dsrportal.{code}") for code, is_met, sentence in RULES if not is_met(queue)
    ]
