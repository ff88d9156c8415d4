"""What the deadline calculator asks: an address's or a command's words -> one question. Called by the calculator's view and `manage.py deadline`.

Every answer is in the address, and none of them is personal. What makes no sense is said in one sentence that tells how to mend it.
"""

from __future__ import annotations

import re
import zoneinfo
from dataclasses import dataclass, replace
from datetime import date, datetime, tzinfo
from itertools import zip_longest
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from dsrportal.clocks import (
    EARLIEST,
    LATEST,
    Extension,
    Facts,
    Pause,
    PausePolicy,
    Policy,
    Profile,
    Refusal,
    UnknownCalendarError,
    check_region,
    compute,
    country_codes,
    day_of,
)
from dsrportal.models.workspaces import ClockProfile, PauseRule
from dsrportal.queries.calculator import Question

DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:?[0-9]{2}")
MOST_PAUSES = 12
PLAIN = {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
DEFAULTS = {
    "profile": Profile.GDPR.value,
    "country": "FR",
    "region": "",
    "time_zone": "Europe/Paris",
    "pause_policy": PausePolicy.SUSPEND.value,
}


class DayInput(forms.TextInput):
    """A browser's own date field while it holds a day or nothing; a field of text for anything else, which would vanish from the former."""

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """Django's, with the type that keeps what was typed."""
        context = super().get_context(name, value, attrs)
        context["widget"]["type"] = _input_type(str(value or ""))
        return context


class MomentField(forms.CharField):
    """A day (`2026-03-31`), or an instant (`2026-03-31T22:30Z`). Cleans to a `date`, a `datetime` or None; an instant without an offset stays naive."""

    widget = DayInput(attrs=PLAIN)

    def __init__(self, *, has_instants: bool = False, **kwargs: Any) -> None:
        super().__init__(max_length=40, error_messages={"required": _("This day is needed.")}, **kwargs)
        self.has_instants = has_instants

    def clean(self, value: Any) -> date | datetime | None:
        """The day or the instant. Raises `ValidationError`."""
        text = str(super().clean(value))
        if not text:
            return None
        return read_moment(text) if self.has_instants else read_day(text)


def read_moment(text: str) -> date | datetime:
    """A day, or an instant, of our own age. Raises `ValidationError` with a sentence."""
    if DAY.fullmatch(text):
        return read_day(text)
    try:
        found = datetime.fromisoformat(text if INSTANT.match(text) else "")  # Python reads more forms than people write
    except ValueError:
        raise ValidationError(
            _("“%(text)s” is no day: write 2026-03-31, or an instant such as 2026-03-31T22:30Z."), params={"text": text}
        ) from None
    _check_age(found.date(), text=text)
    return found


def read_day(text: str) -> date:
    """A day of our own age. Raises `ValidationError` with a sentence."""
    try:
        found = date.fromisoformat(text if DAY.fullmatch(text) else "")
    except ValueError:
        raise ValidationError(_("“%(text)s” is no day: write it as 2026-03-31."), params={"text": text}) from None
    _check_age(found, text=text)
    return found


def _check_age(day: date, *, text: str) -> None:
    if not EARLIEST < day < LATEST:
        raise ValidationError(_("“%(text)s” is too far away."), params={"text": text})


@dataclass(frozen=True, kw_only=True, slots=True)
class PauseRow:
    """One line of the form, as it was typed."""

    asked: str = ""
    answered: str = ""
    is_wrong: bool = False

    @property
    def asked_type(self) -> str:
        """The kind of field that keeps what was typed."""
        return _input_type(self.asked)

    @property
    def answered_type(self) -> str:
        """The kind of field that keeps what was typed."""
        return _input_type(self.answered)


class DeadlineForm(forms.Form):
    """The question. Pauses are two lists of the address, `asked` and `answered`, the first with the first; an empty answer is an open pause."""

    use_required_attribute = False

    received = MomentField(label=_("Received"), has_instants=True)
    profile = forms.ChoiceField(label=_("Law"), choices=ClockProfile.choices)
    country = forms.CharField(
        label=_("Country"),
        max_length=2,
        help_text=_("Two letters."),
        widget=forms.TextInput(attrs=PLAIN | {"list": "countries"}),
    )
    region = forms.CharField(
        label=_("Region"),
        max_length=40,
        required=False,
        help_text=_("Only where other holidays are kept, for example 57 for Moselle."),
        widget=forms.TextInput(attrs=PLAIN),
    )
    time_zone = forms.CharField(
        label=_("Time zone"), max_length=60, widget=forms.TextInput(attrs=PLAIN | {"list": "time-zones"})
    )
    pause_policy = forms.ChoiceField(label=_("After an answer"), choices=PauseRule.choices)
    extended_on = MomentField(
        label=_("Extended"),
        required=False,
        help_text=_("The day the person was told of the extension and its reasons."),
    )
    refused_on = MomentField(
        label=_("Refused"), required=False, help_text=_("The day the person was told of the refusal.")
    )
    complex = forms.BooleanField(label=_("Complex in Dastra: its own rule is 90 days"), required=False)
    expires = MomentField(
        label=_("Dastra's date"),
        required=False,
        has_instants=True,
        help_text=_("For the law “The date that Dastra sets”."),
    )
    today = MomentField(label=_("As of"), required=False, help_text=_("Today where it is empty."))

    def __init__(self, data: QueryDict, *, now: datetime) -> None:
        super().__init__(_with_defaults(data))
        self.now = now
        self.rows = [
            PauseRow(asked=asked.strip()[:40], answered=answered.strip()[:40])
            for asked, answered in zip_longest(
                data.getlist("asked")[:MOST_PAUSES], data.getlist("answered")[:MOST_PAUSES], fillvalue=""
            )
            if asked.strip() or answered.strip()
        ]
        self.pauses: list[Pause] = []

    def clean_country(self) -> str:
        """A code of which holidays are known, in capital letters."""
        country = str(self.cleaned_data["country"]).upper()
        if country not in country_codes():
            raise ValidationError(
                _("No holidays are known for the country “%(country)s”."), params={"country": country}
            )
        return country

    def clean_time_zone(self) -> str:
        """A zone that exists."""
        time_zone = str(self.cleaned_data["time_zone"])
        if time_zone not in zoneinfo.available_timezones():
            raise ValidationError(_("The time zone is a name such as Europe/Paris."))
        return time_zone

    def clean(self) -> dict[str, Any]:
        """What only holds together: the region of the country, the order of the days, Dastra's date where the law is Dastra's."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        self._check_region()
        self.rows = [self._read_row(row) for row in self.rows]
        if cleaned.get("profile") == Profile.UPSTREAM and not cleaned.get("expires") and "expires" not in self.errors:
            self.add_error("expires", _("Dastra's date is needed where it is the one that counts."))
        if not self.errors:
            self._check_order()
        return cleaned

    def question(self) -> Question:
        """What is asked. Call after `is_valid`."""
        cleaned = self.cleaned_data
        zone = zoneinfo.ZoneInfo(cleaned["time_zone"])
        extended_on, refused_on = cleaned["extended_on"], cleaned["refused_on"]
        facts = Facts(
            received_on=_day(cleaned["received"], zone=zone),
            pauses=tuple(self.pauses),
            extension=Extension(notice_on=extended_on, has_ground=True) if extended_on else None,
            refusal=Refusal(notice_on=refused_on) if refused_on else None,
            upstream_due_on=_day(cleaned["expires"], zone=zone),
            is_complex=cleaned["complex"],
        )
        policy = Policy(
            profile=Profile(cleaned["profile"]),
            country=cleaned["country"],
            region=cleaned["region"],
            pause_policy=PausePolicy(cleaned["pause_policy"]),
        )
        return Question(facts=facts, policy=policy, today=cleaned["today"] or day_of(self.now, zone=zone))

    def open_rows(self) -> list[PauseRow]:
        """The rows to draw: those that are filled, and room for one more, at least two."""
        return [*self.rows, *[PauseRow()] * max(2 - len(self.rows), 1 if len(self.rows) < MOST_PAUSES else 0)]

    @property
    def has_more(self) -> bool:
        """Whether one of the fields that are folded away says something of its own, or is wrong."""
        names = ("expires", "complex", "today")
        is_elsewhere = self.data.get("time_zone") != DEFAULTS["time_zone"]
        return is_elsewhere or any(self.data.get(name) or name in self.errors for name in names)

    @property
    def countries(self) -> list[str]:
        """What the country's field proposes."""
        return list(country_codes())

    @property
    def time_zones(self) -> list[str]:
        """What the time zone's field proposes: Europe, by name. Others may be typed."""
        return sorted(zone for zone in zoneinfo.available_timezones() if zone.startswith("Europe/"))

    def _check_region(self) -> None:
        country, region = self.cleaned_data.get("country"), self.cleaned_data.get("region")
        if not country or not region:
            return None
        home = Policy(profile=Profile(self.cleaned_data.get("profile") or Profile.GDPR)).terms.home
        for place in {country, home[0] if home else country}:
            try:
                return check_region(place, region=region)
            except UnknownCalendarError:
                continue
        self.add_error(
            "region",
            ValidationError(
                _("No holidays are known for the region “%(region)s” of %(country)s."),
                params={"region": region, "country": country},
            ),
        )
        return None

    def _read_row(self, row: PauseRow) -> PauseRow:
        try:
            self.pauses.append(_pause(row))
        except ValidationError as error:
            self.add_error(None, error)
            return replace(row, is_wrong=True)
        return row

    def _check_order(self) -> None:
        """The guards: nothing before receipt, no pause once the clock has run out."""
        question = self.question()
        received_on = question.facts.received_on
        for name, sentence in (
            ("extended_on", _("The person cannot have been told before the request was received.")),
            ("refused_on", _("The person cannot have been told before the request was received.")),
        ):
            if received_on and (told_on := self.cleaned_data[name]) and told_on < received_on:
                self.add_error(name, sentence)
        ignored = set(compute(question.facts, policy=question.policy, today=question.today).ignored_pauses)
        for pause in self.pauses:
            if received_on and pause.asked_on < received_on:
                problem = _("A pause cannot start before the request was received: %(asked)s.")
            elif pause.asked_on in ignored and question.policy.terms.has_pauses:
                problem = _("A pause cannot start after the clock has run out: %(asked)s.")
            else:
                continue
            self.add_error(None, ValidationError(problem, params={"asked": pause.asked_on.isoformat()}))


def _input_type(text: str) -> str:
    """A browser's date field shows nothing but a day that exists."""
    try:
        return "date" if not text or read_day(text) else "text"
    except ValidationError:
        return "text"


def _pause(row: PauseRow) -> Pause:
    """A row that makes sense, as a pause. Raises `ValidationError`."""
    if not row.asked:
        raise ValidationError(_("A pause needs the day on which the person was asked."))
    asked_on = read_day(row.asked)
    answered_on = read_day(row.answered) if row.answered else None
    if answered_on is not None and answered_on < asked_on:
        raise ValidationError(
            _("A pause cannot end before it begins: %(asked)s to %(answered)s."),
            params={"asked": row.asked, "answered": row.answered},
        )
    return Pause(asked_on=asked_on, answered_on=answered_on)


def _with_defaults(data: QueryDict) -> QueryDict:
    """What is not in the address at all is as in `DEFAULTS`; what is there and empty stays empty."""
    whole = data.copy()
    for name, value in DEFAULTS.items():
        whole.setdefault(name, value)
    return whole


def _day(moment: date | datetime | None, *, zone: tzinfo) -> date | None:
    if not isinstance(moment, datetime):
        return moment
    return (moment.replace(tzinfo=zone) if moment.tzinfo is None else moment.astimezone(zone)).date()
