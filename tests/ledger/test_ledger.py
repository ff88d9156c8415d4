"""Pauses, extensions, refusals: what each does to the dates, what is refused and why, once however often it is pressed, and by whom."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.db import connection

from dsrportal.actions import ledger
from dsrportal.actions.ledger import LedgerError
from dsrportal.models import AuditEvent, DataSubjectRequest, DateChange, Pause, Refusal, Role, User, Workspace
from dsrportal.models.workspaces import ClockProfile, PauseRule
from tests.conftest import make_person
from tests.ledger.conftest import MakeDsr, extend, noon, pause, refuse, resume

D = date


def dates(dsr: DataSubjectRequest) -> tuple[Any, ...]:
    dsr.refresh_from_db()
    return dsr.respond_by, dsr.without_pauses, dsr.extend_by, dsr.paused_since


def test_a_pause_stops_the_answer_alone_and_its_end_adds_the_days(dsr: DataSubjectRequest, officer: User) -> None:
    number = Workspace.objects.get(pk=dsr.workspace_id).change_number
    entry = pause(dsr, asked_on=D(2026, 2, 12), by=officer, now=noon(2, 13))
    assert dates(dsr) == (None, D(2026, 3, 10), D(2026, 3, 10), D(2026, 2, 12))
    assert (dsr.clock_rank, dsr.clock_on, dsr.paused_working_left) == (dsr.PAUSED, D(2026, 3, 10), 18)
    assert Workspace.objects.get(pk=dsr.workspace_id).change_number > number, "pages see that it changed"

    resume(dsr, answered_on=D(2026, 2, 20), by=officer, now=noon(2, 21))
    assert dates(dsr) == (D(2026, 3, 18), D(2026, 3, 10), D(2026, 3, 10), None)
    assert (dsr.clock_rank, dsr.clock_on) == (dsr.RUNNING, D(2026, 3, 18))
    events = AuditEvent.objects.order_by("pk").values_list("operation", "by", "upstream_id", "details__entry")
    assert list(events) == [
        ("pause", officer.pk, dsr.upstream_id, entry.pk),
        ("resume", officer.pk, dsr.upstream_id, entry.pk),
    ]


def test_an_answer_begins_a_new_month_where_the_workspace_says_so(
    make_dsr: MakeDsr, workspace: Workspace, officer: User
) -> None:
    Workspace.objects.filter(pk=workspace.pk).update(pause_policy=PauseRule.RESTART)
    dsr = make_dsr(received_at=noon(3, 2))
    pause(dsr, asked_on=D(2026, 3, 4), by=officer, now=noon(3, 5))
    resume(dsr, answered_on=D(2026, 3, 16), by=officer, now=noon(3, 17))
    assert dates(dsr)[:2] == (D(2026, 4, 16), D(2026, 4, 2))


def test_an_extension_is_counted_from_receipt_and_its_text_is_sealed(dsr: DataSubjectRequest, officer: User) -> None:
    entry = extend(dsr, notice_on=D(2026, 3, 6), by=officer, now=noon(3, 6))
    assert dates(dsr) == (D(2026, 5, 11), D(2026, 5, 11), D(2026, 3, 10), None)
    assert dsr.extension_state == "valid"
    entry.refresh_from_db()
    assert entry.text_sealed is not None
    assert b"Three systems" not in bytes(entry.text_sealed)
    assert entry.read_text() == "Three systems. Letter 42."
    assert "Three" not in repr(list(AuditEvent.objects.values()))


def test_an_extension_told_after_the_first_period_is_refused_with_the_day(
    dsr: DataSubjectRequest, officer: User
) -> None:
    with pytest.raises(LedgerError) as caught:
        extend(dsr, notice_on=D(2026, 3, 11), by=officer, now=noon(3, 11))
    assert caught.value.code == "too_late"
    assert caught.value.field == "notice_on"
    assert "Tuesday 10 March 2026" in caught.value.sentence
    assert dates(dsr)[0] == D(2026, 3, 10)
    extend(dsr, notice_on=D(2026, 3, 10), by=officer, now=noon(3, 11))  # told on the last day, recorded later


@pytest.mark.parametrize(("day", "is_late"), [(D(2026, 3, 10), False), (D(2026, 3, 11), True)])
def test_a_refusal_has_a_clock_of_its_own_that_no_extension_moves(
    dsr: DataSubjectRequest,
    officer: User,
    day: date,
    is_late: bool,  # noqa: FBT001
) -> None:
    extend(dsr, notice_on=D(2026, 3, 6), by=officer, now=noon(3, 6))
    refuse(dsr, notice_on=day, by=officer, now=noon(4, 20))
    dsr.refresh_from_db()
    assert (dsr.refused_on, dsr.is_refusal_late, dsr.respond_by) == (day, is_late, D(2026, 5, 11))


def test_what_was_wrong_is_withdrawn_and_recorded_anew(dsr: DataSubjectRequest, officer: User) -> None:
    wrong = pause(dsr, asked_on=D(2026, 2, 12), by=officer, now=noon(2, 13))
    for _press in range(2):
        ledger.withdraw(wrong, by=officer, now=noon(2, 14))
    assert dates(dsr)[0] == D(2026, 3, 10)
    pause(dsr, asked_on=D(2026, 2, 13), by=officer, now=noon(2, 14))
    assert dates(dsr)[3] == D(2026, 2, 13)
    assert Pause.objects.count() == 2, "nothing is overwritten"
    assert AuditEvent.objects.filter(operation="withdraw_entry").count() == 1


def test_an_extension_accounts_for_dates_until_it_is_withdrawn(dsr: DataSubjectRequest, officer: User) -> None:
    DateChange.objects.create(
        workspace=dsr.workspace, dsr=dsr, upstream_id=dsr.upstream_id, seen_at=noon(3, 1), sequence=2, to_at=noon(5, 1)
    )
    DataSubjectRequest.objects.filter(pk=dsr.pk).update(has_unexplained_change=True)
    entry = extend(dsr, notice_on=D(2026, 3, 6), by=officer, now=noon(3, 6))
    dsr.refresh_from_db()
    assert (dsr.has_unexplained_change, DateChange.objects.get().reason) == (False, "extension")
    ledger.withdraw(entry, by=officer, now=noon(3, 7))
    dsr.refresh_from_db()
    assert (dsr.has_unexplained_change, DateChange.objects.get().reason) == (True, "")
    assert ledger.accept_dates(dsr, by=officer, now=noon(3, 7)) == 1
    dsr.refresh_from_db()
    assert (dsr.has_unexplained_change, DateChange.objects.get().reason) == (False, "accepted")


GUARDS: list[tuple[str, Any]] = [
    ("before_receipt", lambda dsr, by: pause(dsr, asked_on=D(2026, 2, 9), by=by, now=noon(2, 12))),
    ("future", lambda dsr, by: pause(dsr, asked_on=D(2026, 2, 13), by=by, now=noon(2, 12))),
    ("over", lambda dsr, by: pause(dsr, asked_on=D(2026, 3, 11), by=by, now=noon(3, 12))),
    ("not_paused", lambda dsr, by: resume(dsr, answered_on=D(2026, 2, 12), by=by, now=noon(2, 12))),
    ("before_receipt", lambda dsr, by: extend(dsr, notice_on=D(2026, 2, 9), by=by, now=noon(2, 12))),
    ("future", lambda dsr, by: extend(dsr, notice_on=D(2026, 2, 13), by=by, now=noon(2, 12))),
    ("no_text", lambda dsr, by: extend(dsr, notice_on=D(2026, 2, 12), by=by, now=noon(2, 12), text="  ")),
    ("no_text", lambda dsr, by: refuse(dsr, notice_on=D(2026, 2, 12), by=by, now=noon(2, 12), text="")),
    ("too_long", lambda dsr, by: refuse(dsr, notice_on=D(2026, 2, 12), by=by, now=noon(2, 12), text="x" * 2001)),
]


@pytest.mark.parametrize(("code", "deed"), GUARDS)
def test_what_makes_no_sense_is_refused_and_changes_nothing(
    dsr: DataSubjectRequest, officer: User, code: str, deed: Any
) -> None:
    with pytest.raises(LedgerError) as caught:
        deed(dsr, officer)
    assert caught.value.code == code
    assert caught.value.sentence.endswith((".", "yours."))
    assert dates(dsr)[0] == D(2026, 3, 10)
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize(
    ("code", "fields"),
    [
        ("closed", {"state": "Closed", "closed_at": noon(2, 11)}),
        ("archived", {"archived": True}),
        ("no_receipt", {"received_at": None}),
    ],
)
def test_no_pause_where_no_clock_runs(make_dsr: MakeDsr, officer: User, code: str, fields: dict[str, Any]) -> None:
    with pytest.raises(LedgerError) as caught:
        pause(make_dsr(**fields), asked_on=D(2026, 2, 11), by=officer, now=noon(2, 12))
    assert caught.value.code == code


@pytest.mark.parametrize("profile", [ClockProfile.CCPA, ClockProfile.UPSTREAM])
def test_no_pause_where_the_law_knows_none(dsr: DataSubjectRequest, officer: User, profile: ClockProfile) -> None:
    Workspace.objects.filter(pk=dsr.workspace_id).update(profile=profile)
    with pytest.raises(LedgerError) as caught:
        pause(dsr, asked_on=D(2026, 2, 12), by=officer, now=noon(2, 12))
    assert caught.value.code == "no_pauses"


def test_a_second_question_waits_for_the_first_and_an_answer_comes_after_it(
    dsr: DataSubjectRequest, officer: User
) -> None:
    pause(dsr, asked_on=D(2026, 2, 12), by=officer, now=noon(2, 13))
    deeds: list[tuple[str, Callable[[], Pause]]] = [
        ("paused", lambda: pause(dsr, asked_on=D(2026, 2, 13), by=officer, now=noon(2, 13))),
        ("reversed", lambda: resume(dsr, answered_on=D(2026, 2, 11), by=officer, now=noon(2, 13))),
    ]
    for code, deed in deeds:
        with pytest.raises(LedgerError) as caught:
            deed()
        assert caught.value.code == code


def test_the_day_is_the_workspaces_own(make_dsr: MakeDsr, officer: User) -> None:
    """At 22:30 UTC it is tomorrow in Paris, and no longer the future."""
    dsr = make_dsr(received_at=noon(4, 1))
    late = noon(5, 4).replace(hour=22, minute=30)
    with pytest.raises(LedgerError) as caught:
        pause(dsr, asked_on=D(2026, 5, 5), by=officer, now=late.replace(hour=21))
    assert caught.value.code == "future"
    refuse(dsr, notice_on=D(2026, 5, 5), by=officer, now=late)


def test_ten_presses_are_one_entry_and_another_form_may_not_reuse_its_number(
    dsr: DataSubjectRequest, officer: User
) -> None:
    number, answer = uuid.uuid4(), uuid.uuid4()
    made = {
        pause(dsr, asked_on=D(2026, 2, 12), by=officer, now=noon(2, 13), action_id=number).pk for _press in range(10)
    }
    ended = {
        resume(dsr, answered_on=D(2026, 2, 13), by=officer, now=noon(2, 13), action_id=answer).pk
        for _press in range(10)
    }
    assert made == ended
    assert Pause.objects.count() == 1
    assert AuditEvent.objects.count() == 2
    others: list[Callable[[], Pause]] = [
        lambda: pause(dsr, asked_on=D(2026, 2, 11), by=officer, now=noon(2, 13), action_id=number),
        lambda: resume(dsr, answered_on=D(2026, 2, 12), by=officer, now=noon(2, 13), action_id=answer),
    ]
    for deed in others:
        with pytest.raises(LedgerError) as caught:
            deed()
        assert caught.value.code == "reused"


@pytest.mark.django_db(transaction=True)
def test_two_at_the_same_moment_make_one_refusal(dsr: DataSubjectRequest, officer: User) -> None:
    number = uuid.uuid4()
    outcomes: list[object] = []

    def press() -> None:
        try:
            outcomes.append(refuse(dsr, notice_on=D(2026, 2, 12), by=officer, now=noon(2, 13), action_id=number).pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=press) for _person in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 4
    assert set(outcomes) == {Refusal.objects.get().pk}
    assert AuditEvent.objects.count() == 1


@pytest.mark.parametrize("role", [Role.VIEWER, Role.AUDITOR])
def test_who_may_not_act_records_nothing(dsr: DataSubjectRequest, role: Role) -> None:
    person = make_person("vera", workspace=dsr.workspace, role=role)
    with pytest.raises(LedgerError) as caught:
        pause(dsr, asked_on=D(2026, 2, 12), by=person, now=noon(2, 13))
    assert caught.value.code == "not_allowed"


def test_a_stranger_records_nothing(dsr: DataSubjectRequest, stranger: User) -> None:
    with pytest.raises(LedgerError) as caught:
        refuse(dsr, notice_on=D(2026, 2, 12), by=stranger, now=noon(2, 13))
    assert caught.value.code == "not_allowed"
    assert not Refusal.objects.exists()


def test_a_closed_request_may_still_show_its_refusal_and_nothing_else_of_it_moves(
    make_dsr: MakeDsr, officer: User
) -> None:
    dsr = make_dsr(state="Closed", closed_at=noon(3, 12))
    before = dates(dsr), dsr.late_days
    refuse(dsr, notice_on=D(2026, 3, 12), by=officer, now=noon(3, 12))
    assert (dates(dsr), dsr.late_days) == before
    assert (dsr.refused_on, dsr.is_refusal_late) == (D(2026, 3, 12), True)
