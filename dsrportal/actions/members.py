"""Gives people their roles in workspaces and takes them back, and gives Dastra's users their accounts. Called by the people page and by the commands
`add_member` and `match_assignee`; audited."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext as _

from dsrportal.actions.refusals import WorkspaceError
from dsrportal.models import AssigneeAccount, AuditEvent, Membership, Operator, Role, User, Workspace
from dsrportal.models.audit import Operation


def create_account(
    *,
    username: str,
    password: str,
    email: str = "",
    first_name: str = "",
    last_name: str = "",
    is_superuser: bool = False,
) -> User:
    """A new account. Raises `WorkspaceError` for a user name, an address or a password that will not do."""
    user = User(
        username=username,
        email=email,
        first_name=first_name[:150],
        last_name=last_name[:150],
        is_superuser=is_superuser,
    )
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
            _keep_an_admin(membership)
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


def remove_member(membership: Membership, *, by: User | None, now: datetime) -> None:
    """Take a person's role back: the workspace no longer exists for them. Raises `WorkspaceError` for the last admin."""
    with transaction.atomic():
        _keep_an_admin(membership)
        AuditEvent.objects.create(
            at=now,
            by=by,
            workspace_id=membership.workspace_id,
            operation=Operation.MEMBER_REMOVED,
            outcome="done",
            details={"user": membership.user_id, "role": membership.role},
        )
        Membership.objects.filter(pk=membership.pk).delete()


def _keep_an_admin(membership: Membership) -> None:
    """Raise `WorkspaceError` when the workspace would be left without an admin. Within a transaction: two admins may not take each other's role."""
    if membership.role != Role.ADMIN:
        return
    Workspace.objects.select_for_update().get(pk=membership.workspace_id)
    others = Membership.objects.filter(workspace=membership.workspace_id, role=Role.ADMIN, user__is_active=True)
    if not others.exclude(pk=membership.pk).exists():
        raise WorkspaceError(_("A workspace needs an admin: give somebody else that role first."), field="role")


def match_assignee(
    workspace: Workspace, *, operator_upstream_id: int, user: User | None, by: User | None, now: datetime
) -> bool:
    """Say whose account a Dastra user has, whatever the e-mail addresses tell; None takes that back. False when it is so already; raises `WorkspaceError`
    for a Dastra user that the workspace does not have, and for an account that may not act in it."""
    operator = Operator.objects.filter(workspace=workspace, upstream_id=operator_upstream_id).first()
    if operator is None:
        raise WorkspaceError(_("Dastra has no such user in this workspace."), field="operator")
    if user is not None:
        membership = Membership.objects.filter(workspace=workspace, user=user).first()
        if membership is None or not membership.may_act:
            raise WorkspaceError(_("This account may not act in this workspace."), field="user")
    with transaction.atomic():
        matches = AssigneeAccount.objects.filter(operator=operator)
        if matches.values_list("person_id", flat=True).first() == (user.pk if user else None):
            return False
        if user is None:
            matches.delete()
        else:
            AssigneeAccount.objects.update_or_create(operator=operator, defaults={"person": user})
        AuditEvent.objects.create(
            at=now,
            by=by,
            workspace=workspace,
            operation=Operation.ASSIGNEE_MATCHED,
            outcome="done",
            details={"operator": operator_upstream_id, "user": user.pk if user else None},
        )
    return True
