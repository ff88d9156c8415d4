"""What the page of channels asks for a new one. Parses shapes only: whether an address may be posted to is decided by `actions.channels`. Address and
key are never rendered back."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from dsrportal.actions.channels import LONGEST_ADDRESS
from dsrportal.forms.workspaces import PLAIN, SecretField
from dsrportal.models.channels import ChannelKind, ChannelTells


class ChannelForm(forms.Form):
    """A new channel."""

    use_required_attribute = False

    kind = forms.ChoiceField(
        label=_("Kind"), choices=ChannelKind.choices, initial=ChannelKind.SLACK, widget=forms.RadioSelect
    )
    name = forms.CharField(
        label=_("Name"),
        max_length=60,
        help_text=_("As people here call it, for example #privacy."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    url = forms.CharField(
        label=_("Address"),
        max_length=LONGEST_ADDRESS,
        help_text=_(
            "The incoming webhook that Slack, Teams or Mattermost makes for the channel. Whoever knows it can post there: it is encrypted "
            "before it is kept and never shown again."
        ),
        widget=forms.PasswordInput(attrs=PLAIN | {"autocomplete": "new-password"}, render_value=False),
    )
    signing_key = SecretField(
        label=_("Key that signs"),
        required=False,
        help_text=_("With it the receiver can tell that a message is from here: HMAC-SHA256 of the body."),
    )
    tells = forms.ChoiceField(
        label=_("What it is told"), choices=ChannelTells.choices, initial=ChannelTells.BOTH, widget=forms.RadioSelect
    )
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)

    def clean(self) -> dict[str, Any]:
        """Only what a webhook gets is signed: the field is hidden for the other kinds, whatever is in it."""
        cleaned = super().clean() or {}
        if cleaned.get("kind") != ChannelKind.WEBHOOK:
            cleaned["signing_key"] = ""
        return cleaned
