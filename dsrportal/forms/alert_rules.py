"""What the settings page of a workspace's alerts asks: thresholds, people, hours, quiet days, what a person may decline. Parses and checks shapes; what
is kept is decided by `dsrportal.actions.alert_rules`."""

from __future__ import annotations

import calendar
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.utils.dates import WEEKDAYS
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from dsrportal.models import User
from dsrportal.models.alert_rules import AlertPolicy
from dsrportal.models.thresholds import Thresholds

MOST_NUMBERS = 6
MOST_QUIET_DATES = 100
SHORTEST_DAY = timedelta(hours=1)
WORKING_WEEKDAYS = frozenset(range(calendar.SATURDAY))


class DaysField(forms.CharField):
    """Some numbers of days with commas between them. Cleans to a tuple, each once, the largest first. Raises `ValidationError`."""

    def __init__(self, *, smallest: int, largest: int, **kwargs: Any) -> None:
        attrs = {"inputmode": "numeric", "autocomplete": "off"}
        super().__init__(max_length=60, widget=forms.TextInput(attrs=attrs), **kwargs)
        self.smallest, self.largest = smallest, largest

    def prepare_value(self, value: Any) -> Any:
        """`(5, 2)` -> `5, 2`; what was typed stays as it is."""
        return ", ".join(str(days) for days in value) if isinstance(value, tuple) else value

    def clean(self, value: Any) -> tuple[int, ...]:
        """The numbers."""
        parts = [part for part in re.split(r"[\s,;]+", str(super().clean(value))) if part]
        days = {int(part) for part in parts if part.isascii() and part.isdecimal()}
        is_good = all(part.isascii() and part.isdecimal() for part in parts) and len(days) <= MOST_NUMBERS
        if not is_good or any(not self.smallest <= number <= self.largest for number in days):
            names = {"smallest": self.smallest, "largest": self.largest, "most": MOST_NUMBERS}
            raise ValidationError(
                _("Write numbers from %(smallest)d to %(largest)d with commas between them, %(most)d at most.") % names
            )
        return tuple(sorted(days, reverse=True))


class DatesField(forms.CharField):
    """Days, one a line. Cleans to a frozenset of dates. Raises `ValidationError`."""

    def __init__(self, **kwargs: Any) -> None:
        attrs = {"rows": 3, "autocomplete": "off", "spellcheck": "false"}
        super().__init__(max_length=4000, widget=forms.Textarea(attrs=attrs), **kwargs)

    def prepare_value(self, value: Any) -> Any:
        """One day a line, ISO 8601; what was typed stays as it is."""
        return "\n".join(day.isoformat() for day in sorted(value)) if isinstance(value, frozenset) else value

    def clean(self, value: Any) -> frozenset[date]:
        """The days."""
        lines = [line.strip() for line in str(super().clean(value)).splitlines() if line.strip()]
        if len(lines) > MOST_QUIET_DATES:
            raise ValidationError(_("These are more days than can be kept: %(n)d at most.") % {"n": MOST_QUIET_DATES})
        return frozenset(_day(line) for line in lines)


