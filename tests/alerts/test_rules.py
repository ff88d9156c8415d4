"""A workspace's own rules: its thresholds, whom else they name, what happens when they change, and the dry run."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsrportal.actions import alert_rules as actions
from dsrportal.alerts.raising import Decided, decide
from dsrportal.alerts.sending import send_alerts
from dsrportal.alerts.thresholds import Dates, reached
from dsrportal.clocks import calendar_of
from dsrportal.models import Alert, AlertRules, AuditEvent, Mail, Notice, Role, User, Workspace
from dsrportal.models.alert_rules import AlertPolicy, alert_policy_of
from dsrportal.models.alerts import AlertState
from dsrportal.models.thresholds import Threshold, Thresholds
from tests.alerts.stage import at, make_dsr, make_member, make_operator

DUE = date(2026, 3, 10)
DAY = timedelta(days=1)
FRANCE = calendar_of("FR", "", frozenset())
EVER = at(date(2026, 1, 5))


def change(workspace: Workspace, *, by: User, day: date = date(2026, 1, 5), **fields: object) -> bool:
    """Change some of the rules on a day."""
    policy = AlertPolicy(**fields)  # type: ignore[arg-type]
    return actions.change_rules(workspace, policy=policy, by=by, now=at(day))


def told() -> list[tuple[str, int, str, str, str]]:
    """(person, request, threshold, because, state) of every alert, in order."""
    rows = Alert.objects.order_by("pk")
    return list(rows.values_list("person__username", "upstream_id", "threshold", "because", "state"))


# --- numbers of one's own ---


@pytest.mark.parametrize(
    ("thresholds", "expected"),
    [
        (Thresholds(extend=(0,), respond=(0,), overdue=(1,)), {0: "respond_0", 1: "overdue_1"}),
        # day 2 after a Thursday is a Saturday: told on the Friday
        (Thresholds(extend=(0,), respond=(8, 0), overdue=(2,)), {-10: "respond_8", 0: "respond_0", 1: "overdue_2"}),
        (
            Thresholds(extend=(20, 0), respond=(0,), overdue=(1, 14)),
            {-20: "extend_20", 0: "respond_0", 1: "overdue_1", 14: "overdue_14"},
        ),
    ],
)
def test_other_numbers_are_reached_on_their_own_days(thresholds: Thresholds, expected: dict[int, str]) -> None:
    due = date(2026, 3, 12)  # a Thursday
    dates = Dates(respond_by=due, extend_by=due)
    first: dict[str, int] = {}
    for n in range(-thresholds.horizon_days, 30):
        own, overdue = reached(dates, calendar=FRANCE, today=due + n * DAY, thresholds=thresholds)
        for one in (*own, *overdue):
            assert one.fires_on == due + first.setdefault(str(one.threshold), n) * DAY
    assert {n: threshold for threshold, n in first.items()} == expected


@pytest.mark.parametrize("code", ["overdue_0", "respond_", "respond_05", "respond_1000", "soon_3", "extend_-1"])
def test_what_is_no_threshold_is_refused(code: str) -> None:
    with pytest.raises(ValueError, match="no threshold"):
        Threshold(code)


def test_every_threshold_has_words_and_says_whether_it_interrupts() -> None:
    words = {str(one): (one.words, one.is_immediate) for one in Thresholds(respond=(5, 1, 0), overdue=(1, 30)).all()}
    assert words == {
        "extend_0": ("Extend by today", True),
        "extend_10": ("10 days to extend", False),
        "respond_0": ("Due today", True),
        "respond_1": ("1 working day left", False),
        "respond_5": ("5 working days left", False),
        "overdue_30": ("30 days overdue", True),
        "overdue_1": ("1 day overdue", True),
    }


NEAR = st.dates(min_value=date(2026, 2, 1), max_value=date(2026, 4, 30))


@settings(max_examples=150, deadline=None)
@given(respond_by=st.none() | NEAR, extend_by=st.none() | NEAR, today=NEAR, is_extended=st.booleans())
def test_the_default_rules_are_those_of_the_documents(
    respond_by: date | None, extend_by: date | None, today: date, *, is_extended: bool
) -> None:
    """10 days before the notice of an extension; 5, 2 and 0 working days before the answer; 1, 3 and 7 days after it."""

    def last_working_day(day: date) -> date:
        return day if FRANCE.is_working_day(day) else last_working_day(day - DAY)

    expected: set[str] = set()
    if extend_by and not is_extended and today <= extend_by:
        if today >= last_working_day(extend_by) and extend_by != respond_by:
            expected.add("extend_0")
        elif today >= last_working_day(extend_by - 10 * DAY):
            expected.add("extend_10")
    if respond_by:
        left = FRANCE.working_days_between(after=today, until=last_working_day(respond_by))
        working = [n for n in (0, 2, 5) if left <= n]
        expected |= {f"respond_{working[0]}"} if working else set()
        late = [
            n
            for n in (7, 3, 1)
            if today > respond_by
            and today >= max(last_working_day(respond_by + n * DAY), FRANCE.roll(respond_by + DAY))
        ]
        expected |= {f"overdue_{late[0]}"} if late else set()
    own, overdue = reached(
        Dates(respond_by=respond_by, extend_by=extend_by, is_extended=is_extended), calendar=FRANCE, today=today
    )
    assert {str(one.threshold) for one in (*own, *overdue)} == expected


# --- people ---


def test_managers_and_people_by_name_are_told_beside_whoever_has_it(
    workspace: Workspace, luc: User, marc: User
) -> None:
    nora = make_member("nora", workspace=workspace, role=Role.AUDITOR)
    stan = User.objects.create(username="stan", email="stan@example.org")
    make_dsr(workspace, 1, respond_by=DUE, extend_by=None, operator=make_operator(workspace, email=luc.email))
    change(workspace, by=marc, tells_managers=True, named=frozenset({nora.pk, stan.pk}))
    decide(workspace, now=at(DUE))
    decide(workspace, now=at(DUE + DAY))
    assert {row[:4] for row in told()} == {
        ("luc", 1, "respond_0", "assignee"),
        ("marc", 1, "respond_0", "manager"),
        ("nora", 1, "respond_0", "named"),
        ("marc", 1, "overdue_1", "escalation"),
        ("nora", 1, "overdue_1", "named"),
    }


def test_where_the_rules_would_tell_nobody_the_managers_are_told(workspace: Workspace, luc: User, marc: User) -> None:
    make_dsr(workspace, 1, respond_by=DUE, extend_by=None, operator=make_operator(workspace, email=luc.email))
    make_dsr(workspace, 2, respond_by=DUE, extend_by=None)
    change(workspace, by=marc, tells_assignee=False)
    decide(workspace, now=at(DUE))
    assert [row[:4] for row in told()] == [("marc", 1, "respond_0", "manager"), ("marc", 2, "respond_0", "unassigned")]


# --- other rules begin today ---


def test_a_change_of_numbers_tells_nobody_again_of_the_same_date(workspace: Workspace, marc: User) -> None:
    """Ten working days, then four, then six: of what was told with five working days left, two and the day itself remain."""
    make_dsr(workspace, 1, respond_by=DUE, extend_by=None)
    decide(workspace, now=at(date(2026, 3, 3)))
    Alert.objects.update(state=AlertState.SENT)
    for day, numbers in ((5, (10, 2, 0)), (5, (4, 2, 0)), (5, (6, 2, 0))):
        change(workspace, by=marc, day=date(2026, 3, day), thresholds=Thresholds(respond=numbers))
        assert decide(workspace, now=at(date(2026, 3, day))) == Decided()
    for n in range(6, 11):
        decide(workspace, now=at(date(2026, 3, n)))
    assert [row[2] for row in told()] == ["respond_5", "respond_2", "respond_0"]


def test_what_waits_for_a_mail_is_not_lost_with_its_threshold(workspace: Workspace, marc: User) -> None:
    make_dsr(workspace, 1, respond_by=DUE, extend_by=None)
    decide(workspace, now=at(date(2026, 3, 5)))
    change(workspace, by=marc, day=date(2026, 3, 5), thresholds=Thresholds(respond=(10, 2, 0)))
    assert decide(workspace, now=at(date(2026, 3, 5), 11)) == Decided()
    assert [row[2:] for row in told()] == [("respond_5", "unassigned", "waiting")]


def test_a_threshold_that_nothing_replaces_is_cancelled_and_says_why(workspace: Workspace, marc: User) -> None:
    make_dsr(workspace, 1, respond_by=DUE, extend_by=None)
    decide(workspace, now=at(date(2026, 3, 4)))
    change(workspace, by=marc, day=date(2026, 3, 4), thresholds=Thresholds(respond=(2, 0)))
    assert decide(workspace, now=at(date(2026, 3, 4), 11)) == Decided(cancelled=1)
    assert Alert.objects.get().cancelled_because == "rules"


def test_new_numbers_count_from_the_day_of_the_change(workspace: Workspace, marc: User) -> None:
    for upstream_id, due in ((1, DUE), (2, date(2026, 3, 11))):
        make_dsr(workspace, upstream_id, respond_by=due, extend_by=None)
    decide(workspace, now=at(date(2026, 3, 4)))
    change(workspace, by=marc, day=date(2026, 3, 5), thresholds=Thresholds(respond=(5, 4, 2, 0)))
    decide(workspace, now=at(date(2026, 3, 5)))
    assert [(row[1], row[2]) for row in told()] == [(1, "respond_5"), (2, "respond_5"), (2, "respond_4")]


def test_copies_do_not_reach_back(workspace: Workspace, luc: User, marc: User) -> None:
    operator = make_operator(workspace, email=luc.email)
    for n in range(12):
        make_dsr(workspace, n + 1, respond_by=DUE, extend_by=None, operator=operator)
    decide(workspace, now=at(date(2026, 3, 6)))
    change(workspace, by=marc, day=date(2026, 3, 9), tells_managers=True)
    decide(workspace, now=at(date(2026, 3, 9)))
    assert {row[0] for row in told()} == {"luc"}
    decide(workspace, now=at(DUE))
    assert {row[0] for row in told() if row[2] == "respond_0"} == {"luc", "marc"}


def test_saved_rules_are_what_was_asked_and_audited_once(workspace: Workspace, marc: User) -> None:
    wanted = AlertPolicy(
        thresholds=Thresholds(extend=(7, 0), respond=(3, 0), overdue=(2, 30)),
        named=frozenset({marc.pk}),
        quiet_weekdays=frozenset({4}),
        quiet_dates=frozenset({date(2026, 12, 24)}),
        may_skip_digest=True,
    )
    assert actions.change_rules(workspace, policy=wanted, by=marc, now=EVER)
    assert not actions.change_rules(workspace, policy=wanted, by=marc, now=EVER + DAY)
    kept = alert_policy_of(workspace)
    since = dict.fromkeys(["extend_7", "respond_3", "overdue_2", "overdue_30", f"named_{marc.pk}"], date(2026, 1, 5))
    assert kept.since == since
    assert kept == AlertPolicy(**{name: getattr(wanted, name) for name in wanted.__slots__} | {"since": since})
    details = AuditEvent.objects.get().details
    assert details == {
        "extend_days": [7],
        "respond_days": [3],
        "overdue_days": [2, 30],
        "quiet_weekdays": [4],
        "quiet_dates": ["2026-12-24"],
        "named": [marc.pk],
        "may_skip_digest": True,
    }


# --- the dry run ---


def test_a_dry_run_decides_and_tells_nobody_until_it_ends(
    workspace: Workspace, marc: User, mailoutbox: list[object]
) -> None:
    make_dsr(workspace, 1, respond_by=DUE, extend_by=None)
    make_dsr(workspace, 2, respond_by=DUE + 30 * DAY, extend_by=None)
    actions.set_dry(workspace, is_dry=True, by=marc, now=EVER)
    counts = send_alerts(now=at(DUE))
    assert (counts.raised, counts.notices, counts.mails) == (1, 0, 0)
    assert told() == [("marc", 1, "respond_0", "unassigned", "dry")]
    assert not Notice.objects.exists()
    assert not Mail.objects.exists()
    assert mailoutbox == []
    actions.set_dry(workspace, is_dry=False, by=marc, now=at(DUE))
    for _n in range(2):
        send_alerts(now=at(DUE, 10))
    assert told() == [("marc", 1, "respond_0", "unassigned", "sent")]
    assert Notice.objects.count() == len(mailoutbox) == 1


def test_what_waits_when_a_dry_run_begins_does_not_leave(workspace: Workspace, marc: User) -> None:
    make_dsr(workspace, 1, respond_by=DUE, extend_by=None)
    decide(workspace, now=at(DUE, 6))
    actions.set_dry(workspace, is_dry=True, by=marc, now=at(DUE, 7))
    assert send_alerts(now=at(DUE, 9)).mails == 0
    assert told()[0][-1] == "dry"
    actions.set_dry(workspace, is_dry=False, by=marc, now=at(DUE, 10))
    assert send_alerts(now=at(DUE, 11)).mails == 1
    assert Notice.objects.count() == 1
    assert AlertRules.objects.count() == 1
