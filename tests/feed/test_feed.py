"""The calendar feed: a secret address, whole days, references alone; gone at once when it is revoked."""

from __future__ import annotations

import logging
import re
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

import icalendar
import pytest
import time_machine
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext

from dsrportal.actions import calendar_feed as actions
from dsrportal.models import AuditEvent, CalendarFeed, DataSubjectRequest, Membership, Operator, Role, User, Workspace
from dsrportal.models.feeds import FeedScope
from dsrportal.queries import calendar_feed as queries
from dsrportal.redaction import NoTokens
from tests.conftest import MakeWorkspace

TODAY = datetime.fromisoformat("2026-03-09T09:00:00+01:00")
ACCOUNT = "/accounts/calendar/"


@pytest.fixture(autouse=True)
def _on_a_monday() -> Any:
    """Monday 9 March 2026."""
    with time_machine.travel(TODAY, tick=False):
        yield


def store(workspace: Workspace, upstream_id: int, **fields: Any) -> DataSubjectRequest:
    """A row of the mirror, due a month after 10 February unless said."""
    values: dict[str, Any] = {
        "reference": f"DSR-{upstream_id}",
        "state": "Processing",
        "received_on": date(2026, 2, 10),
        "respond_by": date(2026, 3, 10),
        "extend_by": date(2026, 3, 10),
        "without_pauses": date(2026, 3, 10),
        "clock_on": date(2026, 3, 10),
        "clock_at": TODAY,
        "mirrored_at": TODAY - timedelta(hours=1),
        "sequence": 1,
        "digest": b"x",
    }
    return DataSubjectRequest.objects.create(workspace=workspace, upstream_id=upstream_id, **(values | fields))


def token_for(user: User, *, scope: FeedScope = FeedScope.ALL, language: str = "en") -> str:
    """A fresh address."""
    return actions.make_address(by=user, scope=scope, language=language, now=timezone.now())


def fetch(token: str, **headers: str) -> HttpResponse:
    """What a calendar program gets: no cookie, no login."""
    answer: HttpResponse = Client().get(reverse("calendar_feed.feed", args=[token]), headers=headers)  # type: ignore[assignment]
    return answer


class Seen(NamedTuple):
    """What a calendar program makes of an event."""

    uid: str
    summary: str
    on: date
    until: date
    description: str
    url: str


def events_of(token: str) -> list[Seen]:
    """The events of a feed as a calendar program reads them."""
    answer = fetch(token)
    assert answer.status_code == 200
    parts: list[Any] = icalendar.Calendar.from_ical(answer.content).walk("VEVENT")
    return [
        Seen(
            uid=str(part["uid"]),
            summary=str(part["summary"]),
            on=part["dtstart"].dt,
            until=part["dtend"].dt,
            description=str(part["description"]),
            url=str(part["url"]),
        )
        for part in parts
    ]


def address_on(page: HttpResponseBase) -> str:
    """The token of the address that a page shows."""
    found = re.search(r"/calendar/([^/.\s]+)\.ics", page.getvalue().decode())
    assert found is not None
    return found[1]


def test_an_open_request_is_a_whole_day_with_its_reference(officer: User, workspace: Workspace) -> None:
    store(workspace, 7)
    (event,) = events_of(token_for(officer))
    assert event.uid == f"{workspace.pk}-7-extend@localhost"
    assert event.summary == "DSR-7: extend or answer"
    assert (event.on, event.until) == (date(2026, 3, 10), date(2026, 3, 11))
    assert not isinstance(event.on, datetime)
    assert event.url.endswith("/w/acme-france/requests/7/")


@pytest.mark.parametrize(
    ("fields", "summary", "on"),
    [
        pytest.param(
            {"extension_state": "valid", "respond_by": date(2026, 5, 11), "clock_on": date(2026, 5, 11)},
            "DSR-7: last day to refuse",
            date(2026, 3, 10),
            id="extended",
        ),
        pytest.param(
            {
                "paused_since": date(2026, 2, 12),
                "paused_working_left": 18,
                "respond_by": None,
                "extend_by": date(2026, 4, 30),
                "without_pauses": date(2026, 4, 30),
            },
            "DSR-7: respond by, without the pause",
            date(2026, 4, 30),
            id="paused",
        ),
        pytest.param(
            {"respond_by": date(2026, 3, 2), "extend_by": date(2026, 3, 2), "clock_on": date(2026, 3, 2)},
            "DSR-7: respond by",
            date(2026, 3, 2),
            id="overdue",
        ),
    ],
)
def test_each_clock_has_its_own_words(
    officer: User, workspace: Workspace, fields: dict[str, Any], summary: str, on: date
) -> None:
    store(workspace, 7, **fields)
    (event,) = events_of(token_for(officer))
    assert (event.summary, event.on) == (summary, on)


