"""The two pages: a workspace's rules, for its admins, and a person's own wishes."""

from __future__ import annotations

import re
from datetime import date, time, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from dsrportal.alerts.raising import decide
from dsrportal.alerts.trying import try_rules
from dsrportal.models import (
    Absence,
    Alert,
    AlertRules,
    AlertWish,
    AssigneeAccount,
    AuditEvent,
    Mail,
    MutedRequest,
    Notice,
    Role,
    User,
    Workspace,
)
from dsrportal.models.alert_rules import AlertPolicy, alert_policy_of
from tests.alerts.stage import at, make_dsr, make_member, make_operator
from tests.conftest import MakeWorkspace

DUE = date(2026, 3, 10)
DAY = timedelta(days=1)
RULES = "/settings/workspaces/acme-france/alerts/"
WISHES = "/accounts/notices/"
ASKED = {
    "extend_days": "7",
    "respond_days": "8, 3",
    "overdue_days": "1; 10",
    "tells_assignee": "on",
    "begins": "08:00",
    "ends": "18:00",
    "digest_at": "09:15",
    "quiet_dates": "2026-12-24\n31/12/2026",
    "may_mute": "on",
}


@pytest.fixture
def ada(workspace: Workspace) -> User:
    """The workspace's admin, who has an address."""
    return make_member("ada", workspace=workspace, role=Role.ADMIN)


def asked(client: Client, deed: str, **fields: Any) -> Any:
    """The answer to a deed with the whole form, some of it otherwise."""
    return client.post(RULES, ASKED | fields | {"deed": deed})


def text_of(answer: Any) -> str:
    """What the page says, without its tags."""
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OFFICER, Role.MANAGER, Role.AUDITOR])
def test_the_rules_are_the_admins_alone(
    client: Client, workspace: Workspace, make_workspace: MakeWorkspace, role: Role
) -> None:
    elsewhere = make_workspace("other")
    somebody = make_member("somebody", workspace=workspace, role=role)
    client.force_login(somebody)
    assert client.get(RULES).status_code == 404
    make_member("ada", workspace=elsewhere, role=Role.ADMIN)
    client.force_login(User.objects.get(username="ada"))
    assert client.get(RULES).status_code == 404
    assert client.post(RULES, ASKED | {"deed": "save"}).status_code == 404
    assert not AlertRules.objects.exists()


def test_an_admin_saves_rules_and_finds_them_again(
    client: Client, workspace: Workspace, ada: User, luc: User, stranger: User
) -> None:
    client.force_login(ada)
    assert client.get(RULES).status_code == 200
    answer = asked(client, "save", named=[str(luc.pk)], quiet_weekdays=["4"])
    assert (answer.status_code, answer["Location"]) == (302, RULES)
    policy = alert_policy_of(workspace)
    assert [str(one) for one in policy.thresholds.all()] == [
        *("extend_0", "extend_7", "respond_0", "respond_3", "respond_8", "overdue_10", "overdue_1"),
    ]
    assert (policy.begins, policy.ends, policy.digest_at) == (time(8), time(18), time(9, 15))
    assert policy.named == {luc.pk}
    assert policy.quiet_dates == {date(2026, 12, 24), date(2026, 12, 31)}
    assert policy.quiet_weekdays == {4}
    found = client.get(RULES).content.decode()
    assert 'value="8, 3"' in found
    assert 'value="09:15"' in found
    assert "2026-12-24\n2026-12-31" in found
    assert AuditEvent.objects.filter(operation="alert_rules_changed", by=ada).count() == 1


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("extend_days", "31", "Write numbers from 1 to 30"),
        ("respond_days", "five", "Write numbers from 1 to 40"),
        ("respond_days", "1,2,3,4,5,6,7", "6 at most"),
        ("overdue_days", "0", "Write numbers from 1 to 365"),
        ("overdue_days", "", "This field is required"),
        ("ends", "08:30", "an hour long at least"),
        ("digest_at", "17:30", "an hour before they end"),
        ("digest_at", "25:00", "Enter a valid time"),
        ("quiet_dates", "2026-12-24\n32/12/2026", "“32/12/2026” is no day"),
        ("quiet_dates", "0026-12-24", "is no day"),
        ("quiet_weekdays", ["0", "1", "2", "3", "4"], "Leave one day from Monday to Friday"),
        ("named", ["424242"], "424242"),
    ],
)
def test_what_makes_no_sense_stays_in_the_form_beside_its_sentence(
    client: Client, workspace: Workspace, ada: User, field: str, value: Any, sentence: str
) -> None:
    client.force_login(ada)
    answer = asked(client, "save", **{field: value})
    found = answer.content.decode()
    assert answer.status_code == 422
    assert sentence in found
    assert 'value="09:15"' in found or field == "digest_at"
    if isinstance(value, str) and field != "quiet_dates":
        assert f'value="{value}"' in found or not value
    assert not AlertRules.objects.exists()


