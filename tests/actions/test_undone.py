"""A write whose answer was lost, and a request that somebody else changed before it could be read back: what is said is what a read can tell."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from dsrportal.actions import outbox, writing
from dsrportal.models import DataSubjectRequest, WorkflowStep
from dsrportal.models.outbox import WishState
from dsrportal.sandbox import Fault, Server
from dsrportal.sandbox.store import Workspace as DastraWorkspace
from tests.actions.conftest import MakeWish

PROOF = timedelta(seconds=writing.PROOF_SECONDS + 5)

Later = Callable[[DastraWorkspace, int, list[int]], object]
MEANWHILE: dict[str, tuple[Later, str]] = {
    "applied late, on an archived request": (lambda it, pk, steps: (it.archive(pk), it.move(pk, steps[2])), "archived"),
    "applied and moved back": (lambda it, pk, steps: (it.move(pk, steps[2]), it.move(pk, steps[0])), "was changed"),
    "never applied, and changed elsewhere": (lambda it, pk, _steps: it.edit(pk, complex=True), "was changed"),
    "applied and moved on": (lambda it, pk, steps: (it.move(pk, steps[2]), it.move(pk, steps[1])), "in Dastra now"),
}


@pytest.mark.parametrize("case", MEANWHILE)
def test_nothing_is_said_to_be_unapplied_that_may_have_been(
    make_wish: MakeWish, server: Server, dsr: DataSubjectRequest, steps: list[WorkflowStep], now: datetime, case: str
) -> None:
    meanwhile, told = MEANWHILE[case]
    server.faults.add(Fault(kind="close_without_answer", match="POST"))
    entry = outbox.send(make_wish().pk, now=now)
    assert entry.state == WishState.UNKNOWN
    meanwhile(server.state[101], dsr.upstream_id, [step.upstream_id for step in steps])
    entry = outbox.send(entry.pk, now=now + PROOF)
    assert entry.state == WishState.REFUSED
    assert told in entry.reason
    assert "did not apply" not in entry.reason
