"""The people page: roles given and taken back, invitations by mail, and the links that lead in."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from dsrportal.actions import first_account, invitations
from dsrportal.jobs import run_invitation, run_reset
from dsrportal.models import AuditEvent, Invitation, Membership, Role, User, Workspace
from tests.conftest import MakeWorkspace, make_person

PEOPLE = "/settings/people/"
PASSWORD = "a long enough sentence"
ACCOUNT = {"full_name": "Nora New", "username": "nora", "password": PASSWORD, "again": PASSWORD}


@pytest.fixture(autouse=True)
def _mails(settings: Any) -> None:
    cache.clear()  # tries of other tests
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


@pytest.fixture
def invitation(workspace: Workspace, admin: User, now: datetime) -> Invitation:
    """Nora is asked to be an officer."""
    return invitations.invite(workspace, email="Nora@example.org", role=Role.OFFICER, by=admin, now=now)


def link_of(body: str | Any) -> str:
    found = re.search(r"http://localhost:8000(/\S+)", str(body))
    assert found
    return found[1]


def test_an_invitation_ends_in_an_account_with_a_role(client: Client, admin: User, workspace: Workspace) -> None:
    client.force_login(admin)
    form = {"email": "Nora@example.org", "role": "officer", "workspace": workspace.pk}
    assert client.post(PEOPLE, form).status_code == 302
    invitation = Invitation.objects.get()
    assert run_invitation(invitation.pk) == "sent"
    assert run_invitation(invitation.pk) == "nothing to send", "delivered twice by the queue, it is sent once"
    assert [one.to for one in mail.outbox] == [["nora@example.org"]]
    assert "open until" in client.get(PEOPLE).content.decode()
    path = link_of(mail.outbox[0].body)
    client.logout()
    assert "Acme France" in client.get(path).content.decode()
    answer = client.post(path, ACCOUNT)
    assert (answer.status_code, answer["Location"]) == (302, "/w/acme-france/board/")
    nora = User.objects.get(username="nora")
    assert (nora.display_name(), nora.email) == ("Nora New", "nora@example.org")
    assert Membership.objects.get(user=nora).role == Role.OFFICER
    assert client.get(answer["Location"]).status_code == 200
    assert client.get(path).status_code == 404, "a link works once"
    assert [one.operation for one in AuditEvent.objects.order_by("pk")] == ["invited", "invitation_accepted"]
    assert "example" not in str(list(AuditEvent.objects.values()))


def test_who_has_an_account_takes_the_role_with_it(
    client: Client, invitation: Invitation, stranger: User, workspace: Workspace
) -> None:
    client.force_login(stranger)
    path = invitations.path_of(invitation)
    assert "Accept as stan" in client.get(path).content.decode()
    client.post(path)
    assert Membership.objects.get(user=stranger, workspace=workspace).role == Role.OFFICER


def test_accepting_takes_no_higher_role_away(client: Client, invitation: Invitation, admin: User) -> None:
    client.force_login(admin)
    client.post(invitations.path_of(invitation))
    assert Membership.objects.get(user=admin).role == Role.ADMIN


@pytest.mark.parametrize("case", ["forged", "replaced", "revoked", "too old", "disabled"])
def test_a_link_that_is_over_tells_nothing(
    client: Client, invitation: Invitation, admin: User, workspace: Workspace, now: datetime, case: str
) -> None:
    path = invitations.path_of(invitation)
    if case == "forged":
        path = path[:-3] + "x/"
    elif case == "replaced":
        assert invitations.renew(Invitation.objects.get(), by=admin, now=now)
    elif case == "revoked":
        assert invitations.revoke(invitation, by=admin, now=now)
    elif case == "too old":
        Invitation.objects.update(expires_at=now - timedelta(seconds=1))
    else:
        Workspace.objects.update(disabled_at=now)
    for answer in (client.get(path), client.post(path, ACCOUNT)):
        assert answer.status_code == 404
        assert workspace.name not in answer.content.decode()
    assert not User.objects.filter(username="nora").exists()


def test_a_mail_that_is_not_taken_is_said_and_can_be_sent_again(
    client: Client, invitation: Invitation, admin: User, settings: Any
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    assert run_invitation(invitation.pk) == "failed"
    client.force_login(admin)
    assert "did not take it" in client.get(PEOPLE).content.decode()
    client.post(f"{PEOPLE}acme-france/invitations/{invitation.pk}/", {"deed": "send"})
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert run_invitation(invitation.pk) == "sent"


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({"email": "no address"}, "valid email address"),
        ({"email": "nora@example.org"}, "invited already"),
        ({"email": "ADA@example.org"}, "has a role here already"),
        ({"role": "king"}, "Select a valid choice"),
        ({"workspace": "0"}, "Select a valid choice"),
    ],
)
def test_what_will_not_do_is_said_and_nothing_is_lost(
    client: Client, invitation: Invitation, admin: User, workspace: Workspace, form: dict[str, str], told: str
) -> None:
    User.objects.filter(pk=admin.pk).update(email="ada@example.org")
    client.force_login(admin)
    answer = client.post(PEOPLE, {"email": "x@example.org", "role": "viewer", "workspace": workspace.pk, **form})
    assert answer.status_code == 422
    assert told in answer.content.decode()
    assert Invitation.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"again": "another"}, "not the same"),
        ({"password": "short", "again": "short"}, "too short"),
        ({"username": "ADA"}, "taken"),
        ({"username": "no spaces please"}, "valid username"),
        ({"full_name": " "}, "required"),
    ],
)
def test_an_account_that_will_not_do_keeps_what_was_typed(
    client: Client, invitation: Invitation, changes: dict[str, str], told: str
) -> None:
    answer = client.post(invitations.path_of(invitation), ACCOUNT | changes)
    assert answer.status_code == 422
    assert told in answer.content.decode()
    assert (ACCOUNT | changes)["username"] in answer.content.decode()
    assert PASSWORD not in answer.content.decode()


def test_roles_are_given_and_taken_back(client: Client, admin: User, officer: User, workspace: Workspace) -> None:
    client.force_login(admin)
    row = Membership.objects.get(user=officer)
    client.post(f"{PEOPLE}acme-france/{row.pk}/", {"role": "manager"})
    assert Membership.objects.get(pk=row.pk).role == Role.MANAGER
    client.post(f"{PEOPLE}acme-france/{row.pk}/", {"deed": "remove"})
    assert not Membership.objects.filter(pk=row.pk).exists()
    client.force_login(officer)
    assert client.get("/w/acme-france/board/").status_code == 404
    assert [one.operation for one in AuditEvent.objects.order_by("pk")] == ["member_added", "member_removed"]


@pytest.mark.parametrize("form", [{"deed": "remove"}, {"role": "viewer"}])
def test_a_workspace_keeps_an_admin(client: Client, admin: User, form: dict[str, str]) -> None:
    client.force_login(admin)
    row = Membership.objects.get(user=admin)
    answer = client.post(f"{PEOPLE}acme-france/{row.pk}/", form, follow=True)
    assert "needs an admin" in answer.content.decode()
    row.refresh_from_db()
    assert row.role == Role.ADMIN


def test_people_of_another_workspace_are_out_of_reach(
    client: Client, admin: User, make_workspace: MakeWorkspace
) -> None:
    other = make_person("otto", workspace=make_workspace("third", upstream_id=103), role=Role.OFFICER)
    client.force_login(admin)
    row = Membership.objects.get(user=other)
    assert client.post(f"{PEOPLE}acme-france/{row.pk}/", {"deed": "remove"}).status_code == 404
    assert client.post(f"{PEOPLE}third/{row.pk}/", {"deed": "remove"}).status_code == 404
    assert Membership.objects.filter(pk=row.pk).exists()
    assert "otto" not in client.get(PEOPLE).content.decode()


class TestForgotten:
    """A link to a new password."""

    @pytest.fixture
    def olivia(self, officer: User) -> User:
        """With an address."""
        User.objects.filter(pk=officer.pk).update(email="olivia@example.org")
        officer.refresh_from_db()
        return officer

    def test_it_leads_to_a_new_password_and_ends_other_sessions(self, client: Client, olivia: User) -> None:
        elsewhere = Client()
        elsewhere.force_login(olivia)
        moment = timezone.now()
        assert run_reset(olivia.pk, moment.isoformat()) == "sent"
        assert run_reset(olivia.pk, moment.isoformat()) == "nothing to send"
        path = link_of(mail.outbox[0].body)
        assert "olivia" in client.get(path).content.decode()
        assert client.post(path, {"password": "short", "again": "short"}).status_code == 422
        assert client.post(path, {"password": PASSWORD, "again": PASSWORD}).status_code == 302
        assert client.login(username="olivia", password=PASSWORD)
        assert elsewhere.get("/w/acme-france/board/").status_code == 302
        assert client.get(path).status_code == 404, "a link works once"

    @pytest.mark.parametrize("asked", ["olivia", "OLIVIA@example.org", "nobody", "nobody@example.org", "stan"])
    def test_the_answer_never_tells_who_is_known(
        self, client: Client, olivia: User, stranger: User, asked: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        queued: list[int] = []

        def queue(user_id: int, **_: object) -> None:
            queued.append(user_id)

        monkeypatch.setattr("dsrportal.jobs.request_reset", queue)
        pages = {client.post("/accounts/forgotten/", {"asked": asked}).content for _ in range(2)}
        assert len(pages) == 1
        assert b"If there is such an account" in pages.pop()
        known = asked.lower().startswith("olivia")
        assert queued == ([olivia.pk] if known else []), "a second try within minutes sends no second mail"

    def test_tries_are_counted(self, client: Client, db: None) -> None:
        codes = [client.post("/accounts/forgotten/", {"asked": f"name{n}"}).status_code for n in range(11)]
        assert codes == [200] * 10 + [429]

    def test_another_password_takes_the_present_one(self, client: Client, officer: User) -> None:
        client.login(username="olivia", password="correct horse battery")
        form = {"present": "wrong", "password": PASSWORD, "again": PASSWORD}
        assert "not your present password" in client.post("/accounts/password/", form).content.decode()
        assert client.post("/accounts/password/", form | {"present": "correct horse battery"}).status_code == 302
        assert client.get("/w/acme-france/board/").status_code == 200, "the session at hand goes on"


class TestFirstAccount:
    """The page that a new portal begins with."""

    FORM = ACCOUNT | {"email": "nora@example.org"}

    def test_it_leads_to_the_first_workspace(self, client: Client, db: None) -> None:
        path = link_of(first_account.link())
        answer = client.post(path, self.FORM)
        assert (answer.status_code, answer["Location"]) == (302, "/settings/add-workspace/")
        assert client.get(answer["Location"]).status_code == 200
        assert client.get(path).status_code == 404
        assert first_account.link() is None

    def test_it_opens_for_nobody_else(self, client: Client, db: None) -> None:
        assert client.get("/setup/anything/").status_code == 404
        path = link_of(first_account.link())
        make_it_older = timezone.now() + first_account.LASTS + timedelta(minutes=1)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("django.core.signing.time.time", make_it_older.timestamp)
            assert client.get(path).status_code == 404
        User.objects.create_user("somebody")
        assert client.post(path, self.FORM).status_code == 404
        assert User.objects.count() == 1