def test_what_is_closed_archived_unknown_or_elsewhere_is_not_in_it(
    officer: User, workspace: Workspace, make_workspace: MakeWorkspace
) -> None:
    store(workspace, 1, state="Closed", closed_at=TODAY)
    store(workspace, 2, archived=True)
    store(workspace, 3, respond_by=None, received_on=None)
    store(make_workspace("other-house", upstream_id=102), 4)
    token = token_for(officer)
    assert events_of(token) == []
    store(workspace, 5)
    assert len(events_of(token)) == 1
    workspace.disabled_at = TODAY
    workspace.save()
    assert events_of(token) == []


def test_a_feed_of_ones_own_holds_what_is_assigned_by_e_mail(officer: User, workspace: Workspace) -> None:
    officer.email = "Olivia@Example.org"
    officer.save()
    operator = Operator.objects.create(workspace=workspace, upstream_id=3, display_name="O", email="olivia@example.org")
    store(workspace, 7, operator=operator)
    store(workspace, 8)
    token = token_for(officer, scope=FeedScope.MINE)
    assert [event.summary for event in events_of(token)] == ["DSR-7: extend or answer"]
    officer.email = ""
    officer.save()
    Operator.objects.update(email="")
    assert events_of(token) == []


def test_a_feed_holds_nothing_of_a_person(officer: User, workspace: Workspace) -> None:
    dsr = store(workspace, 7)
    dsr.identity_sealed = b"sealed"
    dsr.save()
    content = fetch(token_for(officer)).content.decode()
    assert "sealed" not in content
    assert {line.partition(":")[0].partition(";")[0] for line in content.splitlines() if not line.startswith(" ")} == {
        *("BEGIN", "END", "PRODID", "VERSION", "CALSCALE", "METHOD", "X-WR-CALNAME", "REFRESH-INTERVAL"),
        *("X-PUBLISHED-TTL", "UID", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY", "DESCRIPTION", "URL", "TRANSP"),
    }


def test_lines_are_folded_and_special_characters_are_told_as_text(officer: User, workspace: Workspace) -> None:
    workspace.name = "Äpfel; Öl, und\nEnde:VEVENT " + "ß" * 80
    workspace.save()
    store(workspace, 7, reference="A,B;C\\D")
    token = token_for(officer)
    lines = fetch(token).content.split(b"\r\n")
    assert lines[-1] == b""
    assert max(len(line) for line in lines) <= 75
    (event,) = events_of(token)
    assert (event.description, event.summary) == (workspace.name, "A,B;C\\D: extend or answer")


def test_the_same_rows_are_the_same_bytes_and_are_not_sent_again(officer: User, workspace: Workspace) -> None:
    store(workspace, 7)
    token = token_for(officer)
    first = fetch(token)
    assert first["Content-Type"] == "text/calendar; charset=utf-8"
    assert "private" in first["Cache-Control"]
    again = fetch(token, if_none_match=first["ETag"])
    assert (again.status_code, again.content) == (304, b"")
    DataSubjectRequest.objects.update(respond_by=date(2026, 3, 9), extend_by=date(2026, 3, 9))
    assert fetch(token, if_none_match=first["ETag"]).status_code == 200


def test_an_event_keeps_its_name_when_its_day_moves(officer: User, workspace: Workspace) -> None:
    store(workspace, 7)
    token = token_for(officer)
    (before,) = events_of(token)
    DataSubjectRequest.objects.update(respond_by=date(2026, 3, 12), extend_by=date(2026, 3, 12))
    (after,) = events_of(token)
    assert after.uid == before.uid
    assert after.on != before.on


def test_an_address_that_was_replaced_or_revoked_is_not_found(officer: User, workspace: Workspace) -> None:
    first = token_for(officer)
    second = token_for(officer)
    assert [fetch(token).status_code for token in (first, second)] == [404, 200]
    actions.revoke(by=officer, now=TODAY)
    assert fetch(second).status_code == 404
    assert fetch("x" * 43).status_code == 404
    assert fetch("ü%00").status_code == 404


def test_who_may_no_longer_sign_in_or_has_no_role_reads_nothing(officer: User, workspace: Workspace) -> None:
    store(workspace, 7)
    token = token_for(officer)
    Membership.objects.all().delete()
    assert events_of(token) == []
    officer.is_active = False
    officer.save()
    assert fetch(token).status_code == 404


def test_the_number_of_queries_does_not_grow_with_requests_or_workspaces(
    officer: User, workspace: Workspace, make_workspace: MakeWorkspace, django_assert_num_queries: Any
) -> None:
    feed = actions.feed_of(token_for(officer))
    assert feed is not None
    store(workspace, 1)
    with django_assert_num_queries(3):
        assert len(queries.events(feed, now=TODAY)) == 1
    other = make_workspace("other-house", upstream_id=102)
    Membership.objects.create(user=officer, workspace=other, role=Role.VIEWER)
    for number in range(2, 12):
        store(other, number)
    with django_assert_num_queries(3):
        assert len(queries.events(feed, now=TODAY)) == 11


def test_the_feed_speaks_the_language_in_which_it_was_made(client: Client, officer: User, workspace: Workspace) -> None:
    client.force_login(officer)
    made = client.post(ACCOUNT, {"deed": "make"}, headers={"Accept-Language": "nl"})
    token = address_on(made)
    store(workspace, 7)
    assert CalendarFeed.objects.get().language == "nl"
    with translation.override("nl"):
        expected = gettext("%(reference)s: extend or answer") % {"reference": "DSR-7"}
    assert events_of(token)[0].summary == expected


def test_no_token_is_logged(officer: User, workspace: Workspace, caplog: pytest.LogCaptureFixture) -> None:
    token = token_for(officer)
    with caplog.at_level(logging.DEBUG):
        assert fetch(f"{token}x").status_code == 404
        assert Client().post(reverse("calendar_feed.feed", args=[token])).status_code == 405
    assert caplog.records
    assert token not in caplog.text
    record = logging.LogRecord("web", logging.INFO, "", 0, '"GET /calendar/%s.ics HTTP/1.1" 200', (token,), None)
    assert NoTokens().filter(record)
    assert record.getMessage() == '"GET /calendar/… HTTP/1.1" 200'
    for name in ("django.request", "django.server"):
        assert any(isinstance(one, NoTokens) for one in logging.getLogger(name).filters)


def test_the_account_page_shows_the_address_once(client: Client, officer: User, workspace: Workspace) -> None:
    client.force_login(officer)
    assert "Make the address" in client.get(ACCOUNT).content.decode()
    made = client.post(ACCOUNT, {"deed": "make", "scope": "mine"})
    feed = CalendarFeed.objects.get(user=officer)
    shown = address_on(made)
    assert feed.token_digest == actions.digest_of(shown)
    assert len(shown) == 43
    assert feed.scope == FeedScope.MINE
    assert "no-store" in made["Cache-Control"]
    page = client.get(ACCOUNT).content.decode()
    assert shown not in page
    assert "You have an address since 9 Mar 2026" in page

    client.post(ACCOUNT, {"deed": "choose", "scope": "all"})
    feed.refresh_from_db()
    assert (feed.scope, feed.token_digest) == (FeedScope.ALL, actions.digest_of(shown))
    client.post(ACCOUNT, {"deed": "revoke"})
    assert not CalendarFeed.objects.exists()
    told = [(event.operation, event.by, event.details) for event in AuditEvent.objects.order_by("pk")]
    assert told == [
        ("feed_made", officer, {"scope": "mine"}),
        ("feed_changed", officer, {"scope": "all"}),
        ("feed_revoked", officer, {}),
    ]


def test_a_senseless_deed_changes_nothing(client: Client, officer: User, workspace: Workspace) -> None:
    client.force_login(officer)
    for deed in ("", "choose", "revoke", "nonsense"):
        assert client.post(ACCOUNT, {"deed": deed, "scope": "nonsense"}).status_code in {200, 302}
    assert not CalendarFeed.objects.exists()
    assert not AuditEvent.objects.exists()
