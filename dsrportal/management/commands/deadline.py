"""`manage.py deadline --received 2026-03-31 …`: the legal clocks of made-up facts, by the engine that the pages use. Reads no row."""

from __future__ import annotations

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.http import QueryDict
from django.utils import timezone

from dsrportal.forms.deadline import DeadlineForm
from dsrportal.queries import calculator
from dsrportal.queries.calculator import Answer

BAD_INPUT_EXIT = 2
OPTIONS = {
    "received": ("DATE-OR-INSTANT", "when the request was received: 2026-03-31, or 2026-03-31T22:30Z"),
    "country": ("FR", "two letters; decides the holidays"),
    "region": ("R", "a region with holidays of its own: 57, BY, SCT (codes of the package holidays)"),
    "time-zone": ("Z", "where a day begins and ends; Europe/Paris unless said"),
    "profile": ("P", "gdpr (unless said), uk, ccpa or upstream"),
    "pause-policy": ("P", "suspend (unless said) or restart"),
    "extended-on": ("DATE", "when the person was told of the extension and its reasons"),
    "refused-on": ("DATE", "when the person was told of the refusal"),
    "expires": ("INSTANT", "Dastra's own date, for the profile upstream"),
    "today": ("DATE", "as of which day; today unless said"),
}
COLON_MISSING = "--pause: “{span}” is no pause: write FROM:TO, such as 2026-03-04:2026-03-16, or FROM: for an open one."
JSON_DATES = ("respond_by", "extend_by", "refuse_by", "without_pauses")


class Command(BaseCommand):
    help = (
        "The legal clocks of a request: respond by, extend by, refuse by, and why. Bad input: exit 2 and one sentence."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        for name, (metavar, says) in OPTIONS.items():
            parser.add_argument(f"--{name}", metavar=metavar, help=says)
        parser.add_argument(
            "--pause",
            action="append",
            default=[],
            metavar="FROM:TO",
            help="asked and answered; nothing after the colon: open",
        )
        parser.add_argument("--complex", action="store_true", help="complex in Dastra: its own rule is 90 days")
        parser.add_argument("--json", action="store_true", help="one line")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002  Django's signature
        form = DeadlineForm(_asked(options), now=timezone.now())
        without_colon = [span for span in options["pause"] if ":" not in span]
        if without_colon or not form.is_valid():
            self.stderr.write(COLON_MISSING.format(span=without_colon[0]) if without_colon else _sentence(form))
            sys.exit(BAD_INPUT_EXIT)
        found = calculator.answer(form.question())
        self.stdout.write(_as_json(found) if options["json"] else _as_text(found))


def _asked(options: dict[str, Any]) -> QueryDict:
    """The options as the calculator's address has them."""
    asked = QueryDict(mutable=True)
    for name in (option.replace("-", "_") for option in OPTIONS):
        if options[name] is not None:
            asked[name] = options[name]
    if options["complex"]:
        asked["complex"] = "on"
    for span in options["pause"]:
        begins, _colon, ends = span.partition(":")
        asked.appendlist("asked", begins)
        asked.appendlist("answered", ends)
    return asked


def _sentence(form: DeadlineForm) -> str:
    """The first thing that is wrong, with the option's name before it where it is one option's."""
    name, errors = next(iter(form.errors.items()))
    return f"--{name.replace('_', '-')}: {errors[0]}" if name in form.fields else str(errors[0])


def _as_json(found: Answer) -> str:
    clocks = found.clocks
    dates = {name: getattr(clocks, name) for name in JSON_DATES} | {"upstream_rule": clocks.upstream_rule}
    said = {name: day.isoformat() if day else None for name, day in dates.items()}
    return json.dumps(
        {name: said[name] for name in JSON_DATES}
        | {
            "extension_valid": clocks.extension_valid,
            "days_left": clocks.days_left,
            "working_days_left": clocks.working_days_left,
            "overdue": clocks.overdue,
            "upstream_rule": said["upstream_rule"],
            "pause_days": clocks.pause_days,
            "refusal_in_time": clocks.refusal_in_time,
            "state": clocks.state.value,
            "calendar": found.place,
            "trace": [str(line) for line in found.lines],
        }
    )


def _as_text(found: Answer) -> str:
    width = max(len(row.label) for row in found.rows)
    rows = [f"{row.label:<{width}}  {row.text}{f' ({row.note})' if row.note else ''}" for row in found.rows]
    return "\n".join([*rows, "", f"Why (holidays of {found.place}):", *(f"- {line}" for line in found.lines)])
