"""The hints for a person's first visits: one sentence for each of three pages, until the person has dismissed it. Called by the frame of every page
and by the view that dismisses; what was dismissed is kept with the person (`actions/preferences.py`)."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from dsrportal.models import User


@dataclass(frozen=True, kw_only=True, slots=True)
class Hint:
    """What a page has to say to somebody new. `for_readers` is said instead to who may not change anything, where that differs."""

    name: str
    view: str
    text: str | Promise
    for_readers: str | Promise = ""


HINTS = (
    Hint(
        name="board",
        view="board.board",
        text=_("Drag a card to its next step or use its menu; on a keyboard, m moves it and ? shows every key."),
        for_readers=_("Fold the columns that you do not need and filter the rest; on a keyboard, ? shows every key."),
    ),
    Hint(
        name="register",
        view="register.register",
        text=_(
            "Filter, sort and choose columns, then keep the list with “Save as a view”: it is one click away from then on."
        ),
    ),
    Hint(
        name="dsr",
        view="dsr.dsr",
        text=_("“Why this date?” beside the legal dates shows, rule by rule, how they were reckoned."),
    ),
)
NAMES = frozenset(hint.name for hint in HINTS)


def of_page(user: User, *, view: str, may_act: bool) -> tuple[str, str | Promise] | None:
    """Name and sentence of the hint of a page (a view's name, `board.board`); None where there is none, or the person has dismissed it."""
    for hint in HINTS:
        if hint.view == view and hint.name not in user.dismissed_hints.split("|"):
            return hint.name, hint.text if may_act else hint.for_readers or hint.text
    return None
