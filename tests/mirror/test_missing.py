"""Nothing is forgotten by mistake: what a hold is, what ends it, and what may be let go."""

from __future__ import annotations

from typing import Any

import pytest

from dsrportal.actions.workspaces import WorkspaceError, end_hold
from dsrportal.models import AuditEvent, DataSubjectRequest, ForgottenRequest, Lane, User, Workspace
from dsrportal.models.workspaces import Hold
from dsrportal.sandbox.faults import Fault
from dsrportal.sandbox.server import Server
from tests.mirror import truth
from tests.mirror.conftest import run

LISTS = r"DataSubjectRequests\?"
SINGLE = r"DataSubjectRequests/\d+"


def delete_share(server: Server, *, share: float) -> int:
    """Delete that share of all requests in Dastra; how many."""
    dastra = server.state[101]
    victims = sorted(dastra.records)[: int(len(dastra.records) * share)]
    for victim in victims:
        dastra.delete(victim)
    return len(victims)


def test_up_to_a_fifth_may_go(mirrored: Workspace, server: Server) -> None:
    run(mirrored)
    count = delete_share(server, share=0.2)
    done = run(mirrored)
    assert (done.outcome, done.gone) == ("complete", count)
    assert truth.mirror(mirrored) == truth.upstream(server)


def test_more_than_a_fifth_is_held_and_nothing_is_forgotten(mirrored: Workspace, server: Server) -> None:
    run(mirrored)
    before = truth.ids(mirrored)
    count = delete_share(server, share=0.25)
    done = run(mirrored)
    assert (done.outcome, done.gone, done.error_code) == ("held", 0, "missing")
    assert f"{count} of {len(before)}" in done.error
    assert truth.ids(mirrored) == before
    assert (mirrored.hold, mirrored.hold_sentence) == (Hold.MISSING, done.error)
    assert not ForgottenRequest.objects.exists()


def test_accepting_forgets_what_is_confirmed_and_ends_the_hold(mirrored: Workspace, server: Server) -> None:
    run(mirrored)
    count = delete_share(server, share=0.5)
    run(mirrored)
    done = run(mirrored, accept_missing=True)
    assert (done.outcome, done.gone) == ("complete", count)
    assert mirrored.hold == ""
    assert truth.mirror(mirrored) == truth.upstream(server)
    assert truth.counters_are_right(mirrored)


def test_the_action_ends_the_hold_and_is_audited(mirrored: Workspace, server: Server, officer: User) -> None:
    run(mirrored)
    with pytest.raises(WorkspaceError):
        end_hold(mirrored, by=officer, now=mirrored.created_at)
    count = delete_share(server, share=0.3)
    run(mirrored)
    done = end_hold(mirrored, by=officer, now=mirrored.created_at)
    assert (done.outcome, done.gone, mirrored.hold) == ("complete", count, "")
    event = AuditEvent.objects.get(operation="hold_ended")
    assert (event.by, event.details) == (officer, {"hold": "missing", "gone": count})


def test_a_hold_ends_by_itself_when_the_requests_are_back(mirrored: Workspace, server: Server) -> None:
    run(mirrored)
    server.faults.add(Fault(kind="mutate_envelope", match=LISTS, merge={"items": [], "total": 0}, times=None))
    server.faults.add(Fault(kind="status", status=404, match=SINGLE, times=None))
    assert run(mirrored).outcome == "held"
    assert mirrored.hold == Hold.MISSING
    server.faults.clear()
    assert run(mirrored).outcome == "complete"
    assert mirrored.hold == ""
    assert truth.mirror(mirrored) == truth.upstream(server)


def test_a_hold_of_the_full_pull_is_not_ended_by_a_smaller_one(mirrored: Workspace, server: Server) -> None:
    run(mirrored)
    for row in server.state[101].all():
        if row["archived"] or row["state"] == "Closed":
            server.state[101].delete(row["id"])
    assert run(mirrored).outcome == "held"
    for lane in (Lane.ACTIVE, Lane.OVERTAKING):
        assert run(mirrored, lane).outcome == "complete"
        assert mirrored.hold == Hold.MISSING


