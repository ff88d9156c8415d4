"""Checks of what an admin types to reach Dastra: addresses and keys. Called by `actions.workspaces`; calls nobody.

Each function returns the value as it is to be stored or raises `WorkspaceError` with a sentence for the field.
"""

from __future__ import annotations

from django.conf import settings
from django.utils.translation import gettext as _

from dsrportal.actions.refusals import WorkspaceError
from dsrportal.dastra.addresses import allowed_address, allowed_origin
from dsrportal.dastra.auth import LONGEST_SECRET
from dsrportal.dastra.errors import ConfigurationError
from dsrportal.mirror.connections import DEFAULT_TOKEN_URL
from dsrportal.queries.sentences import in_words


def allowed_base_url(text: str) -> str:
    """`https://host[:port]` of a host on the operator's list."""
    try:
        return allowed_origin(text.strip(), allowed_hosts=settings.UPSTREAM_ALLOWED_HOSTS).origin
    except ConfigurationError as error:
        raise WorkspaceError(_with_hosts(in_words(error.sentence)), field="base_url", code=error.code) from error


def allowed_token_url(text: str) -> str:
    """The address that issues tokens; Dastra's own where none is given."""
    try:
        address = allowed_address(text.strip() or DEFAULT_TOKEN_URL, allowed_hosts=settings.UPSTREAM_ALLOWED_HOSTS)
    except ConfigurationError as error:
        raise WorkspaceError(_with_hosts(in_words(error.sentence)), field="token_url", code=error.code) from error
    return f"{address.origin}{address.path}"


def checked_secret(text: str) -> str:
    """A key without the blanks around it. The sentence never holds the key."""
    secret = text.strip()
    if not secret:
        raise WorkspaceError(_("The key is empty."), field="secret")
    if len(secret) > LONGEST_SECRET:
        raise WorkspaceError(
            _("The key is too long: %(n)d characters at most.") % {"n": LONGEST_SECRET}, field="secret"
        )
    if not secret.isascii() or not secret.isprintable() or " " in secret:
        raise WorkspaceError(_("The key contains blanks, line breaks or characters that no key has."), field="secret")
    return secret


def _with_hosts(sentence: str) -> str:
    return _("%(sentence)s Allowed hosts (UPSTREAM_ALLOWED_HOSTS): %(hosts)s.") % {
        "sentence": sentence,
        "hosts": ", ".join(settings.UPSTREAM_ALLOWED_HOSTS),
    }
