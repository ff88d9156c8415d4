"""Another password: who may ask for the link to a new one, and how often; what the link opens; keeping it. Called by the pages about it. Keeps no
address in clear."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.tokens import default_token_generator
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.crypto import salted_hmac
from django.utils.http import urlsafe_base64_decode
from django.views.decorators.debug import sensitive_variables

from dsrportal.actions.refusals import WorkspaceError
from dsrportal.models import AuditEvent, User
from dsrportal.models.audit import Operation

WINDOW_SECONDS = 60 * 60
MOST_OF_AN_ADDRESS = 10
"""So many tries an hour from one network address."""
REST_SECONDS = 5 * 60
"""So long after a mail, no second one goes to the same account."""


def may_ask(*, address: str, now: datetime) -> bool:
    """Count a try from this network address; False when there were too many in this hour."""
    key = _key("address", f"{address}:{int(now.timestamp()) // WINDOW_SECONDS}")
    tries = int(cache.get(key, 0)) + 1
    cache.set(key, tries, WINDOW_SECONDS)
    return tries <= MOST_OF_AN_ADDRESS


def accounts_of(asked: str) -> list[int]:
    """The keys of the open accounts that this user name or e-mail address means and that may be sent a mail now."""
    text = asked.strip()
    people = User.objects.filter(is_active=True).exclude(email="")
    found = people.filter(email__iexact=text) if "@" in text else people.filter(username=text)
    return [
        pk
        for pk in found.order_by("pk").values_list("pk", flat=True)[:5]
        if cache.add(_key("sent", str(pk)), 1, REST_SECONDS)
    ]


def behind(*, uidb64: str, token: str) -> User | None:
    """The open account that a link leads to. None for a link that is forged, too old, or was used: the password is part of the proof."""
    try:
        pk = int(urlsafe_base64_decode(uidb64))
    except (ValueError, OverflowError):
        return None
    user = User.objects.filter(pk=pk, is_active=True).first() if pk < 2**63 else None
    return user if user is not None and default_token_generator.check_token(user, token) else None


@sensitive_variables("password")
def change(user: User, *, password: str, now: datetime) -> None:
    """Keep another password; the account's sessions end by it. Raises `WorkspaceError` for one that will not do."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise WorkspaceError(" ".join(error.messages), field="password") from error
    with transaction.atomic():
        user.set_password(password)
        user.save(update_fields=["password"])
        AuditEvent.objects.create(at=now, by=user, operation=Operation.PASSWORD_CHANGED, outcome="done")


def _key(kind: str, text: str) -> str:
    return f"password-{kind}:" + salted_hmac("dsrportal.passwords", text, algorithm="sha256").hexdigest()
