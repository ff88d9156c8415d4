"""What the forms of a saved view say: its name, whether others see it, what it opens. Bounds alone; whether it is allowed is the action's."""

from __future__ import annotations

from django import forms

from dsrportal.models.saved_views import ViewShape

DEEDS = ("update", "rename", "delete", "begin", "no_beginning")


class SavedViewForm(forms.Form):
    """A new view, or a new name for one. A name that is too long is the action's to refuse, with a sentence."""

    name = forms.CharField(max_length=200, required=False)
    is_shared = forms.BooleanField(required=False)
    shape = forms.ChoiceField(choices=ViewShape.choices, required=False)

    def clean_shape(self) -> ViewShape:
        """A list, where nothing is said."""
        return ViewShape(self.cleaned_data["shape"] or ViewShape.TABLE)


class DeedForm(forms.Form):
    """What is to become of a view."""

    deed = forms.ChoiceField(choices=[(deed, deed) for deed in DEEDS])
