"""Facts of the settings page of a workspace's alerts: whose account each Dastra user has, and who may be chosen. Called by `views.alert_rules`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from dsrportal.models import AssigneeAccount, Membership, Operator, User, Workspace
from dsrportal.queries.words import initials


@dataclass(frozen=True, kw_only=True, slots=True)
class AssigneeRow:
    """A Dastra user: `account` is who is told of their requests, `how` why that is so; `chosen_id` the admin's choice."""

    upstream_id: int
    name: str
    initials: str
    account: str
    how: str
    chosen_id: int | None


def assignees(workspace: Workspace, *, accounts: Mapping[int, User]) -> list[AssigneeRow]:
    """Every Dastra user of the workspace, by name; `accounts` are those that count, by the key of the Dastra user. Two queries."""
    chosen = AssigneeAccount.objects.filter(operator__workspace=workspace).values_list("operator_id", "person_id")
    choices = dict(chosen)
    return [
        _row(operator, account=accounts.get(operator.pk), chosen_id=choices.get(operator.pk))
        for operator in Operator.objects.filter(workspace=workspace).order_by("display_name", "upstream_id")
    ]


def accounts(workspace: Workspace) -> list[User]:
    """Who may be chosen as somebody's account: whoever may act here, by name."""
    members = Membership.objects.filter(workspace=workspace, role__in=Membership.ACTING_ROLES, user__is_active=True)
    return sorted((member.user for member in members.select_related("user")), key=lambda one: one.display_name())


def _row(operator: Operator, *, account: User | None, chosen_id: int | None) -> AssigneeRow:
    if account is None:
        how = _("No account: the managers are told")
    elif account.pk == chosen_id:
        how = _("Chosen here")
    else:
        how = _("By the e-mail address")
    return AssigneeRow(
        upstream_id=operator.upstream_id,
        name=operator.display_name,
        initials=initials(operator.display_name),
        account=account.display_name() if account else "",
        how=how,
        chosen_id=chosen_id,
    )
