"""What the pages about people and their accounts ask. Parses shapes only; whether an address, a user name or a password will do is decided by the actions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib.auth.forms import UsernameField
from django.contrib.auth.password_validation import password_validators_help_texts
from django.utils.translation import gettext_lazy as _

from dsrportal.forms.accounts import MAX_PASSWORD_LENGTH
from dsrportal.models import Role, Workspace

PLAIN = {"autocapitalize": "none", "spellcheck": "false"}


class InvitationForm(forms.Form):
    """Whom to ask into which of the `workspaces`, and as what. Cleans `workspace` to the row."""

    use_required_attribute = False

    email = forms.EmailField(
        label=_("E-mail address"), max_length=254, widget=forms.EmailInput(attrs=PLAIN | {"autocomplete": "off"})
    )
    role = forms.ChoiceField(label=_("Role"), choices=Role.choices, initial=Role.OFFICER)

    def __init__(self, *args: Any, workspaces: list[Workspace], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        mine = Workspace.objects.filter(pk__in=[one.pk for one in workspaces]).order_by("name")
        alone = workspaces[0] if len(workspaces) == 1 else None
        self.fields["workspace"] = forms.ModelChoiceField(
            label=_("Workspace"),
            queryset=mine,
            empty_label=None,
            initial=alone,
            widget=forms.HiddenInput() if alone else forms.Select(),
        )
        self.order_fields(["email", "workspace", "role"])


class NewPasswordForm(forms.Form):
    """A new password, twice. The length limit keeps the hasher from endless work."""

    use_required_attribute = False

    password = forms.CharField(
        label=_("New password"),
        strip=False,
        max_length=MAX_PASSWORD_LENGTH,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label=_("New password again"),
        strip=False,
        max_length=MAX_PASSWORD_LENGTH,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].help_text = " ".join(password_validators_help_texts())

    def clean(self) -> dict[str, Any]:
        """Both are the same."""
        cleaned = super().clean() or {}
        if "password" in cleaned and "again" in cleaned and cleaned["password"] != cleaned["again"]:
            self.add_error("again", _("The two are not the same."))
        return cleaned


class ChangePasswordForm(NewPasswordForm):
    """The present password too: who finds a screen unlocked shall not lock its owner out."""

    field_order: Sequence[str] = ("present", "password", "again")

    present = forms.CharField(
        label=_("Present password"),
        strip=False,
        max_length=MAX_PASSWORD_LENGTH,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class NewAccountForm(NewPasswordForm):
    """Who somebody is who gets an account."""

    field_order: Sequence[str] = ("full_name", "username", "password", "again")

    full_name = forms.CharField(
        label=_("Your name"),
        max_length=150,
        help_text=_("As colleagues see it beside what you do."),
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    username = UsernameField(
        label=_("User name"),
        max_length=150,
        help_text=_("You sign in with it. Letters, digits and @ . + - _ only."),
        widget=forms.TextInput(attrs=PLAIN | {"autocomplete": "username"}),
    )


class FirstAccountForm(NewAccountForm):
    """The account of whoever sets the portal up."""

    field_order: Sequence[str] = ("full_name", "email", "username", "password", "again")

    email = forms.EmailField(
        label=_("E-mail address"), max_length=254, widget=forms.EmailInput(attrs=PLAIN | {"autocomplete": "email"})
    )


class ForgottenForm(forms.Form):
    """Whose password is forgotten: a user name or an e-mail address."""

    use_required_attribute = False

    asked = forms.CharField(
        label=_("User name or e-mail address"),
        max_length=254,
        widget=forms.TextInput(attrs=PLAIN | {"autocomplete": "username", "autofocus": True}),
    )
