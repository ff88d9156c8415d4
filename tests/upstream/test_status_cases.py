"""U41 to U62: statuses, on lists, on single requests and on writes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from dsrportal.mirror import connections
from dsrportal.models.outbox import WishState
from dsrportal.models.workspaces import Hold
from tests.dastra.wire import Asked, answer

from .cases import one, table
from .conftest import Stage
from .little import MARK

PROBLEM = {"type": "about:blank", "title": "The step is full", "status": 400, "detail": f"{MARK}title1 is full"}
FIELD = {"title": "One or more validation errors occurred.", "errors": {"customFields.origin": ["is mandatory"]}}
REFUSALS: dict[str, tuple[bytes, str]] = {
    "U41-400-with-a-problem": (
        answer(json.dumps(PROBLEM), status=400, content_type="application/problem+json"),
        "The step is full",
    ),
    "U42-400-in-html": (answer("<h1>Bad</h1>", status=400, content_type="text/html"), "refused the change"),
    "U43-400-on-a-mandatory-custom-field": (answer(json.dumps(FIELD), status=400), "validation errors"),
    "U52-405-on-a-write": (answer(status=405), "status"),
    "U53-409-on-a-write": (answer(status=409), "refused the change"),
    "U54-412-on-a-write": (answer(status=412), "refused the change"),
    "U55-422-on-a-write": (answer(status=422), "refused the change"),
    "U56-423-on-a-write": (answer(status=423), "refused the change"),
}


@table("spoil, told", REFUSALS)
def test_a_refused_write_says_why_and_nothing_changed(stage: Stage, spoil: bytes, told: str) -> None:
    stage.dastra.on_write, stage.dastra.applies = spoil, False
    entry = stage.move()
    assert entry.state == WishState.REFUSED
    assert told in entry.reason
    assert "<" not in entry.reason
    assert len(stage.dastra.written) == 1
    row = stage.row()
    assert row.step is not None
    assert row.step.upstream_id == 10


@one("U45-401-for-ever")
def test_a_refused_key_stops_everything_and_nothing_is_forgotten(stage: Stage) -> None:
    stage.dastra.on_list = stage.dastra.on_one = stage.dastra.on_steps = answer(status=401)
    assert stage.pull().error_code == "unauthorized"
    assert stage.workspace.hold == Hold.REFUSED
    calls = len(stage.dastra.wire.journal)
    for _ in range(5):
        assert stage.pull(scheduled=True).error_code == "credential_held"
    assert len(stage.dastra.wire.journal) == calls


@one("U44-401-once")
def test_a_refusal_that_passes_is_over_with_a_person_s_next_try(stage: Stage) -> None:
    def once(connection: Any, _asked: Asked) -> None:
        stage.dastra.on_list = None
        connection.sendall(answer(status=401))

    stage.dastra.on_list = once
    assert stage.pull().error_code == "unauthorized"
    assert stage.pull().outcome == "complete"
    assert stage.workspace.hold == ""


@one("U46-403-on-one-request")
def test_a_request_that_the_key_may_no_longer_read_is_kept_and_noted(stage: Stage) -> None:
    hidden = stage.dastra.rows.pop(2)
    stage.dastra.on_one = answer(status=403)
    done = stage.pull()
    assert (done.outcome, done.gone, done.set_aside) == ("complete", 0, 1)
    assert stage.ids() == {1, 2, 3}
    assert "may not read" in stage.aside()[2]
    stage.dastra.rows[2] = hidden
    stage.dastra.honest()
    assert stage.pull().set_aside == 0
    assert stage.aside() == {}


@one("U47-403-on-everything")
def test_a_right_that_was_taken_away_holds_the_workspace(stage: Stage) -> None:
    stage.dastra.on_list = stage.dastra.on_one = answer(status=403)
    assert stage.pull().error_code == "forbidden"
    assert stage.workspace.hold == Hold.REFUSED


@one("U48-403-that-is-the-rate-limit")
def test_a_rate_limit_in_disguise_is_a_pause_and_no_hold(stage: Stage) -> None:
    stage.dastra.on_list = answer(status=403, headers=("Retry-After: 30",))
    assert stage.pull().error_code == "rate_limited"
    assert stage.workspace.hold == ""
    assert 25 < paused_seconds(stage) <= 30


def paused_seconds(stage: Stage) -> float:
    budget = connections.budget_of(stage.workspace)
    assert budget is not None
    return budget.pause_seconds


@one("U49-404-on-one-id")
def test_what_dastra_says_it_has_not_is_forgotten(stage: Stage) -> None:
    for upstream_id in range(4, 14):
        stage.dastra.rows[upstream_id] = {**stage.dastra.rows[1], "id": upstream_id}
    stage.pull()
    del stage.dastra.rows[2]
    assert stage.pull().gone == 1
    stage.kept = set(stage.dastra.rows)


@one("U50-404-on-every-id")
def test_when_everything_seems_gone_an_admin_decides(stage: Stage) -> None:
    rows, stage.dastra.rows = stage.dastra.rows, {}
    done = stage.pull()
    assert (done.outcome, done.gone) == ("held", 0)
    assert stage.workspace.hold == Hold.MISSING
    stage.dastra.rows = rows


@one("U51-404-on-the-list")
def test_a_wrong_workspace_id_says_so(stage: Stage) -> None:
    stage.dastra.on_list = answer(status=404)
    done = stage.pull()
    assert (done.outcome, done.error_code) == ("failed", "not_found")
    assert "no workspace with this id" in done.error


ENDINGS = {
    **{f"U52-{status}-on-a-list": (answer(status=status), "unexpected_status") for status in (405, 406, 415)},
    **{f"U57-{status}-that-stays": (answer(status=status), "server_failure") for status in (408, 425)},
    **{f"U59-{status}-that-stays": (answer("x", status=status), "server_failure") for status in (500, 502, 503, 504)},
    "U60-error-in-a-200": (answer({"error": f"{MARK}x"}), "malformed_answer"),
    "U60-message-in-a-200": (answer({"message": f"{MARK}x"}), "malformed_answer"),
    "U61-202-on-a-list": (answer({"items": []}, status=202), "unexpected_status"),
    "U61-206-on-a-list": (answer({"items": [], "total": 0}, status=206), "malformed_answer"),
    **{f"U62-{status}": (answer(status=status), "unexpected_status") for status in (418, 451, 999)},
    **{f"U62-{status}": (answer(status=status), "server_failure") for status in (520, 530)},
}


@table("spoil, code", ENDINGS)
def test_a_status_that_ends_the_pass(stage: Stage, spoil: bytes, code: str) -> None:
    stage.dastra.on_list = spoil
    done = stage.pull()
    assert (done.outcome, done.error_code, done.gone) == ("failed", code, 0)
    assert stage.workspace.hold == ""


@table("status", {f"{number}-{status}-once": status for number, status in (("U57", 408), ("U57", 425), ("U59", 503))})
def test_a_status_that_passes_is_retried(stage: Stage, status: int) -> None:
    def once(connection: Any, _asked: Asked) -> None:
        stage.dastra.on_list = None
        connection.sendall(answer(status=status))

    stage.dastra.on_list = once
    assert stage.pull().outcome == "complete"


@one("U61-201-and-203-on-a-list")
def test_other_successes_are_successes(stage: Stage) -> None:
    for status in (201, 203):
        stage.dastra.envelope = lambda honest, _asked, status=status: answer(honest, status=status)
        assert stage.pull().outcome == "complete"


SOON = format(datetime.now(UTC) + timedelta(days=400), "%a, %d %b %Y %H:%M:%S GMT")
PAST = "Mon, 05 Jan 2015 09:12:44 GMT"
RETRY_AFTER: dict[str, tuple[tuple[str, ...], float]] = {
    "U58-429-after-5": (("5",), 5),
    "U58-429-after-a-day": (("86400",), 3600),
    "U58-429-after-a-negative-number": (("-5",), 60),
    "U58-429-after-a-fraction": (("1.5",), 1.5),
    "U58-429-after-letters": (("abc",), 60),
    "U58-429-until-a-date-to-come": ((SOON,), 3600),
    "U58-429-until-a-date-gone-by": ((PAST,), 0),
    "U58-429-without-a-word": ((), 60),
    "U58-429-twice-told": (("5", "9"), 9),
    "U58-429-after-0": (("0",), 0),
}


@table("values, seconds", RETRY_AFTER)
def test_too_many_calls_pauses_everybody(stage: Stage, values: tuple[str, ...], seconds: float) -> None:
    headers = tuple(f"Retry-After: {value}" for value in values)
    stage.settings.UPSTREAM_TIMEOUT_SECONDS = 1.0
    stage.dastra.on_list = answer("API calls quota exceeded", status=429, headers=headers, content_type="text/plain")
    # What is short is sat out and tried again, which would only make this test slow.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dsrportal.dastra.transport.MOST_TRIES", 1)
        assert stage.pull().error_code == "rate_limited"
    assert seconds - 1.5 <= paused_seconds(stage) <= seconds
    if seconds > 5:
        calls = len(stage.dastra.wire.journal)
        assert stage.pull().error_code == "rate_limited"
        assert len(stage.dastra.wire.journal) == calls


WRITES: dict[str, tuple[bytes, bool, str, str]] = {
    "U59-500-before-the-write": (answer(status=500), False, WishState.REFUSED, WishState.REFUSED),
    "U59-500-after-the-write": (answer(status=500), True, WishState.DONE, WishState.DONE),
    "U59-502-before-the-write": (answer(status=502), False, WishState.UNKNOWN, WishState.REFUSED),
    "U59-504-after-the-write": (answer(status=504), True, WishState.DONE, WishState.DONE),
    "U57-408-on-a-write": (answer(status=408), False, WishState.UNKNOWN, WishState.REFUSED),
    "U61-201-on-a-write": (answer({}, status=201), True, WishState.DONE, WishState.DONE),
    "U61-202-on-a-write": (answer(status=202), False, WishState.UNKNOWN, WishState.REFUSED),
    "U62-520-on-a-write": (answer(status=520), False, WishState.UNKNOWN, WishState.REFUSED),
}


@table("spoil, applied, at_once, settled", WRITES)
def test_what_became_of_a_write_is_read_and_never_guessed(
    stage: Stage, *, spoil: bytes, applied: bool, at_once: str, settled: str
) -> None:
    stage.dastra.on_write, stage.dastra.applies = spoil, applied
    entry = stage.move()
    assert entry.state == at_once
    entry = stage.settle(entry, at=timezone.now() + timedelta(seconds=50))
    assert entry.state == settled
    assert len(stage.dastra.written) == 1
