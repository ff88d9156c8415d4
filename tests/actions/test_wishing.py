"""Keeping a wish, and taking it back: what is stored, what is refused before anything is called."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from dsrportal.actions import outbox
from dsrportal.models import AuditEvent, DataSubjectRequest, OutboxEntry, Role, User, WorkflowStep, Workspace
from dsrportal.models.outbox import WishKind, WishState
from tests.actions.conftest import MakeWish
from tests.conftest import MakeWorkspace, make_person


def test_a_wish_is_held_for_the_undo_window_and_nothing_is_called(
    make_wish: MakeWish, writes: Callable[[], list[str]], settings: Any, now: datetime
) -> None:
    settings.UNDO_SECONDS = 8
    entry = make_wish(hold_seconds=None)
    assert (entry.state, entry.not_before) == (WishState.HELD, now + timedelta(seconds=8))
    assert outbox.send(entry.pk, now=now + timedelta(seconds=7)).state == WishState.HELD
    assert writes() == []


def test_the_same_action_ten_times_is_one_wish(make_wish: MakeWish) -> None:
    action_id = uuid.uuid4()
    assert len({make_wish(action_id=action_id).pk for _time in range(10)}) == 1
    assert OutboxEntry.objects.count() == 1


def test_a_form_used_for_something_else_is_no_wish(make_wish: MakeWish, steps: list[WorkflowStep]) -> None:
    entry = make_wish()
    with pytest.raises(outbox.WishError) as refusal:
        make_wish(action_id=entry.action_id, step=steps[3])
    assert refusal.value.code == "reused"


def test_one_open_wish_a_request_and_the_second_person_learns_whose_it_is(
    make_wish: MakeWish, mirrored: Workspace, steps: list[WorkflowStep]
) -> None:
    make_wish()
    other = make_person("marc", workspace=mirrored, role=Role.MANAGER)
    with pytest.raises(outbox.WishError, match="olivia is already changing this request"):
        make_wish(by=other, step=steps[3])
    assert OutboxEntry.objects.count() == 1


def test_the_database_itself_keeps_two_open_wishes_apart(make_wish: MakeWish, monkeypatch: pytest.MonkeyPatch) -> None:
    make_wish()
    monkeypatch.setattr(outbox, "_check", lambda **_wanted: None)  # as if both had looked before either wrote
    with pytest.raises(outbox.WishError) as refusal:
        make_wish()
    assert refusal.value.code == "busy"


@pytest.mark.parametrize("role", [Role.VIEWER, Role.AUDITOR])
def test_roles_that_only_look_may_wish_nothing(make_wish: MakeWish, mirrored: Workspace, role: Role) -> None:
    with pytest.raises(outbox.WishError) as refusal:
        make_wish(by=make_person("vera", workspace=mirrored, role=role))
    assert refusal.value.code == "not_allowed"


def test_a_stranger_and_a_disabled_workspace_are_refused(
    make_wish: MakeWish, make_workspace: MakeWorkspace, mirrored: Workspace, dsr: DataSubjectRequest, now: datetime
) -> None:
    stranger = make_person("stan", workspace=make_workspace("other", upstream_id=102), role=Role.OFFICER)
    with pytest.raises(outbox.WishError, match="may not change"):
        make_wish(by=stranger)
    dsr.workspace.disabled_at = now
    with pytest.raises(outbox.WishError, match="may not change"):
        make_wish()


def test_a_step_of_another_workspace_or_one_that_is_gone_is_unknown(
    make_wish: MakeWish, make_workspace: MakeWorkspace, steps: list[WorkflowStep]
) -> None:
    foreign = WorkflowStep.objects.create(
        workspace=make_workspace("other", upstream_id=102), upstream_id=steps[2].upstream_id, label="Theirs"
    )
    steps[3].is_gone = True
    for step in (foreign, steps[3], None):
        with pytest.raises(outbox.WishError) as refusal:
            make_wish(step=step)
        assert refusal.value.code == "unknown_step"


def test_the_step_that_it_is_in_already_is_no_wish(make_wish: MakeWish, steps: list[WorkflowStep]) -> None:
    with pytest.raises(outbox.WishError, match="already") as refusal:
        make_wish(step=steps[0])
    assert refusal.value.code == "no_change"


def test_what_the_person_saw_must_be_what_the_mirror_has(make_wish: MakeWish, steps: list[WorkflowStep]) -> None:
    for seen in (steps[1].upstream_id, None):
        with pytest.raises(outbox.WishError) as refusal:
            make_wish(seen_step_upstream_id=seen)
        assert refusal.value.code == "stale"


def test_archiving_twice_and_restoring_what_is_live_are_no_wishes(make_wish: MakeWish, dsr: DataSubjectRequest) -> None:
    with pytest.raises(outbox.WishError, match="not archived"):
        make_wish(kind=WishKind.RESTORE, step=None)
    dsr.archived = True
    for kind in (WishKind.ARCHIVE, WishKind.MOVE):
        with pytest.raises(outbox.WishError, match="archived"):
            make_wish(kind=kind)


def test_undo_wins_or_loses_once(make_wish: MakeWish, olivia: User, now: datetime) -> None:
    entry = make_wish()
    assert outbox.undo(entry, by=olivia, now=now)
    assert not outbox.undo(entry, by=olivia, now=now)
    assert outbox.send(entry.pk, now=now).state == WishState.CANCELLED
    assert AuditEvent.objects.get().outcome == WishState.CANCELLED


def test_nobody_undoes_the_wish_of_another(make_wish: MakeWish, mirrored: Workspace, now: datetime) -> None:
    entry = make_wish()
    assert not outbox.undo(entry, by=make_person("marc", workspace=mirrored, role=Role.MANAGER), now=now)


def test_after_an_undo_the_next_wish_is_free(make_wish: MakeWish, olivia: User, now: datetime) -> None:
    outbox.undo(make_wish(), by=olivia, now=now)
    assert make_wish().state == WishState.HELD


def test_a_new_wish_puts_the_old_refusal_out_of_sight(make_wish: MakeWish) -> None:
    refused = make_wish()
    OutboxEntry.objects.filter(pk=refused.pk).update(state=WishState.REFUSED)
    make_wish()
    refused.refresh_from_db()
    assert refused.dismissed_at is not None
