"""What the form of a new request asks. Parses and bounds; whether it is allowed is the action's."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from dsrportal.actions.creation import LONGEST
from dsrportal.forms.changes import LANGUAGES, NOON, DateInput
from dsrportal.queries import words
from dsrportal.queries.vocabulary import Vocabulary


def _text(
    name: str, *, label: Any, widget: type[forms.Widget] = forms.TextInput, required: bool = False, **more: Any
) -> forms.CharField:
    return forms.CharField(label=label, max_length=LONGEST[name], required=required, widget=widget, **more)


class NewRequestForm(forms.Form):
    """A request that came by letter, telephone or over the counter. `action_id` is made with the page, so that ten posts are one request."""

    action_id = forms.UUIDField(widget=forms.HiddenInput)
    title = _text("title", label=gettext_lazy("Title"), required=True)
    given_name = _text("given_name", label=gettext_lazy("Given name"))
    family_name = _text("family_name", label=gettext_lazy("Family name"))
    email = forms.EmailField(label=gettext_lazy("E-mail"), max_length=LONGEST["email"], required=False)
    phone = _text("phone", label=gettext_lazy("Phone"))
    purposes = forms.MultipleChoiceField(label=gettext_lazy("Rights"), widget=forms.CheckboxSelectMultiple)
    received = forms.DateField(label=gettext_lazy("Received"), widget=DateInput())
    channel = forms.ChoiceField(label=gettext_lazy("Channel"))
    area = forms.TypedChoiceField(label=gettext_lazy("Area"), coerce=int)
    locale = forms.ChoiceField(label=gettext_lazy("Language"))
    operator = forms.TypedChoiceField(label=gettext_lazy("Assignee"), coerce=int, empty_value=None, required=False)
    customer_reference = _text("customer_reference", label=gettext_lazy("Customer reference"))
    complex = forms.BooleanField(label=gettext_lazy("Complex"), required=False)
    message = _text("message", label=gettext_lazy("What the person wrote"), widget=forms.Textarea)
    description = _text("description", label=gettext_lazy("Internal note"), widget=forms.Textarea)

    def __init__(self, *args: Any, known: Vocabulary, zone: ZoneInfo, now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone, self.now = zone, now
        self._choices("purposes", [(code, words.right(code)) for code in words.RIGHTS])
        self._choices("channel", [(code, words.channel(code)) for code in words.CHANNELS])
        areas = [(area.upstream_id, area.label) for area in known.areas.values()]
        self._choices("area", areas if len(areas) == 1 else [("", _("Choose an area")), *areas])
        people = [(one.upstream_id, known.shown_operator(one.pk)) for one in known.operators.values()]
        self._choices("operator", [("", _("Unassigned")), *people])
        self._choices("locale", [(code, words.language(code)) for code in LANGUAGES])
        for name in ("given_name", "family_name", "email", "phone"):
            self.fields[name].widget.attrs["autocomplete"] = "off"  # another person's, not the reader's own

    def clean_received(self) -> date:
        """No request was received tomorrow."""
        day: date = self.cleaned_data["received"]
        if day > self.now.astimezone(self.zone).date():
            raise forms.ValidationError(_("This day is still to come."))
        return day

    def wanted(self) -> dict[str, Any]:
        """The values of the wish. The day becomes an instant: noon, or its beginning while noon is still to come."""
        values = {name: value for name, value in self.cleaned_data.items() if name != "action_id"}
        day = values["received"]
        noon = datetime.combine(day, NOON, tzinfo=self.zone)
        at = noon if noon <= self.now else datetime.combine(day, time(), tzinfo=self.zone)
        return {**values, "received": at.astimezone(ZoneInfo("UTC")).isoformat().replace("+00:00", "Z")}

    def _choices(self, name: str, choices: list[tuple[Any, str]]) -> None:
        self.fields[name].choices = choices  # type: ignore[attr-defined]


class DatesForm(forms.Form):
    """What the legal dates are told from while the form is still being filled in."""

    received = forms.DateField(required=False)
    complex = forms.BooleanField(required=False)
    email = forms.CharField(max_length=LONGEST["email"], required=False)


def first_values(wanted: dict[str, Any], *, zone: ZoneInfo) -> dict[str, Any]:
    """The fields as they were filled in, from the values of a wish."""
    received = datetime.fromisoformat(wanted["received"]).astimezone(zone).date()
    return {**wanted, "received": received}
