"""The client stands on the ground floor: it knows no Django and nothing else of ours."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

import dsrportal.dastra

MODULES = sorted(Path(dsrportal.dastra.__path__[0]).glob("*.py"))


def imported(path: Path) -> set[str]:
    """The first names of what a module imports; relative imports are "."."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.add("." * min(node.level, 2) or (node.module or "").partition(".")[0])
    return names


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_it_imports_the_standard_library_itself_and_four_rooms_what_they_are_for(path: Path) -> None:
    http = {"requests", "urllib3"}
    others = {"transport": http, "connections": http, "files": http, "pacing_redis": {"redis"}}.get(path.stem, set())
    assert imported(path) <= set(sys.stdlib_module_names) | {"."} | others


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_each_module_says_what_it_is_for_and_fits_one_sitting(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert ast.get_docstring(ast.parse(text))
    assert len(text.splitlines()) <= 400
