"""`manage.py setup_link`: prints the address that makes the first account of a new portal."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from dsrportal.actions import first_account


class Command(BaseCommand):
    """Exit 1 when somebody has an account: then an admin invites, and `manage.py changepassword` helps who is locked out."""

    help = "Print the link to the page that makes the first account. It works for a day, and for as long as nobody has one."

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002  Django's signature
        """Print it."""
        link = first_account.link()
        if link is None:
            raise CommandError("Somebody has an account already: an admin can invite others on the page “People”.")
        self.stdout.write(link)
