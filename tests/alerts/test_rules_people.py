"""Who is away and who stands in; what somebody wants no mail of."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from dsrportal.actions import alert_rules, alert_wishes
from dsrportal.actions.refusals import WorkspaceError
from dsrportal.alerts.desks import desks
from dsrportal.alerts.raising import decide
from dsrportal.alerts.sending import send_alerts
from dsrportal.models import (
    Absence,
    Alert,
    AlertWish,
    AuditEvent,
    Membership,
    MutedRequest,
    Notice,
    Role,
    User,
    Workspace,
)
from dsrportal.models.alert_rules import AlertPolicy
from tests.alerts.stage import at, make_dsr, make_member, make_operator

DUE = date(2026, 3, 10)
DAY = timedelta(days=1)


@pytest.fixture
def mona(workspace: Workspace) -> User:
    """Another officer."""
    return make_member("mona", workspace=workspace, role=Role.OFFICER)


def away(person: User, deputy: User | None, *, first: date = DUE - DAY, last: date = DUE + DAY) -> Absence:
    """Somebody is away on these days."""
    return Absence.objects.create(person=person, deputy=deputy, first_on=first, last_on=last)


def told() -> set[tuple[str, str, str, str]]:
    """(person, threshold, because, state) of every alert."""
    return set(Alert.objects.values_list("person__username", "threshold", "because", "state"))


def sent_to(mailoutbox: list[object]) -> list[str]:
    """Who got mail, in order."""
    return [address for mail in mailoutbox for address in mail.to]  # type: ignore[attr-defined]


# --- away ---


@pytest.mark.parametrize(
    ("day", "is_away"), [(DUE - 2 * DAY, False), (DUE - DAY, True), (DUE + DAY, True), (DUE + 2 * DAY, False)]
)
def test_the_deputy_is_told_from_the_first_day_to_the_last(
    workspace: Workspace, luc: User, mona: User, marc: User, day: date, *, is_away: bool
) -> None:
    away(luc, mona)
    make_dsr(workspace, 1, respond_by=DUE + 2 * DAY, extend_by=None, operator=make_operator(workspace, email=luc.email))
    decide(workspace, now=at(day))
    people = {person for person, *_rest in told()}
    assert people == ({"luc", "mona"} if is_away else {"luc"})


def test_who_is_away_has_it_behind_the_bell_and_the_deputy_in_a_mail_and_the_ledger_says_so(
    workspace: Workspace, luc: User, mona: User, marc: User, mailoutbox: list[object]
) -> None:
    away(luc, mona)
    make_dsr(workspace, 1, respond_by=DUE, extend_by=None, operator=make_operator(workspace, email=luc.email))
    send_alerts(now=at(DUE))
    assert told() == {("luc", "respond_0", "assignee", "away"), ("mona", "respond_0", "deputy", "sent")}
    assert Alert.objects.get(person=mona).stands_in_for == luc
    assert Notice.objects.filter(read_at=None).count() == 2
    assert sent_to(mailoutbox) == ["mona@example.org", "marc@example.org"]  # marc: his digest


def test_the_digest_of_a_deputy_has_the_requests_of_who_is_away(
    workspace: Workspace, luc: User, mona: User, marc: User
) -> None:
    mine = make_operator(workspace, email=luc.email)
    away(luc, mona)
    found = {desk.person.username: desk for desk in desks(now=at(DUE))}
    assert sorted(found) == ["marc", "mona"]
    assert found["mona"].own == {mine.pk}
    away(marc, mona)
    found = {desk.person.username: desk for desk in desks(now=at(DUE))}
    assert found["mona"].managed == {workspace.pk}


def test_a_managers_deputy_hears_of_what_is_overdue(workspace: Workspace, luc: User, mona: User, marc: User) -> None:
    away(marc, mona)
    make_dsr(workspace, 1, respond_by=DUE - DAY, extend_by=None, operator=make_operator(workspace, email=luc.email))
    decide(workspace, now=at(DUE))
    assert ("mona", "overdue_1", "deputy", "waiting") in told()
    assert ("marc", "overdue_1", "escalation", "away") in told()


def test_a_deputy_who_is_away_too_hands_on_and_a_circle_ends_at_the_managers(
    workspace: Workspace, luc: User, mona: User, marc: User
) -> None:
    nora = make_member("nora", workspace=workspace, role=Role.OFFICER)
    make_dsr(workspace, 1, respond_by=DUE, extend_by=None, operator=make_operator(workspace, email=luc.email))
    away(luc, mona)
    away(mona, nora)
    decide(workspace, now=at(DUE))
    assert {row[0] for row in told()} == {"luc", "nora"}
    away(nora, luc)
    decide(workspace, now=at(DUE, 10))
    assert ("marc", "respond_0", "away", "waiting") in told()
    assert ("nora", "respond_0", "deputy", "cancelled") in told()


def test_without_anybody_to_stand_in_mail_goes_to_who_is_away(workspace: Workspace, marc: User, mona: User) -> None:
    away(marc, None)
    make_dsr(workspace, 1, respond_by=DUE, extend_by=None)
    decide(workspace, now=at(DUE))
    assert told() == {("marc", "respond_0", "unassigned", "waiting")}
    assert {desk.person for desk in desks(now=at(DUE))} == {marc, mona}


def test_a_deputy_without_a_part_in_the_workspace_leaves_it_to_the_managers(
    workspace: Workspace, luc: User, mona: User, marc: User
) -> None:
    Membership.objects.filter(user=mona).update(role=Role.VIEWER)
    away(luc, mona)
    make_dsr(workspace, 1, respond_by=DUE, extend_by=None, operator=make_operator(workspace, email=luc.email))
    decide(workspace, now=at(DUE))
    assert {row[:3] for row in told()} == {("luc", "respond_0", "assignee"), ("marc", "respond_0", "away")}


def test_who_comes_back_is_mailed_what_still_holds(
    workspace: Workspace, luc: User, mona: User, marc: User, mailoutbox: list[object]
) -> None:
    absence = away(luc, mona)
    make_dsr(workspace, 1, respond_by=DUE, extend_by=None, operator=make_operator(workspace, email=luc.email))
    decide(workspace, now=at(DUE, 6))
    absence.delete()
    send_alerts(now=at(DUE, 9))
    assert told() == {("luc", "respond_0", "assignee", "sent"), ("mona", "respond_0", "deputy", "cancelled")}
    assert "luc@example.org" in sent_to(mailoutbox)
    assert "mona@example.org" not in sent_to(mailoutbox)
    assert Notice.objects.filter(person=luc).count() == 1


@pytest.mark.parametrize(
    ("first", "last", "deputy", "field"),
    [
        (DUE, DUE - DAY, "mona", "last_on"),
        (DUE - 9 * DAY, DUE - 8 * DAY, "mona", "last_on"),
        (DUE, DUE + 800 * DAY, "mona", "last_on"),
        (DUE, DUE, "luc", "deputy"),
        (DUE, DUE, "stan", "deputy"),
        (DUE + 4 * DAY, DUE + 6 * DAY, "mona", "first_on"),
    ],
)
def test_an_absence_that_makes_no_sense_is_refused(
    workspace: Workspace, luc: User, mona: User, first: date, last: date, deputy: str, field: str
) -> None:
    User.objects.create(username="stan")
    away(luc, mona, first=DUE + 5 * DAY, last=DUE + 8 * DAY)
    with pytest.raises(WorkspaceError) as refused:
        alert_wishes.add_absence(
            luc, first_on=first, last_on=last, deputy=User.objects.get(username=deputy), today=DUE, now=at(DUE)
        )
    assert refused.value.field == field
    assert Absence.objects.count() == 1
    assert not AuditEvent.objects.exists()


# --- muted ---


@pytest.mark.parametrize("may_mute", [True, False])
def test_what_is_muted_has_a_read_notice_and_no_mail_as_far_as_the_rules_allow(
    workspace: Workspace, luc: User, marc: User, *, may_mute: bool
) -> None:
    alert_rules.change_rules(workspace, policy=AlertPolicy(may_mute=may_mute), by=marc, now=at(DUE))
    operator = make_operator(workspace, email=luc.email)
    near = make_dsr(workspace, 1, respond_by=DUE + 3 * DAY, extend_by=None, operator=operator)
    make_dsr(workspace, 2, respond_by=DUE, extend_by=None, operator=operator)
    alert_wishes.change_wish(luc, mutes_approaching=True, skips_digest=False, now=at(DUE))
    decide(workspace, now=at(DUE))
    states = dict(Alert.objects.values_list("upstream_id", "state"))
    assert states == {1: "muted" if may_mute else "waiting", 2: "waiting"}
    assert Notice.objects.filter(alert__dsr=near, read_at=None).exists() == (not may_mute)


def test_a_muted_request_is_quiet_until_it_is_overdue_and_cannot_be_muted_then(
    workspace: Workspace, luc: User, marc: User
) -> None:
    make_dsr(workspace, 1, respond_by=DUE, extend_by=None)
    dsr = make_dsr(workspace, 2, respond_by=DUE, extend_by=None)
    alert_wishes.mute(marc, dsr=dsr, now=at(DUE))
    decide(workspace, now=at(DUE))
    assert dict(Alert.objects.values_list("upstream_id", "state")) == {1: "waiting", 2: "muted"}
    decide(workspace, now=at(DUE + DAY))
    overdue = Alert.objects.filter(threshold="overdue_1")
    assert dict(overdue.values_list("upstream_id", "state")) == {1: "waiting", 2: "waiting"}


def test_what_must_be_done_today_is_not_muted_with_an_earlier_threshold(
    workspace: Workspace, luc: User, marc: User
) -> None:
    """Paused on its last day to extend, and resumed: then the answer is due that day too, and only "10 days" is left of the notice's clock."""
    operator = make_operator(workspace, email=luc.email)
    dsr = make_dsr(workspace, 1, respond_by=None, extend_by=DUE, operator=operator)
    alert_wishes.change_wish(luc, mutes_approaching=True, skips_digest=False, now=at(DUE))
    decide(workspace, now=at(DUE))
    type(dsr).objects.filter(pk=dsr.pk).update(respond_by=DUE)
    decide(workspace, now=at(DUE, 10))
    assert told() == {("luc", "extend_0", "assignee", "waiting"), ("luc", "respond_0", "assignee", "waiting")}


