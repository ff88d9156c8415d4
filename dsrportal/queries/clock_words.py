"""The trace of a legal date in words, each sentence with the articles behind it. For "Why this date?", the calculator and `manage.py deadline`.

Reads no row and no clock; the dates come from `dsrportal.clocks`, the language is the active one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.translation import get_language, gettext_noop, ngettext
from django.utils.translation import gettext as _

from dsrportal.clocks import Policy, Rest, Step, StepCode, holiday_name, source_of
from dsrportal.queries.clockmark import long_day

CITED = (
    gettext_noop("GDPR Art. 12(3)"),
    gettext_noop("GDPR Art. 12(4)"),
    gettext_noop("UK GDPR Art. 12(3)"),
    gettext_noop("UK GDPR Art. 12(4)"),
    gettext_noop("EDPB Guidelines 01/2022"),
    gettext_noop("ICO guidance"),
    gettext_noop("Reg. 1182/71 Art. 2(1)"),
    gettext_noop("Reg. 1182/71 Art. 3"),
    gettext_noop("Reg. 1182/71 Art. 3(2)(c)"),
    gettext_noop("Reg. 1182/71 Art. 3(3)"),
    gettext_noop("Reg. 1182/71 Art. 3(4)"),
)
"""What `clocks` cites of European and British law, as each language cites it. Californian law has one name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TraceLine:
    """One step in words: the sentence, the ids of the rules it follows ("R3"), and their sources ("Reg. 1182/71 Art. 3"), each once."""

    text: str
    rules: tuple[str, ...]
    sources: tuple[str, ...]

    def __str__(self) -> str:
        """`R3, R4 (Reg. 1182/71 Art. 3): …`, for a terminal."""
        return f"{', '.join(self.rules)} ({'; '.join(self.sources)}): {self.text}" if self.rules else self.text


def trace_lines(trace: Iterable[Step], *, policy: Policy) -> list[TraceLine]:
    """The steps of a computation in words, in order."""
    return [
        TraceLine(
            text=sentence(step),
            rules=step.rules,
            sources=tuple(dict.fromkeys(_(source_of(rule, profile=policy.profile)) for rule in step.rules)),
        )
        for step in trace
    ]


def sentence(step: Step) -> str:
    """One step as a sentence in the active language."""
    return SENTENCES[step.code](_spoken(step.params))


def days_beside(later: int) -> str:
    """How Dastra's date stands to the law's: "2 days later than the law", "1 day earlier than the law", "the same day"."""
    if later > 0:
        return ngettext("%(n)d day later than the law", "%(n)d days later than the law", later) % {"n": later}
    if later < 0:
        return ngettext("%(n)d day earlier than the law", "%(n)d days earlier than the law", -later) % {"n": -later}
    return _("the same day as the law")


def _spoken(params: dict[str, Any]) -> dict[str, Any]:
    return {name: long_day(value) if isinstance(value, date) else value for name, value in params.items()}


def _says(text: Callable[[], str]) -> Callable[[dict[str, Any]], str]:
    """A sentence whose gaps are the step's own values."""
    return lambda values: text() % values


def _term(values: dict[str, Any]) -> str:
    if values["months"]:
        text = ngettext(
            "%(months)d month from %(since)s ends at the end of %(on)s; the day of receipt is the reference, and every day between counts.",
            "%(months)d months from %(since)s end at the end of %(on)s; they are counted from receipt, and every day between counts.",
            values["months"],
        )
    else:
        text = _("%(days)d calendar days from %(since)s end on %(on)s.")
    return text % values


def _rolled(values: dict[str, Any]) -> str:
    language = (get_language() or "en")[:2]
    days = [
        _resting(day, why, country=values["country"], region=values["region"], language=language)
        for day, why in values["skipped"]
    ]
    return _("No working day: %(days)s. The next working day is %(on)s.") % (values | {"days": ", ".join(days)})


def _resting(day: date, why: Rest, *, country: str, region: str, language: str) -> str:
    if why == Rest.HOLIDAY:
        name = holiday_name(day, country=country, region=region, language=language)
        return _("%(day)s (%(name)s)") % {"day": long_day(day), "name": name}
    if why == Rest.ADDED:
        return _("%(day)s (added by an admin)") % {"day": long_day(day)}
    return long_day(day)


def _pause(values: dict[str, Any]) -> str:
    return (
        ngettext(
            "Asked on %(asked_on)s, answered on %(answered_on)s: the clock stood still for %(days)d day.",
            "Asked on %(asked_on)s, answered on %(answered_on)s: the clock stood still for %(days)d days.",
            values["days"],
        )
        % values
    )


def _pause_open(values: dict[str, Any]) -> str:
    return (
        ngettext(
            "Asked on %(asked_on)s and not answered yet: the clock has stood still for %(days)d day. The date is the one that an answer "
            "on %(until)s would give.",
            "Asked on %(asked_on)s and not answered yet: the clock has stood still for %(days)d days. The date is the one that an answer "
            "on %(until)s would give.",
            values["days"],
        )
        % values
    )


