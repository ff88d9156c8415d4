"""Legal dates for rows that a test makes by hand, as the mirror's store would give them."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from dsrportal.clocks import Policy, Profile
from dsrportal.mirror.legal import NO_LEDGER, Rules, legal_fields
from dsrportal.models import DataSubjectRequest


def with_legal_dates(dsr: DataSubjectRequest, *, profile: Profile = Profile.GDPR) -> DataSubjectRequest:
    """The (unsaved) row with its legal dates. `upstream` makes Dastra's date the legal one, where a test is about an order or a day alone."""
    zone = ZoneInfo(dsr.workspace.time_zone)
    workspace = dsr.workspace
    rules = Rules(
        policy=Policy(profile=profile), zone=zone, number=workspace.rules_number, target_days=workspace.target_days
    )
    for name, value in legal_fields(dsr, ledger=NO_LEDGER, rules=rules).items():
        setattr(dsr, name, value)
    return dsr
