"""What has happened to a request, in one list: every kind of line, narrowed by kind, never endless, and who looked only for whom that concerns."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from dsrportal.actions import ledger
from dsrportal.models import Alert, AuditEvent, DataSubjectRequest, OutboxEntry, User, Workspace
from dsrportal.models.audit import Operation
from dsrportal.models.ledger import PauseReason
from dsrportal.models.outbox import WishKind, WishState
from dsrportal.queries import detail_timeline
from tests.dsr.test_page import LIST, as_person, live


@pytest.fixture
def eventful(mirrored: Workspace, officer: User, manager: User) -> DataSubjectRequest:
    """A request with a message, an edit, a pause, an alert to each, and five looks of the officer."""
    dsr = live(mirrored)
    now = timezone.now()
    for kind in (WishKind.MESSAGE, WishKind.EDIT):
        OutboxEntry.objects.create(
            action_id=uuid.uuid4(),
            workspace=mirrored,
            dsr=dsr,
            upstream_id=dsr.upstream_id,
            by=officer,
            kind=kind,
            state=WishState.DONE,
            created_at=now,
            not_before=now,
            settled_at=now - timedelta(seconds=1),
        )
    ledger.pause(
        dsr, action_id=uuid.uuid4(), reason=PauseReason.IDENTITY, asked_on=timezone.localdate(), by=officer, now=now
    )
    for person in (officer, manager):
        Alert.objects.create(
            workspace=mirrored,
            dsr=dsr,
            upstream_id=dsr.upstream_id,
            clock="respond",
            threshold="respond_5",
            due_on=timezone.localdate(),
            fires_on=timezone.localdate(),
            person=person,
            because="assignee",
            raised_at=now - timedelta(minutes=1),
            raising=uuid.uuid4(),
        )
    AuditEvent.objects.bulk_create(
        AuditEvent(
            at=now,
            by=officer,
            workspace=mirrored,
            operation=Operation.OPEN,
            upstream_id=dsr.upstream_id,
            outcome="done",
        )
        for _time in range(5)
    )
    return dsr


def tabs(page: str) -> dict[str, int]:
    """The filter's tabs with their counts."""
    return {
        label.strip(): int(count)
        for label, count in re.findall(r'class="tabs__tab"[^>]*>([^<]+)<span class="tabs__count">(\d+)', page)
    }


def test_every_kind_of_line_is_there_and_can_be_shown_alone(eventful: DataSubjectRequest, manager: User) -> None:
    client = as_person(manager)
    url = f"{LIST}{eventful.upstream_id}/"
    page = client.get(url).text
    counts = tabs(page)
    assert counts["All"] == sum(count for label, count in counts.items() if label != "All")
    wanted = {
        "messages": "Wrote to the person",
        "deeds": "Edited from here",
        "clock": "Paused since",
        "alerts": "olivia was told",
        "reads": "Read what the person wrote",
        "dastra": "Received",
    }
    for kind, words in wanted.items():
        assert words in page
        alone = client.get(f"{url}?events={kind}&from=states%3DOpen").text
        shown = alone[alone.index('<ol class="timeline">') :]
        shown = shown[: shown.index("</ol>")]
        assert [other for other in wanted.values() if other in shown] == [words]
        assert "from=states%3DOpen" in alone
    assert "5 times that day" in page
    assert client.get(f"{url}?events=nonsense").text.count("timeline__event") == page.count("timeline__event")


def test_everybody_sees_their_own_looks_and_alerts_alone(eventful: DataSubjectRequest, officer: User) -> None:
    AuditEvent.objects.create(
        at=timezone.now(),
        by=None,
        workspace=eventful.workspace,
        operation=Operation.OPEN,
        upstream_id=eventful.upstream_id,
    )
    page = as_person(officer).get(f"{LIST}{eventful.upstream_id}/").text
    assert "marc was told" not in page
    assert tabs(page)["Alerts"] == 1
    assert tabs(page)["Who looked"] == 1


def test_a_long_story_is_cut_and_costs_no_more(
    eventful: DataSubjectRequest, officer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    client: Client = as_person(officer)
    url = f"{LIST}{eventful.upstream_id}/"
    with CaptureQueriesContext(connection) as before:
        client.get(url)
    now = timezone.now()
    OutboxEntry.objects.bulk_create(
        OutboxEntry(
            action_id=uuid.uuid4(),
            workspace=eventful.workspace,
            dsr=eventful,
            upstream_id=eventful.upstream_id,
            by=officer,
            kind=WishKind.EDIT,
            state=WishState.DONE,
            created_at=now,
            not_before=now,
            settled_at=now,
        )
        for _time in range(70)
    )
    monkeypatch.setattr(detail_timeline, "FEW_EVENTS", 10)
    with CaptureQueriesContext(connection) as after:
        page = client.get(url).text
    assert len(after) == len(before)
    assert page.count('class="timeline__event"') == 10
    left = re.search(r'href="\?events=&amp;earlier=1">Show (\d+) older lines', page)
    assert left
    whole = client.get(f"{url}?events=&earlier=1").text
    assert whole.count('class="timeline__event"') == 10 + int(left[1])
