"""What is behind the bell: one notice for each person and key, one line for a request's day, one for a flood, and the words of each kind."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone, translation

from dsrportal.alerts import notes, outages
from dsrportal.alerts.raising import decide
from dsrportal.models import Alert, DataSubjectRequest, Lane, Notice, Role, SyncLane, User, Workspace
from dsrportal.models.alerts import NoticeKind
from dsrportal.queries.notice_words import told_of
from tests.alerts.stage import at, make_dsr, make_member

DUE = date(2026, 3, 10)
KEY = "parked:purge_results::7"
MINUTE = timedelta(minutes=1)


def tell(*people: User, now: datetime, key: str = KEY) -> int:
    return notes.tell(people, kind=NoticeKind.PARKED, key=key, now=now, facts={"job": "purge_results"})


def page(client: Client, person: User, url: str = "/notices/") -> str:
    client.force_login(person)
    answer = client.get(url)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_person_is_told_once_of_one_thing(luc: User, marc: User, now: datetime) -> None:
    assert [tell(luc, luc, now=now), tell(luc, marc, now=now), tell(luc, marc, now=now)] == [1, 1, 0]
    assert tell(luc, now=now, key="another") == 1


@pytest.mark.django_db(transaction=True)
def test_eight_who_tell_at_once_make_one_notice(luc: User, marc: User) -> None:
    now = timezone.now()

    def work(_nth: int) -> None:
        try:
            tell(luc, marc, now=now)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(24)))
    assert Notice.objects.count() == 2


def test_what_is_over_needs_no_reading_and_says_so(client: Client, luc: User, now: datetime) -> None:
    tell(luc, now=now)
    assert "Notices: 1 unread" in page(client, luc)
    assert [notes.end(key=KEY, now=now), notes.end(key=KEY, now=now)] == [1, 0]
    found = page(client, luc)
    assert "Notices: 0 unread" in found
    assert "It has run since" in found


@pytest.mark.parametrize("kind", NoticeKind)
def test_every_kind_has_words(client: Client, workspace: Workspace, luc: User, now: datetime, kind: NoticeKind) -> None:
    if kind == NoticeKind.ALERT:
        make_dsr(workspace, 1, respond_by=DUE, extend_by=None)
        make_member("marc", workspace=workspace, role=Role.MANAGER)
        decide(workspace, now=at(DUE))
        Notice.objects.update(person=luc)
    else:
        notes.tell([luc], kind=kind, key="one", now=now, workspace=workspace)
    for _ in range(2):
        assert page(client, luc).count('<th class="ledger__main"') == 1
        notes.end(key="one", now=now)


class TestOneLineForARequestsDay:
    def test_both_dates_on_one_day_are_one_line_and_one_in_the_bell(
        self, client: Client, workspace: Workspace, marc: User
    ) -> None:
        make_dsr(workspace, 104, respond_by=DUE)
        decide(workspace, now=at(DUE))
        assert Alert.objects.count() == Notice.objects.count() == 2
        found = page(client, marc)
        assert "Notices: 1 unread" in found
        assert "Extend or answer by Tue 10 Mar 2026" in found
        assert found.count(">DSR-104<") == 1

    def test_when_one_of_them_is_over_the_other_stays(self, client: Client, workspace: Workspace, marc: User) -> None:
        make_dsr(workspace, 104, respond_by=DUE)
        decide(workspace, now=at(DUE))
        Alert.objects.filter(clock="respond").update(state="cancelled", cancelled_because="moved")
        found = page(client, marc)
        assert "Notices: 1 unread" in found
        assert "Extend by Tue 10 Mar 2026" in found
        Alert.objects.update(state="cancelled", cancelled_because="closed")
        found = page(client, marc)
        assert "Notices: 0 unread" in found
        assert found.count(">DSR-104<") == 1


class TestAFlood:
    @pytest.fixture
    def flooded(self, workspace: Workspace, marc: User) -> None:
        """The first decision of a workspace with 45 requests that are due."""
        for n in range(45):
            make_dsr(workspace, 1_000 + n, respond_by=DUE, extend_by=None)
        decide(workspace, now=at(DUE))

    def test_it_is_one_notice_that_leads_to_the_ledger(
        self, client: Client, flooded: None, marc: User, workspace: Workspace
    ) -> None:
        assert Alert.objects.count() == Notice.objects.exclude(alert=None).count() == 45
        found = page(client, marc)
        assert "Notices: 1 unread" in found
        assert "45 deadlines at once" in found
        gathering = Notice.objects.get(kind=NoticeKind.MANY)
        make_dsr(workspace, 7, respond_by=DUE, extend_by=None)
        decide(workspace, now=at(DUE + timedelta(days=1)))
        listed = page(client, marc, f"/w/acme-france/alerts/?notice={gathering.pk}")
        assert "1 to 45 of 45" in listed
        assert ">DSR-7<" not in listed

    def test_it_says_how_many_are_over_and_then_needs_no_reading(
        self, client: Client, flooded: None, marc: User, workspace: Workspace
    ) -> None:
        DataSubjectRequest.objects.filter(upstream_id__lt=1_040).update(state="Closed")
        decide(workspace, now=at(DUE, 10))
        found = page(client, marc)
        assert "40 of them are over" in found
        assert "Notices: 1 unread" in found
        DataSubjectRequest.objects.update(state="Closed")
        decide(workspace, now=at(DUE, 11))
        assert "Notices: 0 unread" in page(client, marc)

    def test_nobody_sees_through_the_notice_of_another(
        self, client: Client, flooded: None, luc: User, marc: User
    ) -> None:
        gathering = Notice.objects.get(kind=NoticeKind.MANY)
        assert "DSR-1000" not in page(client, luc, f"/w/acme-france/alerts/?notice={gathering.pk}")
        assert "deadlines at once" not in page(client, luc)

    def test_ten_are_told_one_by_one(self, client: Client, workspace: Workspace, marc: User) -> None:
        for n in range(10):
            make_dsr(workspace, 1_000 + n, respond_by=DUE, extend_by=None)
        decide(workspace, now=at(DUE))
        assert "Notices: 10 unread" in page(client, marc)

    def test_what_comes_in_the_same_quarter_of_an_hour_joins_it(
        self, client: Client, workspace: Workspace, marc: User
    ) -> None:
        for minute in range(12):
            make_dsr(workspace, 1_000 + minute, respond_by=DUE, extend_by=None)
            decide(workspace, now=at(DUE, 9, minute))
        found = page(client, marc)
        assert "12 deadlines at once" in found
        make_dsr(workspace, 2_000, respond_by=DUE, extend_by=None)
        decide(workspace, now=at(DUE, 11))
        assert "Notices: 2 unread" in page(client, marc)


class TestAnOutage:
    """Dastra cannot be read: one notice for each admin and outage."""

    @pytest.fixture
    def ada(self, workspace: Workspace) -> User:
        """The workspace's admin."""
        return make_member("ada", workspace=workspace, role=Role.ADMIN)

    @pytest.fixture
    def lane(self, workspace: Workspace) -> SyncLane:
        """Read at nine; every try since has failed."""
        return SyncLane.objects.create(
            workspace=workspace,
            lane=Lane.ACTIVE,
            last_success_at=at(DUE),
            last_attempt_at=at(DUE, 9, 5),
            last_error="Dastra did not answer.",
        )

    def test_six_hours_are_one_notice_that_ends_when_it_was_read_again(
        self, client: Client, lane: SyncLane, ada: User, marc: User, luc: User
    ) -> None:
        told = [outages.tell_of_outages(now=at(DUE) + n * 5 * MINUTE) for n in range(72)]
        assert [n for n, new in enumerate(told) if new] == [4], "older than fifteen minutes"
        assert list(Notice.objects.values_list("person__username", flat=True)) == ["ada"]
        assert "Not read since 09:00" in page(client, ada)
        again = at(DUE, 15, 2)
        SyncLane.objects.update(last_success_at=again, last_attempt_at=again, last_error="")
        for _ in range(2):
            assert outages.tell_of_outages(now=again + MINUTE) == 0
        found = page(client, ada)
        assert "Read again at 15:02" in found
        assert "Notices: 0 unread" in found

    def test_a_second_outage_is_told_again(self, lane: SyncLane, ada: User) -> None:
        outages.tell_of_outages(now=at(DUE, 10))
        SyncLane.objects.update(last_success_at=at(DUE, 11))
        assert outages.tell_of_outages(now=at(DUE, 12)) == 1
        assert Notice.objects.filter(ended_at=None).count() == 1

    def test_a_workspace_that_is_disabled_is_no_outage(self, lane: SyncLane, ada: User, workspace: Workspace) -> None:
        outages.tell_of_outages(now=at(DUE, 10))
        Workspace.objects.update(disabled_at=at(DUE, 10))
        assert outages.tell_of_outages(now=at(DUE, 12)) == 0
        assert not Notice.objects.filter(ended_at=None).exists()

    def test_one_that_was_never_read_is_told_too(self, workspace: Workspace, ada: User, client: Client) -> None:
        assert outages.tell_of_outages(now=workspace.created_at + 20 * MINUTE) == 1
        assert "Not read from Dastra yet" in page(client, ada)

    def test_managers_are_told_where_nobody_is_admin(self, lane: SyncLane, marc: User) -> None:
        assert outages.tell_of_outages(now=at(DUE, 10)) == 1
        assert Notice.objects.get().person == marc

    def test_meanwhile_nobody_is_interrupted_by_a_guess_and_afterwards_by_the_truth(
        self, lane: SyncLane, workspace: Workspace, marc: User
    ) -> None:
        for n in range(4):
            make_dsr(workspace, n + 1, respond_by=DUE, extend_by=None)
        make_dsr(workspace, 9, respond_by=DUE + timedelta(days=2), extend_by=None)
        decide(workspace, now=at(DUE, 12))
        assert set(Alert.objects.values_list("upstream_id", flat=True)) == {9}, "what can wait for a digest is raised"
        SyncLane.objects.update(last_success_at=at(DUE, 15), last_error="")
        DataSubjectRequest.objects.filter(upstream_id=1).update(state="Closed")
        decide(workspace, now=at(DUE, 15, 5))
        assert set(Alert.objects.values_list("upstream_id", flat=True)) == {2, 3, 4, 9}

    def test_what_was_told_before_is_not_taken_back_by_it(
        self, lane: SyncLane, workspace: Workspace, marc: User
    ) -> None:
        make_dsr(workspace, 1, respond_by=DUE, extend_by=None)
        decide(workspace, now=at(DUE, 9, 10))
        decide(workspace, now=at(DUE, 12))
        assert Alert.objects.get().state == "waiting"

    def test_old_data_alone_is_no_reason_to_hold_back(self, lane: SyncLane, workspace: Workspace, marc: User) -> None:
        SyncLane.objects.update(last_error="")
        make_dsr(workspace, 1, respond_by=DUE, extend_by=None)
        decide(workspace, now=at(DUE, 12))
        assert Alert.objects.count() == 1


@pytest.mark.parametrize(
    ("threshold", "due", "told", "words"),
    [
        ("respond_5", 7, 0, "5 working days left"),
        ("respond_5", 7, 3, "4 days left"),
        ("respond_0", 0, 0, "Due today"),
        ("respond_2", 2, 2, "Due today"),
        ("respond_0", 0, 9, "9 days overdue"),
        ("overdue_7", -7, 1, "8 days overdue"),
        ("extend_10", 10, 0, "10 days to extend"),
        ("extend_10", 10, 8, "2 days to extend"),
        ("extend_10", 10, 10, "Extend by today"),
    ],
)
def test_what_is_told_late_is_told_as_it_is_by_then(threshold: str, due: int, told: int, words: str) -> None:
    fires_on = date(2026, 11, 3)
    raised_at = datetime(2026, 11, 3, 9, tzinfo=UTC) + timedelta(days=told)
    alert = Alert(threshold=threshold, fires_on=fires_on, due_on=fires_on + timedelta(days=due), raised_at=raised_at)
    with translation.override("en"):
        assert told_of(alert, zone=ZoneInfo("Europe/Paris")) == words
