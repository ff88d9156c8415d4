"""The first account of a portal that has none: a link from the terminal opens its page, once. Called by `manage.py serve`, `setup_link` and the page.

The link is signed and kept nowhere. It is good for a day and for as long as there is no account at all."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.core import signing
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from dsrportal.actions.members import create_account
from dsrportal.actions.refusals import WorkspaceError
from dsrportal.models import AuditEvent, User
from dsrportal.models.audit import Operation

LASTS = timedelta(days=1)
_SALT = "dsrportal.setup"


def link() -> str | None:
    """The address to open, None when somebody has an account."""
    if User.objects.exists():
        return None
    return f"{settings.PORTAL_URL}{reverse('joining.setup', args=[signing.dumps('setup', salt=_SALT)])}"


def opens(token: str) -> bool:
    """Whether the link still opens the page."""
    try:
        signing.loads(token, salt=_SALT, max_age=LASTS)
    except signing.BadSignature:
        return False
    return not User.objects.exists()


def make(*, username: str, full_name: str, email: str, password: str, now: datetime) -> User | None:
    """The account that may add workspaces. None when there is an account by now; raises `WorkspaceError` for a user name, an address or a password that
    will not do."""
    given, _blank, family = full_name.strip().partition(" ")
    try:
        with transaction.atomic():
            if User.objects.exists():
                return None
            user = create_account(
                username=username,
                password=password,
                email=email.strip().lower(),
                first_name=given,
                last_name=family,
                is_superuser=True,
            )
            AuditEvent.objects.create(at=now, by=user, operation=Operation.PORTAL_SET_UP, outcome="done")
    except IntegrityError as error:  # the same form, posted twice at once
        raise WorkspaceError(_("This user name is taken."), field="username") from error
    return user