def test_a_preview_says_who_would_get_what_and_keeps_nothing(workspace: Workspace, luc: User, marc: User) -> None:
    operator = make_operator(workspace, email=luc.email)
    make_dsr(workspace, 104, respond_by=DUE, extend_by=None, operator=operator)
    make_dsr(workspace, 105, respond_by=DUE + 8 * DAY, extend_by=None, operator=operator)
    policy = AlertPolicy(is_dry=True, tells_managers=True)
    tried = try_rules(workspace, policy=policy, now=at(DUE, 6))
    found = {
        person.name: [(f"{mail.at:%H:%M}", mail.kind, [line.reference for line in mail.lines]) for mail in person.mails]
        for person in tried.people
    }
    daily = ("08:30", "Daily digest", ["DSR-104"])
    assert found == {
        "luc": [("07:00", "At once", ["DSR-104"]), daily],
        "marc": [("07:00", "At once", ["DSR-104"]), daily],
    }
    assert tried.portal == []
    assert not Alert.objects.exists()
    assert not Notice.objects.exists()
    assert not Mail.objects.exists()


def test_a_preview_names_who_is_told_behind_the_bell_alone_and_a_quiet_day(workspace: Workspace, luc: User) -> None:
    User.objects.filter(pk=luc.pk).update(email="")
    operator = make_operator(workspace, email="somebody@example.org")
    AssigneeAccount.objects.create(operator=operator, person=luc)
    make_dsr(workspace, 104, respond_by=DUE, extend_by=None, operator=operator)
    tried = try_rules(workspace, policy=AlertPolicy(), now=at(DUE, 6))
    assert (tried.people, tried.portal) == ([], [("luc", "In the portal only", 1)])
    make_member("marc", workspace=workspace, role=Role.MANAGER)
    quiet = AlertPolicy(quiet_dates=frozenset({DUE}))
    assert try_rules(workspace, policy=quiet, now=at(DUE, 6)).people == []
    assert [one.name for one in try_rules(workspace, policy=AlertPolicy(), now=at(DUE, 6)).people] == ["marc"]


def test_a_preview_of_one_workspace_shows_nothing_of_another(
    workspace: Workspace, make_workspace: MakeWorkspace, marc: User
) -> None:
    secret = make_workspace("other")
    secret.memberships.create(user=marc, role=Role.MANAGER)
    make_dsr(secret, 501, respond_by=DUE, extend_by=None)
    make_dsr(workspace, 104, respond_by=DUE, extend_by=None)
    tried = try_rules(workspace, policy=AlertPolicy(), now=at(DUE, 6))
    assert {line.reference for one in tried.people for mail in one.mails for line in mail.lines} == {"DSR-104"}
    assert "DSR-501" not in repr(tried)


def test_the_preview_is_of_the_form_and_saves_nothing(client: Client, workspace: Workspace, ada: User) -> None:
    client.force_login(ada)
    answer = asked(client, "try", respond_days="39")
    assert answer.status_code == 200
    assert "What would be sent today" in text_of(answer)
    assert 'value="39"' in answer.content.decode()
    assert not AlertRules.objects.exists()


def test_a_test_message_goes_to_oneself_and_a_refusal_is_said(
    client: Client, workspace: Workspace, ada: User, mailoutbox: list[Any], settings: Any
) -> None:
    client.force_login(ada)
    assert "handed to the mail server" in text_of(client.post(RULES, {"deed": "test"}, follow=True))
    (mail,) = mailoutbox
    assert mail.to == ["ada@example.org"]
    assert mail.extra_headers["List-Unsubscribe"].endswith(f"{WISHES}>")
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", 1, 2
    said = text_of(client.post(RULES, {"deed": "test"}, follow=True))
    assert "The mail server did not take it: ConnectionRefusedError" in said
    outcomes = AuditEvent.objects.filter(operation="alert_tested").order_by("pk").values_list("outcome", flat=True)
    assert list(outcomes) == ["done", "failed"]


