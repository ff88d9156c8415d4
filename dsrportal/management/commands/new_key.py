"""`manage.py new_key NAME`: a new key for a workspace whose key Dastra refuses. A thin door to `dsrportal.actions.workspaces`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from dsrportal.actions.workspaces import WorkspaceError, rotate_secret
from dsrportal.management.workspaces import find_workspace, read_secret


class Command(BaseCommand):
    help = "Gives a workspace a new key, which comes from standard input. Nothing changes when Dastra cannot be read with it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", metavar="NAME", help="name or short name of the workspace")
        parser.add_argument(
            "--public-key", default="", help="the new public key (way in oauth); without it the old one stays"
        )

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002  Django's signature
        workspace = find_workspace(options["name"])
        try:
            rotate_secret(
                workspace,
                secret=read_secret("Key"),
                by=None,
                now=timezone.now(),
                public_key=options["public_key"],
            )
        except WorkspaceError as error:
            raise CommandError(f"{error.sentence} Nothing was stored.") from error
        self.stdout.write(f"“{workspace.name}” has a new key, ending in {workspace.secret_last_four}.")
        if workspace.hold:
            self.stdout.write(f"It is on hold until it is read again: manage.py sync {workspace.slug}")
