"""What the people of a workspace want no mail of, as far as its rules allow that. Called by `wanted.py`. Reads rows, writes none."""

from __future__ import annotations

from dataclasses import dataclass, field

from dsrportal.models import AlertWish, MutedRequest, Workspace
from dsrportal.models.alert_rules import AlertPolicy
from dsrportal.models.thresholds import Threshold, ThresholdKind


@dataclass(frozen=True, kw_only=True, slots=True)
class Mutes:
    """Keys of accounts: `approaching` want no mail of what is not due yet, `digest` no digest; `requests` are (account, request) by their keys."""

    approaching: frozenset[int] = frozenset()
    digest: frozenset[int] = frozenset()
    requests: frozenset[tuple[int, int]] = field(default_factory=frozenset)

    def silences(self, threshold: Threshold, *, person_id: int, dsr_pk: int) -> bool:
        """Whether the person wants no mail of this, and no mark at the bell. What is overdue cannot be muted."""
        if threshold.kind == ThresholdKind.OVERDUE:
            return False
        is_early = not threshold.is_immediate and person_id in self.approaching
        return is_early or (person_id, dsr_pk) in self.requests

    def keeps_from_digest(self, threshold: Threshold, *, person_id: int) -> bool:
        """Whether this would wait for a digest that the person does not get."""
        return not threshold.is_immediate and person_id in self.digest


def mutes_of(workspace: Workspace, *, policy: AlertPolicy) -> Mutes:
    """At most two queries."""
    if not (policy.may_mute or policy.may_skip_digest):
        return Mutes()
    wishes = AlertWish.objects.filter(person__memberships__workspace=workspace)
    approaching, digest = set(), set()
    for person_id, mutes_approaching, skips_digest in wishes.values_list(
        "person_id", "mutes_approaching", "skips_digest"
    ):
        if mutes_approaching and policy.may_mute:
            approaching.add(person_id)
        if skips_digest and policy.may_skip_digest:
            digest.add(person_id)
    muted = MutedRequest.objects.filter(dsr__workspace=workspace) if policy.may_mute else MutedRequest.objects.none()
    return Mutes(
        approaching=frozenset(approaching),
        digest=frozenset(digest),
        requests=frozenset(muted.values_list("person_id", "dsr_id")),
    )
