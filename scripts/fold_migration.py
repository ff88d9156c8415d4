"""Fold what a migration adds to the tables it creates into their creation: SQLite rebuilds a table for each field or constraint that comes later.

`make migration` calls this after Django has written the first migration anew. The tables that it leaves behind are the same.
"""

from __future__ import annotations

import importlib
import os
import sys
from graphlib import TopologicalSorter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import django
from django.db.migrations.operations import AddConstraint, AddField, AddIndex, CreateModel
from django.db.migrations.operations.base import Operation
from django.db.migrations.writer import MigrationWriter

import tests.environment  # noqa: F401  sets the variables before the settings are read

APP = "dsrportal"


def folded(operations: list[Operation]) -> list[Operation]:
    """One creation a table, a table after those that it refers to. Raises CycleError where two refer to each other."""
    tables = {one.name_lower: one for one in operations if isinstance(one, CreateModel)}
    for one in operations:
        if isinstance(one, AddField):
            tables[one.model_name_lower].fields.append((one.name, one.field))
        elif isinstance(one, AddIndex):
            tables[one.model_name_lower].options.setdefault("indexes", []).append(one.index)
        elif isinstance(one, AddConstraint):
            tables[one.model_name_lower].options.setdefault("constraints", []).append(one.constraint)
        elif not isinstance(one, CreateModel):
            raise TypeError(f"A first migration creates and adds, no more: {one}")
    return [
        tables[name]
        for name in TopologicalSorter({name: _referred(one) for name, one in tables.items()}).static_order()
    ]


def _referred(table: CreateModel) -> list[str]:
    """The tables of this app that the table's fields lead to, without itself."""
    led_to = (field.remote_field.model for _name, field in table.fields if field.remote_field is not None)
    names = {name.partition(".")[2].lower() for name in map(str, led_to) if name.lower().startswith(f"{APP}.")}
    return sorted(names - {table.name_lower})


def main() -> None:
    """Write the first migration again."""
    os.environ["DJANGO_SETTINGS_MODULE"] = f"{APP}.settings"
    django.setup()
    migration = importlib.import_module(f"{APP}.migrations.0001_start").Migration("0001_start", APP)
    migration.operations = folded(migration.operations)
    writer = MigrationWriter(migration)
    Path(writer.path).write_text(writer.as_string())


if __name__ == "__main__":
    main()
