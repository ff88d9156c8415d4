"""Moving over HTTP: which answer each post gets, from whom, and that a refusal shows the card as it truly is."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from dsrportal.models import DataSubjectRequest, OutboxEntry, SyncLane, User, WorkflowStep, Workspace
from dsrportal.models.outbox import WishState
from tests.board.conftest import MakeDsrs, MakeStep

Post = Callable[..., Any]
HTMX = {"HX-Request": "true"}


@pytest.fixture
def steps(fresh: SyncLane, make_step: MakeStep) -> list[WorkflowStep]:
    """Two steps."""
    return [make_step("Received"), make_step("Checked")]


@pytest.fixture
def dsr(steps: list[WorkflowStep], make_dsrs: MakeDsrs) -> DataSubjectRequest:
    """A request in the first step."""
    return make_dsrs(steps[0], 1)[0]


@pytest.fixture
def move(client: Client, officer: User, dsr: DataSubjectRequest, steps: list[WorkflowStep]) -> Post:
    """A function by which the officer posts the card's form, to the second step unless told otherwise."""
    client.force_login(officer)

    def post(*, htmx: bool = True, upstream_id: int = dsr.upstream_id, deed: str = "move", **changes: Any) -> Any:
        form = {
            "action_id": str(uuid.uuid4()),
            "step": steps[1].upstream_id,
            "seen_step": steps[0].upstream_id,
            "seen_updated_at": dsr.updated_at.isoformat() if dsr.updated_at else "",
            "origin": "board",
        }
        url = f"/w/acme-france/requests/{upstream_id}/{deed}/"
        return client.post(url, {**form, **changes}, headers=HTMX if htmx else {})

    return post


def test_a_move_answers_with_the_pending_card_and_the_heads_of_both_columns(
    move: Post, dsr: DataSubjectRequest, steps: list[WorkflowStep]
) -> None:
    html = move().text
    assert html.count("<li ") == 1
    assert "card--pending" in html
    assert f'data-at="{steps[1].upstream_id}"' in html
    assert f'data-step="{steps[0].upstream_id}"' in html
    for step in steps:
        assert f'id="head-{step.upstream_id}" hx-swap-oob="true"' in html
    assert "Undo" in html


def test_ten_identical_posts_are_one_wish(move: Post) -> None:
    action_id = str(uuid.uuid4())
    assert {move(action_id=action_id).status_code for _time in range(10)} == {200}
    assert OutboxEntry.objects.count() == 1


def test_without_scripts_it_goes_back_to_the_board_or_to_the_request(move: Post, dsr: DataSubjectRequest) -> None:
    assert move(htmx=False).headers["Location"] == "/w/acme-france/board/"
    OutboxEntry.objects.update(state=WishState.CANCELLED)
    response = move(htmx=False, origin="dsr")
    assert response.headers["Location"] == f"/w/acme-france/requests/{dsr.upstream_id}/"


def test_the_same_step_changes_nothing_and_says_so(move: Post, steps: list[WorkflowStep]) -> None:
    response = move(step=steps[0].upstream_id)
    assert response.status_code == 200
    assert "already" in response.text
    assert OutboxEntry.objects.count() == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"step": 999},
        {"step": ""},
        {"step": "abc"},
        {"step": -1},
        {"step": "9" * 30},
        {"action_id": ""},
        {"action_id": "1"},
        {"seen_step": ""},
        {"seen_step": 999},
        {"seen_updated_at": "yesterday"},
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused_with_the_true_card(
    move: Post, dsr: DataSubjectRequest, steps: list[WorkflowStep], changes: dict[str, object]
) -> None:
    response = move(**changes)
    assert response.status_code == 422
    assert f'id="card-{dsr.upstream_id}"' in response.text
    assert f'data-at="{steps[0].upstream_id}"' in response.text
    assert "toast--warning" in response.text
    assert OutboxEntry.objects.count() == 0


def test_a_step_of_another_workspace_is_refused(move: Post, make_step: MakeStep, stranger: User) -> None:
    theirs = make_step("Theirs", workspace=stranger.memberships.get().workspace, upstream_id=77)
    assert move(step=theirs.upstream_id).status_code == 422


@pytest.mark.parametrize("upstream_id", [0, 424242, 2**63])
def test_a_request_that_is_not_there_is_404(move: Post, upstream_id: int) -> None:
    assert move(upstream_id=upstream_id).status_code == 404


@pytest.mark.parametrize("deed", ["move", "archive", "restore"])
def test_a_stranger_gets_404_a_viewer_403_and_get_405(
    client: Client, officer: User, stranger: User, dsr: DataSubjectRequest, deed: str
) -> None:
    url = f"/w/acme-france/requests/{dsr.upstream_id}/{deed}/"
    client.force_login(stranger)
    assert client.post(url).status_code == 404
    client.force_login(officer)
    assert client.get(url).status_code == 405
    officer.memberships.update(role="viewer")
    assert client.post(url).status_code == 403


