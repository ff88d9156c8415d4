"""Where a person works and what there is theirs: the workspaces of My day, with the Dastra users that the person is in each. Called by `my_day`.

Whose a Dastra user is, is decided as for the alerts (`alerts.recipients`): by an admin's word, else by the e-mail address. Writes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Max
from django.urls import reverse

from dsrportal.clocks import Policy
from dsrportal.models import Membership, Operator, SyncLane, SyncRun, User, Workspace
from dsrportal.models.rules import policies_of
from dsrportal.models.runs import Lane, SyncOutcome
from dsrportal.queries import freshness
from dsrportal.queries.freshness import Freshness

ACT_WORKING_DAYS = 2
LONGEST_BETWEEN_READS = timedelta(days=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """One workspace of the person. `own` gives the upstream ids of the Dastra users that the person is, by key; without any, what is shown are
    everybody's requests. `act_until` is the last day that calls for something today; `since` is from when on changes are news, None on
    a first visit."""

    membership: Membership
    workspace: Workspace
    policy: Policy | None
    zone: ZoneInfo
    now: datetime
    today: date
    act_until: date
    age: Freshness
    own: dict[int, int]
    since: datetime | None
    register_url: str
    changes_url: str

    @property
    def is_everybodys(self) -> bool:
        """Whether the lists hold everybody's requests, since none can be told to be the person's."""
        return not self.own

    @property
    def is_unmatched(self) -> bool:
        """Whether the person should have requests here, and is no Dastra user. Who answers for all of them or only looks need not be one."""
        return self.is_everybodys and self.membership.may_act and not self.membership.may_manage


def places_of(memberships: Sequence[Membership], *, user: User, left_at: datetime | None, now: datetime) -> list[Place]:
    """The enabled workspaces, in the order given. Five queries, whatever their number."""
    enabled = [membership for membership in memberships if membership.workspace.is_enabled]
    workspaces = [membership.workspace for membership in enabled]
    policies = policies_of(workspaces)
    lanes = list(SyncLane.objects.filter(workspace__in=workspaces))
    own = _own_operators(enabled, user=user)
    read_before = _read_before(workspaces, moment=left_at) if left_at else {}
    return [
        _place(
            membership,
            policy=policies[membership.workspace_id],
            lanes=lanes,
            own=own.get(membership.workspace_id, {}),
            since=read_before.get(membership.workspace_id),
            now=now,
        )
        for membership in enabled
    ]


def _place(
    membership: Membership,
    *,
    policy: Policy | None,
    lanes: Iterable[SyncLane],
    own: dict[int, int],
    since: datetime | None,
    now: datetime,
) -> Place:
    workspace = membership.workspace
    zone = ZoneInfo(workspace.time_zone)
    today = now.astimezone(zone).date()
    return Place(
        membership=membership,
        workspace=workspace,
        policy=policy,
        zone=zone,
        now=now,
        today=today,
        act_until=policy.calendar.last_day_within(today, working_days=ACT_WORKING_DAYS) if policy else today,
        age=freshness.of_workspace(workspace, lanes=lanes, now=now),
        own=own,
        since=since,
        register_url=reverse("register.register", args=[workspace.slug]),
        changes_url=reverse("changes.changes", args=[workspace.slug]),
    )


def _own_operators(memberships: Collection[Membership], *, user: User) -> dict[int, dict[int, int]]:
    """By workspace the Dastra users that the person is: key -> upstream id. Two queries. Who may only look has no requests."""
    ids = [membership.workspace_id for membership in memberships if membership.may_act]
    acting: dict[int, dict[int, str]] = {}
    members = Membership.objects.filter(
        workspace__in=ids, role__in=Membership.ACTING_ROLES, user__is_active=True
    ).values_list("workspace_id", "user_id", "user__email")
    for workspace_id, user_id, email in members:
        acting.setdefault(workspace_id, {})[user_id] = _folded(email)
    shared = {workspace_id: Counter(found.values()) for workspace_id, found in acting.items()}
    address = _folded(user.email)
    found: dict[int, dict[int, int]] = {}
    operators = Operator.objects.filter(workspace__in=ids).values_list(
        "workspace_id", "pk", "upstream_id", "email", "account__person"
    )
    for workspace_id, pk, upstream_id, email, named in operators:
        if named in acting.get(workspace_id, {}):
            is_own = named == user.pk
        else:  # an address of two accounts tells nobody apart
            is_own = address != "" and _folded(email) == address and shared[workspace_id][address] == 1
        if is_own:
            found.setdefault(workspace_id, {})[pk] = upstream_id
    return found


def _read_before(workspaces: Collection[Workspace], *, moment: datetime) -> dict[int, datetime]:
    """By workspace the beginning of the last good read that had ended by then: what changed later could not be seen yet. One query. Where there
    was none for a day, that day is taken: rather too much is shown than too little."""
    runs = SyncRun.objects.filter(
        workspace__in=workspaces,
        lane__in=(Lane.ACTIVE, Lane.FULL),
        outcome=SyncOutcome.COMPLETE,
        started_at__gte=moment - LONGEST_BETWEEN_READS,
        started_at__lte=moment,
        finished_at__lte=moment,
    )
    latest = dict(runs.order_by().values_list("workspace_id").annotate(latest=Max("started_at")))
    return {workspace.pk: latest.get(workspace.pk, moment - LONGEST_BETWEEN_READS) for workspace in workspaces}


def _folded(address: str) -> str:
    return address.strip().casefold()
