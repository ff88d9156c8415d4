"""What the page asks that writes to a person. Parses and bounds; whether it may go out is the action's."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from dsrportal.actions.drafts import LONGEST_DRAFT
from dsrportal.actions.messages import GROUNDS
from dsrportal.models.correspondence import LetterPurpose
from dsrportal.queries.letters import LANGUAGES, unknown_variables

LANGUAGE_NAMES = {"en": "English", "fr": "Français", "nl": "Nederlands"}


class ManyFiles(forms.FileInput):
    """A file input that takes several."""

    allow_multiple_selected = True


class Draftable(forms.CharField):
    """A text that has to be there before it goes out; an empty draft may be kept."""

    def validate(self, value: Any) -> None:
        """Nothing is asked of a draft."""


class Ground(forms.ChoiceField):
    """A choice that counts for one purpose alone."""

    def validate(self, value: Any) -> None:
        """Absent for the other purposes."""
        if value:
            super().validate(value)


class MessageForm(forms.Form):
    """A message: what it is for, in which language, on what ground where it is a notice, and the text. Files come beside it."""

    use_required_attribute = False  # a draft may be saved as it is
    action_id = forms.UUIDField(widget=forms.HiddenInput)
    purpose = forms.ChoiceField(label=gettext_lazy("What it is"), choices=LetterPurpose.choices)
    language = forms.ChoiceField(
        label=gettext_lazy("Language of the letter"), choices=[(code, LANGUAGE_NAMES[code]) for code in LANGUAGES]
    )
    extension_ground = Ground(
        label=gettext_lazy("Ground of the extension"),
        choices=GROUNDS[LetterPurpose.EXTENSION].choices,
    )
    refusal_ground = Ground(label=gettext_lazy("Ground of the refusal"), choices=GROUNDS[LetterPurpose.REFUSAL].choices)
    text = Draftable(
        label=gettext_lazy("Text"),
        max_length=LONGEST_DRAFT,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 14}),
        help_text=gettext_lazy(
            "Plain text, 3,000 characters at most. What stands in [[double brackets]] has to be filled in."
        ),
    )
    added = forms.FileField(
        label=gettext_lazy("Add files"),
        required=False,
        widget=ManyFiles(attrs={"multiple": True}),
        help_text=gettext_lazy("At most 5 files, 10 MB each and 20 MB together."),
    )

    def clean_text(self) -> str:
        """One kind of line end."""
        return str(self.cleaned_data["text"]).replace("\r\n", "\n").replace("\r", "\n")

    def ground(self) -> str:
        """The ground that belongs to the purpose."""
        name = f"{self.cleaned_data['purpose']}_ground"
        return str(self.cleaned_data.get(name, ""))


def first_values(*, purpose: str, language: str, ground: str, text: str) -> dict[str, Any]:
    """The form as a draft fills it in."""
    grounds = {f"{name}_ground": ground for name in GROUNDS if purpose == name and ground}
    return {"action_id": uuid.uuid4(), "purpose": purpose, "language": language, "text": text, **grounds}


class LetterForm(forms.Form):
    """A workspace's own text of one letter."""

    text = forms.CharField(
        label=gettext_lazy("Text"),
        max_length=3_000,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 16}),
    )

    def clean_text(self) -> str:
        """Words in braces have to be ones that are filled in."""
        text = str(self.cleaned_data["text"]).replace("\r\n", "\n").strip()
        if not text:
            raise forms.ValidationError(_("There is no text yet."))
        if unknown := unknown_variables(text):
            names = ", ".join(f"{{{name}}}" for name in unknown)
            raise forms.ValidationError(_("Nothing fills in %(names)s.") % {"names": names})
        return text
