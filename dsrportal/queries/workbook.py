"""Rows as an XLSX file, written row by row to disk and never held in memory. Used by the register's export; knows no row of ours.

Every text is written as a text: nothing that begins like a formula, an address or a number becomes one.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from dsrportal.queries.spreadsheet import Cell

MOST_ROWS = 1_048_575
"""What a sheet holds beneath its heads."""
LONGEST_TEXT = 32_767
CHUNK = 64 * 1024
WIDTH = 18
FORGOTTEN_SECONDS = 3_600
"""A folder this old belongs to a process that was killed."""


def chunks(heads: Sequence[str], rows: Iterable[Sequence[Cell]], *, folder: Path) -> Iterator[bytes]:
    """The file in parts, once it is whole. `folder` is where it is made, and where nothing stays of it."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    _clear(folder)
    with tempfile.TemporaryDirectory(dir=folder) as place:
        path = Path(place) / "requests.xlsx"
        _write(path, heads=heads, rows=rows)
        with path.open("rb") as file:
            while part := file.read(CHUNK):
                yield part


def _write(path: Path, *, heads: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    options = {
        "constant_memory": True,
        "tmpdir": str(path.parent),
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "default_date_format": "yyyy-mm-dd",
    }
    with xlsxwriter.Workbook(str(path), options) as book:
        bold = book.add_format({"bold": True})
        sheet = book.add_worksheet()
        sheet.set_column(0, len(heads) - 1, WIDTH)
        sheet.freeze_panes(1, 1)
        for column, head in enumerate(heads):
            sheet.write_string(0, column, head, bold)
        for number, row in enumerate(rows, start=1):
            for column, cell in enumerate(row):
                _put(sheet, number, column, cell)


def _put(sheet: Worksheet, row: int, column: int, cell: Cell) -> None:
    if isinstance(cell, str):
        if cell:
            sheet.write_string(row, column, cell[:LONGEST_TEXT])
    elif isinstance(cell, date):
        sheet.write_datetime(row, column, cell)
    elif cell is not None:
        sheet.write_number(row, column, cell)


def _clear(folder: Path) -> None:
    for left in folder.iterdir():
        with suppress(FileNotFoundError):
            if time.time() - left.stat().st_mtime > FORGOTTEN_SECONDS:
                shutil.rmtree(left, ignore_errors=True)
