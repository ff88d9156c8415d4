"""What the board holds: every request once, in order, counted, whatever the number of rows."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from dsrportal.models import DataSubjectRequest, Membership, OutboxEntry, SyncLane, Tag, User, WorkflowStep, Workspace
from dsrportal.models.outbox import WishKind, WishState
from dsrportal.queries import board, board_heads
from tests.board.conftest import MakeDsrs, MakeStep


@pytest.fixture
def viewer(officer: User, fresh: SyncLane) -> Membership:
    """The officer's role; the workspace is fresh."""
    return Membership.objects.select_related("workspace").get(user=officer)


def shown(viewer: Membership, now: datetime | None = None, **options: object) -> board.Board:
    lanes = list(SyncLane.objects.filter(workspace=viewer.workspace))
    return board.of_workspace(viewer.workspace, viewer=viewer, lanes=lanes, now=now or timezone.now(), **options)  # type: ignore[arg-type]


def walk(viewer: Membership, column: board_heads.Column) -> list[int]:
    """All cards of a column, as one gets them by pressing "more" until there is none."""
    seen = [card.upstream_id for card in column.cards]
    while column.more_url:
        following = board.more(
            viewer.workspace, viewer=viewer, key=column.key, after=column.cards[-1].cursor, now=timezone.now()
        )
        assert following is not None
        column = following
        seen += [card.upstream_id for card in column.cards]
    return seen


def test_columns_are_the_steps_in_order_with_their_first_25_by_the_clock(
    viewer: Membership, make_step: MakeStep, make_dsrs: MakeDsrs
) -> None:
    first, second = make_step("Received"), make_step("Checked")
    late = make_dsrs(first, 20, first_due=timezone.now() + timedelta(days=40))
    early = make_dsrs(first, 20)
    make_dsrs(second, 1)

    columns = shown(viewer).columns

    assert [(column.name, column.count) for column in columns] == [("Received", "40"), ("Checked", "1")]
    assert [card.pk for card in columns[0].cards] == [dsr.pk for dsr in [*early, *late]][:25]
    assert columns[0].more_text == "Show 25 more (of 40)"
    assert not columns[1].more_url


def test_more_reaches_every_card_exactly_once_also_with_equal_clocks(
    viewer: Membership, make_step: MakeStep, make_dsrs: MakeDsrs
) -> None:
    step = make_step("Received")
    same = timezone.now() + timedelta(days=3)
    dated, undated = make_dsrs(step, 40, expires_at=same, clock_at=same), make_dsrs(step, 30, first_due=None)
    seen = walk(viewer, shown(viewer).columns[0])
    assert seen == [dsr.upstream_id for dsr in [*undated, *dated]], "what needs data comes first"


def test_a_closing_shows_the_newest_first_and_keeps_those_without_a_date(
    viewer: Membership, make_step: MakeStep, make_dsrs: MakeDsrs
) -> None:
    step = make_step("Closed", final=True)
    undated = make_dsrs(step, 30, closed_at=None)
    dated = make_dsrs(step, 10)
    seen = walk(viewer, shown(viewer).columns[0])
    assert seen == [dsr.upstream_id for dsr in [*dated, *reversed(undated)]]


def test_archived_requests_and_those_of_others_are_not_on_the_board(
    viewer: Membership, make_step: MakeStep, make_dsrs: MakeDsrs, stranger: User
) -> None:
    step = make_step("Received")
    make_dsrs(step, 2, archived=True)
    other = Membership.objects.get(user=stranger).workspace
    foreign = make_step("Theirs", workspace=other)
    make_dsrs(foreign, 2, workspace=other)
    mine = make_dsrs(step, 1)
    columns = shown(viewer).columns
    assert [[card.pk for card in column.cards] for column in columns] == [[mine[0].pk]]


def test_a_step_that_is_gone_stays_while_it_holds_requests_and_takes_no_more(
    viewer: Membership, make_step: MakeStep, make_dsrs: MakeDsrs
) -> None:
    kept, empty = make_step("Old", is_gone=True), make_step("Older", is_gone=True)
    make_dsrs(kept, 1)
    found = shown(viewer)
    assert [column.name for column in found.columns] == ["Old"]
    assert empty not in found.targets
    assert kept not in found.targets


def test_requests_without_a_step_have_a_column_of_their_own(
    viewer: Membership, make_step: MakeStep, make_dsrs: MakeDsrs
) -> None:
    make_step("Received")
    rows = make_dsrs(None, 27)
    column = shown(viewer).columns[-1]
    assert (column.key, column.count) == ("none", "27")
    assert walk(viewer, column) == [dsr.upstream_id for dsr in rows]


def test_overdue_counts_open_requests_past_the_legal_date(
    viewer: Membership, make_step: MakeStep, make_dsrs: MakeDsrs
) -> None:
    step, closing = make_step("Received"), make_step("Closed", final=True)
    past = timezone.now() - timedelta(days=9)
    make_dsrs(step, 3, first_due=past - timedelta(days=3))
    make_dsrs(step, 2, expires_at=past, clock_at=past, state="Closed")
    make_dsrs(step, 4)
    make_dsrs(closing, 5, expires_at=past, clock_at=past)
    columns = shown(viewer).columns
    assert [column.overdue for column in columns] == ["3 overdue", ""]


