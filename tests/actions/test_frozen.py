"""A sender that stands still for longer than its claim lasts: nothing is written twice, and what was said meanwhile is set right."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from dsrportal.actions import outbox, writing
from dsrportal.dastra.client import DastraClient
from dsrportal.models import AuditEvent, OutboxEntry, WorkflowStep
from dsrportal.models.outbox import WishState
from dsrportal.sandbox import Fault, Server
from tests.actions.conftest import MakeWish

Tell = Callable[[], int]
LONG = timedelta(seconds=outbox.CLAIM_SECONDS + 10)


def test_frozen_right_before_the_write_it_ends_with_what_is_so(
    make_wish: MakeWish,
    steps: list[WorkflowStep],
    step_in_dastra: Tell,
    writes: Callable[[], list[str]],
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    entry = make_wish()
    write = DastraClient.change_step
    meanwhile: list[OutboxEntry] = []

    def freeze(self: DastraClient, *args: Any) -> None:
        meanwhile.append(outbox.send(entry.pk, now=now + LONG))
        write(self, *args)

    monkeypatch.setattr(DastraClient, "change_step", freeze)
    sent = outbox.send(entry.pk, now=now)
    assert meanwhile[0].state == WishState.REFUSED, "the other one read that it was not applied, as was so then"
    assert (sent.state, sent.reason, len(writes())) == (WishState.DONE, "", 1)
    assert step_in_dastra() == steps[2].upstream_id
    outcomes = AuditEvent.objects.filter(operation="move").order_by("pk").values_list("outcome", flat=True)
    assert list(outcomes) == [WishState.UNKNOWN, WishState.REFUSED, WishState.DONE]


def test_frozen_before_the_claim_was_renewed_it_writes_nothing(
    make_wish: MakeWish, writes: Callable[[], list[str]], now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = make_wish()
    read = writing._read
    frozen: list[bool] = []

    def freeze(entry_: OutboxEntry, **options: Any) -> Any:
        before = read(entry_, **options)
        if not frozen:
            frozen.append(True)
            outbox.send(entry.pk, now=now + LONG)
        return before

    monkeypatch.setattr(writing, "_read", freeze)
    assert outbox.send(entry.pk, now=now).state == WishState.REFUSED
    assert writes() == []


def test_a_wish_that_waited_long_for_anybody_to_send_it_is_still_tried_for_a_while(
    make_wish: MakeWish, server: Server, now: datetime
) -> None:
    entry = make_wish()
    server.faults.add(Fault(kind="status", status=429, headers=(("Retry-After", "1"),), match="POST"))
    later = now + timedelta(minutes=10)
    entry = outbox.send(entry.pk, now=later)
    assert entry.state == WishState.HELD
    assert later < entry.not_before <= later + timedelta(seconds=writing.GIVE_UP_SECONDS)
    assert outbox.send(entry.pk, now=entry.not_before).state == WishState.DONE
