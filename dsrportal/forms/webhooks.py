"""What the webhook's page asks: which deed, and Dastra's validation key. A key is never rendered back."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from dsrportal.forms.workspaces import SecretField


class WebhookKeyForm(forms.Form):
    """The validation key that Dastra shows beside the webhook's address."""

    use_required_attribute = False

    secret = SecretField(
        label=_("Validation key"),
        help_text=_(
            "Dastra shows it once the address is saved there. It is encrypted before it is kept and never shown again."
        ),
    )
