"""The frame round every page keeps the person in the workspace where they were."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from dsrportal.models import Membership, Role, User, Workspace
from tests.conftest import MakeWorkspace


@pytest.fixture
def second(make_workspace: MakeWorkspace, admin: User) -> Workspace:
    """Another workspace of the admin, after `workspace` by name."""
    workspace = make_workspace("zeta-benelux", upstream_id=103)
    Membership.objects.create(user=admin, workspace=workspace, role=Role.ADMIN)
    return workspace


def test_home_and_settings_stay_in_the_workspace_of_the_last_visit(
    client: Client, admin: User, workspace: Workspace, second: Workspace
) -> None:
    client.force_login(admin)
    client.get(reverse("board.board", args=[second.slug]))
    assert client.get("/").context["frame"]["workspace"] == second
    page = client.get(reverse("workspaces.workspaces"))
    assert page.context["frame"]["workspace"] == second
    assert reverse("register.register", args=[second.slug]) in page.content.decode()


def test_without_a_visit_the_first_enabled_workspace_is_meant(
    client: Client, admin: User, workspace: Workspace, second: Workspace
) -> None:
    workspace.disabled_at = workspace.created_at
    workspace.save()
    client.force_login(admin)
    assert client.get("/").context["frame"]["workspace"] == second


def test_a_workspace_that_was_taken_away_is_not_meant_any_more(
    client: Client, admin: User, workspace: Workspace, second: Workspace
) -> None:
    client.force_login(admin)
    client.get(reverse("board.board", args=[second.slug]))
    Membership.objects.filter(workspace=second).delete()
    assert client.get("/").context["frame"]["workspace"] == workspace
