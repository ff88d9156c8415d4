"""Why a date is what it is: the steps of a computation as codes with values, and the article behind each rule. The words for people are made in
`dsrportal.queries.clock_words`; here is no language.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from dsrportal.clocks.calendars import Rest
from dsrportal.clocks.profiles import Profile

SOURCES = {
    "R1": "GDPR Art. 12(3)",
    "R2": "EDPB Guidelines 01/2022",
    "R3": "Reg. 1182/71 Art. 3",
    "R4": "Reg. 1182/71 Art. 3(2)(c)",
    "R5": "Reg. 1182/71 Art. 3(4)",
    "R6": "Reg. 1182/71 Art. 2(1)",
    "R7": "Reg. 1182/71 Art. 3(3)",
    "R8": "GDPR Art. 12(3)",
    "R9": "GDPR Art. 12(3)",
    "R10": "GDPR Art. 12(4)",
    "R13": "EDPB Guidelines 01/2022",
    "R14": "EDPB Guidelines 01/2022",
    "R21": "11 CCR 7021",
    "R22": "Cal. Code Civ. Proc. § 12a",
}
"""The article (or guideline) behind each rule of docs/deadlines.md."""
UK_WORDS = (("EDPB Guidelines 01/2022", "ICO guidance"), ("GDPR", "UK GDPR"))


def source_of(rule: str, *, profile: Profile) -> str:
    """The article behind a rule, as the law of the profile is called. Raises `KeyError` for a rule that does not exist."""
    source = SOURCES[rule]
    if profile == Profile.UK:
        for ours, theirs in UK_WORDS:
            source = source.replace(ours, theirs)
    return source


class StepCode(StrEnum):
    """What a step of the computation did. The comment names its params."""

    NO_RECEIPT = "no_receipt"
    SENSELESS_RECEIPT = "senseless_receipt"  # on
    NO_UPSTREAM_DATE = "no_upstream_date"
    RECEIPT = "receipt"  # on
    RECEIPT_FROM_CREATION = "receipt_from_creation"  # on
    TERM = "term"  # months, days, since, on: the period's end before the roll; one of months and days is 0
    CLAMPED = "clamped"  # day, on: the month has no such day
    ROLLED = "rolled"  # since, on, skipped: ((date, Rest), …), country, region
    NOTICES = "notices"  # on: extend by and refuse by
    EXTENSION_VALID = "extension_valid"  # notice_on, by
    EXTENSION_LATE = "extension_late"  # notice_on, by
    EXTENSION_WITHOUT_GROUND = "extension_without_ground"
    EXTENSION_WITHOUT_NOTICE = "extension_without_notice"  # by
    PAUSE = "pause"  # asked_on, answered_on, days: its own, before overlaps are taken off
    PAUSE_OPEN = "pause_open"  # asked_on, until, days
    PAUSE_LATE = "pause_late"  # asked_on, days: since receipt
    PAUSE_BEFORE_RECEIPT = "pause_before_receipt"  # asked_on
    PAUSE_AFTER_END = "pause_after_end"  # asked_on, due_on (the clock had run out or the request was closed)
    PAUSES_IGNORED = "pauses_ignored"  # the profile knows no pauses
    PAUSE_DAYS = "pause_days"  # days, since, on: added to the raw date
    RESTARTED = "restarted"  # since: the day of the last answer; on: the raw date
    UPSTREAM_DATE = "upstream_date"  # on: trusted as it is
    RESPOND_BY = "respond_by"  # on
    REFUSAL_IN_TIME = "refusal_in_time"  # notice_on, by
    REFUSAL_LATE = "refusal_late"  # notice_on, by
    UPSTREAM_RULE = "upstream_rule"  # days (30 or 90), on, later (days after respond_by; negative: before)
    CLOSED = "closed"  # on, late (days; negative: early)


Value = date | int | str | tuple[tuple[date, Rest], ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One step: the rules it follows (keys of `SOURCES`; none where it only says what was found), what it did, and its values."""

    rules: tuple[str, ...]
    code: StepCode
    params: dict[str, Value] = field(default_factory=dict)


class Trace(list[Step]):
    """The steps so far. `law` replaces the rules of the GDPR where another law has one of its own for the same: {"R1": "R21", …}."""

    def __init__(self, *, law: Mapping[str, str]) -> None:
        super().__init__()
        self.law = law

    def note(self, code: StepCode, *rules: str, **params: Value) -> None:
        """Add a step."""
        law = self.law
        self.append(Step(tuple(dict.fromkeys(law.get(rule, rule) for rule in rules)) if law else rules, code, params))
