"""What the panel "Display" of the register offers: columns in their order, and what the list may be grouped by. Asks no database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dsrportal.queries import register_groups
from dsrportal.queries.register_columns import COLUMNS, LOCKED, offered


@dataclass(frozen=True, kw_only=True, slots=True)
class ColumnChoice:
    """One line of the list of columns; `is_locked`: always shown, always first."""

    key: str
    label: str
    is_shown: bool
    is_locked: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Display:
    """The panel; `url` takes its form."""

    url: str
    columns: list[ColumnChoice]
    groups: Sequence[tuple[str, str]]


def of_columns(shown: Sequence[str], *, url: str, has_target: bool) -> Display:
    """The panel for a list with these columns: they come first, in their order, then what else the workspace has."""
    columns = [
        ColumnChoice(key=key, label=str(COLUMNS[key].label), is_shown=key in shown, is_locked=key == LOCKED)
        for key in dict.fromkeys([*shown, *offered(COLUMNS, has_target=has_target)])
    ]
    return Display(url=url, columns=columns, groups=register_groups.choices())