def test_a_dry_run_is_said_here_and_with_the_alerts(client: Client, workspace: Workspace, ada: User) -> None:
    client.force_login(ada)
    client.post(RULES, {"deed": "dry"})
    for url in (RULES, "/w/acme-france/alerts/"):
        assert "This is a dry run" in text_of(client.get(url))
    asked(client, "save")
    assert alert_policy_of(workspace).is_dry
    client.post(RULES, {"deed": "live"})
    assert "This is a dry run" not in text_of(client.get(RULES))
    assert not alert_policy_of(workspace).is_dry


def test_an_admin_says_whose_account_a_dastra_user_has(
    client: Client, workspace: Workspace, ada: User, luc: User, stranger: User
) -> None:
    make_operator(workspace, email="somebody@example.org", upstream_id=50)
    client.force_login(ada)
    assert "No account: the managers are told" in text_of(client.get(RULES))
    client.post(RULES, {"deed": "match", "operator": "50", "person": str(luc.pk)})
    assert AssigneeAccount.objects.get().person == luc
    assert "luc · Chosen here" in text_of(client.get(RULES))
    refused = client.post(RULES, {"deed": "match", "operator": "50", "person": str(stranger.pk)}, follow=True)
    assert "This account may not act in this workspace." in text_of(refused)
    client.post(RULES, {"deed": "match", "operator": "50", "person": ""})
    assert not AssigneeAccount.objects.exists()


# --- one's own wishes ---


def test_a_person_notes_an_absence_and_takes_it_back(
    client: Client, workspace: Workspace, luc: User, marc: User
) -> None:
    client.force_login(luc)
    today = timezone.localdate()
    fields = {"deed": "add", "first_on": today, "last_on": today + 5 * DAY, "deputy": str(marc.pk)}
    assert client.post(WISHES, fields).status_code == 302
    assert "marc stands in" in text_of(client.get(WISHES))
    again = client.post(WISHES, fields)
    assert again.status_code == 422
    assert "on these days already" in text_of(again)
    own = Absence.objects.get()
    client.force_login(marc)
    client.post(WISHES, {"deed": "remove", "pk": str(own.pk)})
    assert Absence.objects.exists()
    client.force_login(luc)
    client.post(WISHES, {"deed": "remove", "pk": str(own.pk)})
    assert not Absence.objects.exists()


def test_a_person_mutes_and_is_told_again(
    client: Client, workspace: Workspace, luc: User, make_workspace: MakeWorkspace
) -> None:
    make_dsr(workspace, 104, respond_by=DUE, extend_by=None)
    make_dsr(make_workspace("other"), 501, respond_by=DUE, extend_by=None)
    client.force_login(luc)
    client.post(WISHES, {"deed": "save", "mutes_approaching": "on", "skips_digest": "on"})
    wish = AlertWish.objects.get()
    assert (wish.mutes_approaching, wish.skips_digest) == (True, False)  # the rules do not allow the second
    client.post(WISHES, {"deed": "mute", "workspace": "acme-france", "reference": " dsr-104 "})
    assert MutedRequest.objects.get().dsr.upstream_id == 104
    for workspace_name, reference in (("acme-france", "DSR-501"), ("other", "DSR-501"), ("acme-france", "x")):
        answer = client.post(WISHES, {"deed": "mute", "workspace": workspace_name, "reference": reference})
        assert answer.status_code == 422
    client.post(WISHES, {"deed": "unmute", "pk": str(MutedRequest.objects.get().pk)})
    assert not MutedRequest.objects.exists()


def test_the_page_says_what_the_rules_forbid(client: Client, workspace: Workspace, luc: User, ada: User) -> None:
    client.force_login(ada)
    asked(client, "save", may_mute="")
    client.force_login(luc)
    said = text_of(client.get(WISHES))
    assert "do not allow to mute anything" in said
    assert "do not allow to switch the digest off" in said
    client.post(WISHES, {"deed": "save", "mutes_approaching": "on"})
    assert not AlertWish.objects.filter(mutes_approaching=True).exists()


def test_the_ledger_says_for_whom_somebody_stands_in(
    client: Client, workspace: Workspace, luc: User, marc: User
) -> None:
    Absence.objects.create(person=luc, deputy=marc, first_on=DUE, last_on=DUE)
    make_dsr(workspace, 104, respond_by=DUE, extend_by=None, operator=make_operator(workspace, email=luc.email))
    decide(workspace, now=at(DUE))
    client.force_login(marc)
    said = text_of(client.get("/w/acme-france/alerts/"))
    assert "Stands in for luc" in said
    assert "Away 1" in said
