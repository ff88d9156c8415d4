"""What the settings page of a workspace's clocks asks: the law, what a pause does, the own target, a holiday of its own."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from dsrportal.forms.changes import DateInput
from dsrportal.models.workspaces import ClockProfile, PauseRule

LONGEST_TARGET = 365


class RulesForm(forms.Form):
    """The law, the policy within it, and the team's own target."""

    profile = forms.ChoiceField(label=_("Law"), choices=ClockProfile.choices, widget=forms.RadioSelect)
    pause_policy = forms.ChoiceField(
        label=_("After a pause"),
        choices=PauseRule.choices,
        widget=forms.RadioSelect,
        help_text=_("A pause is a tolerance of the guidelines: the date without it always stays in view."),
    )
    target_days = forms.IntegerField(
        label=_("Own target: days from receipt"),
        min_value=1,
        max_value=LONGEST_TARGET,
        required=False,
        widget=forms.NumberInput(attrs={"autocomplete": "off"}),
        help_text=_(
            "The day by which the team wants to have answered. It moves with pauses, is never later than the legal date, "
            "and no alert follows it."
        ),
    )


class HolidayForm(forms.Form):
    """A day on which the workspace does not work."""

    on = forms.DateField(label=_("Day"), widget=DateInput())
    name = forms.CharField(label=_("Name"), max_length=80, required=False)
