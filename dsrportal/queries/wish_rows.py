"""A wish in detail: in one line for the list of changes, and, for a conflict, field by field on the person's own page. Called by queries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from dsrportal import credentials
from dsrportal.models import OutboxEntry, Workspace
from dsrportal.models.correspondence import LetterPurpose
from dsrportal.models.outbox import CUSTOM, WishKind
from dsrportal.queries import vocabulary, words
from dsrportal.queries.vocabulary import Vocabulary

_NAMES: dict[str, Promise] = {
    "operator": gettext_lazy("Assignee"),
    "area": gettext_lazy("Area"),
    "purposes": gettext_lazy("Rights"),
    "complex": gettext_lazy("Complex"),
    "received": gettext_lazy("Received"),
    "expires": gettext_lazy("Dastra's date"),
    "locale": gettext_lazy("Language"),
    "title": gettext_lazy("Title"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class WishRow:
    """One field in words: as it was seen, as the person wants it, as Dastra has it."""

    name: str
    seen: str
    mine: str
    theirs: str


def rows_of(entry: OutboxEntry, *, workspace: Workspace) -> list[WishRow]:
    """The fields in question, four queries. What can no longer be opened shows as a dash."""
    known = vocabulary.of_workspace(workspace)
    if "step" in entry.theirs:
        return [_step_row(entry, known=known)]
    try:
        private = entry.read_private()
    except credentials.CannotDecryptError:
        private = {}
    zone = ZoneInfo(workspace.time_zone)

    def word(part: str, name: str) -> str:
        values = {**getattr(entry, part), **private.get(part, {})}
        return _word(name, values.get(name), known=known, zone=zone)

    return [
        WishRow(name=_name(name), seen=word("seen", name), mine=word("wanted", name), theirs=word("theirs", name))
        for name in entry.theirs
    ]


def summary(entry: OutboxEntry, *, known: Vocabulary, zone: ZoneInfo) -> str:
    """What was wished, in one line without identity or free text. No query."""
    deed = str(WishKind(entry.kind).label)
    wanted = entry.wanted
    detail = ""
    if entry.kind == WishKind.MOVE:
        steps = {step.upstream_id: step.label for step in known.steps.values()}
        detail = steps.get(entry.step_upstream_id or 0, "")
    elif entry.kind == WishKind.TAG:
        labels = {number: tag.label for number, tag in known.tags.items()}
        parts = [(sign, number) for sign, name in (("+", "add"), ("−", "remove")) for number in wanted[name]]
        detail = ", ".join(f"{sign} {labels.get(number, number)}" for sign, number in parts)
    elif entry.kind == WishKind.CLOSE:
        detail = words.closed_reason(wanted["reason"])
    elif entry.kind == WishKind.EDIT:
        detail = ", ".join(_name(name) for name in wanted)
    elif entry.kind == WishKind.MESSAGE:
        detail = str(LetterPurpose(wanted.get("purpose", LetterPurpose.FREE)).label)
    elif wanted:
        name = "operator" if entry.kind == WishKind.ASSIGN else "expires"
        detail = _word(name, wanted[name], known=known, zone=zone) if name in wanted else ""
    return f"{deed}: {detail}" if detail else deed


def _name(name: str) -> str:
    """The field's name in words; a custom field has the one that Dastra gives it."""
    return str(_NAMES[name]) if name in _NAMES else name.removeprefix(CUSTOM)


def _step_row(entry: OutboxEntry, *, known: Vocabulary) -> WishRow:
    labels: dict[int | None, str] = {step.upstream_id: step.label for step in known.steps.values()}
    deed = WishKind(entry.kind)
    mine = labels.get(entry.step_upstream_id, "–") if deed == WishKind.MOVE else str(deed.label)
    theirs = str(entry.theirs["step_name"])
    if entry.theirs["archived"]:
        theirs = _("%(step)s, archived") % {"step": theirs}
    elif entry.theirs["state"] == words.CLOSED:
        theirs = _("%(step)s, closed") % {"step": theirs}
    return WishRow(name=_("Step"), seen=labels.get(entry.seen_step_upstream_id, "–"), mine=mine, theirs=theirs)


def _word(name: str, value: Any, *, known: Vocabulary, zone: ZoneInfo) -> str:
    if value is None:
        return _("Unassigned") if name == "operator" else "–"
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    words_of: dict[str, Callable[[Any], str]] = {
        "operator": lambda number: _named(number, known.operators.values(), lambda one: known.shown_operator(one.pk)),
        "area": lambda number: _named(number, known.areas.values(), lambda one: one.label),
        "locale": words.language,
        "purposes": lambda codes: ", ".join(words.right(code) for code in codes),
        "received": lambda text: date_format(datetime.fromisoformat(text).astimezone(zone), _("j M Y")),
        "expires": lambda text: date_format(datetime.fromisoformat(text).astimezone(zone), _("j M Y")),
    }
    return words_of.get(name, str)(value)


def _named(number: int, rows: Any, label: Callable[[Any], str]) -> str:
    return next((label(row) for row in rows if row.upstream_id == number), f"#{number}")
