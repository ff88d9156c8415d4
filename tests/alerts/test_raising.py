"""The ledger: who is told what, once; what is cancelled and why; what is armed again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection

from dsrportal.alerts import raising
from dsrportal.alerts.raising import Decided, decide
from dsrportal.models import Alert, AssigneeAccount, DataSubjectRequest, Notice, Role, User, Workspace
from dsrportal.models.alerts import AlertState, CancelledBecause
from tests.alerts.stage import at, make_dsr, make_member, make_operator

DUE = date(2026, 3, 10)
DAY = timedelta(days=1)


def ledger() -> list[tuple[str, int, str, str]]:
    """(person, request, threshold, state) of every alert, in order."""
    rows = Alert.objects.order_by("pk").values_list("person__username", "upstream_id", "threshold", "state")
    return [tuple(row) for row in rows]  # type: ignore[misc]


def change(dsr: DataSubjectRequest, **fields: Any) -> None:
    """What a read from Dastra would have changed."""
    DataSubjectRequest.objects.filter(pk=dsr.pk).update(**fields)


def test_whoever_has_the_request_is_told_and_nobody_else(workspace: Workspace, luc: User, marc: User) -> None:
    operator = make_operator(workspace, email=" LUC@example.org ")
    make_dsr(workspace, 1, respond_by=DUE, extend_by=None, operator=operator)
    assert decide(workspace, now=at(DUE)) == Decided(raised=1)
    assert ledger() == [("luc", 1, "respond_0", "waiting")]
    alert = Alert.objects.get()
    assert (alert.because, alert.due_on, alert.fires_on, alert.reference) == ("assignee", DUE, DUE, "DSR-1")
    assert list(Notice.objects.values_list("person__username", "alert_id")) == [("luc", alert.pk)]


def test_what_nobody_has_goes_to_the_managers(workspace: Workspace, luc: User, marc: User) -> None:
    stranger = make_operator(workspace, email="somebody.else@example.org")
    make_dsr(workspace, 1, respond_by=DUE, extend_by=None)
    make_dsr(workspace, 2, respond_by=DUE, extend_by=None, operator=stranger)
    decide(workspace, now=at(DUE))
    assert list(Alert.objects.order_by("upstream_id").values_list("person__username", "because")) == [
        ("marc", "unassigned"),
        ("marc", "unmatched"),
    ]


def test_an_admins_word_goes_before_the_address(workspace: Workspace, luc: User, marc: User) -> None:
    operator = make_operator(workspace, email="marc@example.org")
    AssigneeAccount.objects.create(operator=operator, person=luc)
    make_dsr(workspace, 1, respond_by=DUE, extend_by=None, operator=operator)
    decide(workspace, now=at(DUE))
    assert ledger() == [("luc", 1, "respond_0", "waiting")]


def test_an_address_of_two_accounts_is_nobodys(workspace: Workspace, luc: User, marc: User) -> None:
    make_member("lucie", workspace=workspace, role=Role.OFFICER, email="luc@example.org")
    make_dsr(workspace, 1, respond_by=DUE, extend_by=None, operator=make_operator(workspace, email=luc.email))
    decide(workspace, now=at(DUE))
    assert ledger() == [("marc", 1, "respond_0", "waiting")]


def test_an_account_of_another_workspace_or_one_that_may_only_look_is_not_told(
    workspace: Workspace, marc: User, stranger: User
) -> None:
    make_member("vera", workspace=workspace, role=Role.VIEWER)
    User.objects.filter(pk=stranger.pk).update(email="stan@example.org")
    for upstream_id, email in enumerate(("vera@example.org", "stan@example.org"), start=1):
        operator = make_operator(workspace, email=email, upstream_id=upstream_id)
        make_dsr(workspace, upstream_id, respond_by=DUE, extend_by=None, operator=operator)
    decide(workspace, now=at(DUE))
    assert {person for person, *_rest in ledger()} == {"marc"}


def test_admins_stand_in_for_managers_and_who_has_no_address_reads_it_in_the_portal(workspace: Workspace) -> None:
    make_member("ada", workspace=workspace, role=Role.ADMIN, email="")
    make_dsr(workspace, 1, respond_by=DUE, extend_by=None)
    decide(workspace, now=at(DUE))
    assert ledger() == [("ada", 1, "respond_0", "portal")]
    assert Notice.objects.count() == 1


def test_managers_hear_of_what_is_overdue_once_each_time(workspace: Workspace, luc: User, marc: User) -> None:
    operator = make_operator(workspace, email=luc.email)
    make_dsr(workspace, 1, respond_by=DUE, extend_by=None, operator=operator)
    for n in range(9):
        for hour in (0, 9, 23):
            decide(workspace, now=at(DUE + n * DAY, hour))
    assert [(person, threshold) for person, _id, threshold, _state in ledger()] == [
        ("luc", "respond_0"),
        ("marc", "overdue_1"),
        ("marc", "overdue_3"),
        ("marc", "overdue_7"),
    ]


def test_deciding_again_changes_nothing(workspace: Workspace, luc: User, marc: User) -> None:
    for n in range(20):
        make_dsr(workspace, n + 1, respond_by=DUE + (n - 10) * DAY, extend_by=DUE + n * DAY)
    first = decide(workspace, now=at(DUE))
    before = ledger()
    assert first.raised == len(before) > 20
    assert decide(workspace, now=at(DUE, 18)) == Decided()
    assert ledger() == before


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"state": "Closed"}, CancelledBecause.CLOSED),
        ({"archived": True}, CancelledBecause.ARCHIVED),
        ({"respond_by": date(2026, 4, 10)}, CancelledBecause.MOVED),
        ({"respond_by": None, "paused_since": date(2026, 3, 9)}, CancelledBecause.MOVED),
    ],
)
def test_what_no_longer_holds_is_cancelled_and_says_why(
    workspace: Workspace, marc: User, fields: dict[str, Any], reason: CancelledBecause
) -> None:
    dsr = make_dsr(workspace, 1, respond_by=DUE, extend_by=None)
    decide(workspace, now=at(DUE))
    change(dsr, **fields)
    assert decide(workspace, now=at(DUE, 10)).cancelled == 1
    alert = Alert.objects.get()
    assert (alert.state, alert.cancelled_because, alert.cancelled_at) == (AlertState.CANCELLED, reason, at(DUE, 10))


def test_a_request_that_dastra_no_longer_has_cancels_too(workspace: Workspace, marc: User) -> None:
    make_dsr(workspace, 1, respond_by=DUE, extend_by=None).delete()
    make_dsr(workspace, 2, respond_by=DUE, extend_by=None)
    decide(workspace, now=at(DUE))
    DataSubjectRequest.objects.all().delete()
    decide(workspace, now=at(DUE, 10))
    assert Alert.objects.get().cancelled_because == CancelledBecause.GONE


def test_a_request_that_goes_while_it_is_decided_raises_nothing(
    workspace: Workspace, marc: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for upstream_id in (1, 2):
        make_dsr(workspace, upstream_id, respond_by=DUE, extend_by=None)
    known = raising._known

    def forgotten(*args: Any, **kwargs: Any) -> Any:
        DataSubjectRequest.objects.filter(upstream_id=1).delete()
        return known(*args, **kwargs)

    monkeypatch.setattr(raising, "_known", forgotten)
    assert decide(workspace, now=at(DUE)) == Decided(raised=1)
    assert ledger() == [("marc", 2, "respond_0", "waiting")]


def test_a_later_alert_and_another_assignee_take_the_place_of_what_waits(
    workspace: Workspace, luc: User, marc: User
) -> None:
    dsr = make_dsr(workspace, 1, respond_by=DUE, extend_by=None)
    decide(workspace, now=at(DUE - 4 * DAY))
    decide(workspace, now=at(DUE))
    change(dsr, operator=make_operator(workspace, email=luc.email))
    decide(workspace, now=at(DUE, 11))
    assert [(a.person.username, a.threshold, a.cancelled_because) for a in Alert.objects.order_by("pk")] == [
        ("marc", "respond_2", "later"),
        ("marc", "respond_0", "not_theirs"),
        ("luc", "respond_0", ""),
    ]


def test_a_new_date_arms_again_and_an_unchanged_one_stays_silent(workspace: Workspace, marc: User) -> None:
    dsr = make_dsr(workspace, 1, respond_by=DUE, extend_by=None)
    decide(workspace, now=at(DUE))
    Alert.objects.update(state=AlertState.SENT)
    change(dsr, updated_at=at(DUE), sequence=2)
    assert decide(workspace, now=at(DUE, 10)) == Decided()
    later = DUE + 14 * DAY
    change(dsr, respond_by=later)
    assert decide(workspace, now=at(DUE, 11)) == Decided()
    assert decide(workspace, now=at(later)).raised == 1
    assert Notice.objects.count() == 2


def test_what_was_cancelled_unsent_waits_again_when_it_holds_again(workspace: Workspace, marc: User) -> None:
    dsr = make_dsr(workspace, 1, respond_by=DUE, extend_by=None)
    decide(workspace, now=at(DUE))
    change(dsr, state="Closed")
    decide(workspace, now=at(DUE, 10))
    change(dsr, state="Processing")
    assert decide(workspace, now=at(DUE, 11)) == Decided(revived=1)
    assert ledger() == [("marc", 1, "respond_0", "waiting")]
    assert Notice.objects.count() == 1


def test_the_day_is_that_of_the_workspace(workspace: Workspace, marc: User) -> None:
    make_dsr(workspace, 1, respond_by=DUE, extend_by=None)
    decide(workspace, now=at(DUE - DAY, 23, 59))
    assert [threshold for _p, _id, threshold, _s in ledger()] == ["respond_2"]
    decide(workspace, now=at(DUE, 0))
    assert ("marc", 1, "respond_0", "waiting") in ledger()


@pytest.mark.django_db(transaction=True)
def test_many_who_decide_at_once_write_each_row_once(workspace: Workspace) -> None:
    for name in ("marc", "mona"):
        make_member(name, workspace=workspace, role=Role.MANAGER)
    for n in range(150):
        make_dsr(workspace, n + 1, respond_by=DUE - (n % 5) * DAY, extend_by=None)

    def work(_nth: int) -> int:
        try:
            return decide(workspace, now=at(DUE)).raised
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        raised = sum(pool.map(work, range(16)))
    assert raised == Alert.objects.count() == Notice.objects.exclude(alert=None).count() == 300
