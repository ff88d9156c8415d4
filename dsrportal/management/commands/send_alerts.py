"""`manage.py send_alerts`: raises and delivers what is due now, or at another moment. A thin door to `dsrportal.alerts.sending`."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from dsrportal.alerts.sending import preview, send_alerts


class Command(BaseCommand):
    help = "Raises alerts, sends what is due (digests too) and says how many. Run twice it sends nothing twice."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--now",
            metavar="INSTANT",
            help="as of this moment, ISO 8601; in the portal's time zone unless it names one",
        )
        parser.add_argument("--dry-run", action="store_true", help="only count, by what the mirror knows; keep nothing")
        parser.add_argument("--json", action="store_true", help="one line of counts on standard output")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002  Django's signature
        now = _instant(options["now"]) if options["now"] else timezone.now()
        told = preview(now=now) if options["dry_run"] else send_alerts(now=now, insist=True)
        counts = asdict(told)
        if options["json"]:
            del counts["posts"]  # programs were promised the four others
            self.stdout.write(json.dumps(counts))
        else:
            self.stdout.write(", ".join(f"{count} {name}" for name, count in counts.items()))


def _instant(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
        return found if timezone.is_aware(found) else timezone.make_aware(found)
    except (ValueError, OverflowError):
        raise CommandError(f"“{text}” is no moment: write it as 2026-05-04T09:00+02:00.") from None
