"""The list of workspaces and what their admins may do: own workspaces only, a key that is never shown, consequences said first."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from django_q.models import OrmQ

from dsrportal import jobs
from dsrportal.models import AuditEvent, Lane, Membership, Role, SyncLane, User, Workspace
from dsrportal.models.workspaces import Hold
from dsrportal.sandbox import Server
from tests.conftest import MakeWorkspace, make_person

LIST = "/settings/workspaces/"
HERE = f"{LIST}acme-france/"


def test_an_admin_sees_own_workspaces_alone(client: Client, ada: User, stranger: User, workspace: Workspace) -> None:
    Membership.objects.create(user=ada, workspace=Workspace.objects.get(slug="other-house"), role=Role.VIEWER)
    page = client.get(LIST).content.decode()
    assert f'id="workspace-{workspace.pk}"' in page
    assert page.count('class="workspace"') == 1


@pytest.mark.parametrize(
    "path", [LIST, "/settings/add-workspace/", HERE, f"{HERE}key/", f"{HERE}disable/", f"{HERE}enable/", f"{HERE}hold/"]
)
def test_to_others_the_settings_do_not_exist(
    client: Client, workspace: Workspace, officer: User, manager: User, stranger: User, path: str
) -> None:
    for person in (officer, manager, stranger):
        client.force_login(person)
        assert client.get(path).status_code in {404, 405}
        assert client.post(path, {}).status_code in {404, 405}


def test_an_admin_of_another_workspace_is_a_stranger_here(
    client: Client, ada: User, make_workspace: MakeWorkspace
) -> None:
    make_person("adam", workspace=make_workspace("other-house", upstream_id=102), role=Role.ADMIN)
    for path in ("", "key/", "disable/", "hold/"):
        assert client.get(f"{LIST}other-house/{path}").status_code == 404
    assert client.post(f"{LIST}other-house/enable/").status_code == 404


def test_another_role_in_a_workspace_may_not_change_it(
    client: Client, ada: User, make_workspace: MakeWorkspace
) -> None:
    other = make_workspace("other-house", upstream_id=102)
    Membership.objects.create(user=ada, workspace=other, role=Role.AUDITOR)
    assert client.post(f"{LIST}other-house/disable/").status_code == 403
    other.refresh_from_db()
    assert other.is_enabled


def test_the_list_shows_the_last_four_characters_and_the_age(
    client: Client, ada: User, workspace: Workspace, server: Server
) -> None:
    page = client.get(LIST).content.decode()
    assert server.api_key[-4:] in page
    assert server.api_key not in page
    assert "Not read from Dastra yet" in page
    assert "not known" in page


def test_the_list_makes_the_same_number_of_queries_for_many_workspaces(
    client: Client, ada: User, make_workspace: MakeWorkspace, django_assert_max_num_queries: Any
) -> None:
    for number in range(12):
        other = make_workspace(f"house-{number}", upstream_id=200 + number)
        Membership.objects.create(user=ada, workspace=other, role=Role.ADMIN)
    with django_assert_max_num_queries(10):
        client.get(LIST)


def test_a_new_key_is_tested_before_it_replaces_the_old_one(
    client: Client, ada: User, workspace: Workspace, server: Server
) -> None:
    refused = client.post(f"{HERE}key/", {"secret": "not-a-key-of-dastra"})
    assert refused.status_code == 422
    assert "not-a-key-of-dastra" not in refused.content.decode()
    workspace.refresh_from_db()
    assert workspace.read_secret() == server.api_key

    other_key = server.keys["read_only"].secret
    assert client.post(f"{HERE}key/", {"secret": other_key}).status_code == 302
    workspace.refresh_from_db()
    assert workspace.read_secret() == other_key
    assert AuditEvent.objects.filter(workspace=workspace, operation="secret_rotated", by=ada).count() == 1


def test_testing_a_new_key_changes_nothing(client: Client, ada: User, workspace: Workspace, server: Server) -> None:
    answer = client.post(f"{HERE}key/", {"secret": server.keys["read_only"].secret, "deed": "test"})
    assert "The connection works" in answer.content.decode()
    workspace.refresh_from_db()
    assert workspace.read_secret() == server.api_key


def unchanged(workspace: Workspace) -> dict[str, str]:
    """The form of a workspace as it is, the key left empty."""
    names = ("name", "base_url", "auth_mode", "country", "region", "time_zone")
    return {name: getattr(workspace, name) for name in names}


def test_the_calendar_changes_without_the_key_and_without_a_call(
    client: Client, ada: User, workspace: Workspace, server: Server
) -> None:
    answer = client.post(HERE, unchanged(workspace) | {"name": "Acme Alsace", "region": "57", "secret": ""})
    assert answer.status_code == 302
    workspace.refresh_from_db()
    assert (workspace.name, workspace.region, workspace.read_secret()) == ("Acme Alsace", "57", server.api_key)
    assert len(server.journal) == 0


def test_another_address_needs_the_key_again(
    client: Client, ada: User, workspace: Workspace, server: Server, settings: Any
) -> None:
    settings.UPSTREAM_ALLOWED_HOSTS = [
        *settings.UPSTREAM_ALLOWED_HOSTS,
        server.host_port.replace("127.0.0.1", "localhost"),
    ]
    moved = server.base_url.replace("127.0.0.1", "localhost")
    answer = client.post(HERE, unchanged(workspace) | {"base_url": moved})
    assert answer.status_code == 422
    assert answer.context["form"].errors.keys() == {"secret"}
    workspace.refresh_from_db()
    assert workspace.base_url == server.base_url

    assert client.post(HERE, unchanged(workspace) | {"base_url": moved, "secret": server.api_key}).status_code == 302
    workspace.refresh_from_db()
    assert (workspace.base_url, workspace.read_secret()) == (moved, server.api_key)


def test_a_refused_change_shows_the_present_name_in_the_frame(client: Client, ada: User, workspace: Workspace) -> None:
    page = client.post(HERE, unchanged(workspace) | {"name": "Half Done", "time_zone": "Paris"}).content.decode()
    assert "Change Acme France" in page
    assert 'value="Half Done"' in page


def test_disabling_says_the_consequence_and_keeps_the_mirror(client: Client, ada: User, workspace: Workspace) -> None:
    page = client.get(f"{HERE}disable/").content.decode()
    assert "The portal stops reading this workspace" in page
    assert Workspace.objects.get().is_enabled
    client.post(f"{HERE}disable/")
    assert not Workspace.objects.get().is_enabled
    assert "Disabled" in client.get(LIST).content.decode()


def test_enabling_reads_everything_again(client: Client, ada: User, workspace: Workspace, now: datetime) -> None:
    Workspace.objects.update(disabled_at=now)
    client.post(f"{HERE}enable/")
    workspace.refresh_from_db()
    assert workspace.is_enabled
    assert SyncLane.objects.get(workspace=workspace, lane=Lane.FULL).requested_at is not None


def test_a_hold_says_why_and_offers_the_ways_out(
    client: Client, ada: User, workspace: Workspace, now: datetime
) -> None:
    Workspace.objects.update(hold=Hold.MISSING, hold_sentence="40 of 100 requests were missing.", held_at=now)
    page = client.get(LIST).content.decode()
    assert "40 of 100 requests were missing." in page
    assert f"{HERE}hold/" in page
    assert "/settings/jobs/acme-france/full/run/" in page
    assert "40 of 100 requests were missing." in client.get(f"{HERE}hold/").content.decode()


def test_accepting_what_is_missing_is_done_by_a_job(
    client: Client, ada: User, workspace: Workspace, now: datetime
) -> None:
    Workspace.objects.update(hold=Hold.MISSING, hold_sentence="40 of 100 requests were missing.", held_at=now)
    assert client.post(f"{HERE}hold/").status_code == 302
    assert OrmQ.objects.count() == 1
    assert jobs.run_hold_end(workspace.pk, ada.pk) == "complete"
    workspace.refresh_from_db()
    assert workspace.hold == ""
    assert AuditEvent.objects.filter(operation="hold_ended", by=ada).count() == 1


def test_without_a_hold_there_is_nothing_to_accept(client: Client, ada: User) -> None:
    assert client.get(f"{HERE}hold/")["Location"] == LIST
    assert client.post(f"{HERE}hold/")["Location"] == LIST
    assert OrmQ.objects.count() == 0
