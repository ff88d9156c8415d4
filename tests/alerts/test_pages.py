"""The bell, the notices, the ledger's page: who sees what, and what the search finds."""

from __future__ import annotations

import json
from datetime import date
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from dsrportal import jobs
from dsrportal.alerts.raising import decide
from dsrportal.alerts.sending import send_alerts
from dsrportal.models import Alert, DataSubjectRequest, JobHeartbeat, Mail, Membership, Notice, Role, User, Workspace
from dsrportal.models.alerts import AlertState
from tests.alerts.conftest import Post
from tests.alerts.stage import at, make_dsr, make_member, make_operator

DUE = date(2026, 3, 10)
LEDGER = "/w/acme-france/alerts/"


@pytest.fixture
def told(workspace: Workspace, luc: User, marc: User) -> None:
    """Luc is told of two requests, marc of one."""
    operator = make_operator(workspace, email=luc.email)
    for upstream_id in (104, 105):
        make_dsr(workspace, upstream_id, respond_by=DUE, extend_by=None, operator=operator)
    make_dsr(workspace, 206, respond_by=DUE, extend_by=None)
    decide(workspace, now=at(DUE))


def page(client: Client, url: str, **query: str) -> str:
    """What a page says."""
    answer = client.get(url, query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_bell_counts_what_is_unread_until_it_is_read(client: Client, told: None, luc: User) -> None:
    client.force_login(luc)
    assert "Notices: 2 unread" in page(client, "/w/acme-france/board/")
    found = page(client, "/notices/")
    assert found.count("Due today") == 2
    assert "DSR-206" not in found
    newest = str(Notice.objects.filter(person=luc).latest("pk").pk)
    assert client.post("/notices/read/", {"newest": newest}).status_code == 302
    assert "Notices: 0 unread" in page(client, "/notices/")


def test_what_came_after_the_page_stays_unread_and_nobody_reads_for_another(
    client: Client, told: None, luc: User, marc: User
) -> None:
    client.force_login(luc)
    first = Notice.objects.filter(person=luc).earliest("pk").pk
    client.post("/notices/read/", {"newest": str(first)})
    client.post("/notices/read/", {"newest": "x"})
    assert Notice.objects.filter(read_at=None).count() == 2
    client.post("/notices/read/", {"newest": "9" * 18})
    assert list(Notice.objects.filter(read_at=None).values_list("person__username", flat=True)) == ["marc"]


def test_a_cancelled_alert_is_said_to_be_over_and_not_counted(
    client: Client, told: None, workspace: Workspace, luc: User
) -> None:
    DataSubjectRequest.objects.filter(upstream_id=104).update(state="Closed")
    decide(workspace, now=at(DUE, 10))
    client.force_login(luc)
    found = page(client, "/notices/")
    assert "Notices: 1 unread" in found
    assert "The request is closed" in found


def test_who_left_the_workspace_sees_nothing_of_it(client: Client, told: None, luc: User) -> None:
    Membership.objects.filter(user=luc).delete()
    client.force_login(luc)
    assert "DSR-104" not in page(client, "/notices/")
    assert client.get(LEDGER).status_code == 404


@pytest.mark.parametrize("role", [Role.MANAGER, Role.ADMIN, Role.AUDITOR])
def test_who_answers_or_audits_sees_what_everybody_was_told(
    client: Client, told: None, workspace: Workspace, role: Role
) -> None:
    client.force_login(make_member("rita", workspace=workspace, role=role))
    found = page(client, LEDGER)
    assert [f"DSR-{n}" in found for n in (104, 105, 206)] == [True] * 3


def test_an_officer_sees_only_what_they_were_told(client: Client, told: None, luc: User, marc: User) -> None:
    client.force_login(luc)
    found = page(client, LEDGER, person=str(marc.pk))
    assert [f"DSR-{n}" in found for n in (104, 105, 206)] == [True, True, False]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"q": "dsr-20"}, [206]),
        ({"q": "%"}, []),
        ({"q": "nobody"}, []),
        ({"show": "cancelled"}, []),
        ({"show": "waiting"}, [104, 105, 206]),
        ({"show": "no-such", "page": "99999"}, [104, 105, 206]),
        ({"person": "x", "page": "-1"}, [104, 105, 206]),
    ],
)
def test_the_ledger_is_searched(
    client: Client, told: None, marc: User, query: dict[str, str], expected: list[int]
) -> None:
    client.force_login(marc)
    found = page(client, LEDGER, **query)
    assert [n for n in (104, 105, 206) if f">DSR-{n}<" in found] == expected


