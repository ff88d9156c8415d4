"""`manage.py jobs`: the background jobs, kept alive."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from dsrportal.supervisor import Supervisor, Timings


class Command(BaseCommand):
    """Runs until SIGTERM, SIGINT or SIGHUP. Exit 0 after a clean stop."""

    help = "Run the background jobs: pulls from Dastra by the timetable, and writes that wait."

    def add_arguments(self, parser: CommandParser) -> None:
        """Timings, for machines that are slower or faster than usual."""
        parser.add_argument("--grace", type=float, default=Timings.grace, help="seconds that running jobs have to end")
        parser.add_argument("--stale", type=float, default=Timings.stale, help="seconds of silence before a restart")
        parser.add_argument("--look", type=float, default=Timings.look, help="seconds between two looks at the cluster")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002  Django's signature
        """Supervise."""
        timings = Timings(grace=options["grace"], stale=options["stale"], look=options["look"])
        try:
            Supervisor(timings=timings).run()
        except DatabaseError as error:
            raise CommandError(f"The jobs cannot start: {error} (was `manage.py migrate` run?)") from error
