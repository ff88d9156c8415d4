"""`manage.py add_workspace NAME …`: tests a connection and stores it. A thin door to `dsrportal.actions.workspaces`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from dsrportal.actions.workspaces import WorkspaceError, add_workspace
from dsrportal.management.workspaces import read_secret
from dsrportal.models.workspaces import AuthMode


class Command(BaseCommand):
    help = (
        "Adds a workspace of Dastra; the key comes from standard input. Nothing is stored when Dastra cannot be read."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", metavar="NAME", help="what the workspace is called in the portal")
        parser.add_argument("--upstream-id", type=int, required=True, help="the workspace's id in Dastra")
        parser.add_argument("--base-url", required=True, help="for example https://api.dastra.eu")
        parser.add_argument(
            "--auth", choices=AuthMode.values, default=AuthMode.KEY, help="API key, or public and private key"
        )
        parser.add_argument("--token-url", default="", help="where tokens are issued (way in oauth)")
        parser.add_argument("--public-key", default="", help="the public key (way in oauth)")
        parser.add_argument("--country", default="FR", help="two letters; decides the holidays")
        parser.add_argument("--region", default="", help="code of a region with holidays of its own")
        parser.add_argument("--time-zone", default="Europe/Paris", help="where the legal days begin and end")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002  Django's signature
        try:
            added = add_workspace(
                name=options["name"],
                upstream_id=options["upstream_id"],
                base_url=options["base_url"],
                secret=read_secret("Key"),
                by=None,
                now=timezone.now(),
                auth_mode=options["auth"],
                public_key=options["public_key"],
                token_url=options["token_url"],
                country=options["country"],
                region=options["region"],
                time_zone=options["time_zone"],
            )
        except WorkspaceError as error:
            raise CommandError(f"{error.sentence} Nothing was stored.") from error
        for capability in added.report.capabilities:
            self.stdout.write(f"  {'yes' if capability.ok else 'no '}  {capability.name}: {capability.sentence}")
        workspace = added.workspace
        self.stdout.write(
            f"Added “{workspace.name}” (short name {workspace.slug}, key ending in {workspace.secret_last_four})."
        )
        self.stdout.write(f"Next: manage.py sync {workspace.slug} --full")
