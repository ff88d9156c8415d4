"""Gives people their roles in workspaces. Called by the command `add_member` and by the settings pages; audited."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext as _

from dsrportal.actions.refusals import WorkspaceError
from dsrportal.models import AuditEvent, Membership, Role, User, Workspace
from dsrportal.models.audit import Operation


def create_account(*, username: str, password: str, email: str = "") -> User:
    """A new account. Raises `WorkspaceError` for a user name, an address or a password that will not do."""
    user = User(username=username, email=email)
    try:
        User.username_validator(username)
        if email:
            validate_email(email)
    except ValidationError as error:
        raise WorkspaceError(" ".join(error.messages), field="username") from error
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise WorkspaceError(" ".join(error.messages), field="password") from error
    user.set_password(password)
    user.save()
    return user


def set_email(user: User, *, email: str) -> None:
    """Note another address of an account. Raises `WorkspaceError`."""
    try:
        validate_email(email)
    except ValidationError as error:
        raise WorkspaceError(" ".join(error.messages), field="email") from error
    User.objects.filter(pk=user.pk).update(email=email)


def set_role(workspace: Workspace, *, user: User, role: str, by: User | None, now: datetime) -> bool:
    """Give `user` a role in the workspace, in place of the one it has. False when it has it already; raises `WorkspaceError`."""
    if role not in Role.values:
        raise WorkspaceError(_("There is no such role."), field="role")
    with transaction.atomic():
        membership, created = Membership.objects.get_or_create(user=user, workspace=workspace, defaults={"role": role})
        if not created:
            if membership.role == role:
                return False
            membership.role = role
            membership.save(update_fields=["role"])
        AuditEvent.objects.create(
            at=now,
            by=by,
            workspace=workspace,
            operation=Operation.MEMBER_ADDED,
            outcome="done",
            details={"user": user.pk, "role": role},
        )
    return True