def _pause_late(values: dict[str, Any]) -> str:
    return (
        ngettext(
            "The question of %(asked_on)s came %(days)d day after receipt: that may not count as asked without undue delay.",
            "The question of %(asked_on)s came %(days)d days after receipt: that may not count as asked without undue delay.",
            values["days"],
        )
        % values
    )


def _pause_days(values: dict[str, Any]) -> str:
    return (
        ngettext(
            "%(days)d day of pause in all, days that overlap counted once: %(since)s becomes %(on)s.",
            "%(days)d days of pause in all, days that overlap counted once: %(since)s becomes %(on)s.",
            values["days"],
        )
        % values
    )


def _upstream_rule(values: dict[str, Any]) -> str:
    beside = {"beside": days_beside(values["later"])}
    return _("Dastra counts %(days)d days: %(on)s, %(beside)s.") % (values | beside)


def _closed(values: dict[str, Any]) -> str:
    late = values["late"]
    if late > 0:
        text = ngettext("Closed on %(on)s, %(n)d day late.", "Closed on %(on)s, %(n)d days late.", late)
    elif late < 0:
        text = ngettext("Closed on %(on)s, %(n)d day early.", "Closed on %(on)s, %(n)d days early.", -late)
    else:
        text = _("Closed on %(on)s, the last day.")
    return text % (values | {"n": abs(late)})


SENTENCES: dict[StepCode, Callable[[dict[str, Any]], str]] = {
    StepCode.NO_RECEIPT: _says(lambda: _("It is not known when the request was received, so no date can be given.")),
    StepCode.SENSELESS_RECEIPT: _says(
        lambda: _("The day of receipt, %(on)s, makes no sense, so no date can be given.")
    ),
    StepCode.NO_UPSTREAM_DATE: _says(lambda: _("Dastra gives no date, and this workspace trusts Dastra's alone.")),
    StepCode.RECEIPT: _says(lambda: _("Received on %(on)s.")),
    StepCode.RECEIPT_FROM_CREATION: _says(
        lambda: _("Received on %(on)s: Dastra gives no day of receipt, so the day of its entry stands for it.")
    ),
    StepCode.TERM: _term,
    StepCode.CLAMPED: _says(lambda: _("That month has no day %(day)d, so its last day counts: %(on)s.")),
    StepCode.ROLLED: _rolled,
    StepCode.NOTICES: _says(
        lambda: _(
            "By %(on)s the person must hear of an extension, with its reasons, or of a refusal. Pauses do not move this."
        )
    ),
    StepCode.EXTENSION_VALID: _says(
        lambda: _("The extension counts: the person was told on %(notice_on)s, and %(by)s was the last day for it.")
    ),
    StepCode.EXTENSION_LATE: _says(
        lambda: _("The extension does not count: the person was told on %(notice_on)s, after %(by)s.")
    ),
    StepCode.EXTENSION_WITHOUT_GROUND: _says(lambda: _("The extension does not count: it has no ground.")),
    StepCode.EXTENSION_WITHOUT_NOTICE: _says(
        lambda: _("The extension does not count yet: the person must be told by %(by)s.")
    ),
    StepCode.PAUSE: _pause,
    StepCode.PAUSE_OPEN: _pause_open,
    StepCode.PAUSE_LATE: _pause_late,
    StepCode.PAUSE_BEFORE_RECEIPT: _says(
        lambda: _("The question of %(asked_on)s is older than the receipt; it counts from receipt on.")
    ),
    StepCode.PAUSE_AFTER_END: _says(
        lambda: _(
            "The question of %(asked_on)s does not count: the clock had run out on %(due_on)s, or the request was closed."
        )
    ),
    StepCode.PAUSES_IGNORED: _says(lambda: _("Questions to the person do not stop this clock.")),
    StepCode.PAUSE_DAYS: _pause_days,
    StepCode.RESTARTED: _says(lambda: _("A new period begins with the answer of %(since)s: it ends on %(on)s.")),
    StepCode.UPSTREAM_DATE: _says(lambda: _("This workspace trusts Dastra's own date: %(on)s.")),
    StepCode.RESPOND_BY: _says(lambda: _("Respond by %(on)s, the end of that day.")),
    StepCode.REFUSAL_IN_TIME: _says(
        lambda: _("The refusal was told on %(notice_on)s, in time: %(by)s was the last day for it.")
    ),
    StepCode.REFUSAL_LATE: _says(
        lambda: _("The refusal was told on %(notice_on)s, too late: %(by)s was the last day for it, extended or not.")
    ),
    StepCode.UPSTREAM_RULE: _upstream_rule,
    StepCode.CLOSED: _closed,
}
"""What each step says; a step without a sentence is a mistake that a test finds."""
