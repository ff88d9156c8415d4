"""Mails through a real server: who gets what, when, in which words; twice is once; what fails is neither lost nor doubled."""

from __future__ import annotations

from datetime import date, timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from django.utils import timezone

from dsrportal.alerts import letters
from dsrportal.alerts.sending import Told, preview, send_alerts
from dsrportal.models import Alert, DataSubjectRequest, Lane, Mail, Membership, Notice, Role, SyncLane, User, Workspace
from dsrportal.models.alerts import AlertState, MailState
from tests.alerts.conftest import Post
from tests.alerts.stage import at, make_dsr, make_member, make_operator
from tests.conftest import MakeWorkspace

DUE = date(2026, 3, 10)
DAY = timedelta(days=1)


def parts(mail: EmailMessage) -> tuple[str, str]:
    """Text and HTML."""
    bodies = [mail.get_body((kind,)) for kind in ("plain", "html")]
    assert all(bodies)
    return tuple(body.get_content() for body in bodies if body)


@pytest.fixture
def theirs(workspace: Workspace, luc: User) -> DataSubjectRequest:
    """A request of luc's that is due on the tenth."""
    operator = make_operator(workspace, email=luc.email)
    return make_dsr(workspace, 104, respond_by=DUE, extend_by=None, operator=operator)


def test_the_digest_of_a_day_goes_once_and_says_what_counts(post: Post, theirs: DataSubjectRequest, marc: User) -> None:
    assert send_alerts(now=at(DUE)) == Told(raised=1, notices=1, mails=2)
    for minute in (1, 20, 59):
        assert send_alerts(now=at(DUE, 9, minute)) == Told()
    text, html = parts(post.taken[0])
    assert post.subjects("luc@example.org") == ["Deadlines: 1 due soon"]
    for body in (text, html):
        assert "DSR-104" in body
        assert "respond by Tue 10 Mar 2026, due today" in body
        assert "https://privacy.example.org/w/acme-france/requests/104/" in body
        assert "not checked since the beginning" in body, "nothing answers at the address of this workspace"
    assert "Looked at: 1 open request in 1 workspace." in text
    alert = Alert.objects.get()
    assert (alert.state, alert.was_unchecked, alert.sent_at) == (AlertState.SENT, True, at(DUE))


def test_a_manager_gets_a_digest_of_every_working_day_and_none_at_the_weekend(
    post: Post, workspace: Workspace, marc: User
) -> None:
    for n in range(7):
        for hour in (3, 8, 9, 12, 23):
            send_alerts(now=at(DUE + n * DAY, hour))
    assert post.subjects("marc@example.org") == ["Deadlines: nothing is due"] * 5
    assert "None was unreadable." in parts(post.taken[0])[0]


def test_an_officer_without_anything_due_is_left_alone(post: Post, theirs: DataSubjectRequest) -> None:
    assert send_alerts(now=at(DUE - 20 * DAY)).mails == 0
    assert post.taken == []


def test_what_cannot_wait_goes_at_once_and_the_rest_with_the_next_digest(
    post: Post, workspace: Workspace, theirs: DataSubjectRequest
) -> None:
    make_dsr(workspace, 105, respond_by=DUE + 2 * DAY, extend_by=None, operator=theirs.operator)
    send_alerts(now=at(DUE, 0, 5))
    assert post.taken == [], "nobody is woken"
    assert Notice.objects.count() == 2
    send_alerts(now=at(DUE, 7, 1))
    assert post.subjects("luc@example.org") == ["DSR-104: respond by Tue 10 Mar 2026, due today"]
    send_alerts(now=at(DUE, 8, 31))
    assert post.subjects("luc@example.org")[1:] == ["Deadlines: 2 due soon"]
    assert not Alert.objects.filter(state=AlertState.WAITING).exists()


