"""One stage for all crash tests of a process: to make it costs more than most tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.crash.stage import Stage, staged


@pytest.fixture(scope="package")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A database, a local Dastra and a warm Django."""
    with staged(tmp_path_factory.mktemp("crash")) as made:
        yield made
