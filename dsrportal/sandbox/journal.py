"""Every call that arrived, in the order of arrival: what was asked, by whom, and what was answered.

Written by the server, read by tests and by limits.py, which judges the rate limit in it. Keeps a hash of each body, never the body.
"""

import hashlib
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

_HASH_LENGTH = 16
# A sandbox that runs for weeks keeps the latest calls.
_LENGTH = 200_000


@dataclass(slots=True, kw_only=True)
class Entry:
    """One call. `arrived` counts seconds of a monotonic clock; `key` is the name of the API key, or "" for none.

    `status` is None until the answer was decided; `fault` names the fault that spoiled it.
    """

    number: int
    at: datetime
    arrived: float
    method: str
    path: str
    query: str
    key: str
    body_hash: str
    status: int | None = None
    fault: str = ""

    def line(self) -> tuple[str, str, str, str, str, int | None, str]:
        """What is the same in two runs that do the same."""
        return (self.method, self.path, self.query, self.key, self.body_hash, self.status, self.fault)

    def as_json(self) -> dict[str, object]:
        """For other processes."""
        return {
            "number": self.number,
            "at": self.at.isoformat(),
            "arrived": self.arrived,
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "key": self.key,
            "body_hash": self.body_hash,
            "status": self.status,
            "fault": self.fault,
        }


class Journal:
    """Thread-safe. Iterating gives a copy."""

    def __init__(self, *, now: Callable[[], datetime], monotonic: Callable[[], float]) -> None:
        self._now = now
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._entries: deque[Entry] = deque(maxlen=_LENGTH)
        self._count = 0

    def arrival(self, *, method: str, path: str, query: str, key: str, body: bytes) -> Entry:
        """Notes a call before it is answered."""
        digest = hashlib.sha256(body).hexdigest()[:_HASH_LENGTH] if body else ""
        with self._lock:
            self._count += 1
            entry = Entry(
                number=self._count,
                at=self._now(),
                arrived=self._monotonic(),
                method=method,
                path=path,
                query=query,
                key=key,
                body_hash=digest,
            )
            self._entries.append(entry)
        return entry

    @property
    def entries(self) -> list[Entry]:
        """All calls so far."""
        with self._lock:
            return list(self._entries)

    def of(self, method: str, path_part: str = "") -> list[Entry]:
        """The calls of one verb whose path contains a text, in any case."""
        part = path_part.lower()
        return [entry for entry in self.entries if entry.method == method and part in entry.path.lower()]

    def clear(self) -> None:
        """Forgets everything, the judge's evidence included."""
        with self._lock:
            self._entries.clear()

    def __len__(self) -> int:
        with self._lock:
            return len(self._entries)
