"""An admin's word on whose account a Dastra user has."""

from __future__ import annotations

import pytest

from dsrportal.alerts.recipients import recipients_of
from dsrportal.models import AssigneeAccount, AuditEvent, Role, User, Workspace
from tests.alerts.stage import make_member, make_operator
from tests.commands.calling import call


def test_a_match_is_kept_changed_and_taken_back(workspace: Workspace, luc: User, marc: User) -> None:
    operator = make_operator(workspace, email="nobody@example.org", upstream_id=50)
    for username, person in (("luc", luc), ("marc", marc)):
        assert "is now the account" in call("match_assignee", "acme-france", "50", username).out
        assert "is already the account" in call("match_assignee", "acme-france", "50", username).out
        assert recipients_of(workspace).accounts == {operator.pk: person}
    assert "is now whichever account" in call("match_assignee", "acme-france", "50").out
    assert recipients_of(workspace).accounts == {}
    details = [event.details for event in AuditEvent.objects.order_by("pk")]
    assert details == [{"operator": 50, "user": one} for one in (luc.pk, marc.pk, None)]


@pytest.mark.parametrize(
    ("operator", "username", "reason"),
    [
        ("51", "luc", "Dastra has no such user in this workspace."),
        ("50", "vera", "This account may not act in this workspace."),
        ("50", "stan", "This account may not act in this workspace."),
        ("50", "noone", "There is no account “noone”."),
    ],
)
def test_what_makes_no_sense_is_refused(
    workspace: Workspace, luc: User, stranger: User, operator: str, username: str, reason: str
) -> None:
    make_member("vera", workspace=workspace, role=Role.VIEWER)
    make_operator(workspace, email="nobody@example.org", upstream_id=50)
    assert call("match_assignee", "acme-france", operator, username).reason == reason
    assert not AssigneeAccount.objects.exists()
