"""`manage.py add_member NAME USERNAME ROLE`: gives a person a role. A thin door to `dsrportal.actions.members`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from dsrportal.actions.members import create_account, set_email, set_role
from dsrportal.actions.refusals import WorkspaceError
from dsrportal.management.workspaces import find_workspace, read_secret
from dsrportal.models import Role, User


class Command(BaseCommand):
    help = "Gives a person a role in a workspace; doing it twice changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", metavar="NAME", help="name or short name of the workspace")
        parser.add_argument("username", metavar="USERNAME")
        parser.add_argument("role", metavar="ROLE", choices=Role.values, help=", ".join(Role.values))
        parser.add_argument("--email", default="", help="the person's address")
        parser.add_argument(
            "--create", action="store_true", help="make the account; its password comes from standard input"
        )

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002  Django's signature
        workspace = find_workspace(options["name"])
        username, email = options["username"], options["email"]
        user = User.objects.filter(username=username).first()
        if user is None and not options["create"]:
            raise CommandError(f"There is no account “{username}”. With --create it is made.")
        password = read_secret("Password").rstrip("\r\n") if user is None else ""
        try:
            with transaction.atomic():
                if user is None:
                    user = create_account(username=username, password=password, email=email)
                    self.stdout.write(f"Made the account “{username}”.")
                elif email and user.email != email:
                    set_email(user, email=email)
                changed = set_role(workspace, user=user, role=options["role"], by=None, now=timezone.now())
        except WorkspaceError as error:
            raise CommandError(error.sentence) from error
        self.stdout.write(f"“{username}” is {'now' if changed else 'already'} {options['role']} of “{workspace.name}”.")
