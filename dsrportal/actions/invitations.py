"""Asking somebody by mail to join a workspace: the invitation, its link, and what becomes of it. Called by the people page, the page behind the link
and the job that sends it.

The link is made from the row and the portal's secret whenever it is needed, and kept nowhere. Every deed is audited; addresses are not in the log.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from django.core import signing
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from dsrportal.actions.members import create_account
from dsrportal.actions.refusals import WorkspaceError
from dsrportal.models import AuditEvent, Invitation, Membership, Role, User, Workspace
from dsrportal.models.audit import Operation

LASTS = timedelta(days=7)
_SALT = "dsrportal.invitation"


def invite(workspace: Workspace, *, email: str, role: str, by: User, now: datetime) -> Invitation:
    """Keep an invitation; the mail is another step. Raises `WorkspaceError` for an address or a role that will not do, for one who is a member, and
    for an address that was invited already."""
    address = email.strip().lower()
    try:
        validate_email(address)
    except ValidationError as error:
        raise WorkspaceError(" ".join(error.messages), field="email") from error
    if role not in Role.values:
        raise WorkspaceError(_("There is no such role."), field="role")
    if Membership.objects.filter(workspace=workspace, user__email__iexact=address, user__is_active=True).exists():
        raise WorkspaceError(_("Somebody with this address has a role here already."), field="email")
    # An invitation that ran out gives way to the new one.
    gone = Invitation.objects.filter(workspace=workspace, email=address, accepted_at=None, revoked_at=None)
    try:
        with transaction.atomic():
            gone.filter(expires_at__lte=now).update(revoked_at=now)
            invitation = Invitation.objects.create(
                workspace=workspace,
                email=address,
                role=role,
                invited_by=by,
                nonce=secrets.token_hex(16),
                created_at=now,
                expires_at=now + LASTS,
            )
            _note(invitation, operation=Operation.INVITED, by=by, now=now)
    except IntegrityError as error:
        raise WorkspaceError(
            _("This address was invited already: send that invitation again."), field="email"
        ) from error
    return invitation


def renew(invitation: Invitation, *, by: User, now: datetime) -> bool:
    """Make a new link, good for a week more, in place of the one before. False when the invitation is over."""
    values = {"nonce": secrets.token_hex(16), "expires_at": now + LASTS, "sent_at": None, "failed_at": None}
    with transaction.atomic():
        if not _open(invitation).update(**values):
            return False
        _note(invitation, operation=Operation.INVITED, by=by, now=now)
    invitation.refresh_from_db()
    return True


def revoke(invitation: Invitation, *, by: User, now: datetime) -> bool:
    """End it. False when it is over already."""
    with transaction.atomic():
        if not _open(invitation).update(revoked_at=now):
            return False
        _note(invitation, operation=Operation.INVITATION_REVOKED, by=by, now=now)
    return True


def path_of(invitation: Invitation) -> str:
    """The path of its link."""
    return reverse("joining.invitation", args=[signing.dumps([invitation.pk, invitation.nonce], salt=_SALT)])


def find(token: str, *, now: datetime) -> Invitation | None:
    """The invitation behind a link that still opens the door, else None: forged, replaced, used, revoked and run out are one."""
    try:
        pk, nonce = signing.loads(token, salt=_SALT)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    found = Invitation.objects.select_related("workspace", "invited_by").filter(pk=pk, nonce=nonce).first()
    return found if found is not None and found.is_open(now) and found.workspace.is_enabled else None


def accept(invitation: Invitation, *, user: User, now: datetime) -> bool:
    """Give the role to an account that exists; who has a role in the workspace keeps it. False when somebody was faster, or it is over."""
    with transaction.atomic():
        if not _open(invitation).filter(expires_at__gt=now).update(accepted_at=now, accepted_by=user):
            return False
        Membership.objects.get_or_create(
            user=user, workspace_id=invitation.workspace_id, defaults={"role": invitation.role}
        )
        _note(invitation, operation=Operation.INVITATION_ACCEPTED, by=user, now=now)
    return True


def accept_with_account(
    invitation: Invitation, *, username: str, full_name: str, password: str, now: datetime
) -> User | None:
    """Make the account that the invitation is for, with its address, and give it the role. None when the invitation is over; raises `WorkspaceError`
    for a user name or a password that will not do."""
    if User.objects.filter(username__iexact=username).exists():
        raise WorkspaceError(_("This user name is taken."), field="username")
    given, _blank, family = full_name.strip().partition(" ")
    try:
        with transaction.atomic():
            user = create_account(
                username=username, password=password, email=invitation.email, first_name=given, last_name=family
            )
            if not accept(invitation, user=user, now=now):
                transaction.set_rollback(True)
                return None
    except IntegrityError as error:
        raise WorkspaceError(_("This user name is taken."), field="username") from error
    return user


def _open(invitation: Invitation) -> QuerySet[Invitation]:
    return Invitation.objects.filter(pk=invitation.pk, nonce=invitation.nonce, accepted_at=None, revoked_at=None)


def _note(invitation: Invitation, *, operation: Operation, by: User, now: datetime) -> None:
    AuditEvent.objects.create(
        at=now,
        by=by,
        workspace_id=invitation.workspace_id,
        operation=operation,
        outcome="done",
        details={"invitation": invitation.pk, "role": invitation.role},
    )