def test_many_at_once_are_one_mail(post: Post, workspace: Workspace, theirs: DataSubjectRequest) -> None:
    send_alerts(now=at(DUE, 9))
    for n in range(30):
        make_dsr(workspace, 200 + n, respond_by=DUE, extend_by=None, operator=theirs.operator)
    send_alerts(now=at(DUE, 10))
    send_alerts(now=at(DUE, 10, 5))
    make_dsr(workspace, 300, respond_by=DUE, extend_by=None, operator=theirs.operator)
    send_alerts(now=at(DUE, 10, 10))
    assert post.subjects("luc@example.org")[1:] == [
        "30 deadlines need you",
        "DSR-300: respond by Tue 10 Mar 2026, due today",
    ]
    text = parts(post.taken[1])[0]
    assert [text.count(f"DSR-{200 + n}:") for n in range(30)] == [1] * 30


def test_everything_overdue_at_once_is_one_digest_that_lists_each_request_once(
    post: Post, workspace: Workspace, luc: User, marc: User
) -> None:
    for n in range(60):
        make_dsr(workspace, 1000 + n, respond_by=DUE - (n + 1) * DAY, extend_by=None)
    for minute in (0, 5, 10, 30, 59):
        send_alerts(now=at(DUE, 7, minute))
    send_alerts(now=at(DUE, 8, 35))
    assert post.subjects("marc@example.org") == ["Deadlines: 60 overdue"]
    text = parts(post.taken[0])[0]
    assert [text.count(f"DSR-{1000 + n}:") for n in range(60)] == [1] * 60
    assert post.subjects("luc@example.org") == []


@pytest.mark.parametrize(
    ("language", "words"),
    [("fr", "mar 10 mar 2026"), ("nl", "di 10 mrt 2026"), ("", "Tue 10 Mar 2026"), ("xx", "Tue 10 Mar 2026")],
)
def test_the_mail_is_in_the_readers_language(
    post: Post, theirs: DataSubjectRequest, luc: User, language: str, words: str
) -> None:
    User.objects.filter(pk=luc.pk).update(language=language)
    send_alerts(now=at(DUE))
    assert words.lower() in parts(post.taken[0])[0].lower()


def test_a_mail_server_that_is_down_delays_and_loses_nothing(
    post: Post, theirs: DataSubjectRequest, marc: User, settings: Any
) -> None:
    port, settings.EMAIL_PORT = settings.EMAIL_PORT, 9
    assert send_alerts(now=at(DUE)).mails == 0
    assert {mail.last_error for mail in Mail.objects.all()} == {"ConnectionRefusedError"}
    settings.EMAIL_PORT = port
    assert send_alerts(now=at(DUE)).mails == 0, "the job lets the server rest"
    assert send_alerts(now=at(DUE), insist=True).mails == 2
    assert send_alerts(now=at(DUE), insist=True).mails == 0
    assert len(post.taken) == 2


def test_after_a_night_without_a_mail_server_there_is_one_digest(
    post: Post, theirs: DataSubjectRequest, settings: Any
) -> None:
    port, settings.EMAIL_PORT = settings.EMAIL_PORT, 9
    for hour in (7, 9, 19):
        send_alerts(now=at(DUE, hour), insist=True)
    settings.EMAIL_PORT = port
    send_alerts(now=at(DUE + DAY), insist=True)
    assert post.subjects("luc@example.org") == ["Deadlines: 1 overdue"]
    assert sorted(Mail.objects.values_list("state", flat=True)) == ["cancelled", "cancelled", "sent"]


def test_a_mail_marks_as_sent_only_what_it_told(
    post: Post, theirs: DataSubjectRequest, luc: User, make_workspace: MakeWorkspace, settings: Any
) -> None:
    other = make_workspace("acme-nederland", upstream_id=102)
    Membership.objects.create(user=luc, workspace=other, role=Role.OFFICER)
    operator = make_operator(other, email=luc.email, upstream_id=51)
    make_dsr(other, 205, respond_by=DUE, extend_by=None, operator=operator)
    port, settings.EMAIL_PORT = settings.EMAIL_PORT, 9
    send_alerts(now=at(DUE))
    assert Mail.objects.get().alerts.count() == 2
    Workspace.objects.filter(pk=other.pk).update(disabled_at=at(DUE))
    settings.EMAIL_PORT = port
    assert send_alerts(now=at(DUE), insist=True).mails == 1
    assert "DSR-205" not in parts(post.taken[0])[0]
    states = dict(Alert.objects.values_list("upstream_id", "state"))
    assert states == {104: AlertState.SENT, 205: AlertState.WAITING}
    Workspace.objects.filter(pk=other.pk).update(disabled_at=None)
    send_alerts(now=at(DUE + DAY))
    assert "DSR-205" in parts(post.taken[1])[0]
    assert not Alert.objects.filter(state=AlertState.WAITING).exists()


