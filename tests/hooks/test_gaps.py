"""A gap is a change that a pull found and no event told of, not even late."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from dsrportal import jobs
from dsrportal.models import Lane, UnheardChange, WebhookReceiver
from dsrportal.sandbox.server import Server
from tests.hooks.conftest import Hook, run, work_off
from tests.mirror import truth


@pytest.fixture
def chosen(hook: Hook) -> list[int]:
    """Ids of the mirrored requests, after which the hook was heard."""
    run(hook.workspace)
    ids = sorted(truth.ids(hook.workspace))
    hook.tell(ids[-1])
    work_off()
    return ids


def later(minutes: float) -> datetime:
    return timezone.now() + timedelta(minutes=minutes)


def gaps(hook: Hook, *, minutes: float) -> int:
    """How many are counted once so many minutes have passed."""
    with time_machine.travel(later(minutes)):
        jobs.read_events()
    return hook.receiver.gap_count


def test_a_change_that_no_event_told_of_is_counted_once(hook: Hook, server: Server, chosen: list[int]) -> None:
    server.state[101].edit(chosen[0], complex=True)
    server.state[101].create(title="New")
    run(hook.workspace, Lane.ACTIVE)
    assert gaps(hook, minutes=1) == 0
    assert gaps(hook, minutes=6) == 2
    assert gaps(hook, minutes=7) == 2
    assert hook.receiver.last_gap_at is not None
    assert not UnheardChange.objects.exists()


def test_an_event_that_came_in_time_or_two_minutes_late_leaves_no_gap(
    hook: Hook, server: Server, chosen: list[int]
) -> None:
    server.state[101].edit(chosen[0], complex=True)
    hook.tell(chosen[0])
    work_off()
    server.state[101].edit(chosen[1], complex=True)
    run(hook.workspace)
    assert UnheardChange.objects.count() == 1, "the first was read already"
    with time_machine.travel(later(2)):
        hook.tell(chosen[1])
    assert gaps(hook, minutes=6) == 0


def test_an_old_event_of_the_same_request_tells_nothing_of_a_later_change(
    hook: Hook, server: Server, chosen: list[int]
) -> None:
    with time_machine.travel(later(-30)):
        hook.tell(chosen[0], date="2026-01-01")
    server.state[101].edit(chosen[0], complex=True)
    run(hook.workspace)
    assert gaps(hook, minutes=6) == 1


def test_who_was_never_heard_or_has_no_hook_counts_no_gaps(hook: Hook, server: Server) -> None:
    run(hook.workspace)
    server.state[101].edit(min(truth.ids(hook.workspace)), complex=True)
    run(hook.workspace)
    assert not UnheardChange.objects.exists()
    WebhookReceiver.objects.all().delete()
    server.state[101].edit(min(truth.ids(hook.workspace)), complex=False)
    run(hook.workspace)
    assert not UnheardChange.objects.exists()


def test_changes_from_before_the_first_event_are_no_gaps(hook: Hook, server: Server) -> None:
    server.state[101].edit(min(server.state[101].records), complex=True)
    with time_machine.travel(later(5)):
        hook.tell(max(server.state[101].records))
        run(hook.workspace)
        assert not UnheardChange.objects.exists()


def test_the_admin_sees_them(hook: Hook, server: Server, chosen: list[int], client: Client) -> None:
    server.state[101].edit(chosen[0], complex=True)
    run(hook.workspace)
    gaps(hook, minutes=6)
    client.force_login(hook.workspace.memberships.get().user)
    page = client.get(f"/settings/workspaces/{hook.workspace.slug}/webhook/").content.decode()
    assert "<dt>Gaps</dt><dd>1 <span" in page
    assert "<dt>Events today</dt><dd>1</dd>" in page
