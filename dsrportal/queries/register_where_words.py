"""The conditions of the register in words, and what their form offers. Called by `queries.register_chips` and `views.conditions`; asks no database."""

from __future__ import annotations

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from dsrportal.queries import clockmark, register_where, words
from dsrportal.queries.clock_state import CLOCKS, WITHIN
from dsrportal.queries.register_where import ALL, FIELDS, Condition, Group, Where
from dsrportal.queries.vocabulary import Vocabulary

FIELD_NAMES: dict[str, Promise] = {
    "step": gettext_lazy("Step"),
    "state": gettext_lazy("State"),
    "right": gettext_lazy("Right"),
    "assignee": gettext_lazy("Assignee"),
    "area": gettext_lazy("Area"),
    "tag": gettext_lazy("Tag"),
    "channel": gettext_lazy("Channel"),
    "clock": gettext_lazy("Clock"),
    "due": gettext_lazy("Respond by"),
    "extend": gettext_lazy("Extend by"),
    "dastra": gettext_lazy("Dastra's date"),
    register_where.OWN_TARGET: gettext_lazy("Own target"),
    "received": gettext_lazy("Received"),
    "closed": gettext_lazy("Closed"),
    "messages": gettext_lazy("Messages"),
    "unread": gettext_lazy("Unread messages"),
    "complex": gettext_lazy("Complex"),
    "confirmed": gettext_lazy("E-mail confirmed"),
}
OPERATION_NAMES: dict[str, Promise] = {
    "is": gettext_lazy("is"),
    "not": gettext_lazy("is not"),
    "none": gettext_lazy("is empty"),
    "from": gettext_lazy("on or after"),
    "until": gettext_lazy("on or before"),
    "next": gettext_lazy("within the next days"),
    "last": gettext_lazy("within the last days"),
    "more": gettext_lazy("more than"),
    "fewer": gettext_lazy("fewer than"),
    "yes": gettext_lazy("yes"),
    "no": gettext_lazy("no"),
}


def clock_label(name: str) -> str:
    """The words of a filter by the legal clock (`clock_state.CLOCKS`)."""
    if name in WITHIN:
        return ngettext("Due within %(n)d working day", "Due within %(n)d working days", WITHIN[name]) % {
            "n": WITHIN[name]
        }
    return {
        "overdue": _("Overdue"),
        "today": _("Due today"),
        "extend": _("Extend or answer soon"),
        "paused": _("Paused"),
        "unknown": _("Needs data"),
    }[name]


def fields_of(known: Vocabulary) -> list[tuple[str, str]]:
    """What a condition may be about in this workspace, with its words."""
    return [
        (field, str(name))
        for field, name in FIELD_NAMES.items()
        if known.has_target or field != register_where.OWN_TARGET
    ]


def choices_of(field: str, *, known: Vocabulary) -> list[tuple[str, str]]:
    """The values of a choice with their words, in the workspace's order; none for what is no choice."""
    of = FIELDS[field].of
    if of == "step":
        return [(str(step.upstream_id), step.label) for step in known.steps.values()]
    if of == "assignee":
        return [(str(one.upstream_id), known.shown_operator(pk)) for pk, one in known.operators.items()]
    if of == "area":
        return [(str(area.upstream_id), area.label) for area in known.areas.values()]
    if of == "tag":
        return [(str(tag.upstream_id), tag.label) for tag in known.tags.values()]
    if of == "clock":
        return [(name, clock_label(name)) for name in CLOCKS]
    codes = {"state": words.STATES, "right": words.RIGHTS, "channel": words.CHANNELS}.get(field, {})
    return [(code, str(label)) for code, label in codes.items()]


def said(one: Condition, *, known: Vocabulary) -> str:
    """ "Step is not Received", "Respond by on or before Tue 10 Mar", "Received within the last 30 days"."""
    name = str(FIELD_NAMES[one.field])
    if one.operation in {register_where.NEXT, register_where.LAST}:
        number = int(one.value)
        text = (
            ngettext("%(name)s within the next %(n)d day", "%(name)s within the next %(n)d days", number)
            if one.operation == register_where.NEXT
            else ngettext("%(name)s within the last %(n)d day", "%(name)s within the last %(n)d days", number)
        )
        return text % {"name": name, "n": number}
    operation = str(OPERATION_NAMES[one.operation])
    if one.operation in {register_where.YES, register_where.NO}:
        return f"{name}: {operation}"
    return " ".join(part for part in (name, operation, _value(one, known=known)) if part)


def group_said(group: Group, *, known: Vocabulary) -> str:
    """The conditions of a group with "and" or "or" between them."""
    between = _("and") if group.join == ALL else _("or")
    return f" {between} ".join(said(one, known=known) for one in group.conditions)


def whole_said(where: Where, *, known: Vocabulary) -> str:
    """All groups, in brackets where there are several."""
    if len(where.groups) == 1:
        return group_said(where.groups[0], known=known)
    between = _("and") if where.join == ALL else _("or")
    return f" {between} ".join(f"({group_said(group, known=known)})" for group in where.groups)


def _value(one: Condition, *, known: Vocabulary) -> str:
    if not one.value:
        return ""
    field = FIELDS[one.field]
    if field.kind == "day":
        day = register_where.day_of(one.value)
        return clockmark.short_day(day, today=timezone.localdate()) if day else ""
    if field.kind != "choice":
        return one.value
    known_words = dict(choices_of(one.field, known=known))
    if one.value in known_words:
        return known_words[one.value]
    return {"state": words.state, "right": words.right, "channel": words.channel}.get(one.field, str)(one.value)
