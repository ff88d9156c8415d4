"""The audit log as a page: what was asked for and nothing of other workspaces, in order, page by page, and as CSV."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from dsrportal.models import AuditEvent, Role, User, Workspace
from dsrportal.models.audit import Operation
from tests.conftest import MakeWorkspace, make_person

AUDIT = "/settings/audit/"


@pytest.fixture
def log(workspace: Workspace, officer: User, admin: User, stranger: User, now: datetime) -> None:
    """120 lines of the workspace, and what others did elsewhere."""
    for number in range(120):
        AuditEvent.objects.create(
            at=now - timedelta(days=number),
            by=officer if number % 2 else admin,
            workspace=workspace,
            operation=Operation.MOVE if number % 3 else Operation.CLOSE,
            upstream_id=number,
            reference=f"DSR-{number:03}",
            outcome="done",
        )
    AuditEvent.objects.create(at=now, by=officer, operation=Operation.SIGNED_IN, outcome="done")
    AuditEvent.objects.create(at=now, by=stranger, operation=Operation.SIGNED_IN, outcome="done")
    other = stranger.memberships.get().workspace
    AuditEvent.objects.create(at=now, by=stranger, workspace=other, operation=Operation.MOVE, reference="DSR-SECRET")


def page(client: Client, query: str = "") -> str:
    answer = client.get(AUDIT + query)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize("role", [Role.ADMIN, Role.AUDITOR])
def test_who_looks_after_a_workspace_sees_its_log_alone(
    client: Client, log: None, workspace: Workspace, role: Role
) -> None:
    client.force_login(make_person("ida", workspace=workspace, role=role))
    shown = page(client)
    assert "DSR-119" in shown
    assert "Signed in" in shown
    assert "DSR-SECRET" not in shown
    assert "stan" not in shown


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OFFICER, Role.MANAGER])
def test_to_others_it_does_not_exist(client: Client, log: None, workspace: Workspace, role: Role) -> None:
    client.force_login(make_person("ida", workspace=workspace, role=role))
    for address in (AUDIT, "/settings/audit.csv"):
        assert client.get(address).status_code == 404


def test_page_by_page_each_line_comes_once(client: Client, log: None, admin: User) -> None:
    client.force_login(admin)
    seen: list[str] = []
    address = AUDIT
    while address:
        answer = client.get(address)
        seen += [row.reference for row in answer.context["page"].rows]
        address = answer.context["page"].next_url
    assert len(seen) == 121
    assert sorted(one for one in seen if one) == [f"DSR-{number:03}" for number in range(120)]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("?operation=close", 40),
        ("?q=dsr-01", 10),
        ("?operation=close&q=DSR-01", 3),
        ("?operation=king&person=x&since=2026-99-99&before=0&workspace=-1", 121),
        ("?person=99999999999999999999", 121),
        ("?before=9223372036854775808", 121),
        ("?workspace=424242", 0),
    ],
)
def test_what_is_asked_for_is_shown_and_exported(
    client: Client, log: None, admin: User, query: str, count: int
) -> None:
    client.force_login(admin)
    assert client.get(AUDIT + query).context["page"].rows[50:] == []
    lines = b"".join(client.get(f"/settings/audit.csv{query}").streaming_content).decode("utf-8-sig").splitlines()  # type: ignore[attr-defined]
    assert len(lines) - 1 == count


def test_days_are_both_included(client: Client, log: None, admin: User, now: datetime) -> None:
    client.force_login(admin)
    day = (now - timedelta(days=60)).date().isoformat()
    rows = client.get(f"{AUDIT}?since={day}&until={day}").context["page"].rows
    assert [row.reference for row in rows] == ["DSR-060"]


def test_it_takes_as_many_queries_for_one_workspace_as_for_ten(
    client: Client,
    log: None,
    admin: User,
    make_workspace: MakeWorkspace,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    client.force_login(admin)
    with django_assert_num_queries(8):
        page(client)
    for number in range(9):
        place = make_workspace(f"place-{number}", upstream_id=200 + number)
        place.memberships.create(user=admin, role=Role.ADMIN)
    with django_assert_num_queries(8):
        page(client)
