"""What the sign-in page asks. Parses only; whether the answer is right is decided by `dsrportal.actions.sign_in`."""

from __future__ import annotations

from django import forms
from django.contrib.auth.forms import UsernameField
from django.utils.translation import gettext_lazy as _

MAX_PASSWORD_LENGTH = 4096


class SignInForm(forms.Form):
    """User name (normalised as accounts are) and password (as typed; a length limit keeps the hasher from endless work)."""

    username = UsernameField(
        label=_("User name"),
        max_length=150,
        widget=forms.TextInput(
            attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false", "autofocus": True}
        ),
    )
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        max_length=MAX_PASSWORD_LENGTH,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
