"""The sign that a page asks for every two seconds: it changes with what may change the board, and costs three queries."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from dsrportal.mirror import store
from dsrportal.models import OutboxEntry, Role, User, Workspace
from dsrportal.models.outbox import WishKind, WishState
from tests.conftest import make_person

URL = "/w/acme-france/board/version/"
MOST_QUERIES = 3


@pytest.fixture
def reader(client: Client, officer: User) -> Client:
    client.force_login(officer)
    return client


def test_nothing_new_is_204_with_few_queries(reader: Client) -> None:
    answer = reader.get(URL)
    assert answer.status_code == 200
    with CaptureQueriesContext(connection) as queries:
        again = reader.get(URL, {"known": answer.text})
    assert (again.status_code, again.content) == (204, b"")
    assert len(queries) <= MOST_QUERIES


def test_each_step_of_a_wish_each_read_and_each_end_of_a_pull_is_something_new(
    reader: Client, workspace: Workspace, officer: User, now: datetime
) -> None:
    seen = [reader.get(URL).text]
    entry = OutboxEntry.objects.create(
        action_id=uuid.uuid4(),
        workspace=workspace,
        upstream_id=7,
        by=officer,
        kind=WishKind.ARCHIVE,
        created_at=now,
        not_before=now,
    )
    seen.append(reader.get(URL).text)
    for state in (WishState.SENDING, WishState.UNKNOWN):
        OutboxEntry.objects.filter(pk=entry.pk).update(state=state)
        seen.append(reader.get(URL).text)
    store.next_sequence(workspace)
    OutboxEntry.objects.filter(pk=entry.pk).update(state=WishState.DONE)
    seen.append(reader.get(URL).text)
    for until in (now, now + timedelta(seconds=1), None):
        Workspace.objects.filter(pk=workspace.pk).update(lease_until=until)
        seen.append(reader.get(URL).text)
    assert len({*seen}) == len(seen) - 1, "when the pull is over nothing but the lease has gone"


def test_what_happens_in_another_workspace_is_nothing_new(
    reader: Client, workspace: Workspace, stranger: User, now: datetime
) -> None:
    before = reader.get(URL).text
    other = stranger.memberships.get().workspace
    make_person("nora", workspace=other, role=Role.OFFICER)
    store.next_sequence(other)
    OutboxEntry.objects.create(
        action_id=uuid.uuid4(),
        workspace=other,
        upstream_id=7,
        by=stranger,
        kind=WishKind.ARCHIVE,
        created_at=now,
        not_before=now,
    )
    assert reader.get(URL, {"known": before}).status_code == 204