def test_lists_that_are_suddenly_empty_forget_nothing(mirrored: Workspace, server: Server) -> None:
    run(mirrored)
    before = truth.mirror(mirrored)
    server.faults.add(Fault(kind="mutate_envelope", match=LISTS, merge={"items": [], "total": 0}, times=None))
    for lane in Lane:
        assert run(mirrored, lane).gone == 0
    assert truth.mirror(mirrored) == before


@pytest.mark.parametrize("lane", [Lane.FULL, Lane.ACTIVE])
def test_requests_that_the_lists_leave_out_are_asked_for_and_stay(
    mirrored: Workspace, server: Server, lane: Lane
) -> None:
    run(mirrored)
    before = truth.mirror(mirrored)
    hidden = {line["upstream_id"] for line in before if not line["archived"] and line["state"] != "Closed"}
    hidden = set(sorted(hidden)[:3])

    def without_hidden(envelope: dict[str, Any]) -> dict[str, Any]:
        items = [item for item in envelope["items"] if item["id"] not in hidden]
        return {**envelope, "items": items, "total": len(items)}

    server.faults.add(Fault(kind="mutate_envelope", match=LISTS, mutate=without_hidden, times=None))
    server.state[101].edit(min(hidden), complex=True, dateDemand="2026-01-02T03:04:05")
    done = run(mirrored, lane)
    assert (done.outcome, done.gone, done.stored) == ("complete", 0, 1)
    assert truth.mirror(mirrored) == truth.upstream(server)
    assert len(truth.mirror(mirrored)) == len(before)


def test_many_missing_are_judged_by_a_few(mirrored: Workspace, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dsrportal.mirror.passes.MOST_ASKED", 10)
    run(mirrored)
    before = truth.ids(mirrored)
    server.faults.add(Fault(kind="mutate_envelope", match=LISTS, merge={"items": [], "total": 0}, times=None))
    calls = len(server.journal.entries)
    failed = run(mirrored)
    assert (failed.outcome, failed.error_code) == ("failed", "incomplete_list")
    assert len(server.journal.entries) - calls < 40
    for victim in before:
        server.state[101].delete(victim)
    held = run(mirrored)
    assert (held.outcome, held.gone) == ("held", 0)
    assert truth.ids(mirrored) == before


@pytest.mark.parametrize("status", [401, 403, 404, 410, 500])
def test_a_whole_workspace_that_is_refused_forgets_nothing(
    mirrored: Workspace, server: Server, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dsrportal.dastra.transport.MOST_TRIES", 1)
    run(mirrored)
    before = truth.mirror(mirrored)
    server.faults.add(Fault(kind="status", status=status, times=None))
    for lane in Lane:
        done = run(mirrored, lane)
        assert (done.outcome, done.gone) == ("failed", 0)
        assert done.error
    assert truth.mirror(mirrored) == before
    assert mirrored.hold == (Hold.REFUSED if status in {401, 403} else "")
    server.faults.clear()
    assert run(mirrored).outcome == "complete"
    assert mirrored.hold == ""


def test_a_login_page_holds_the_workspace_until_the_api_is_back(mirrored: Workspace, server: Server) -> None:
    server.faults.add(Fault(kind="login_page", times=None))
    assert run(mirrored).error_code == "not_the_api"
    assert mirrored.hold == Hold.NOT_THE_API
    server.faults.clear()
    run(mirrored)
    assert mirrored.hold == ""


def test_an_error_while_confirming_forgets_none_of_the_batch(
    mirrored: Workspace, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dsrportal.dastra.transport.MOST_TRIES", 1)
    run(mirrored)
    before = truth.ids(mirrored)
    delete_share(server, share=0.15)
    server.faults.add(Fault(kind="status", status=500, match=SINGLE, after=4))
    assert run(mirrored).outcome == "failed"
    assert truth.ids(mirrored) == before
    assert DataSubjectRequest.objects.count() == len(before)
    assert run(mirrored).gone == int(len(before) * 0.15)


def test_an_id_that_is_used_again_comes_back(mirrored: Workspace, server: Server) -> None:
    run(mirrored)
    dastra = server.state[101]
    victim = min(truth.ids(mirrored))
    record = dastra.record(victim)
    dastra.delete(victim)
    run(mirrored)
    assert victim not in truth.ids(mirrored)
    dastra.records[victim] = record
    run(mirrored)
    assert truth.mirror(mirrored) == truth.upstream(server)
    assert not ForgottenRequest.objects.filter(upstream_id=victim).exists()