def test_over_the_limit_is_marked_in_words(viewer: Membership, make_step: MakeStep, make_dsrs: MakeDsrs) -> None:
    step = make_step("Received", item_limit=5)
    make_dsrs(step, 7)
    column = shown(viewer).columns[0]
    assert (column.count, column.is_over) == ("7 / 5", True)
    assert column.spoken_count == "7 requests, over the limit of 5"


def test_a_workspace_that_was_never_read_shows_no_zero(
    viewer: Membership, make_step: MakeStep, fresh: SyncLane
) -> None:
    make_step("Received")
    fresh.delete()
    found = shown(viewer)
    assert [(column.count, column.as_of) for column in found.columns] == [("?", "not read yet")]


def test_a_workspace_that_could_not_be_read_says_of_when_its_counts_are(
    viewer: Membership, make_step: MakeStep, make_dsrs: MakeDsrs, fresh: SyncLane
) -> None:
    make_dsrs(make_step("Received"), 2)
    fresh.last_error = "Dastra could not be reached."
    fresh.save()
    assert shown(viewer).columns[0].as_of.startswith("as of ")


def test_a_card_on_the_move_stands_on_top_of_where_it_goes_and_counts_where_it_is(
    viewer: Membership, make_step: MakeStep, make_dsrs: MakeDsrs
) -> None:
    first, second = make_step("Received"), make_step("Checked")
    rows = make_dsrs(first, 3)
    make_dsrs(second, 2)
    wish_of(rows[2], to=second, viewer=viewer)
    columns = shown(viewer).columns
    assert [column.count for column in columns] == ["3", "2"]
    assert [len(column.cards) for column in columns] == [2, 3]
    top = columns[1].cards[0]
    assert (top.pk, top.step, top.column) == (rows[2].pk, str(first.upstream_id), str(second.upstream_id))
    assert top.wish is not None
    assert top.wish.is_held


def test_a_refusal_is_shown_to_who_wished_it_alone(
    viewer: Membership, make_step: MakeStep, make_dsrs: MakeDsrs, manager: User
) -> None:
    rows = make_dsrs(make_step("Received"), 1)
    wish_of(rows[0], to=make_step("Checked"), viewer=viewer, state=WishState.REFUSED, reason="Not so.")
    mine = shown(viewer).columns[0].cards[0].wish
    assert mine is not None
    assert mine.text == "Not so."
    theirs = Membership.objects.select_related("workspace").get(user=manager)
    assert shown(theirs).columns[0].cards[0].wish is None


def test_a_refusal_whose_request_is_gone_is_still_said(
    viewer: Membership, make_step: MakeStep, make_dsrs: MakeDsrs
) -> None:
    rows = make_dsrs(make_step("Received"), 1)
    wish_of(rows[0], to=make_step("Checked"), viewer=viewer, state=WishState.REFUSED, reason="Gone.")
    rows[0].delete()
    assert [wish.text for wish in shown(viewer).lost] == ["Gone."]


def test_names_are_initials_for_those_who_may_see_them_and_hidden_from_others(
    viewer: Membership, make_step: MakeStep, make_dsrs: MakeDsrs, manager: User
) -> None:
    make_dsrs(make_step("Received"), 1)
    assert shown(viewer).columns[0].cards[0].person == "Z. M."
    theirs = Membership.objects.select_related("workspace").get(user=manager)
    card = shown(theirs).columns[0].cards[0]
    assert (card.person, card.is_masked) == ("", True)


def test_tags_are_named_in_dastras_order(
    viewer: Membership, workspace: Workspace, make_step: MakeStep, make_dsrs: MakeDsrs
) -> None:
    Tag.objects.create(workspace=workspace, upstream_id=3, label="Press", color="#111111")
    Tag.objects.create(workspace=workspace, upstream_id=17, label="Minor", color="#222222")
    make_dsrs(make_step("Received"), 1, tag_ids="|17|3|99|")
    assert shown(viewer).columns[0].cards[0].tags == (("#222222", "Minor"), ("#111111", "Press"))


def test_the_digest_changes_with_what_is_seen_and_with_nothing_else(
    viewer: Membership, make_step: MakeStep, make_dsrs: MakeDsrs, noon: datetime
) -> None:
    step = make_step("Received")
    rows = make_dsrs(step, 2)
    before = shown(viewer, noon).columns[0].digest
    assert shown(viewer, noon + timedelta(seconds=20)).columns[0].digest == before
    wish_of(rows[0], to=make_step("Checked"), viewer=viewer)
    assert shown(viewer, noon).columns[0].digest != before


def wish_of(
    dsr: DataSubjectRequest,
    *,
    to: WorkflowStep | None = None,
    viewer: Membership,
    state: WishState = WishState.HELD,
    reason: str = "",
    kind: WishKind = WishKind.MOVE,
    wanted: dict[str, Any] | None = None,
) -> OutboxEntry:
    return OutboxEntry.objects.create(
        action_id=uuid.uuid4(),
        workspace=dsr.workspace,
        dsr=dsr,
        upstream_id=dsr.upstream_id,
        by=viewer.user,
        kind=kind,
        step_upstream_id=to.upstream_id if to else None,
        wanted=wanted or {},
        state=state,
        reason=reason,
        created_at=timezone.now(),
        not_before=timezone.now() + timedelta(seconds=8),
    )