def test_what_is_told_again_is_mailed_while_it_holds(workspace: Workspace, marc: User) -> None:
    dsr = make_dsr(workspace, 1, respond_by=DUE, extend_by=None)
    alert_wishes.mute(marc, dsr=dsr, now=at(DUE))
    decide(workspace, now=at(DUE))
    alert_wishes.unmute(marc, pk=MutedRequest.objects.get().pk, now=at(DUE))
    decide(workspace, now=at(DUE, 10))
    assert Alert.objects.get().state == "waiting"


@pytest.mark.parametrize("may_skip", [True, False])
def test_a_digest_can_be_switched_off_where_the_rules_allow_it(
    workspace: Workspace, marc: User, *, may_skip: bool, mailoutbox: list[object]
) -> None:
    alert_rules.change_rules(workspace, policy=AlertPolicy(may_skip_digest=may_skip), by=marc, now=at(DUE))
    make_dsr(workspace, 1, respond_by=DUE + 3 * DAY, extend_by=None)
    AlertWish.objects.create(person=marc, skips_digest=True)
    send_alerts(now=at(DUE))
    assert told() == {("marc", "respond_5", "unassigned", "portal" if may_skip else "sent")}
    assert len(mailoutbox) == (0 if may_skip else 1)
    make_dsr(workspace, 2, respond_by=DUE, extend_by=None)
    send_alerts(now=at(DUE, 11))
    assert len(mailoutbox) == (1 if may_skip else 2)
