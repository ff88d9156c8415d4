"""Faults on demand: which call is to be spoiled, how often, and in what way.

Programmed by tests (`server.faults.add(...)`), by other processes over `/__sandbox__/faults`, or by a rate and a seed. The server
takes the fault of each call here and lets spoil.py carry it out.
"""

import hashlib
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

from dsrportal.sandbox.values import Json

Kind = Literal[
    # answered without being carried out
    "status",
    "refuse",
    "redirect",
    "login_page",
    "empty",
    "garbage_json",
    "gzip_bomb",
    "bad_gzip",
    "reset",
    "close_without_answer",
    # carried out, then the answer is spoiled
    "applied_then_500",
    "applied_then_cut",
    "truncate",
    "cut_chunked",
    "drip_body",
    "drip_headers",
    "slow",
    "bom",
    "wrong_charset",
    "replace_text",
    # lists that lie
    "ignored_size",
    "same_page",
    "empty_page",
    "duplicate_ids",
    "bad_total",
    "mutate_rows",
    "mutate_envelope",
]
KINDS: tuple[str, ...] = get_args(Kind)


@dataclass(slots=True, kw_only=True)
class Fault:
    """One way to spoil calls, and which.

    match      regular expression, searched in any case in "GET /v1/ws/101/DataSubjectRequests?page=2"
    times      how many calls it spoils; None: every one from now on
    after      how many matching calls pass unharmed first
    status     of `status` (any), `refuse` (400), `redirect` (302), `empty` (200)
    body, headers  of `status`; a `Content-Type` among the headers replaces text/plain. The same header twice is sent twice
    reason     what `refuse` says in its problem+json
    to         where `redirect` points
    seconds    the wait of `slow`, the pause between two bytes of a drip
    size       rows of `ignored_size`; bytes of a `gzip_bomb` once inflated
    total      what `bad_total` claims: any JSON value
    ids        which rows `mutate_rows` changes; None: all
    merge      fields that `mutate_rows` sets in a row (or `mutate_envelope` in the envelope); `drop` names those it removes
    mutate     a function of the row or envelope, that answers any JSON value in its place
    old, new   what `replace_text` replaces in the body
    charset, label  how `wrong_charset` encodes the body, and what it calls that
    """

    kind: Kind
    match: str = ""
    times: int | None = 1
    after: int = 0
    status: int | None = None
    body: str | bytes = ""
    headers: tuple[tuple[str, str], ...] = ()
    reason: str = "The step does not accept this request."
    to: str = "https://login.example.org/"
    seconds: float = 0.5
    size: int = 20
    total: Any = None
    ids: frozenset[int] | None = None
    merge: Json | None = None
    drop: tuple[str, ...] = ()
    mutate: Callable[[Any], Any] | None = None
    old: str = ""
    new: str = ""
    charset: str = "iso-8859-1"
    label: str = "iso-8859-1"

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown kind of fault: {self.kind}")
        try:
            re.compile(self.match)
        except re.error as error:
            raise ValueError(f"match is no regular expression: {error}") from None

    def matches(self, call: str) -> bool:
        """Whether it is meant for this call ("GET /path?query")."""
        return re.search(self.match, call, re.IGNORECASE) is not None

    @classmethod
    def of_json(cls, value: Json) -> "Fault":
        """From another process: the fields by name. Raises ValueError or TypeError for what makes no fault."""
        given = dict(value)
        if "headers" in given:
            given["headers"] = tuple((str(name), str(text)) for name, text in given["headers"])
        if given.get("ids") is not None:
            given["ids"] = frozenset(given["ids"])
        if "drop" in given:
            given["drop"] = tuple(given["drop"])
        if "mutate" in given:
            raise ValueError("mutate is for tests of this process alone; use merge, drop or replace_text")
        return cls(**given)


# What `--faults RATE` draws from: things that happen to honest clients, none of which is for ever.
_WEATHER = (
    Fault(kind="status", status=500),
    Fault(
        kind="status",
        status=502,
        body="<html><body>Bad gateway</body></html>",
        headers=(("Content-Type", "text/html"),),
    ),
    Fault(kind="status", status=503, headers=(("Retry-After", "1"),)),
    Fault(kind="status", status=429, headers=(("Retry-After", "1"),)),
    Fault(kind="slow", seconds=1.0),
    Fault(kind="truncate"),
    Fault(kind="reset"),
    Fault(kind="close_without_answer"),
    Fault(kind="applied_then_500"),
    Fault(kind="applied_then_cut"),
)


class Faults:
    """The programmed faults, first come first served, and the weather. Thread-safe."""

    def __init__(self, *, rate: float = 0.0, seed: int = 0) -> None:
        self.rate = rate
        self._seed = seed
        self._lock = threading.Lock()
        self._planned: list[tuple[Fault, dict[str, int]]] = []
        self._seen: dict[str, int] = {}

    def add(self, *faults: Fault) -> None:
        """Programs faults; of several that match a call, the one added first is taken."""
        with self._lock:
            self._planned.extend((fault, {"passed": 0, "used": 0}) for fault in faults)

    def clear(self) -> None:
        """Fair weather: no programmed fault, and no rate."""
        with self._lock:
            self._planned.clear()
            self.rate = 0.0

    def pending(self) -> list[Fault]:
        """What is still programmed."""
        with self._lock:
            return [fault for fault, _ in self._planned]

    def take(self, *, method: str, path: str, query: str) -> Fault | None:
        """The fault of this call, used up by one."""
        call = f"{method} {path}{'?' + query if query else ''}"
        with self._lock:
            for position, (fault, counts) in enumerate(self._planned):
                if not fault.matches(call):
                    continue
                if counts["passed"] < fault.after:
                    counts["passed"] += 1
                    continue
                counts["used"] += 1
                if fault.times is not None and counts["used"] >= fault.times:
                    del self._planned[position]
                return fault
            return self._weather(call) if self.rate > 0 else None

    def _weather(self, call: str) -> Fault | None:
        # Drawn from the call and how often it came, so that threads in another order meet the same faults.
        self._seen[call] = self._seen.get(call, 0) + 1
        digest = hashlib.sha256(f"{self._seed}:{self._seen[call]}:{call}".encode()).digest()
        if int.from_bytes(digest[:4], "big") / 2**32 >= self.rate:
            return None
        return _WEATHER[digest[4] % len(_WEATHER)]
