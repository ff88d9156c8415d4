"""Signing in: the pace of tries, the check itself, and the line in the audit log. Called by the sign-in page alone.

Failures are counted for the account at one address, for the address, and for the account everywhere. After a few free tries each
further one has to wait, longer each time; nobody is locked out for good, and who comes from another address is hardly touched. It never
keeps a user name or an address in clear.
"""

from __future__ import annotations

import fcntl
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.contrib.auth import authenticate
from django.core.cache import cache
from django.http import HttpRequest
from django.utils.crypto import salted_hmac
from django.views.decorators.debug import sensitive_variables

from dsrportal.models import AuditEvent, User
from dsrportal.models.audit import Operation

WINDOW_SECONDS = 60 * 60


@dataclass(frozen=True, kw_only=True, slots=True)
class Pace:
    """How often one thing may fail within an hour: freely, then after a wait that doubles from `first_wait` to `longest_wait` seconds."""

    free_tries: int
    first_wait: int
    longest_wait: int

    def wait_after(self, failures: int) -> int:
        """Seconds between the last of so many failures and the next try."""
        if failures < self.free_tries:
            return 0
        return int(min(self.first_wait * 2 ** min(failures - self.free_tries, 20), self.longest_wait))


ACCOUNT_AT_ADDRESS = Pace(free_tries=5, first_wait=60, longest_wait=30 * 60)
"""At most ten tries an hour."""

ADDRESS = Pace(free_tries=12, first_wait=60, longest_wait=15 * 60)
"""At most twenty tries an hour."""

ACCOUNT = Pace(free_tries=20, first_wait=15, longest_wait=60)
"""For attacks from many addresses. Short waits: the account's owner must still get in."""


class TooManyTriesError(Exception):
    """The next try has to wait `seconds`; the password was not looked at."""

    def __init__(self, *, seconds: int) -> None:
        super().__init__(f"The next try may come in {seconds} seconds.")
        self.seconds = seconds


@sensitive_variables("password")
def check_credentials(
    request: HttpRequest, *, username: str, password: str, address: str, now: datetime
) -> User | None:
    """The person behind a user name and password, or None: unknown, inactive and wrong look the same and take the same time.

    `address` is the network address of the browser. Writes the audit line. Raises `TooManyTriesError` without a look at the password.
    """
    counters = _counters(username=username, address=address)
    with _one_at_a_time():
        _reserve(counters, now=now)
    user = authenticate(request, username=username, password=password)
    if not isinstance(user, User):
        known = User.objects.filter(username=username).values_list("pk", flat=True).first()
        details = {} if known is None else {"account": known}
        AuditEvent.objects.create(at=now, operation=Operation.SIGN_IN_FAILED, outcome="refused", details=details)
        return None
    with _one_at_a_time():
        _give_back(counters)
    AuditEvent.objects.create(at=now, by=user, operation=Operation.SIGNED_IN, outcome="done")
    return user


def _counters(*, username: str, address: str) -> dict[str, Pace]:
    name = unicodedata.normalize("NFKC", username).casefold()
    parts = {f"both:{name}:{address}": ACCOUNT_AT_ADDRESS, f"address:{address}": ADDRESS, f"account:{name}": ACCOUNT}
    return {
        "sign-in:" + salted_hmac("dsrportal.sign_in", text, algorithm="sha256").hexdigest(): pace
        for text, pace in parts.items()
    }


def _reserve(counters: dict[str, Pace], *, now: datetime) -> None:
    """Count the try as failed before the password is checked, so that tries at the same moment cannot slip through together."""
    moment = now.timestamp()
    kept: dict[str, tuple[int, float]] = cache.get_many(counters)
    wait = max(
        (kept[key][1] + pace.wait_after(kept[key][0]) - moment for key, pace in counters.items() if key in kept),
        default=0,
    )
    if wait > 0:
        raise TooManyTriesError(seconds=int(wait) + 1)
    cache.set_many({key: (kept.get(key, (0, 0.0))[0] + 1, moment) for key in counters}, WINDOW_SECONDS)


def _give_back(counters: dict[str, Pace]) -> None:
    """The try was none: forget the account's failures here, and take this one off the others."""
    kept: dict[str, tuple[int, float]] = cache.get_many(counters)
    for key, (failures, at) in kept.items():
        if counters[key] is ACCOUNT_AT_ADDRESS:
            cache.delete(key)
        else:
            cache.set(key, (max(failures - 1, 0), at), WINDOW_SECONDS)


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    # The cache has no "read, then write" of its own on files; the lock costs microseconds and lives as long as its file is open.
    path = Path(settings.DATA_DIR) / "locks" / "sign-in"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def note_language(user: User, *, language: str | None, is_choice: bool) -> None:
    """Keep the language that mails to this account are written in: the one that was chosen, else the one of the first sign-in."""
    rows = User.objects.filter(pk=user.pk) if is_choice else User.objects.filter(pk=user.pk, language="")
    if language:
        rows.update(language=language)
