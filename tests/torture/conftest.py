"""One stage for all tests of the torture: it is reset with each sequence."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.torture.stage import Stage


@pytest.fixture(scope="package")
def made_stage() -> Iterator[Stage]:
    """Started once."""
    stage = Stage()
    yield stage
    stage.close()


@pytest.fixture
def stage(made_stage: Stage, db: None, tmp_path: Path) -> Iterator[Stage]:
    """A local Dastra that the portal calls without a socket, and a database."""
    with made_stage.connected(data_dir=tmp_path) as connected:
        yield connected