@pytest.mark.parametrize(
    ("answer", "state", "error"),
    [
        ("550 no such mailbox", "failed", "SMTPRecipientsRefused 550"),
        ("451 later", "waiting", "SMTPRecipientsRefused 451"),
    ],
)
def test_a_refused_address_ends_one_mail_and_no_other(
    post: Post, theirs: DataSubjectRequest, marc: User, answer: str, state: str, error: str
) -> None:
    post.answers = [answer]
    assert send_alerts(now=at(DUE)).mails == 1
    mail = Mail.objects.get(person__username="luc")
    assert (mail.state, mail.last_error) == (state, error)
    assert post.subjects("marc@example.org")
    alert_state = AlertState.PORTAL if state == "failed" else AlertState.WAITING
    assert Alert.objects.get(person__username="luc").state == alert_state


def test_who_dies_after_the_server_took_the_mail_sends_one_more_with_the_same_number(
    post: Post, theirs: DataSubjectRequest
) -> None:
    class Killed(BaseException):
        """What no handler catches."""

    def die(*args: Any, **kwargs: Any) -> None:
        raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dsrportal.alerts.delivery._settle", die)
        with pytest.raises(Killed):
            send_alerts(now=at(DUE))
    assert send_alerts(now=at(DUE)).mails == 0, "the lease holds"
    Mail.objects.update(lease_until=timezone.now())
    assert send_alerts(now=at(DUE)).mails == 1
    assert send_alerts(now=at(DUE)).mails == 0
    assert len(post.taken) == 2
    assert len({mail["Message-ID"] for mail in post.taken}) == 1
    assert post.taken[0]["Message-ID"].endswith("@privacy.example.org>")


def test_a_mail_that_cannot_be_made_delays_no_other(post: Post, theirs: DataSubjectRequest, marc: User) -> None:
    real = letters.compose

    def compose(mail: Mail, **kwargs: Any) -> letters.Letter:
        if mail.person.username == "luc":
            raise ValueError
        return real(mail, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dsrportal.alerts.letters.compose", compose)
        assert send_alerts(now=at(DUE)).mails == 1
    Mail.objects.update(lease_until=timezone.now())
    assert send_alerts(now=at(DUE)).mails == 1
    assert len(post.taken) == 2


def test_a_preview_keeps_and_sends_nothing(post: Post, theirs: DataSubjectRequest, marc: User) -> None:
    assert preview(now=at(DUE)) == Told(raised=1, notices=1, mails=2)
    assert (Alert.objects.count(), Mail.objects.count(), post.taken) == (0, 0, [])


def test_without_an_address_nothing_is_mailed(post: Post, workspace: Workspace) -> None:
    make_member("nora", workspace=workspace, role=Role.MANAGER, email="")
    make_dsr(workspace, 1, respond_by=DUE, extend_by=None)
    assert send_alerts(now=at(DUE)) == Told(raised=1, notices=1)
    assert post.taken == []


def test_the_age_of_the_data_is_told_and_never_negative(post: Post, workspace: Workspace, marc: User) -> None:
    lane = SyncLane.objects.create(workspace=workspace, lane=Lane.ACTIVE, last_success_at=at(DUE, 2, 10))
    send_alerts(now=at(DUE, 9))
    SyncLane.objects.filter(pk=lane.pk).update(last_success_at=at(DUE + 30 * DAY))
    send_alerts(now=at(DUE + DAY, 9))
    assert "Acme France: not checked since 02:10." in parts(post.taken[0])[0]
    assert "Acme France: read at 09:00." in parts(post.taken[1])[0]
    assert Mail.objects.filter(state=MailState.SENT).count() == 2
