"""When a mail may go: the workspace's own hours, quiet days and digest. What waits is late, and never lost."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest

from dsrportal.alerts.desks import Desk
from dsrportal.alerts.sending import send_alerts
from dsrportal.clocks import Policy
from dsrportal.models import Alert, AlertRules, Role, User, Workspace
from dsrportal.models.alert_rules import AlertPolicy
from tests.alerts.stage import at, make_dsr
from tests.conftest import MakeWorkspace

TUESDAY = date(2026, 3, 10)
DAY = timedelta(days=1)


def desk(*rules: AlertPolicy) -> Desk:
    """A desk of nobody's, with a workspace in France for each of the rules."""
    workspaces = tuple(Workspace(pk=n, time_zone="Europe/Paris") for n, _one in enumerate(rules, start=1))
    return Desk(
        person=User(pk=1),
        workspaces=workspaces,
        managed=frozenset(),
        own=frozenset(),
        policies=dict.fromkeys(range(1, len(rules) + 1), Policy()),
        rules=dict(enumerate(rules, start=1)),
    )


@pytest.mark.parametrize(
    ("rules", "moment", "is_at_work"),
    [
        (AlertPolicy(), at(TUESDAY, 6, 59), False),
        (AlertPolicy(), at(TUESDAY, 7), True),
        (AlertPolicy(), at(TUESDAY, 19, 59), True),
        (AlertPolicy(), at(TUESDAY, 20), False),
        (AlertPolicy(begins=time(9), ends=time(12)), at(TUESDAY, 8, 59), False),
        (AlertPolicy(begins=time(9), ends=time(12)), at(TUESDAY, 11, 59), True),
        (AlertPolicy(begins=time(9), ends=time(12)), at(TUESDAY, 12), False),
        (AlertPolicy(quiet_weekdays=frozenset({1})), at(TUESDAY), False),
        (AlertPolicy(quiet_weekdays=frozenset({1})), at(TUESDAY + DAY), True),
        (AlertPolicy(quiet_dates=frozenset({TUESDAY})), at(TUESDAY), False),
        (AlertPolicy(quiet_dates=frozenset({TUESDAY})), at(TUESDAY + DAY), True),
        (AlertPolicy(), at(TUESDAY + 5 * DAY), False),
        (AlertPolicy(), at(date(2026, 3, 30)), True),  # the day after the hour that does not exist
    ],
)
def test_mail_goes_in_the_hours_of_a_day_that_is_not_quiet(
    rules: AlertPolicy, moment: datetime, *, is_at_work: bool
) -> None:
    assert desk(rules).is_at_work(moment) == is_at_work


def test_a_desk_of_two_workspaces_keeps_the_hours_of_the_first_and_is_at_work_while_one_is() -> None:
    quiet, early = AlertPolicy(quiet_dates=frozenset({TUESDAY})), AlertPolicy(begins=time(5), digest_at=time(6))
    both = desk(quiet, early)
    assert [one.pk for one in both.awake(at(TUESDAY))] == [2]
    assert both.is_at_work(at(TUESDAY))
    assert not both.is_at_work(at(TUESDAY, 6))
    assert not both.is_digest_time(at(TUESDAY, 8, 29))
    assert both.is_digest_time(at(TUESDAY, 8, 30))
    assert not desk(quiet, quiet).is_at_work(at(TUESDAY))


def test_what_falls_on_quiet_days_goes_with_the_next_mail_once(
    workspace: Workspace, marc: User, mailoutbox: list[object]
) -> None:
    """Due on a quiet Tuesday, with a quiet Wednesday after it: everything is told on Thursday, in one mail."""
    AlertRules.objects.create(
        workspace=workspace,
        extend_days=[10],
        respond_days=[5, 2],
        overdue_days=[1, 3, 7],
        quiet_weekdays=[2],
        quiet_dates=["2026-03-10"],
        changed_at=at(TUESDAY - 9 * DAY),
    )
    for upstream_id in range(1, 4):
        make_dsr(workspace, upstream_id, respond_by=TUESDAY, extend_by=None)
    for day in (TUESDAY, TUESDAY + DAY):
        for hour in (8, 12, 19):
            assert send_alerts(now=at(day, hour)).mails == 0
    assert mailoutbox == []
    assert send_alerts(now=at(TUESDAY + 2 * DAY, 9)).mails == 1
    assert not Alert.objects.filter(state="waiting").exists()
    assert send_alerts(now=at(TUESDAY + 2 * DAY, 15)).mails == 0
    (mail,) = mailoutbox
    body = mail.body  # type: ignore[attr-defined]
    assert [body.count(f"DSR-{n}:") for n in range(1, 4)] == [1, 1, 1]


def test_a_quiet_workspace_is_left_out_of_a_mail_that_goes_for_another(
    workspace: Workspace, make_workspace: MakeWorkspace, marc: User, mailoutbox: list[object]
) -> None:
    other = make_workspace("other")
    other.memberships.create(user=marc, role=Role.MANAGER)
    AlertRules.objects.create(
        workspace=other, overdue_days=[1], quiet_dates=["2026-03-10"], changed_at=at(TUESDAY - DAY)
    )
    make_dsr(workspace, 104, respond_by=TUESDAY, extend_by=None)
    make_dsr(other, 501, respond_by=TUESDAY, extend_by=None)
    send_alerts(now=at(TUESDAY))
    told = mailoutbox[0].body  # type: ignore[attr-defined]
    assert "DSR-104" in told
    assert "DSR-501" not in told
    assert Alert.objects.get(upstream_id=501).state == "waiting"
    send_alerts(now=at(TUESDAY + DAY))
    assert "DSR-501" in mailoutbox[1].body  # type: ignore[attr-defined]
    assert not Alert.objects.filter(state="waiting").exists()
