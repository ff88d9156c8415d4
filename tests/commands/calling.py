"""Runs a management command as an operator would: arguments and standard input in, output and the reason out."""

from __future__ import annotations

import io
from dataclasses import dataclass

import pytest
from django.core.management import CommandError, call_command


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a command said. `reason` is what it prints on standard error before it exits with 1 (`CommandError`); "" after success."""

    out: str
    reason: str = ""


def call(name: str, *arguments: str, stdin: str = "", monkeypatch: pytest.MonkeyPatch | None = None) -> Told:
    """Run it in this process."""
    out, err = io.StringIO(), io.StringIO()
    if monkeypatch is not None:
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
    try:
        call_command(name, *arguments, stdout=out, stderr=err)
    except CommandError as error:
        return Told(out=out.getvalue(), reason=str(error))
    return Told(out=out.getvalue())
