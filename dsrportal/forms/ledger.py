"""What the dialogs of a request's clock ask: a pause, its end, an extension, a refusal. Parses and bounds; what the law allows is the action's."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from dsrportal.forms.changes import DateInput
from dsrportal.models.ledger import ExtensionGround, PauseReason, RefusalGround

LONGEST_TEXT = 2_000


class EntryForm(forms.Form):
    """One dialog. `action_id` is new with each page, so that ten presses are one entry."""

    action_id = forms.UUIDField(widget=forms.HiddenInput)

    def entry(self) -> dict[str, Any]:
        """What a valid form asks the action for."""
        return dict(self.cleaned_data)


class PauseForm(EntryForm):
    """Since when the portal waits for the person, and for what."""

    reason = forms.ChoiceField(label=_("Reason"), choices=PauseReason.choices)
    asked_on = forms.DateField(
        label=_("Person asked on"),
        widget=DateInput(),
        help_text=_("Asked later than a week after receipt, it may not count as asked without undue delay."),
    )
    text = forms.CharField(
        label=_("What was asked, and where it can be found"),
        max_length=LONGEST_TEXT,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class ResumeForm(EntryForm):
    """When the person answered."""

    answered_on = forms.DateField(label=_("Person answered on"), widget=DateInput())


class ExtensionForm(EntryForm):
    """Why two further months are needed, and when the person was told."""

    ground = forms.ChoiceField(label=_("Ground"), choices=ExtensionGround.choices)
    notice_on = forms.DateField(label=_("Person told on"), widget=DateInput())
    text = forms.CharField(
        label=_("Why, and where the notice can be found"),
        max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("The reasons that the person was given, and the proof: a message's number, a registered letter."),
    )


class RefusalForm(EntryForm):
    """On what ground it is refused, and when the person was told."""

    ground = forms.ChoiceField(label=_("Ground"), choices=RefusalGround.choices)
    notice_on = forms.DateField(label=_("Person told on"), widget=DateInput())
    text = forms.CharField(
        label=_("Why, and where the notice can be found"),
        max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("The burden of proof is the controller's. The notice names the authority and the courts."),
    )


FORMS: dict[str, type[EntryForm]] = {
    "pause": PauseForm,
    "resume": ResumeForm,
    "extend": ExtensionForm,
    "refuse": RefusalForm,
}
DAYS = ("asked_on", "answered_on", "notice_on")


def offered(deeds: Iterable[str], *, today: date) -> dict[str, EntryForm]:
    """The empty forms of the dialogs that make sense now; days begin with today."""
    return {deed: FORMS[deed](initial=_initial(today), auto_id=f"clock-{deed}-%s") for deed in deeds}


def _initial(today: date) -> dict[str, Any]:
    return {"action_id": uuid.uuid4(), **dict.fromkeys(DAYS, today)}
