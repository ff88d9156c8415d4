"""What the settings pages ask about a workspace. Parses shapes only: whether an address is allowed and a key works is decided by
`dsrportal.actions.workspaces`, whose sentences the view puts beside these fields. A secret is never rendered back."""

from __future__ import annotations

import zoneinfo
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext_lazy as _

from dsrportal.models import Workspace
from dsrportal.models.workspaces import AuthMode

DEFAULT_BASE_URL = "https://api.dastra.eu"
DEFAULT_TOKEN_URL = "https://account.dastra.eu/connect/token"  # noqa: S105  an address
LARGEST_ID = 2**63 - 1
QUOTES = ('""', "''", "“”", "«»")

PLAIN = {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}


class UpstreamIdField(forms.RegexField):
    """A workspace id: digits alone. Cleans to an `int` from 1 to 2^63 - 1."""

    def __init__(self, **kwargs: Any) -> None:
        invalid = _("The workspace id is a whole number, for example 1234.")
        super().__init__(r"\A[0-9]{1,30}\Z", error_messages={"invalid": invalid}, **kwargs)
        self.in_range = [MinValueValidator(1, message=invalid), MaxValueValidator(LARGEST_ID, message=invalid)]

    def clean(self, value: Any) -> int:
        """The number. Raises `ValidationError`."""
        number = int(super().clean(value))
        for validator in self.in_range:
            validator(number)
        return number


class SecretField(forms.CharField):
    """A key as it was pasted: blanks and quotation marks round it go. Never rendered back."""

    def __init__(self, **kwargs: Any) -> None:
        attrs = PLAIN | {"autocomplete": "new-password"}
        super().__init__(max_length=4096, widget=forms.PasswordInput(attrs=attrs, render_value=False), **kwargs)

    def clean(self, value: Any) -> str:
        """The key. Raises `ValidationError`, whose text never holds it."""
        text = str(super().clean(value))
        return text[1:-1].strip() if len(text) > 1 and text[0] + text[-1] in QUOTES else text


class ConnectionForm(forms.Form):
    """The way to Dastra's API and the calendar that counts there. `secret` is required; the two addresses have Dastra's own as initial."""

    use_required_attribute = False  # fields of the other way in are hidden, and a browser would ask for them unseen

    name = forms.CharField(label=_("Name"), max_length=120, help_text=_("As people here call it."))
    base_url = forms.CharField(
        label=_("Address of the API"),
        max_length=300,
        initial=DEFAULT_BASE_URL,
        widget=forms.TextInput(attrs=PLAIN | {"inputmode": "url"}),
    )
    auth_mode = forms.ChoiceField(
        label=_("Way in"), choices=AuthMode.choices, initial=AuthMode.KEY, widget=forms.RadioSelect
    )
    public_key = forms.CharField(
        label=_("Public key"),
        max_length=300,
        widget=forms.TextInput(attrs=PLAIN),
    )
    token_url = forms.CharField(
        label=_("Address that issues tokens"),
        max_length=300,
        required=False,
        initial=DEFAULT_TOKEN_URL,
        widget=forms.TextInput(attrs=PLAIN | {"inputmode": "url"}),
    )
    secret = SecretField(
        label=_("Key"),
        help_text=_("The API key, or the private key. It is encrypted before it is kept and never shown again."),
    )
    country = forms.CharField(
        label=_("Country"),
        max_length=2,
        initial="FR",
        help_text=_("Two letters, for example FR, BE or NL. Its public holidays count for the deadlines."),
        widget=forms.TextInput(attrs=PLAIN | {"autocapitalize": "characters"}),
    )
    region = forms.CharField(
        label=_("Region"),
        max_length=10,
        required=False,
        help_text=_("Only where other holidays are kept, for example 57 for Moselle."),
        widget=forms.TextInput(attrs=PLAIN),
    )
    time_zone = forms.CharField(
        label=_("Time zone"),
        max_length=60,
        initial="Europe/Paris",
        help_text=_("A day begins and ends there. For example Europe/Brussels."),
        widget=forms.TextInput(attrs=PLAIN | {"list": "time-zones"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.is_bound:
            self.fields["public_key"].required = self.data.get("auth_mode") == AuthMode.OAUTH

    def clean_country(self) -> str:
        """The code in capital letters."""
        country = str(self.cleaned_data["country"]).upper()
        if not (country.isascii() and country.isalpha() and len(country) == 2):  # noqa: PLR2004
            raise forms.ValidationError(_("The country is a code of two letters, for example FR."))
        return country

    def clean_time_zone(self) -> str:
        """A zone that exists, as it is written."""
        time_zone = str(self.cleaned_data["time_zone"])
        if time_zone not in zoneinfo.available_timezones():
            raise forms.ValidationError(_("The time zone is a name such as Europe/Paris."))
        return time_zone

    @property
    def time_zones(self) -> list[str]:
        """What the time zone's field proposes: Europe, by name. Others may be typed."""
        return sorted(zone for zone in zoneinfo.available_timezones() if zone.startswith("Europe/"))


class AddWorkspaceForm(ConnectionForm):
    """A connection and the id of the workspace in Dastra."""

    upstream_id = UpstreamIdField(
        label=_("Workspace id in Dastra"),
        help_text=_("The number after /ws/ in the address of the workspace in Dastra."),
        widget=forms.TextInput(attrs=PLAIN | {"inputmode": "numeric"}),
    )

    field_order = ["name", "upstream_id"]

    def connection(self) -> dict[str, Any]:
        """The part that a test of the connection needs. Call after `is_valid`."""
        names = ("base_url", "upstream_id", "auth_mode", "public_key", "token_url", "secret")
        return {name: self.cleaned_data[name] for name in names}


class EditWorkspaceForm(ConnectionForm):
    """The same for a workspace that exists: the id stays, and the key is only asked for where the connection changes."""

    secret = SecretField(
        label=_("Key"),
        required=False,
        help_text=_(
            "Only when the address or the way in changes: a key works for the address it was given with alone."
        ),
    )

    @classmethod
    def initial_of(cls, workspace: Workspace) -> dict[str, str]:
        """The workspace's present values."""
        return {name: getattr(workspace, name) for name in cls.base_fields if name != "secret"}


class RotateSecretForm(forms.Form):
    """A new key for the same connection; the public key too where there are two."""

    public_key = forms.CharField(
        label=_("Public key"), max_length=300, widget=forms.TextInput(attrs=PLAIN), required=False
    )
    secret = SecretField(
        label=_("New key"), help_text=_("It is tested first. The old key stays in use until the new one works.")
    )

    def __init__(self, *args: Any, workspace: Workspace, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if workspace.auth_mode == AuthMode.OAUTH:
            self.fields["public_key"].required = True
            self.fields["public_key"].initial = workspace.public_key
        else:
            del self.fields["public_key"]
