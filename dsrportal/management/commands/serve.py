"""`manage.py serve`: web server and jobs on one machine, as `make run` starts them. Configured by the environment alone."""

from __future__ import annotations

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from dsrportal.actions import first_account
from dsrportal.processes import Hurry
from dsrportal.serving import (
    Household,
    ServingError,
    StoppedError,
    collect_static,
    is_healthy,
    manage,
    open_door,
    web_server,
)


class Command(BaseCommand):
    """Runs until SIGTERM, SIGINT or SIGHUP; the output of both goes where this command's goes. Exit 0 after a clean stop."""

    help = "Run the web server (on 127.0.0.1 and PORT, for a proxy in front of it) and the background jobs."

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002  Django's signature
        """Serve. A database that is behind is never migrated here: that is a step of its own."""
        hurry = Hurry()
        hurry.listen()
        try:
            call_command("migrate", check_unapplied=True, verbosity=0)
        except SystemExit as error:
            raise CommandError("The database is behind this version: run `manage.py migrate` first.") from error
        try:
            with open_door("PORT", default=8000) as door, Household(hurry=hurry) as household:
                collect_static()
                household.start(manage("jobs", "--grace", "8"), name="jobs")
                household.start(web_server(door), name="web", door=door)
                household.wait_for(lambda: is_healthy(door), name="The web server")
                self.stdout.write("The portal answers on http://{}:{}/".format(*door.getsockname()))
                if link := first_account.link():
                    self.stdout.write(
                        f"Nobody has an account yet. Open this to make the first (good for a day): {link}"
                    )
                self.stdout.flush()
                household.watch()
        except StoppedError:
            pass
        except ServingError as error:
            raise CommandError(str(error)) from error
