"""`manage.py demo`: what `make demo` runs. The environment was made by `dsrportal.environment` before Django started."""

from __future__ import annotations

import contextlib
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from dsrportal.actions.workspaces import WorkspaceError
from dsrportal.demo import Demo
from dsrportal.serving import ServingError


class Command(BaseCommand):
    """Runs until Ctrl-C, SIGTERM or a closed terminal. Exit 0 after a clean stop, 1 with a sentence otherwise."""

    help = "Run the portal with a local Dastra and made-up requests on this machine."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whether to run or to forget."""
        parser.add_argument("--reset", action="store_true", help="remove what the demo made, and end")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002  Django's signature
        """Run, or reset."""
        demo = Demo(say=self._say, out=sys.stdout)
        try:
            if options["reset"]:
                demo.reset()
            else:
                demo.run()
        except (ServingError, WorkspaceError) as error:
            raise CommandError(str(error)) from error

    def _say(self, line: str) -> None:
        with contextlib.suppress(OSError):  # the terminal may be closed; everything still has to be stopped
            self.stdout.write(line)
            self.stdout.flush()
