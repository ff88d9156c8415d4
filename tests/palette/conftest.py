"""The palette's tests use the board's rows."""

from __future__ import annotations

from tests.board.conftest import _quick_passwords, make_dsrs, make_step

__all__ = ["_quick_passwords", "make_dsrs", "make_step"]
