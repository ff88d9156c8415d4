"""The corpus is whole: every case from U1 to U150 has a test, or a reason why it does not apply."""

from __future__ import annotations

import re
from types import ModuleType

from . import test_list_cases, test_status_cases, test_transport_cases, test_value_cases
from .cases import ids_of

MODULES: tuple[ModuleType, ...] = (test_transport_cases, test_status_cases, test_list_cases, test_value_cases)
DOES_NOT_APPLY = {
    133: "Formulas matter where a spreadsheet opens a file, and the portal writes no CSV.",
}


def numbered() -> dict[int, list[str]]:
    """The ids of all cases with a test, by number."""
    found: dict[int, list[str]] = {}
    for module in MODULES:
        for name, test in vars(module).items():
            if not name.startswith("test_"):
                continue
            for case_id in ids_of(getattr(test, "pytestmark", ())):
                match = re.fullmatch(r"U([0-9]+)-[a-z0-9-]+", case_id, re.IGNORECASE)
                assert match, case_id
                found.setdefault(int(match[1]), []).append(case_id)
    return found


def test_every_case_has_a_test_or_a_reason() -> None:
    numbers = set(numbered())
    assert numbers & DOES_NOT_APPLY.keys() == set()
    assert numbers | DOES_NOT_APPLY.keys() == set(range(1, 151))


def test_no_case_is_told_twice() -> None:
    ids = [case_id for ids in numbered().values() for case_id in ids]
    assert len(ids) == len(set(ids))
