"""What an admin may do to a workspace, as the settings pages and the commands call it."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.utils import timezone

from dsrportal.actions import workspaces
from dsrportal.actions.workspaces import WorkspaceError
from dsrportal.models import AuditEvent, Membership, Role, User, Workspace
from dsrportal.sandbox.server import Server
from tests.mirror import truth
from tests.mirror.conftest import Serve, run


def test_testing_a_connection_stores_nothing(server: Server, db: None) -> None:
    report = workspaces.test_connection(base_url=server.base_url, upstream_id=101, secret=server.api_key)
    assert report.request_count == sum(not row["archived"] for row in server.state[101].all())
    assert [capability.name for capability in report.capabilities] == [
        "requests",
        "steps",
        "tags",
        "users",
        "areas",
        "me",
        "rate_limit",
        "workspaces",
    ]
    assert all(capability.ok and capability.sentence for capability in report.capabilities)
    assert not Workspace.objects.exists()
    assert not AuditEvent.objects.exists()


def test_who_adds_a_workspace_becomes_its_admin(server: Server, officer: User, now: datetime) -> None:
    added = workspaces.add_workspace(
        name="New house",
        upstream_id=102,
        base_url=f"{server.base_url}/",
        secret=f" {server.api_key}\n",
        by=officer,
        now=now,
    )
    assert Membership.objects.get(user=officer, workspace=added.workspace).role == Role.ADMIN
    assert AuditEvent.objects.get(workspace=added.workspace).by == officer
    assert server.api_key not in repr(added) + repr(AuditEvent.objects.values())


def test_a_new_key_is_tested_before_it_replaces_the_old(mirrored: Workspace, server: Server, admin: User) -> None:
    with pytest.raises(WorkspaceError, match="does not accept"):
        workspaces.rotate_secret(mirrored, secret="another-key-0000", by=admin, now=timezone.now())
    mirrored.refresh_from_db()
    assert mirrored.read_secret() == server.api_key
    moment = timezone.now()
    workspaces.rotate_secret(mirrored, secret=server.keys["read_only"].secret, by=admin, now=moment)
    mirrored.refresh_from_db()
    assert mirrored.read_secret() == server.keys["read_only"].secret
    assert mirrored.secret_changed_at == moment
    assert AuditEvent.objects.get(operation="secret_rotated").by == admin
    assert run(mirrored).outcome == "complete"


def test_a_new_address_needs_the_key_again_and_keeps_the_words(
    mirrored: Workspace, server: Server, serve: Serve, admin: User
) -> None:
    run(mirrored)
    other = serve()
    with pytest.raises(WorkspaceError) as refused:
        workspaces.change(mirrored, by=admin, now=timezone.now(), base_url=other.base_url)
    assert refused.value.field == "secret"
    search_key = Workspace.objects.get(pk=mirrored.pk).read_search_key()
    mirrored.refresh_from_db()
    report = workspaces.change(mirrored, by=admin, now=timezone.now(), base_url=other.base_url, secret=other.api_key)
    assert report is not None
    stored = Workspace.objects.get(pk=mirrored.pk)
    assert (stored.base_url, stored.read_secret(), stored.read_search_key()) == (
        other.base_url,
        other.api_key,
        search_key,
    )
    assert AuditEvent.objects.get(operation="workspace_changed").details == {"fields": ["base_url"]}
    server.stop()
    assert run(stored).outcome == "complete"
    assert truth.mirror(stored) == truth.upstream(other)


def test_plain_settings_change_without_a_test(mirrored: Workspace, server: Server, admin: User, now: datetime) -> None:
    assert workspaces.change(mirrored, by=admin, now=now, name="Acme Alsace", region="57", country="fr") is None
    stored = Workspace.objects.get(pk=mirrored.pk)
    assert (stored.name, stored.region, stored.country) == ("Acme Alsace", "57", "FR")
    assert not server.journal.entries
    workspaces.change(stored, by=admin, now=now, name="Acme Alsace")
    assert AuditEvent.objects.filter(operation="workspace_changed").count() == 1


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "n" * 121}, "name"),
        ({"name": "line\nbreak"}, "name"),
        ({"country": "FRA"}, "country"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"region": "x" * 11}, "region"),
        ({"base_url": "https://evil.example.org", "secret": "k"}, "base_url"),
        ({"auth_mode": "oauth", "secret": "k"}, "public_key"),
        ({"auth_mode": "magic", "secret": "k"}, "auth_mode"),
    ],
)
def test_a_change_that_makes_no_sense_names_its_field(
    mirrored: Workspace, admin: User, now: datetime, fields: dict[str, str], field: str
) -> None:
    before = Workspace.objects.filter(pk=mirrored.pk).values().get()
    with pytest.raises(WorkspaceError) as refused:
        workspaces.change(mirrored, by=admin, now=now, **fields)
    assert (refused.value.field, bool(refused.value.sentence)) == (field, True)
    assert Workspace.objects.filter(pk=mirrored.pk).values().get() == before
    assert (mirrored.name, mirrored.country, mirrored.base_url) == (
        before["name"],
        before["country"],
        before["base_url"],
    )


def test_a_name_that_is_taken_is_refused(mirrored: Workspace, admin: User, workspace: Workspace, now: datetime) -> None:
    with pytest.raises(WorkspaceError) as refused:
        workspaces.change(mirrored, by=admin, now=now, name=workspace.name.upper())
    assert refused.value.field == "name"


def test_disabling_and_enabling_are_audited_once(mirrored: Workspace, admin: User, now: datetime) -> None:
    for act in (workspaces.disable, workspaces.disable, workspaces.enable, workspaces.enable):
        act(mirrored, by=admin, now=now)
    assert mirrored.is_enabled
    told = AuditEvent.objects.order_by("pk").values_list("operation", flat=True)
    assert list(told) == ["workspace_disabled", "workspace_enabled"]


def test_a_lost_encryption_key_is_a_sentence(mirrored: Workspace, settings: object) -> None:
    settings.CREDENTIAL_KEYS = ["bmV3LWtleS1uZXcta2V5LW5ldy1rZXktbmV3LWtleTE="]  # type: ignore[attr-defined]
    done = run(mirrored)
    assert (done.outcome, done.error_code) == ("failed", "configuration")
    assert "CREDENTIAL_KEYS" in done.error
