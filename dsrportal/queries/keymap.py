"""The one keyboard map: what each key does, in words. `static/js/keys.js` gets it with every page, and `?` shows it; there is no other list.

A deed is done by pressing what carries its name in `data-key`, in the row or card that has the focus, else on the page; places are addresses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, kw_only=True, slots=True)
class Key:
    """One key, or two pressed in turn (`g b`). `deed` is what keys.js calls it, or empty where the browser does it by itself."""

    keys: str
    deed: str
    label: str | Promise

    @property
    def caps(self) -> list[str]:
        """The keys one by one, as they stand on a keyboard."""
        return self.keys.split(" ")


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyGroup:
    """Keys that belong together."""

    title: str | Promise
    keys: tuple[Key, ...]


PALETTE = Key(keys="Ctrl+K", deed="", label=_("Find a request, go somewhere, do something"))
"""Works where the single keys are turned off too: it is no single key."""

GROUPS = (
    KeyGroup(
        title=_("In lists and on the board"),
        keys=(
            Key(keys="j", deed="next", label=_("Next request")),
            Key(keys="k", deed="previous", label=_("Previous request")),
            Key(keys="h", deed="left", label=_("Column to the left")),
            Key(keys="l", deed="right", label=_("Column to the right")),
            Key(keys="Enter", deed="", label=_("Open the request")),
            Key(keys="x", deed="pick", label=_("Tick the row")),
            Key(keys="f", deed="filter", label=_("Filter")),
        ),
    ),
    KeyGroup(
        title=_("With a request"),
        keys=(
            Key(keys="m", deed="move", label=_("Move to…")),
            Key(keys="a", deed="assign", label=_("Assign…")),
            Key(keys="e", deed="edit", label=_("Edit…")),
            Key(keys="[", deed="before", label=_("The one before in the list")),
            Key(keys="]", deed="after", label=_("The one after in the list")),
        ),
    ),
    KeyGroup(
        title=_("Go to"),
        keys=(
            Key(keys="g d", deed="home", label=_("My day")),
            Key(keys="g b", deed="board", label=_("Board")),
            Key(keys="g t", deed="register", label=_("Requests")),
            Key(keys="g o", deed="overview", label=_("Overview")),
            Key(keys="g a", deed="alerts", label=_("Alerts")),
        ),
    ),
    KeyGroup(
        title=_("Everywhere"),
        keys=(
            PALETTE,
            Key(keys="/", deed="search", label=_("Search")),
            Key(keys="n", deed="new", label=_("New request")),
            Key(keys="?", deed="help", label=_("Show these keys")),
            Key(keys="Esc", deed="", label=_("Close what is open")),
        ),
    ),
)


def script(*, is_on: bool, places: Mapping[str, str]) -> dict[str, Any]:
    """What keys.js is told: `deeds` by key (none where the person has turned them off) and the addresses of `places` by deed."""
    deeds = {key.keys: key.deed for group in GROUPS for key in group.keys if key.deed} if is_on else {}
    return {"deeds": deeds, "places": dict(places)}
