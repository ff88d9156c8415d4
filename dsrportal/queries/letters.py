"""A letter for one request: the workspace's own text or the built-in one, its words filled in. Called by views; reads rows, writes nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.utils import translation
from django.utils.formats import date_format

from dsrportal import credentials
from dsrportal.clocks import Extension, compute
from dsrportal.mirror import reckoning
from dsrportal.mirror.legal import NO_LEDGER, facts_of
from dsrportal.models import DataSubjectRequest, LetterTemplate, Workspace
from dsrportal.models.correspondence import LetterPurpose
from dsrportal.models.rules import policy_of
from dsrportal.models.workspaces import ClockProfile
from dsrportal.queries import words
from dsrportal.queries.letter_texts import AUTHORITIES, BUILT_IN, GAPS, GREETINGS

LANGUAGES = tuple(BUILT_IN)
PURPOSES = tuple(purpose for purpose in LetterPurpose if purpose != LetterPurpose.FREE)
VARIABLES = (
    "greeting", "person", "reference", "rights", "received_on", "respond_by", "extended_by", "today", "authority", "workspace",
)  # fmt: skip
_VARIABLE = re.compile(r"\{(\w+)\}")
_GAP = re.compile(r"\[\[(.*?)\]\]", re.DOTALL)
_LONGEST_GAP = 120


@dataclass(frozen=True, kw_only=True, slots=True)
class Letter:
    """A text with what is to be filled in; `is_own`: the workspace has changed it."""

    purpose: LetterPurpose
    language: str
    text: str
    is_own: bool


def built_in(workspace: Workspace, *, purpose: LetterPurpose, language: str) -> str:
    """The portal's own text. Empty under the CCPA: the letters name articles of the GDPR."""
    if workspace.profile == ClockProfile.CCPA:
        return ""
    return BUILT_IN.get(language, {}).get(purpose, "")


def of_workspace(workspace: Workspace) -> list[Letter]:
    """Every letter of the workspace, by purpose and language. One query."""
    own = {(one.purpose, one.language): one.text for one in LetterTemplate.objects.filter(workspace=workspace)}
    return [
        Letter(
            purpose=purpose,
            language=language,
            text=own.get((purpose, language)) or built_in(workspace, purpose=purpose, language=language),
            is_own=(purpose, language) in own,
        )
        for purpose in PURPOSES
        for language in LANGUAGES
    ]


def find(workspace: Workspace, *, purpose: LetterPurpose, language: str) -> Letter:
    """One letter. One query."""
    own = LetterTemplate.objects.filter(workspace=workspace, purpose=purpose, language=language).first()
    text = own.text if own else built_in(workspace, purpose=purpose, language=language)
    return Letter(purpose=purpose, language=language, text=text, is_own=own is not None)


def filled(
    workspace: Workspace, dsr: DataSubjectRequest, *, purpose: LetterPurpose, language: str, now: datetime
) -> str:
    """The letter for this request, in its own language whatever the reader's. A date that is not known is a gap. Three queries."""
    text = find(workspace, purpose=purpose, language=language).text
    if not text:
        return ""
    with translation.override(language):
        known = _values(workspace, dsr, language=language, now=now)
        return _VARIABLE.sub(lambda found: known.get(found[1], found[0]), text)


def gaps(text: str) -> list[str]:
    """What the writer has not filled in yet."""
    return [" ".join(gap.split())[:_LONGEST_GAP] for gap in _GAP.findall(text)]


def unknown_variables(text: str) -> list[str]:
    """Words in braces that nothing fills in."""
    return sorted({name for name in _VARIABLE.findall(text) if name not in VARIABLES})


def extended_by(workspace: Workspace, dsr: DataSubjectRequest, *, today: date) -> date | None:
    """The day that an extension told today would give; None where it would not count, or no calendar is known."""
    policy = policy_of(workspace)
    if policy is None:
        return None
    zone = ZoneInfo(workspace.time_zone)
    ledger = reckoning.ledgers_of([dsr.pk]).get(dsr.pk, NO_LEDGER)
    facts = facts_of(dsr, ledger=ledger, zone=zone)
    told = facts.extension or Extension(notice_on=today, has_ground=True)
    clocks = compute(replace(facts, extension=told), policy=policy, today=today)
    return clocks.respond_by if clocks.extension_valid else None


def _values(workspace: Workspace, dsr: DataSubjectRequest, *, language: str, now: datetime) -> dict[str, str]:
    today = now.astimezone(ZoneInfo(workspace.time_zone)).date()
    authority_gap, date_gap = (f"[[{gap}]]" for gap in GAPS[language])

    def day(on: date | None) -> str:
        return date_format(on, "j F Y") if on else date_gap

    names = AUTHORITIES.get(workspace.country, {})
    person = _person(dsr)
    with_name, without_name = GREETINGS[language]
    return {
        "greeting": with_name.format(person=person) if person else without_name,
        "person": person,
        "reference": dsr.reference or f"#{dsr.upstream_id}",
        "rights": words.rights(dsr.purposes).lower(),
        "received_on": day(dsr.received_on),
        "respond_by": day(dsr.respond_by or dsr.without_pauses),
        "extended_by": day(extended_by(workspace, dsr, today=today)),
        "today": day(today),
        "authority": names.get(language) or names.get("") or authority_gap,
        "workspace": workspace.name,
    }


def _person(dsr: DataSubjectRequest) -> str:
    try:
        identity = dsr.read_identity()
    except credentials.CannotDecryptError:
        return ""
    return f"{identity.get('given_name', '')} {identity.get('family_name', '')}".strip()
