"""Who hears of a workspace's requests: whoever has one, by the e-mail address or an admin's word; else those who answer for the deadlines.

Called by `raising.py` and the digest. Reads rows, writes none.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from dsrportal.models import AssigneeAccount, Membership, Operator, Role, User, Workspace
from dsrportal.models.alerts import Because


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipients:
    """The people of one workspace. `accounts` are their accounts by the key of the Dastra user (`Operator`) that they are."""

    managers: tuple[User, ...]
    accounts: dict[int, User] = field(default_factory=dict)

    def of_request(self, operator_id: int | None) -> tuple[tuple[User, ...], Because]:
        """Who is to act on a request of this assignee, and why they are told."""
        if operator_id is None:
            return self.managers, Because.UNASSIGNED
        account = self.accounts.get(operator_id)
        return ((account,), Because.ASSIGNEE) if account else (self.managers, Because.UNMATCHED)


def recipients_of(workspace: Workspace) -> Recipients:
    """Three queries. Admins stand in where there is no manager; accounts that were closed, or that may only look, are told nothing."""
    memberships = Membership.objects.filter(workspace=workspace, user__is_active=True).select_related("user")
    members = list(memberships.order_by("user_id"))
    acting = {one.user_id: one.user for one in members if one.may_act}
    managers = [one.user for one in members if one.role == Role.MANAGER]
    admins = [one.user for one in members if one.role == Role.ADMIN]
    addresses = Counter(_folded(person.email) for person in acting.values())
    # An address of two accounts tells nobody apart.
    by_address = {_folded(p.email): p for p in acting.values() if p.email and addresses[_folded(p.email)] == 1}
    accounts = {
        pk: by_address[_folded(email)]
        for pk, email in Operator.objects.filter(workspace=workspace).values_list("pk", "email")
        if _folded(email) in by_address
    }
    named = AssigneeAccount.objects.filter(operator__workspace=workspace).values_list("operator_id", "person_id")
    accounts |= {operator_id: acting[person_id] for operator_id, person_id in named if person_id in acting}
    return Recipients(managers=tuple(managers or admins), accounts=accounts)


def _folded(address: str) -> str:
    return address.strip().casefold()
