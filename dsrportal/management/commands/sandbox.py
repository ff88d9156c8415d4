"""`manage.py sandbox`: the local Dastra alone."""

from __future__ import annotations

import sys

from django.core.management.base import BaseCommand

from dsrportal.sandbox.__main__ import main


class Command(BaseCommand):
    """Hands the command line to the sandbox, which knows its own arguments. Touches no data of the portal."""

    help = "Serve a local Dastra with invented data on 127.0.0.1; --help tells its arguments."

    def run_from_argv(self, argv: list[str]) -> None:
        """Run to the end and exit with the sandbox's code."""
        sys.exit(main(argv[2:]))
