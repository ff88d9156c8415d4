"""`add_member` and `rotate_keys`."""

from __future__ import annotations

import base64
import uuid
from typing import Any

import pytest

from dsrportal.models import AuditEvent, DataSubjectRequest, Membership, OutboxEntry, Role, User, Workspace
from dsrportal.models.outbox import WishKind
from dsrportal.sandbox.server import Server
from tests.commands.calling import call
from tests.conftest import make_person
from tests.mirror import truth
from tests.mirror.conftest import run

PASSWORD = "correct horse battery"


def new_key(letter: str) -> str:
    return base64.urlsafe_b64encode(letter.encode() * 32).decode()


def test_a_member_is_added_once(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ("add_member", workspace.slug, "nora", "officer", "--create", "--email", "nora@example.org")
    first = call(*arguments, stdin=f"{PASSWORD}\n", monkeypatch=monkeypatch)
    second = call(*arguments, stdin="", monkeypatch=monkeypatch)
    assert (first.reason, second.reason) == ("", "")
    user = User.objects.get(username="nora")
    assert user.check_password(PASSWORD)
    assert (user.email, user.is_superuser, user.is_staff) == ("nora@example.org", False, False)
    assert Membership.objects.get(user=user).role == Role.OFFICER
    assert AuditEvent.objects.filter(operation="member_added").count() == 1
    assert PASSWORD not in first.out


def test_a_role_is_replaced(workspace: Workspace, officer: User) -> None:
    assert not call("add_member", workspace.name, officer.username, "manager").reason
    assert Membership.objects.get(user=officer).role == Role.MANAGER


def test_an_address_can_be_noted_later_when_it_is_one(workspace: Workspace, officer: User) -> None:
    assert call("add_member", workspace.slug, officer.username, "viewer", "--email", "no address").reason
    assert Membership.objects.get(user=officer).role == Role.OFFICER
    assert not call("add_member", workspace.slug, officer.username, "viewer", "--email", "o@example.org").reason
    officer.refresh_from_db()
    assert officer.email == "o@example.org"


@pytest.mark.parametrize("password", ["", "short", "password1234", "123456789012"[:11]])
def test_a_weak_password_makes_no_account(workspace: Workspace, password: str, monkeypatch: pytest.MonkeyPatch) -> None:
    told = call("add_member", workspace.slug, "nora", "viewer", "--create", stdin=password, monkeypatch=monkeypatch)
    assert told.reason
    assert not User.objects.exists()
    assert not AuditEvent.objects.exists()


def test_an_unknown_person_is_not_made_unasked(workspace: Workspace) -> None:
    assert "--create" in call("add_member", workspace.slug, "nora", "viewer").reason
    assert not User.objects.exists()


def test_keys_rotate_and_the_former_may_be_dropped(mirrored: Workspace, server: Server, settings: Any) -> None:
    former, fresh = settings.CREDENTIAL_KEYS[0], new_key("n")
    run(mirrored)
    entry = OutboxEntry(workspace=mirrored, action_id=uuid.uuid4(), upstream_id=1, kind=WishKind.EDIT)
    entry.by = make_person("olivia", workspace=mirrored, role=Role.OFFICER)
    entry.created_at = entry.not_before = mirrored.created_at
    entry.set_private({"wanted": {"title": "A new title"}})
    entry.save()
    settings.CREDENTIAL_KEYS = [fresh, former]
    told = call("rotate_keys")
    assert "You may drop the second key" in told.out
    settings.CREDENTIAL_KEYS = [fresh]
    entry.refresh_from_db()
    assert entry.read_private() == {"wanted": {"title": "A new title"}}
    mirrored.refresh_from_db()
    assert mirrored.read_secret() == server.api_key
    assert truth.mirror(mirrored) == truth.upstream(server)
    assert run(mirrored).stored == 0
    again = call("rotate_keys")
    assert "keys of 0 workspaces, 0 identities" in again.out


def test_a_rotation_that_was_stopped_goes_on(mirrored: Workspace, server: Server, settings: Any) -> None:
    run(mirrored)
    old = list(DataSubjectRequest.objects.values_list("pk", "identity_sealed"))
    settings.CREDENTIAL_KEYS = [new_key("n"), *settings.CREDENTIAL_KEYS]
    call("rotate_keys")
    for pk, sealed in old[:20]:
        DataSubjectRequest.objects.filter(pk=pk).update(identity_sealed=sealed)
    assert "20 identities" in call("rotate_keys").out


def test_what_cannot_be_opened_is_said_and_no_key_may_be_dropped(mirrored: Workspace, settings: Any) -> None:
    run(mirrored)
    settings.CREDENTIAL_KEYS = [new_key("n"), new_key("m")]
    told = call("rotate_keys")
    assert "Drop no key yet" in told.reason
    assert mirrored.name in told.reason
