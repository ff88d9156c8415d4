"""Cells that a spreadsheet takes for what they are and never for a formula. Used by whatever is exported; knows no row."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import date

FORMULA_BEGINS = ("=", "+", "-", "@", "\t", "\r")
BYTE_ORDER_MARK = "\ufeff"
"""Without it some spreadsheets take UTF-8 for something else."""

Cell = str | int | date | None


def harmless(text: str) -> str:
    """The text; one that a spreadsheet would take for a formula gets an apostrophe first."""
    return f"'{text}" if text.lstrip(" \n\x0b\x0c\u00a0").startswith(FORMULA_BEGINS) else text


def csv_lines(rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    """The rows as lines of CSV, one at a time, the first with a byte order mark. Days are ISO 8601."""
    writer = csv.writer(_Echo())
    mark = BYTE_ORDER_MARK
    for row in rows:
        yield mark + writer.writerow([_plain(cell) for cell in row])
        mark = ""


def _plain(cell: Cell) -> str | int:
    if cell is None:
        return ""
    if isinstance(cell, date):
        return cell.isoformat()
    return cell if isinstance(cell, int) else harmless(cell)


class _Echo:
    """A file for the writer that hands each line back."""

    def write(self, line: str) -> str:
        """The line itself."""
        return line
