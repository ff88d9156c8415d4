"""The sign that a page asks for every two seconds: who has seen it and then looks sees what it stands for, and it costs three queries."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dsrportal.actions import outbox
from dsrportal.dastra import schema
from dsrportal.mirror import store
from dsrportal.models import DataSubjectRequest, OutboxEntry, Role, User, Workspace
from dsrportal.models.outbox import WishKind
from dsrportal.queries import board_version
from tests.conftest import make_person

URL = "/w/acme-france/board/version/"
MOST_QUERIES = 3
DEEDS = ("begin", "store", "forget", "wish", "undo", "dismiss", "look", "look")


@pytest.fixture
def reader(client: Client, officer: User) -> Client:
    client.force_login(officer)
    return client


class Stage:
    """A mirror that reads two requests, a person who wishes, and a browser that looks only when the sign is new to it."""

    def __init__(self, *, workspace: Workspace, officer: User) -> None:
        self.workspace, self.officer = workspace, officer
        self.begun: list[tuple[int, schema.DataSubjectRequest]] = []
        self.count = 0
        self.sign: str | None = ""
        self.seen: object = None

    def truth(self) -> object:
        """All that a board shows of it."""
        rows = DataSubjectRequest.objects.filter(workspace=self.workspace).order_by("pk").values_list("pk", "digest")
        wishes = OutboxEntry.objects.order_by("pk").values_list("pk", "state", "dismissed_at")
        return [(pk, bytes(digest)) for pk, digest in rows], list(wishes)

    def look(self) -> None:
        """Ask for the sign, and read everything only where it is a new one."""
        sign = board_version.of_workspace("acme-france", viewer=self.officer)
        if sign != self.sign:
            self.sign, self.seen = sign, self.truth()

    def do(self, deed: str, which: int) -> None:
        """One deed, as far as it makes sense now."""
        now = timezone.now()
        self.count += 1
        wish = OutboxEntry.objects.order_by("pk").last()
        if deed == "look":
            self.look()
        elif deed == "begin":
            read = schema.DataSubjectRequest(upstream_id=which, reference=f"R-{which}", state=f"State {self.count}")
            self.begun.append((store.next_sequence(self.workspace), read))
        elif deed == "store" and self.begun:
            sequence, read = self.begun.pop(which % len(self.begun))
            store.store_requests(self.workspace, [read], sequence=sequence, now=now, confirm=True)
        elif deed == "forget":
            store.forget_requests(self.workspace, {which: store.next_sequence(self.workspace)}, now=now)
        elif deed == "wish" and (dsr := DataSubjectRequest.objects.filter(upstream_id=which).first()):
            if not OutboxEntry.objects.filter(upstream_id=which, state="held").exists():
                outbox.wish(
                    action_id=uuid.uuid4(),
                    kind=WishKind.ARCHIVE,
                    dsr=dsr,
                    by=self.officer,
                    seen_step_upstream_id=None,
                    seen_updated_at=None,
                    now=now,
                )
        elif deed == "undo" and wish:
            outbox.undo(wish, by=self.officer, now=now)
        elif deed == "dismiss" and wish:
            outbox.dismiss(wish, by=self.officer, now=now)


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deeds=st.lists(st.tuples(st.sampled_from(DEEDS), st.integers(1, 2)), max_size=14))
def test_whatever_happens_between_two_looks_the_browser_ends_with_the_truth(
    workspace: Workspace, officer: User, deeds: list[tuple[str, int]]
) -> None:
    DataSubjectRequest.objects.all().delete()
    OutboxEntry.objects.all().delete()
    stage = Stage(workspace=workspace, officer=officer)
    for deed, which in deeds:
        stage.do(deed, which)
    stage.look()
    assert stage.seen == stage.truth()


@pytest.mark.django_db(transaction=True)
def test_a_sign_is_new_when_the_rows_are_there_and_not_before(
    workspace: Workspace, officer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask() -> str | None:
        return board_version.of_workspace("acme-france", viewer=officer)

    def ask_elsewhere() -> str | None:
        found: list[str | None] = []

        def work() -> None:
            found.append(ask())
            connection.close()

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        return found[0]

    before = ask()
    meanwhile: list[str | None] = []
    note: Callable[[int], None] = Workspace.note_change

    def watched(workspace_id: int) -> None:
        note(workspace_id)
        meanwhile.append(ask_elsewhere())

    monkeypatch.setattr(Workspace, "note_change", watched)
    number = store.next_sequence(workspace)
    assert ask() == before, "a read that begins has stored nothing"
    read = schema.DataSubjectRequest(upstream_id=7, reference="R-7")
    store.store_requests(workspace, [read], sequence=number, now=timezone.now())
    assert set(meanwhile) == {before}
    assert ask() != before


def test_nothing_new_is_204_with_few_queries(reader: Client) -> None:
    answer = reader.get(URL)
    assert answer.status_code == 200
    with CaptureQueriesContext(connection) as queries:
        again = reader.get(URL, {"known": answer.text})
    assert (again.status_code, again.content) == (204, b"")
    assert len(queries) <= MOST_QUERIES


def test_the_beginning_and_the_end_of_a_pull_are_something_new(
    reader: Client, workspace: Workspace, now: datetime
) -> None:
    seen = [reader.get(URL).text]
    for until in (now, now + timedelta(seconds=1)):
        Workspace.objects.filter(pk=workspace.pk).update(lease_until=until)
        seen.append(reader.get(URL).text)
    assert len({*seen}) == len(seen)


def test_what_happens_in_another_workspace_is_nothing_new(reader: Client, stranger: User, now: Any) -> None:
    before = reader.get(URL).text
    other = stranger.memberships.get().workspace
    make_person("nora", workspace=other, role=Role.OFFICER)
    store.store_requests(
        other, [schema.DataSubjectRequest(upstream_id=7)], sequence=store.next_sequence(other), now=now
    )
    assert reader.get(URL, {"known": before}).status_code == 204
