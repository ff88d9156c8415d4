"""The rate limit: 500 calls in any minute and 10,000 in any ten, for each key. One part enforces it, the other judges.

The server asks the Limiter at every arrival. The judge reads the journal alone, so that a mistake in the one is seen by the other.
"""

import math
import threading
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dsrportal.sandbox.calls import Answer
from dsrportal.sandbox.journal import Entry
from dsrportal.sandbox.switches import Limit

_TOO_MANY = 429


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """More than `limit.count` arrivals of one key within `limit.seconds`, up to and including `arrived`."""

    key: str
    limit: Limit
    count: int
    arrived: float


class Limiter:
    """Counts the calls let through, for each key and window. Thread-safe. Refused calls do not count, as in AspNetCoreRateLimit."""

    def __init__(self, limits: Sequence[Limit]) -> None:
        self.limits = tuple(limits)
        self._lock = threading.Lock()
        self._passed: dict[tuple[str, Limit], deque[float]] = {}

    def admit(self, key: str, *, at: float) -> tuple[Limit, float] | None:
        """None where the call may pass; else the limit that is reached, and the seconds until there is room again."""
        with self._lock:
            waits = []
            for limit in self.limits:
                passed = self._live(key, limit, at=at)
                if len(passed) >= limit.count:
                    waits.append((limit, passed[len(passed) - limit.count] + limit.seconds - at))
            if waits:
                return max(waits, key=lambda wait: wait[1])
            for limit in self.limits:
                self._passed[key, limit].append(at)
            return None

    def state(self, key: str, *, at: float) -> list[dict[str, object]]:
        """What is used and left of each window."""
        with self._lock:
            return [
                {
                    "period": period(limit),
                    "limit": limit.count,
                    "remaining": max(0, limit.count - len(self._live(key, limit, at=at))),
                }
                for limit in self.limits
            ]

    def _live(self, key: str, limit: Limit, *, at: float) -> deque[float]:
        passed = self._passed.setdefault((key, limit), deque())
        while passed and passed[0] <= at - limit.seconds:
            passed.popleft()
        return passed


def period(limit: Limit) -> str:
    """The window as AspNetCoreRateLimit writes it: 1m, 10m, 2s."""
    minutes, seconds = divmod(limit.seconds, 60)
    return f"{minutes:g}m" if minutes and not seconds else f"{limit.seconds:g}s"


def refused(limit: Limit, *, wait: float, style: str) -> Answer:
    """The 429 in the switched style: `plain`, `bare` or `json`."""
    if style == "bare":
        return Answer(status=_TOO_MANY)
    text = f"API calls quota exceeded! maximum admitted {limit.count} per {period(limit)}."
    answer = Answer(status=_TOO_MANY, body=text.encode(), headers=[("Content-Type", "text/plain")])
    if style == "json":
        answer = Answer.json({"message": text}, status=_TOO_MANY)
    answer.headers.append(("Retry-After", str(max(1, math.ceil(wait)))))
    return answer


def violations(entries: Iterable[Entry], *, limits: Sequence[Limit]) -> list[Violation]:
    """Every arrival that made some window of its key too full, refused arrivals included."""
    found = []
    windows: dict[tuple[str, Limit], deque[float]] = {}
    for entry in sorted(entries, key=lambda one: one.arrived):
        for limit in limits:
            window = windows.setdefault((entry.key, limit), deque())
            window.append(entry.arrived)
            while window[0] <= entry.arrived - limit.seconds:
                window.popleft()
            if len(window) > limit.count:
                found.append(Violation(key=entry.key, limit=limit, count=len(window), arrived=entry.arrived))
    return found
