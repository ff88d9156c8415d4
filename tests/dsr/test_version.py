"""The sign that a request's page asks for every two seconds: it changes with what the page shows, and costs three queries."""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from dsrportal.dastra import schema
from dsrportal.mirror import store
from dsrportal.models import DataSubjectRequest, OutboxEntry, User, Workspace
from dsrportal.models.outbox import WishKind, WishState

URL = "/w/acme-france/requests/7/version/"
MOST_QUERIES = 3


def put(workspace: Workspace, *, upstream_id: int = 7, state: str = "Open") -> None:
    read = schema.DataSubjectRequest(upstream_id=upstream_id, reference=f"R-{upstream_id}", state=state)
    store.store_requests(workspace, [read], sequence=store.next_sequence(workspace), now=timezone.now(), confirm=True)


def test_every_change_of_the_request_and_of_its_wish_is_something_new_and_others_are_not(
    client: Client, workspace: Workspace, officer: User
) -> None:
    client.force_login(officer)
    put(workspace)
    signs = [client.get(URL).text]

    def is_new() -> bool:
        signs.append(client.get(URL).text)
        return signs[-1] not in signs[:-1]

    put(workspace, state="Active")
    assert is_new()
    entry = OutboxEntry.objects.create(
        action_id=uuid.uuid4(),
        workspace=workspace,
        upstream_id=7,
        by=officer,
        kind=WishKind.ARCHIVE,
        created_at=timezone.now(),
        not_before=timezone.now(),
    )
    assert is_new()
    for change in (
        {"state": WishState.SENDING, "attempts": 1},
        {"state": WishState.REFUSED},
        {"dismissed_at": timezone.now()},
    ):
        OutboxEntry.objects.filter(pk=entry.pk).update(**change)
        assert is_new()
    DataSubjectRequest.objects.filter(upstream_id=7).update(respond_by=timezone.localdate() + timedelta(days=3))
    assert is_new()
    put(workspace, state="Active")
    put(workspace, upstream_id=8)
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(URL, {"known": signs[-1]})
    assert (answer.status_code, answer.content) == (204, b"")
    assert len(queries) <= MOST_QUERIES


def test_a_forgotten_request_and_a_strangers_have_no_sign(
    client: Client, workspace: Workspace, officer: User, stranger: User
) -> None:
    put(workspace)
    client.force_login(stranger)
    assert client.get(URL).status_code == 404
    client.force_login(officer)
    assert client.get(URL).status_code == 200
    store.forget_requests(workspace, {7: store.next_sequence(workspace)}, now=timezone.now())
    assert client.get(URL).status_code == 404
