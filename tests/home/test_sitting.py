"""When a person left: what counts as being here, what does not, and that the mark stands still while they are."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError
from django.db.models import QuerySet
from django.test import Client

from dsrportal.models import User
from dsrportal.views import sitting

NAVIGATES = {"Sec-Fetch-Mode": "navigate"}
MINUTE = timedelta(minutes=1)


def active(user: User, at: datetime) -> tuple[datetime | None, datetime | None]:
    """The person is active; what is kept then."""
    sitting.note(User.objects.get(pk=user.pk), now=at)
    return User.objects.values_list("seen_at", "left_at").get(pk=user.pk)


def test_the_mark_is_the_last_activity_before_a_gap_and_stands_still_during_a_sitting(
    officer: User, now: datetime
) -> None:
    assert active(officer, now) == (now, None)
    seen = now
    for minutes in (1, 3, 20, 29, 30):
        at = seen + minutes * MINUTE
        seen = at if minutes >= 2 else seen
        assert active(officer, at) == (seen, None)
    back = seen + 31 * MINUTE
    assert active(officer, back) == (back, seen)
    assert active(officer, back + 10 * MINUTE) == (back + 10 * MINUTE, seen)
    again = back + timedelta(hours=15)
    assert active(officer, again) == (again, back + 10 * MINUTE)


def test_of_two_pages_that_are_asked_for_at_once_one_writes(officer: User, now: datetime) -> None:
    active(officer, now)
    first, second = User.objects.get(pk=officer.pk), User.objects.get(pk=officer.pk)
    back = now + 60 * MINUTE
    sitting.note(first, now=back)
    sitting.note(second, now=back + MINUTE)
    assert User.objects.values_list("seen_at", "left_at").get(pk=officer.pk) == (back, now)


def test_a_page_does_not_fail_when_the_mark_cannot_be_kept(
    officer: User, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: object, **_values: object) -> int:
        raise DatabaseError("database is locked")

    monkeypatch.setattr(QuerySet, "update", refuse)
    sitting.note(officer, now=now)
    assert officer.seen_at is None


@pytest.mark.parametrize(
    ("path", "method", "headers", "is_activity"),
    [
        ("/w/acme-france/board/", "get", NAVIGATES, True),
        ("/w/acme-france/board/version/", "get", {"Sec-Fetch-Mode": "cors"}, False),
        ("/", "get", {"HX-Request": "true", "Sec-Fetch-Mode": "cors"}, False),
        ("/w/acme-france/wishes/1/undo/", "post", {}, True),
        ("/w/acme-france/wishes/1/send/", "post", {}, False),
        ("/w/acme-france/requests/bulk/send/", "post", {}, False),
        ("/healthz", "get", NAVIGATES, False),
    ],
)
def test_where_a_person_goes_and_what_they_do_is_activity_and_not_what_a_page_asks_by_itself(
    client: Client, officer: User, path: str, method: str, headers: dict[str, str], *, is_activity: bool
) -> None:
    client.force_login(officer)
    ask: Any = getattr(client, method)
    ask(path, headers=headers)
    assert (User.objects.get(pk=officer.pk).seen_at is not None) == is_activity


def test_who_is_not_signed_in_leaves_no_mark(client: Client, officer: User) -> None:
    client.get("/", headers=NAVIGATES)
    client.post("/accounts/login/", {"username": "olivia", "password": "wrong"}, headers=NAVIGATES)
    assert not User.objects.filter(seen_at__isnull=False).exists()