def test_without_the_forms_token_it_is_403(officer: User, dsr: DataSubjectRequest) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(officer)
    assert client.post(f"/w/acme-france/requests/{dsr.upstream_id}/move/").status_code == 403
    assert OutboxEntry.objects.count() == 0


def test_undo_brings_the_card_back(move: Post, client: Client, steps: list[WorkflowStep]) -> None:
    move()
    entry = OutboxEntry.objects.get()
    html = client.post(f"/w/acme-france/wishes/{entry.pk}/undo/", headers=HTMX).text
    assert "card--pending" not in html
    assert f'data-at="{steps[0].upstream_id}"' in html
    assert "Nothing was changed" in html


def test_another_person_sees_whose_it_is_and_cannot_undo_it(
    move: Post, client: Client, manager: User, steps: list[WorkflowStep]
) -> None:
    move()
    entry = OutboxEntry.objects.get()
    client.force_login(manager)
    html = client.get("/w/acme-france/board/").text
    assert "olivia is moving this" in html
    assert "Undo" not in html
    client.post(f"/w/acme-france/wishes/{entry.pk}/undo/", headers=HTMX)
    entry.refresh_from_db()
    assert entry.state == WishState.HELD
    assert move().status_code == 422


@pytest.mark.parametrize("deed", ["undo", "send", "dismiss"])
def test_wishes_of_another_workspace_are_404(move: Post, client: Client, stranger: User, deed: str) -> None:
    move()
    entry = OutboxEntry.objects.get()
    assert client.post(f"/w/acme-france/wishes/{entry.pk + 99}/{deed}/").status_code == 404
    client.force_login(stranger)
    assert client.post(f"/w/acme-france/wishes/{entry.pk}/{deed}/").status_code == 404
    assert client.post(f"/w/other-house/wishes/{entry.pk}/{deed}/").status_code == 404


def test_asking_before_the_window_is_over_sends_nothing(move: Post, client: Client, settings: Any) -> None:
    settings.UNDO_SECONDS = 60
    move()
    entry = OutboxEntry.objects.get()
    html = client.post(f"/w/acme-france/wishes/{entry.pk}/send/", headers=HTMX).text
    assert "Sending in" in html
    entry.refresh_from_db()
    assert (entry.state, entry.attempts) == (WishState.HELD, 0)


def test_when_dastra_cannot_be_reached_the_card_waits_and_says_why(
    move: Post, workspace: Workspace, settings: Any
) -> None:
    settings.UNDO_SECONDS = 0
    settings.UPSTREAM_ALLOWED_HOSTS = ["127.0.0.1:9"]
    workspace.base_url = "http://127.0.0.1:9"
    workspace.set_secret("a-secret-of-the-tests")
    workspace.save()
    html = move().text
    assert OutboxEntry.objects.get().state == WishState.HELD
    assert "Trying again" in html


def test_a_refusal_stands_on_the_card_until_it_is_dismissed(move: Post, client: Client) -> None:
    move()
    entry = OutboxEntry.objects.get()
    OutboxEntry.objects.update(state=WishState.REFUSED, reason="Not from here.", settled_at=timezone.now())
    assert "Not from here." in client.get("/w/acme-france/board/").text
    client.post(f"/w/acme-france/wishes/{entry.pk}/dismiss/", headers=HTMX)
    assert "Not from here." not in client.get("/w/acme-france/board/").text


@pytest.mark.parametrize("origin", ["board", "dsr"])
def test_a_refusal_before_anything_is_kept_is_said_where_one_looks(
    move: Post, client: Client, manager: User, origin: str
) -> None:
    move()
    client.force_login(manager)
    response = move(origin=origin)
    assert response.status_code == 422
    assert "olivia is already changing this request" in response.text
    assert move(origin=origin, htmx=False).status_code == 302
    assert "olivia is already changing this request" in client.get("/w/acme-france/board/").text


def test_the_requests_own_page_gets_its_banner_and_reloads_when_it_is_settled(
    move: Post, client: Client, settings: Any, officer: User
) -> None:
    settings.UNDO_SECONDS = 60
    html = move(origin="dsr").text
    assert 'id="wish"' in html
    assert "Undo" in html
    entry = OutboxEntry.objects.get()
    OutboxEntry.objects.update(not_before=timezone.now() + timedelta(hours=1))
    answer = client.post(f"/w/acme-france/wishes/{entry.pk}/undo/", {"origin": "dsr"}, headers=HTMX)
    assert answer.headers["HX-Refresh"] == "true"
