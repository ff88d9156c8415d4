"""What makes a portal killable in a test's time: a tenth of the waits, a heartbeat a second, no pace, and boundaries that kill.

Loaded through `hurried.py` by web server, cluster and commands alike; no line of the portal itself differs.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime

from django.apps import AppConfig

from tests.crash import boundaries

CLAIM_SECONDS = 6
PROOF_SECONDS = 4
LEASE_SECONDS = 6
PAGE_SECONDS = 0.5
"""The portal's own are 60, 40, 60 and 2; their order is the same."""

HEARTBEAT_SECONDS = 1.0


class CrashConfig(AppConfig):
    """Takes part in every process of the portal."""

    name = "tests.crash"

    def ready(self) -> None:
        """Shorten and hook, before anything runs."""
        _shorten()
        _quicken_the_supervisor()
        boundaries.install()


def _shorten() -> None:
    from dsrportal.actions import outbox, writing  # noqa: PLC0415  models are there only now
    from dsrportal.dastra import pacing  # noqa: PLC0415
    from dsrportal.jobs import running  # noqa: PLC0415
    from dsrportal.mirror import leases  # noqa: PLC0415

    outbox.CLAIM_SECONDS = CLAIM_SECONDS
    outbox.PAGE_SECONDS = PAGE_SECONDS  # type: ignore[assignment]
    writing.PROOF_SECONDS = PROOF_SECONDS
    leases.LEASE_SECONDS = LEASE_SECONDS
    running.MAX_DEATHS = 1_000_000  # here jobs are killed all day
    wide = (pacing.Limit(100_000, 1.0),)
    pacing.dastra_limits = lambda *_: wide


def _quicken_the_supervisor() -> None:
    from django_q.tasks import async_task  # noqa: PLC0415

    from dsrportal import jobs, supervisor  # noqa: PLC0415

    @dataclass(frozen=True, kw_only=True)
    class QuickTimings(supervisor.Timings):
        """A cluster is never given up, and judged after the seconds that a busy machine needs to start one."""

        stale: float = 20.0
        grace: float = 5.0
        look: float = 0.3
        sending: float = 0.5
        settled: float = 0.0
        first_pause: float = 0.1
        longest_pause: float = 0.1

    request_sending = jobs.request_sending
    beaten_at = 0.0

    def request_sending_and_beat(*, now: datetime) -> bool:
        nonlocal beaten_at
        if time.monotonic() - beaten_at >= HEARTBEAT_SECONDS:
            beaten_at = time.monotonic()
            async_task(jobs.HEARTBEAT)
        return request_sending(now=now)

    supervisor.Timings = QuickTimings  # type: ignore[misc]
    jobs.request_sending = request_sending_and_beat
