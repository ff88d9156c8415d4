"""What a person is asked about their own alerts: what is not to be mailed, an absence, a request to be muted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from dsrportal.forms.changes import DateInput
from dsrportal.models import User, Workspace


class AlertWishForm(forms.Form):
    """What is not to be mailed. A field is locked where no workspace allows it."""

    mutes_approaching = forms.BooleanField(
        label=_("No mail of what is not due yet"),
        required=False,
        help_text=_("It stays behind the bell, as read. Mail comes on the day it is due, and when it is overdue."),
    )
    skips_digest = forms.BooleanField(
        label=_("No daily digest"),
        required=False,
        help_text=_(
            "What would have been in it is behind the bell. What is due today and what is overdue is mailed at once."
        ),
    )

    def __init__(self, *args: Any, may_mute: bool, may_skip_digest: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["mutes_approaching"].disabled = not may_mute
        self.fields["skips_digest"].disabled = not may_skip_digest


class AbsenceForm(forms.Form):
    """From when until when, and who stands in."""

    first_on = forms.DateField(label=_("First day away"), widget=DateInput())
    last_on = forms.DateField(label=_("Last day away"), widget=DateInput())
    deputy = forms.ModelChoiceField(label=_("Who stands in"), queryset=User.objects.none(), empty_label="")

    def __init__(self, *args: Any, deputies: QuerySet[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        deputy = cast("forms.ModelChoiceField[User]", self.fields["deputy"])
        deputy.queryset, deputy.label_from_instance = deputies, User.display_name  # type: ignore[method-assign,assignment]


class MuteForm(forms.Form):
    """A request by its reference, and where it is."""

    workspace = forms.ChoiceField(label=_("Workspace"))
    reference = forms.CharField(
        label=_("Reference"),
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, workspaces: Sequence[Workspace], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["workspace"].choices = [(one.slug, one.name) for one in workspaces]  # type: ignore[attr-defined]
