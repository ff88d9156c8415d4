"""Who hears of a workspace's requests: whoever has one, by the e-mail address or an admin's word; else those who answer for the deadlines; besides
them whoever the rules name; and who stands in for whom meanwhile.

Called by `raising.py` and the digest. Reads rows, writes none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date

from dsrportal.models import Absence, AssigneeAccount, Membership, Operator, Role, User, Workspace
from dsrportal.models.alert_rules import AlertPolicy, alert_policy_of
from dsrportal.models.alerts import Because

COPIES = frozenset({Because.MANAGER, Because.NAMED})
"""Told beside those who are to act."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Hearer:
    """One person to be told, and why. `is_away`: hears it in the portal alone, since somebody else is told in their place; that one `stands_in_for` them."""

    person: User
    because: Because
    stands_in_for: User | None = None
    is_away: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipients:
    """The people of one workspace on one day. `accounts` are their accounts by the key of the Dastra user (`Operator`) that they are; `stand_ins`, by
    the key of somebody who is away, is who is told meanwhile. Nobody is away for whom nobody stands in: silence is no answer."""

    managers: tuple[User, ...]
    accounts: dict[int, User] = field(default_factory=dict)
    policy: AlertPolicy = field(default_factory=AlertPolicy)
    named: tuple[User, ...] = ()
    stand_ins: dict[int, tuple[tuple[User, ...], Because]] = field(default_factory=dict)

    def of_request(self, operator_id: int | None) -> list[Hearer]:
        """Who is told before and on the day of a request of this assignee, each once."""
        account = None if operator_id is None else self.accounts.get(operator_id)
        found: list[tuple[User, Because]] = []
        if account is None:
            because = Because.UNASSIGNED if operator_id is None else Because.UNMATCHED
            found = [(person, because) for person in self.managers]
        elif self.policy.tells_assignee:
            found = [(account, Because.ASSIGNEE)]
        if self.policy.tells_managers:
            found += [(person, Because.MANAGER) for person in self.managers]
        found += [(person, Because.NAMED) for person in self.named]
        return self._today(found or [(person, Because.MANAGER) for person in self.managers])

    def of_overdue(self) -> list[Hearer]:
        """Who is told of what is overdue, each once."""
        found = [(person, Because.ESCALATION) for person in self.managers]
        return self._today([*found, *((person, Because.NAMED) for person in self.named)])

    def is_away(self, person: User) -> bool:
        """Whether somebody else is told in this person's place."""
        return person.pk in self.stand_ins

    def stood_in_for(self, person: User) -> set[int]:
        """The keys of those for whom this person stands in by name."""
        return {
            pk for pk, (others, because) in self.stand_ins.items() if person in others and because == Because.DEPUTY
        }

    def _today(self, wanted: Iterable[tuple[User, Because]]) -> list[Hearer]:
        found: dict[int, Hearer] = {}
        for one in self._with_stand_ins(wanted):
            held = found.get(one.person.pk)
            if held is None or (held.because in COPIES and one.because not in COPIES):
                found[one.person.pk] = one
        return list(found.values())

    def _with_stand_ins(self, wanted: Iterable[tuple[User, Because]]) -> Iterator[Hearer]:
        for person, because in wanted:
            yield Hearer(person=person, because=because, is_away=self.is_away(person))
            if self.is_away(person):
                others, why = self.stand_ins[person.pk]
                yield from (Hearer(person=other, because=why, stands_in_for=person) for other in others)


def recipients_of(workspace: Workspace, *, on: date | None = None, policy: AlertPolicy | None = None) -> Recipients:
    """At most six queries. Admins stand in where there is no manager; accounts that were closed, or that may only look, are told nothing. `on` is the
    workspace's day by which somebody is away; without it nobody is."""
    memberships = Membership.objects.filter(workspace=workspace, user__is_active=True).select_related("user")
    members = list(memberships.order_by("user_id"))
    acting = {one.user_id: one.user for one in members if one.may_act}
    managers = [one.user for one in members if one.role == Role.MANAGER]
    admins = [one.user for one in members if one.role == Role.ADMIN]
    policy = policy or alert_policy_of(workspace)
    answering = tuple(managers or admins)
    return Recipients(
        managers=answering,
        accounts=_accounts(workspace, acting=acting),
        policy=policy,
        named=tuple(one.user for one in members if one.user_id in policy.named),
        stand_ins={} if on is None else _stand_ins(members, acting=acting, managers=answering, on=on),
    )


def _accounts(workspace: Workspace, *, acting: dict[int, User]) -> dict[int, User]:
    addresses = Counter(folded(person.email) for person in acting.values())
    # An address of two accounts tells nobody apart.
    by_address = {folded(p.email): p for p in acting.values() if p.email and addresses[folded(p.email)] == 1}
    accounts = {
        pk: by_address[folded(email)]
        for pk, email in Operator.objects.filter(workspace=workspace).values_list("pk", "email")
        if folded(email) in by_address
    }
    named = AssigneeAccount.objects.filter(operator__workspace=workspace).values_list("operator_id", "person_id")
    return accounts | {operator_id: acting[person_id] for operator_id, person_id in named if person_id in acting}


def _stand_ins(
    members: list[Membership], *, acting: dict[int, User], managers: tuple[User, ...], on: date
) -> dict[int, tuple[tuple[User, ...], Because]]:
    """By the key of somebody who is away: their deputy, or the deputy's while that one is away too; else the managers who are there."""
    people = [one.user_id for one in members]
    absences = Absence.objects.filter(person__in=people, first_on__lte=on, last_on__gte=on)
    away: dict[int, int | None] = dict(absences.order_by("-pk").values_list("person_id", "deputy_id"))
    present = tuple(person for person in managers if person.pk not in away)
    found: dict[int, tuple[tuple[User, ...], Because]] = {}
    for pk, named in away.items():
        deputy, met = named, {pk}
        while deputy in away and deputy not in met:
            met.add(deputy)
            deputy = away[deputy]
        if deputy in acting and deputy not in away:
            found[pk] = ((acting[deputy],), Because.DEPUTY)
        elif present:
            found[pk] = (present, Because.AWAY)
    return found


def folded(address: str) -> str:
    """An address as it is compared."""
    return address.strip().casefold()
