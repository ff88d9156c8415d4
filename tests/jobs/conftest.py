"""The stage of the jobs' tests: the mirror's local Dastra, and a queue that is worked off by hand."""

from __future__ import annotations

import pydoc
from typing import Any

from django_q.models import OrmQ

from tests.mirror.conftest import mirrored, serve, server

__all__ = ["mirrored", "serve", "server", "work_off"]


def work_off() -> list[Any]:
    """Run every queued task in order, as a worker would, and return what each answered."""
    answers = []
    for row in OrmQ.objects.order_by("pk"):
        task = row.task
        row.delete()
        answers.append(pydoc.locate(task["func"])(*task["args"], **task["kwargs"]))  # type: ignore[operator]
    return answers