def test_the_ledger_is_searched_by_person(client: Client, told: None, luc: User, marc: User) -> None:
    client.force_login(marc)
    found = page(client, LEDGER, person=str(luc.pk))
    assert [f">DSR-{n}<" in found for n in (104, 105, 206)] == [True, True, False]


def test_the_ledger_says_how_and_when_and_what_was_not_checked(
    client: Client, post: Post, told: None, marc: User
) -> None:
    send_alerts(now=at(DUE))
    client.force_login(marc)
    found = page(client, LEDGER, q="206")
    assert "Daily digest, Tue 10 Mar 2026, 09:00 · not checked since the beginning" in found
    assert "Nobody has it" in found


def test_a_page_holds_fifty(client: Client, workspace: Workspace, marc: User) -> None:
    for n in range(60):
        make_dsr(workspace, 500 + n, respond_by=DUE, extend_by=None)
    decide(workspace, now=at(DUE))
    client.force_login(marc)
    assert "1 to 50 of 60" in page(client, LEDGER)
    assert "51 to 60 of 60" in page(client, LEDGER, page="2")
    assert "60 deadlines at once" in page(client, "/notices/", page="7")


def test_the_command_says_how_many_and_does_nothing_twice(post: Post, told: None) -> None:
    Alert.objects.all().delete()

    def run(*arguments: str) -> dict[str, int]:
        out = StringIO()
        call_command("send_alerts", "--json", "--now", at(DUE).isoformat(), *arguments, stdout=out)
        found: dict[str, int] = json.loads(out.getvalue())
        return found

    expected = {"raised": 3, "notices": 3, "mails": 2, "cancelled": 0}
    assert run("--dry-run") == expected
    assert run() == expected
    assert run() == run("--dry-run") == dict.fromkeys(expected, 0)
    assert len(post.taken) == 2


@pytest.mark.parametrize("moment", ["tomorrow", "2026-13-01", "", "0001-01-01T00:00+14:00x"])
def test_the_command_refuses_what_is_no_moment(db: None, moment: str) -> None:
    with pytest.raises((CommandError, SystemExit)):
        call_command("send_alerts", "--now", moment or " ")


def test_the_job_stamps_its_success(post: Post, workspace: Workspace) -> None:
    assert jobs.send_alerts() == 0
    assert JobHeartbeat.objects.filter(name="send_alerts").exists()


def test_the_language_of_the_first_sign_in_is_kept_and_a_choice_goes_before_it(client: Client, officer: User) -> None:
    signing_in = {"username": "olivia", "password": "correct horse battery"}
    client.post("/accounts/login/", signing_in, headers={"Accept-Language": "nl"})
    officer.refresh_from_db()
    assert officer.language == "nl"
    client.post("/accounts/preferences/", {"language": "fr"})
    officer.refresh_from_db()
    assert officer.language == "fr"
    client.post("/accounts/logout/")
    client.post("/accounts/login/", signing_in, headers={"Accept-Language": "nl"})
    officer.refresh_from_db()
    assert officer.language == "fr"


def test_a_deleted_account_takes_its_alerts_and_mails_along(post: Post, told: None, luc: User) -> None:
    send_alerts(now=at(DUE))
    luc.delete()
    assert Alert.objects.filter(state=AlertState.SENT).count() == 1
    assert Mail.objects.count() == 1
