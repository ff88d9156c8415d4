"""Dastra's codes as words: rights, states, channels, reasons of closing. Used by every query that prepares a page; reads no row.

A code that is not known here (every list of Dastra's has grown so far) is shown as its own words, never dropped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import get_language_info, gettext_lazy, pgettext_lazy

CLOSED = "Closed"

STATES: dict[str, Promise] = {
    "Open": gettext_lazy("Qualification"),
    "IdentityValidation": gettext_lazy("Identity check"),
    "Processing": gettext_lazy("Processing"),
    "Active": pgettext_lazy("state of a request", "Response"),
    CLOSED: gettext_lazy("Closed"),
}
RIGHTS: dict[str, Promise] = {
    "Access": gettext_lazy("Access"),
    "Rectification": gettext_lazy("Rectification"),
    "Erasure": gettext_lazy("Erasure"),
    "Restriction": gettext_lazy("Restriction"),
    "Opposition": gettext_lazy("Objection"),
    "Portability": gettext_lazy("Portability"),
    "Information": gettext_lazy("Information"),
    "AutomatedDecision": gettext_lazy("Automated decision"),
    "AdvanceDirectives": gettext_lazy("Advance directives"),
    "Unknown": gettext_lazy("Not said"),
}
CHANNELS: dict[str, Promise] = {
    "Internal": gettext_lazy("Entered by hand"),
    "Form": gettext_lazy("Form"),
    "Widget": gettext_lazy("Web form"),
    "POP3": gettext_lazy("E-mail (POP3)"),
    "IMAP": gettext_lazy("E-mail (IMAP)"),
    "Import": gettext_lazy("Import"),
    "Zapier": gettext_lazy("Zapier"),
    "IncomingEmail": gettext_lazy("Incoming e-mail"),
}
CLOSED_REASONS: dict[str, Promise] = {
    "Accepted": gettext_lazy("Accepted"),
    "Duplicate": gettext_lazy("Duplicate"),
    "WrongIdentity": gettext_lazy("Wrong identity"),
    "NotAdmissible": gettext_lazy("Not admissible"),
    "Other": gettext_lazy("Other"),
    "Cancelled": gettext_lazy("Cancelled"),
    "FiledAway": gettext_lazy("Filed away"),
}


def state(code: str) -> str:
    """`IdentityValidation` -> "Identity check"."""
    return _word(code, known=STATES)


def right(code: str) -> str:
    """`Opposition` -> "Objection", the regulation's own word."""
    return _word(code, known=RIGHTS)


def rights(purposes: str) -> str:
    """The mirror's `|Access|Erasure|` -> "Access, Erasure"."""
    return ", ".join(right(code) for code in purposes.split("|") if code)


def channel(code: str) -> str:
    """`Widget` -> "Web form"."""
    return _word(code, known=CHANNELS)


def closed_reason(code: str) -> str:
    """`WrongIdentity` -> "Wrong identity"; `None`, Dastra's word for an open request, is nothing."""
    return "" if code == "None" else _word(code, known=CLOSED_REASONS)


def language(code: str) -> str:
    """A `locale` of Dastra in the reader's language ("French"); the code itself where nobody knows it."""
    try:
        name = str(get_language_info(code)["name_translated"])
    except KeyError:
        return code
    return name[:1].upper() + name[1:]


def person_name(identity: Mapping[str, str]) -> str:
    """The full name, else the e-mail address, else nothing. For roles that may see it."""
    name = f"{identity.get('given_name', '')} {identity.get('family_name', '')}".strip()
    return name or identity.get("email", "")


def masked_name(identity: Mapping[str, str]) -> str:
    """Initials alone: "A. M."; nothing where there is no name, so that an address gives nothing away."""
    parts = (identity.get("given_name", "").strip(), identity.get("family_name", "").strip())
    return " ".join(f"{part[0].upper()}." for part in parts if part)


def initials(name: str) -> str:
    """At most two letters of a colleague's name: "Luc Bernard" -> "LB"."""
    parts = [part for part in re.split(r"[\s\-_.@]+", name) if part]
    return "".join(part[0] for part in (parts[:1] + parts[1:][-1:])).upper()


def _word(code: str, *, known: Mapping[str, Promise]) -> str:
    if code in known:
        return str(known[code])
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", code)
    return spaced[:1].upper() + spaced[1:].lower() if spaced else ""
