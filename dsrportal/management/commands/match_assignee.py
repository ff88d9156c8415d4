"""`manage.py match_assignee NAME DASTRA_USER_ID [USERNAME]`: whose account a Dastra user has. A thin door to `dsrportal.actions.members`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from dsrportal.actions.members import match_assignee
from dsrportal.actions.refusals import WorkspaceError
from dsrportal.management.workspaces import find_workspace
from dsrportal.models import User


class Command(BaseCommand):
    help = "Says who is told of a Dastra user's requests, where the e-mail addresses do not; without USERNAME takes that back."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", metavar="NAME", help="name or short name of the workspace")
        parser.add_argument("operator", metavar="DASTRA_USER_ID", type=int)
        parser.add_argument("username", metavar="USERNAME", nargs="?", default="")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002  Django's signature
        workspace = find_workspace(options["name"])
        username = options["username"]
        user = User.objects.filter(username=username).first() if username else None
        if username and user is None:
            raise CommandError(f"There is no account “{username}”.")
        try:
            changed = match_assignee(
                workspace, operator_upstream_id=options["operator"], user=user, by=None, now=timezone.now()
            )
        except WorkspaceError as error:
            raise CommandError(error.sentence) from error
        whose = f"the account “{username}”" if username else "whichever account has the same address"
        self.stdout.write(f"Dastra's user {options['operator']} is {'now' if changed else 'already'} {whose}.")
