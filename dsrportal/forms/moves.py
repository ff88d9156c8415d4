"""What a wish's form says: which step, which form, and what the person saw. Parses and bounds; whether it is allowed is the action's."""

from __future__ import annotations

from django import forms

LARGEST_ID = 2**63 - 1


class WishForm(forms.Form):
    """`action_id` is made with the page, so that the same form posted ten times is one wish. `seen_updated_at` is ISO 8601 or empty;
    `origin` is the page that gets the answer."""

    action_id = forms.UUIDField()
    step = forms.IntegerField(min_value=1, max_value=LARGEST_ID, required=False)
    seen_step = forms.IntegerField(min_value=1, max_value=LARGEST_ID, required=False)
    seen_updated_at = forms.DateTimeField(required=False)
    origin = forms.ChoiceField(choices=[(page, page) for page in ("board", "dsr", "register")], required=False)
