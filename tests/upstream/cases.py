"""How a test says which cases of the corpus it is: the number is in the test's id, and `test_corpus.py` finds all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pytest


def one(*ids: str) -> pytest.MarkDecorator:
    """A test of its own for each id, without arguments."""
    return pytest.mark.parametrize("case", ids, indirect=True, ids=ids)


def table(names: str, rows: Mapping[str, Any]) -> pytest.MarkDecorator:
    """One test a row: its key is the id, its value the arguments."""
    return pytest.mark.parametrize(names, list(rows.values()), ids=list(rows))


def ids_of(marks: Iterable[pytest.Mark]) -> list[str]:
    """The ids that a test's marks give it."""
    return [str(each) for mark in marks if mark.name == "parametrize" for each in mark.kwargs.get("ids", ())]
