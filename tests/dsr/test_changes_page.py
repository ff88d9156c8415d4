"""The list of changes: every wish with what became of it, whose it is, and what its person can still do."""

from __future__ import annotations

import html
import uuid
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from dsrportal.models import DataSubjectRequest, OutboxEntry, User, Workspace
from dsrportal.models.outbox import WishKind, WishState
from dsrportal.sandbox import Fault
from dsrportal.sandbox.server import Server
from tests.dsr.test_deeds import Page
from tests.dsr.test_page import as_person, live

URL = "/w/acme-france/changes/"
MOST_QUERIES = 12


@pytest.fixture
def dsr(mirrored: Workspace) -> DataSubjectRequest:
    return live(mirrored)


@pytest.fixture
def refused(officer: User, dsr: DataSubjectRequest, dastra: Server, mirrored: Workspace) -> OutboxEntry:
    """An assignment that Dastra refused."""
    dastra.faults.add(Fault(kind="refuse", match="PATCH", reason="Not today."))
    mine = mirrored.operators.exclude(pk=dsr.operator_id or 0)[0]
    Page(officer, dsr).post("assign", operator=mine.upstream_id)
    return OutboxEntry.objects.get(state=WishState.REFUSED)


def read(user: User, query: str = "") -> str:
    return html.unescape(as_person(user).get(URL + query).text)


def test_a_refusal_is_listed_with_its_reason_and_counted_in_the_rail(
    officer: User, refused: OutboxEntry, dsr: DataSubjectRequest
) -> None:
    text = read(officer, "?show=attention")
    assert "Not today." in text
    assert dsr.reference in text
    assert '<span class="rail__count">1</span>' in text
    assert f"/wishes/{refused.pk}/again/" in text
    client = as_person(officer)
    client.post(f"/w/acme-france/wishes/{refused.pk}/dismiss/", {"origin": "changes"})
    assert "rail__count" not in read(officer)
    assert "Not today." not in read(officer, "?show=attention")
    assert "Not today." in read(officer, "?show=all"), "it stays in the list"


def test_trying_again_writes_once_more_and_only_once(
    officer: User, refused: OutboxEntry, dsr: DataSubjectRequest, dastra: Server
) -> None:
    client = as_person(officer)
    for _time in range(2):
        answer = client.post(f"/w/acme-france/wishes/{refused.pk}/again/", {"origin": "changes"})
        assert (answer.status_code, answer.headers["Location"]) == (302, URL)
    assert dastra.state[101].get(dsr.upstream_id)["operatorId"] == refused.wanted["operator"]
    assert OutboxEntry.objects.count() == 2
    assert sum(entry.method == "PATCH" for entry in dastra.journal.entries) == 2
    assert "Assigned in Dastra." in client.get(URL).text


def test_what_changed_since_the_refusal_is_a_conflict_and_not_overwritten(
    officer: User, refused: OutboxEntry, dsr: DataSubjectRequest, dastra: Server, mirrored: Workspace
) -> None:
    others = mirrored.operators.exclude(upstream_id=refused.wanted["operator"]).exclude(pk=dsr.operator_id or 0)
    dastra.state[101].edit(dsr.upstream_id, operatorId=others[0].upstream_id)
    as_person(officer).post(f"/w/acme-france/wishes/{refused.pk}/again/", {"origin": "changes"})
    assert dastra.state[101].get(dsr.upstream_id)["operatorId"] == others[0].upstream_id
    assert f"/requests/{dsr.upstream_id}/#wish" in read(officer, "?show=attention")


def test_what_held_free_text_is_not_tried_again(officer: User, dsr: DataSubjectRequest, dastra: Server) -> None:
    dastra.faults.add(Fault(kind="refuse", match="POST", reason="Not today."))
    closing = {"closed_on": timezone.localdate().isoformat(), "reason": "Accepted", "message": "A private text."}
    Page(officer, dsr).post("close", **closing)
    entry = OutboxEntry.objects.get()
    text = read(officer)
    assert "Not today." in text
    assert "A private text." not in text
    assert f"/wishes/{entry.pk}/again/" not in text
    answer = as_person(officer).post(f"/w/acme-france/wishes/{entry.pk}/again/", {"origin": "changes"}, follow=True)
    assert "can no longer be tried again" in answer.text


def test_others_see_it_and_cannot_touch_it(officer: User, manager: User, refused: OutboxEntry) -> None:
    assert "Not today." not in read(manager)
    text = read(manager, "?by=all&show=attention")
    assert "Not today." in text
    assert "olivia" in text
    assert f"/wishes/{refused.pk}/" not in text
    assert "rail__count" not in text
    as_person(manager).post(f"/w/acme-france/wishes/{refused.pk}/again/", {"origin": "changes"})
    assert OutboxEntry.objects.count() == 1


def test_what_waits_can_be_undone_there(officer: User, dsr: DataSubjectRequest, settings: Any) -> None:
    settings.UNDO_SECONDS = 60
    Page(officer, dsr).post("archive")
    entry = OutboxEntry.objects.get()
    text = read(officer, "?show=waiting")
    assert 'data-poll="3"' in text
    as_person(officer).post(f"/w/acme-france/wishes/{entry.pk}/undo/", {"origin": "changes"})
    entry.refresh_from_db()
    assert entry.state == WishState.CANCELLED
    assert "data-poll" not in read(officer, "?show=waiting")


def test_every_kind_is_named_and_a_thousand_cost_no_more_queries_than_one(
    officer: User, dsr: DataSubjectRequest, mirrored: Workspace
) -> None:
    wanted: dict[str, dict[str, Any]] = {
        WishKind.TAG: {"add": [mirrored.tags.all()[0].upstream_id], "remove": []},
        WishKind.EDIT: {"title": None, "complex": True},
        WishKind.CLOSE: {"reason": "Accepted"},
        WishKind.ASSIGN: {"operator": None},
        WishKind.EXTEND: {"expires": "2027-01-01T12:00:00Z"},
    }

    def make(number: int) -> None:
        OutboxEntry.objects.bulk_create(
            OutboxEntry(
                action_id=uuid.uuid4(),
                workspace=mirrored,
                dsr=dsr,
                upstream_id=None if kind == WishKind.CREATE else dsr.upstream_id,
                by=officer,
                kind=kind,
                wanted=wanted.get(kind, {}),
                state=WishState.DONE,
                created_at=timezone.now(),
                not_before=timezone.now(),
                settled_at=timezone.now(),
            )
            for kind in WishKind
            for _time in range(number)
        )

    client = as_person(officer)
    counts = []
    for number in (1, 125):
        make(number)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            text = html.unescape(client.get(URL).text)
        counts.append(len(queries))
        if number == 1:
            for words in (
                "Move",
                "Edit: Title, Complex",
                "Close: Accepted",
                "Assign: Unassigned",
                "Extend: 1 Jan 2027",
            ):
                assert words in text
    assert counts[0] == counts[1] <= MOST_QUERIES
    assert "1 to 50 of" in text
    assert "page=2" in text


@pytest.mark.parametrize("query", ["?show=x", "?page=0", "?page=999999", "?page=-1", "?by=", "?show=done&page=²"])
def test_an_address_that_makes_no_sense_shows_a_list(officer: User, mirrored: Workspace, query: str) -> None:
    assert "Nothing here" in read(officer, query)
