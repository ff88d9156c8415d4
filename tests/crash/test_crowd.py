"""Eight writers, readers and pulls at one database: nobody is told that it is locked, and nothing is lost."""

from __future__ import annotations

import pytest

from tests.crash.crowd import WRITERS, crowd
from tests.crash.stage import Stage

pytestmark = pytest.mark.slow
TIMES = 8


def test_no_writer_meets_a_locked_database(stage: Stage) -> None:
    met = crowd(stage, times=TIMES)
    assert met.errors == []
    assert met.done == WRITERS * TIMES
