"""`manage.py flush_outbox`: sends every held write whose window is over and settles by reading what is unknown."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from dsrportal.actions import outbox

OPEN_EXIT = 3


class Command(BaseCommand):
    help = (
        "Sends held writes whose undo window is over, settles unknown ones. Exit 0 when nothing is left open, else 3."
    )

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002  Django's signature
        sent = outbox.send_due(now=timezone.now())
        checked = outbox.settle_unknown(now=timezone.now())
        left = outbox.open_count()
        self.stdout.write(f"Sent {sent}, checked {checked}, still open {left}.")
        if left:
            sys.exit(OPEN_EXIT)
