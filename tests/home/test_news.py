"""What is new since the person left: what others did, from when on, in which words, and the register of exactly these."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client

from dsrportal.forms import register as register_form
from dsrportal.models import DataSubjectRequest, Lane, SyncRun, User, WorkflowStep, Workspace
from dsrportal.models.outbox import WishKind, WishState
from dsrportal.models.runs import SyncOutcome
from dsrportal.queries.register_filters import RegisterFilters
from dsrportal.queries.register_spans import Spans
from tests.home.conftest import MakeDsr
from tests.home.test_lists import references, sections

HOUR = timedelta(hours=1)


@pytest.fixture
def left_at(olivia: User, now: datetime) -> datetime:
    """Olivia left 15 hours ago."""
    at = now - 15 * HOUR
    User.objects.filter(pk=olivia.pk).update(left_at=at)
    return at


def done(dsr: DataSubjectRequest, *, by: User, at: datetime, kind: WishKind = WishKind.TAG, **fields: Any) -> None:
    """A wish that Dastra has."""
    dsr.outbox.create(
        action_id=uuid.uuid4(),
        workspace=dsr.workspace,
        upstream_id=dsr.upstream_id,
        by=by,
        kind=kind,
        state=WishState.DONE,
        created_at=at,
        not_before=at,
        settled_at=at,
        **fields,
    )


def test_on_a_first_visit_nothing_is_called_new(reader: Client, make_dsr: MakeDsr, now: datetime) -> None:
    make_dsr(updated_at=now)
    news = sections(reader)["news"]
    assert (news.rows, news.count, news.more) == ([], "", [])
    assert news.empty.startswith("From your next visit on")


def test_new_ones_and_what_others_changed_is_there_and_not_what_one_did_oneself(
    reader: Client,
    olivia: User,
    manager: User,
    workspace: Workspace,
    make_dsr: MakeDsr,
    now: datetime,
    left_at: datetime,
) -> None:
    step = WorkflowStep.objects.create(workspace=workspace, upstream_id=3, label="Checked")
    make_dsr(updated_at=left_at - 48 * HOUR)
    make_dsr(updated_at=now - HOUR, user=71)
    new = make_dsr(created_at=now - 9 * HOUR, updated_at=None)
    moved = make_dsr(updated_at=now - 8 * HOUR, step=step)
    done(moved, by=manager, at=now - 8 * HOUR, kind=WishKind.MOVE, step_upstream_id=3)
    told = make_dsr(updated_at=now - 7 * HOUR, last_message_at=now - 7 * HOUR)
    own = make_dsr(updated_at=now - 6 * HOUR)
    done(own, by=olivia, at=now - 6 * HOUR - timedelta(seconds=5))
    both = make_dsr(updated_at=now - 5 * HOUR, user=None)
    done(both, by=olivia, at=now - 6 * HOUR)
    news = sections(reader)["news"]
    assert references(news) == [row.reference for row in (both, told, moved, new)]
    assert [row.remark for row in news.rows] == ["Changed", "New message", "Moved to Checked by marc", "New"]
    page = reader.get(news.more[0].url).context["page"]
    assert {row.reference for row in page.rows} == set(references(news))
    assert [chip.name for chip in page.chips if chip.name] == ["Assignee", "Changed by others since"]


def test_what_could_not_be_seen_yet_when_the_person_left_is_new(
    reader: Client, workspace: Workspace, make_dsr: MakeDsr, left_at: datetime
) -> None:
    for minutes, outcome in ((7, SyncOutcome.COMPLETE), (2, SyncOutcome.FAILED)):
        at = left_at - timedelta(minutes=minutes)
        SyncRun.objects.create(workspace=workspace, lane=Lane.ACTIVE, outcome=outcome, started_at=at, finished_at=at)
    unseen = make_dsr(updated_at=left_at - timedelta(minutes=6))
    make_dsr(updated_at=left_at - timedelta(minutes=8))
    assert references(sections(reader)["news"]) == [unseen.reference]


def test_the_question_survives_its_address_and_nonsense_is_left_out(now: datetime) -> None:
    asked = RegisterFilters(spans=Spans(changed_since=now, not_by=7))
    assert register_form.read(QueryDict(asked.query_string())) == asked
    for nonsense in ("changedSince=2026-11-22", "changedSince=x&notBy=7", "notBy=7", "changedSince=" + "1" * 50):
        assert register_form.read(QueryDict(nonsense)) == RegisterFilters()