class AlertRulesForm(forms.Form):
    """The rules of one workspace. `policy()` has them as data once the form is valid."""

    extend_days = DaysField(
        label=gettext_lazy("Days before the notice of an extension is due"),
        smallest=1,
        largest=30,
        required=False,
        help_text=gettext_lazy("With commas between them. The day itself is always told."),
    )
    respond_days = DaysField(
        label=gettext_lazy("Working days before the answer is due"),
        smallest=1,
        largest=40,
        required=False,
        help_text=gettext_lazy("With commas between them. The day itself is always told."),
    )
    overdue_days = DaysField(
        label=gettext_lazy("Days overdue on which the managers are told"),
        smallest=1,
        largest=365,
        help_text=gettext_lazy("With commas between them. In between, the daily digest lists what is overdue."),
    )
    tells_assignee = forms.BooleanField(label=gettext_lazy("Whoever has the request"), required=False)
    tells_managers = forms.BooleanField(
        label=gettext_lazy("The managers, of every request"),
        required=False,
        help_text=gettext_lazy("What nobody has, or somebody without an account, goes to the managers in any case."),
    )
    named = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Also, by name"),
        queryset=User.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    begins = forms.TimeField(label=gettext_lazy("Working hours begin"), widget=forms.TimeInput(format="%H:%M"))
    ends = forms.TimeField(label=gettext_lazy("Working hours end"), widget=forms.TimeInput(format="%H:%M"))
    digest_at = forms.TimeField(label=gettext_lazy("Daily digest"), widget=forms.TimeInput(format="%H:%M"))
    quiet_weekdays = forms.TypedMultipleChoiceField(
        label=gettext_lazy("Quiet weekdays"),
        choices=[(number, capfirst(WEEKDAYS[number])) for number in sorted(WORKING_WEEKDAYS)],
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy(
            "No mail goes on these, besides weekends and holidays. What waits goes on the next day."
        ),
    )
    quiet_dates = DatesField(
        label=gettext_lazy("Quiet days"),
        required=False,
        help_text=gettext_lazy(
            "One day a line, for example 2026-12-24. No mail goes on these; what waits goes on the next day."
        ),
    )
    may_mute = forms.BooleanField(
        label=gettext_lazy("People may mute what is not due yet, and single requests"),
        required=False,
        help_text=gettext_lazy("What is overdue cannot be muted."),
    )
    may_skip_digest = forms.BooleanField(label=gettext_lazy("People may switch off their daily digest"), required=False)

    def __init__(self, data: Any = None, *, members: Sequence[int], policy: AlertPolicy) -> None:
        thresholds = policy.thresholds
        initial = {
            "extend_days": tuple(sorted(set(thresholds.extend) - {0}, reverse=True)),
            "respond_days": tuple(sorted(set(thresholds.respond) - {0}, reverse=True)),
            "overdue_days": tuple(sorted(thresholds.overdue)),
            "tells_assignee": policy.tells_assignee,
            "tells_managers": policy.tells_managers,
            "named": sorted(policy.named),
            "begins": policy.begins,
            "ends": policy.ends,
            "digest_at": policy.digest_at,
            "quiet_weekdays": sorted(policy.quiet_weekdays),
            "quiet_dates": policy.quiet_dates,
            "may_mute": policy.may_mute,
            "may_skip_digest": policy.may_skip_digest,
        }
        super().__init__(data, initial=initial)
        self._policy = policy
        people = User.objects.filter(pk__in=members, is_active=True).order_by("last_name", "first_name", "username")
        named = cast("forms.ModelMultipleChoiceField[User]", self.fields["named"])
        named.queryset, named.label_from_instance = people, User.display_name  # type: ignore[method-assign,assignment]
        for name in ("begins", "ends", "digest_at"):
            self.fields[name].widget.input_type = "time"

    def clean_quiet_weekdays(self) -> list[int]:
        """The weekdays. A week without a single day for mails is none."""
        chosen: list[int] = self.cleaned_data["quiet_weekdays"]
        if set(chosen) >= WORKING_WEEKDAYS:
            raise ValidationError(_("Leave one day from Monday to Friday on which mail goes."))
        return chosen

    def clean(self) -> dict[str, Any]:
        """The hours fit together."""
        found = super().clean() or {}
        begins, ends, digest_at = (_minutes(found.get(name)) for name in ("begins", "ends", "digest_at"))
        if begins is None or ends is None:
            return found
        latest = ends - SHORTEST_DAY // timedelta(minutes=1)
        if latest < begins:
            self.add_error("ends", _("The working hours are an hour long at least."))
        elif digest_at is not None and not begins <= digest_at <= latest:
            said = _("The digest goes in the working hours, an hour before they end at the latest.")
            self.add_error("digest_at", said)
        return found

    def policy(self) -> AlertPolicy:
        """The rules of a valid form, with what it does not ask as it was."""
        chosen = self.cleaned_data
        return replace(
            self._policy,
            thresholds=Thresholds(
                extend=(*chosen["extend_days"], 0),
                respond=(*chosen["respond_days"], 0),
                overdue=tuple(sorted(chosen["overdue_days"])),
            ),
            tells_assignee=chosen["tells_assignee"],
            tells_managers=chosen["tells_managers"],
            named=frozenset(person.pk for person in chosen["named"]),
            begins=chosen["begins"],
            ends=chosen["ends"],
            digest_at=chosen["digest_at"],
            quiet_weekdays=frozenset(chosen["quiet_weekdays"]),
            quiet_dates=chosen["quiet_dates"],
            may_mute=chosen["may_mute"],
            may_skip_digest=chosen["may_skip_digest"],
        )


def _minutes(moment: time | None) -> int | None:
    """Minutes since midnight."""
    return None if moment is None else moment.hour * 60 + moment.minute


def _day(text: str) -> date:
    for shape in ("%Y-%m-%d", "%d/%m/%Y", "%d.%m.%Y"):
        try:
            found = datetime.strptime(text, shape).date()  # noqa: DTZ007  a day has no zone
        except ValueError:
            continue
        if 2000 <= found.year <= 2100:  # noqa: PLR2004
            return found
    raise ValidationError(_("“%(text)s” is no day: write it as 2026-12-24.") % {"text": text[:20]})
