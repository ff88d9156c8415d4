"""A pull makes the mirror equal to Dastra, writes only what changed, and costs what was promised."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

import pytest
from django.utils import timezone

from dsrportal.mirror.leases import acquire
from dsrportal.mirror.pull import BusyError, Progress, pull
from dsrportal.models import DataSubjectRequest, ForgottenRequest, Lane, SyncLane, SyncRun, WorkflowStep, Workspace
from dsrportal.sandbox.faults import Fault
from dsrportal.sandbox.server import Server
from tests.conftest import MakeWorkspace
from tests.mirror import truth
from tests.mirror.conftest import Serve, run


def test_a_full_pull_equals_dastra_field_by_field(mirrored: Workspace, server: Server) -> None:
    done = run(mirrored)
    assert (done.outcome, done.error) == ("complete", "")
    assert truth.mirror(mirrored) == truth.upstream(server)
    assert done.seen == done.stored == len(truth.upstream(server))
    assert truth.counters_are_right(mirrored)


def test_a_second_full_pull_stores_nothing_and_makes_the_same_calls(mirrored: Workspace) -> None:
    first = run(mirrored)
    before = list(DataSubjectRequest.objects.order_by("pk").values())
    second = run(mirrored)
    assert (second.stored, second.unchanged, second.gone) == (0, first.seen, 0)
    assert second.calls == first.calls
    assert list(DataSubjectRequest.objects.order_by("pk").values()) == before


@pytest.mark.parametrize("lane", [Lane.ACTIVE, Lane.OVERTAKING])
def test_every_lane_is_idempotent(mirrored: Workspace, lane: Lane) -> None:
    first, second = run(mirrored, lane), run(mirrored, lane)
    assert first.stored == first.seen > 0
    assert (second.stored, second.unchanged, second.calls) == (0, first.seen, first.calls)


def test_a_full_pull_costs_one_call_for_each_500_rows(serve: Serve, make_workspace: MakeWorkspace) -> None:
    server = serve(requests=1_150)
    workspace = make_workspace("big", base_url=server.base_url, secret=server.api_key)
    served = server.state[101].all()
    archived = sum(row["archived"] for row in served)
    live = len(served) - archived
    run(workspace)
    looks_again = 2
    assert len(truth.list_calls(server)) == math.ceil(live / 500) + math.ceil(archived / 500) + looks_again
    assert truth.mirror(workspace) == truth.upstream(server)


def moving(server: Server, acts: Mapping[int, Sequence[Callable[[], object]]]) -> Callable[[Progress], None]:
    """What a pull calls after each page: somebody acts in Dastra after the first, the second…"""
    pages = itertools.count(1)

    def meanwhile(_progress: Progress) -> None:
        for act in acts.get(next(pages), []):
            act()

    return meanwhile


def test_a_request_that_is_restored_between_the_two_lists_of_a_first_pull_is_there(
    mirrored: Workspace, server: Server
) -> None:
    dastra = server.state[101]
    archived = next(row["id"] for row in dastra.all() if row["archived"])
    done = run(mirrored, progress=moving(server, {1: [lambda: dastra.restore(archived)]}))
    assert done.outcome == "complete"
    assert archived in truth.ids(mirrored)
    assert truth.mirror(mirrored) == truth.upstream(server)


def test_one_that_comes_back_and_goes_again_is_there_too(mirrored: Workspace, server: Server) -> None:
    dastra = server.state[101]
    archived = next(row["id"] for row in dastra.all() if row["archived"])
    acts = {1: [lambda: dastra.restore(archived)], 2: [lambda: dastra.archive(archived)]}
    assert run(mirrored, progress=moving(server, acts)).outcome == "complete"
    assert truth.mirror(mirrored) == truth.upstream(server)


def test_an_old_request_is_looked_for_in_the_whole_list_when_the_newest_do_not_explain_its_count(
    serve: Serve, make_workspace: MakeWorkspace
) -> None:
    server = serve(requests=1_150)
    workspace = make_workspace("big", base_url=server.base_url, secret=server.api_key)
    dastra = server.state[101]
    oldest = min(row["id"] for row in dastra.all())
    dastra.archive(oldest)
    last_live_page = math.ceil(sum(not row["archived"] for row in dastra.all()) / 500)
    done = run(workspace, progress=moving(server, {last_live_page: [lambda: dastra.restore(oldest)]}))
    assert done.outcome == "complete"
    assert truth.mirror(workspace) == truth.upstream(server)


def test_the_active_pull_reads_what_is_not_closed(mirrored: Workspace, server: Server) -> None:
    run(mirrored, Lane.ACTIVE)
    wanted = {row["upstream_id"] for row in truth.upstream(server) if not row["archived"] and row["state"] != "Closed"}
    assert truth.ids(mirrored) == wanted


def test_the_active_pull_follows_requests_that_leave_the_open_set(mirrored: Workspace, server: Server) -> None:
    run(mirrored)
    dastra = server.state[101]
    open_ids = [row["id"] for row in dastra.all() if not row["archived"] and row["state"] != "Closed"]
    dastra.move(open_ids[0], dastra.final_step()["id"])
    dastra.archive(open_ids[1])
    dastra.delete(open_ids[2])
    dastra.edit(open_ids[3], complex=True)
    calls = len(truth.list_calls(server))
    done = run(mirrored, Lane.ACTIVE)
    assert (done.outcome, done.stored, done.gone) == ("complete", 3, 1)
    assert truth.mirror(mirrored) == truth.upstream(server)
    assert len(truth.list_calls(server)) - calls == 3
    assert truth.counters_are_right(mirrored)


def test_the_overtaking_pull_stores_and_forgets_nothing(mirrored: Workspace, server: Server) -> None:
    run(mirrored)
    dastra = server.state[101]
    late = [
        row["id"] for row in dastra.all() if not row["archived"] and row["remainingDays"] and row["remainingDays"] < 0
    ]
    dastra.delete(late[0])
    before = truth.ids(mirrored)
    done = run(mirrored, Lane.OVERTAKING)
    assert (done.outcome, done.gone) == ("complete", 0)
    assert truth.ids(mirrored) == before


def test_the_active_pull_follows_a_state_that_only_this_workspace_has(mirrored: Workspace, server: Server) -> None:
    dastra = server.state[101]
    chosen = next(row for row in dastra.all() if row["state"] == "Processing" and not row["archived"])
    dastra.record(chosen["id"]).fields["state"] = "OnHold"
    dastra.changing(chosen["id"])
    run(mirrored)
    assert DataSubjectRequest.objects.get(upstream_id=chosen["id"]).state == "OnHold"
    done = run(mirrored, Lane.ACTIVE)
    assert (done.outcome, done.gone, done.stored) == ("complete", 0, 0)
    dastra.edit(chosen["id"], complex=not chosen["complex"])
    assert run(mirrored, Lane.ACTIVE).stored == 1


def test_steps_are_learned_from_requests_where_dastra_does_not_list_them(
    serve: Serve, make_workspace: MakeWorkspace
) -> None:
    server = serve(workflows_endpoint=False)
    workspace = make_workspace("learned", base_url=server.base_url, secret=server.api_key)
    assert run(workspace).outcome == "complete"
    assert truth.mirror(workspace) == truth.upstream(server)
    assert all(WorkflowStep.objects.filter(workspace=workspace).values_list("is_learned", flat=True))
    assert run(workspace).stored == 0


def test_a_step_that_dastra_drops_stays_and_is_marked(mirrored: Workspace, server: Server) -> None:
    added = server.state[101].add_step("Waiting for legal", mapped_state="Processing")
    run(mirrored)
    server.state[101].delete_step(added["id"])
    run(mirrored)
    assert WorkflowStep.objects.get(upstream_id=added["id"]).is_gone
    assert truth.counters_are_right(mirrored)


@pytest.mark.parametrize("generation", [2022, 2023])
@pytest.mark.parametrize("archived_true", ["only", "also"])
def test_both_generations_and_both_meanings_of_archived_are_read(
    serve: Serve, make_workspace: MakeWorkspace, generation: int, archived_true: str
) -> None:
    server = serve(generation=generation, archived_true=archived_true)
    workspace = make_workspace("either", base_url=server.base_url, secret=server.api_key)
    done = run(workspace)
    assert done.outcome == "complete"
    assert truth.ids(workspace) == set(server.state[101].records)
    assert run(workspace).stored == 0


def test_a_deleted_request_is_forgotten_with_its_words_and_leaves_a_tombstone(
    mirrored: Workspace, server: Server
) -> None:
    run(mirrored)
    victim = min(truth.ids(mirrored))
    words = DataSubjectRequest.objects.get(upstream_id=victim).words
    assert words.exists()
    server.state[101].delete(victim)
    done = run(mirrored)
    assert (done.outcome, done.gone) == ("complete", 1)
    assert victim not in truth.ids(mirrored)
    assert not words.exists()
    assert ForgottenRequest.objects.filter(workspace=mirrored, upstream_id=victim).exists()
    asked = [e for e in server.journal.entries if e.path.endswith(f"/{victim}") and e.status == 404]
    assert asked
    assert truth.counters_are_right(mirrored)


def test_a_list_that_lags_forgets_nothing(serve: Serve, make_workspace: MakeWorkspace) -> None:
    server = serve(list_lag_seconds=3_600)
    workspace = make_workspace("lag", base_url=server.base_url, secret=server.api_key)
    born = server.state[101].create(
        title="A new one", locale="fr", areaId=next(iter(server.state[101].areas)), purposes=["Access"]
    )
    run(workspace)
    assert born["id"] not in truth.ids(workspace)
    victim = min(truth.ids(workspace))
    server.state[101].delete(victim)
    assert run(workspace).gone == 0


def test_an_anonymised_request_loses_its_former_name(mirrored: Workspace, server: Server) -> None:
    run(mirrored)
    dsr = DataSubjectRequest.objects.filter(archived=False).earliest("upstream_id")
    before = set(dsr.words.values_list("digest", flat=True))
    server.state[101].anonymise(dsr.upstream_id)
    assert run(mirrored).stored == 1
    dsr.refresh_from_db()
    assert (dsr.read_identity()["given_name"], dsr.read_identity()["email"]) == ("John", "anonymized@example.com")
    assert before.isdisjoint(dsr.words.values_list("digest", flat=True))


def test_the_run_and_its_lane_tell_what_happened(mirrored: Workspace, server: Server) -> None:
    done = run(mirrored)
    lane = SyncLane.objects.get(workspace=mirrored, lane=Lane.FULL)
    assert lane.last_success_at == done.started_at
    assert (lane.last_error, lane.requested_at) == ("", None)
    assert done.calls == len(server.journal.entries)
    server.faults.add(Fault(kind="status", status=401, times=None))
    failed = run(mirrored)
    lane.refresh_from_db()
    assert (failed.outcome, lane.last_error_code, lane.last_success_at) == ("failed", "unauthorized", done.started_at)


def test_one_pull_at_a_time(mirrored: Workspace) -> None:
    acquire(mirrored, now=timezone.now())
    with pytest.raises(BusyError):
        run(mirrored)
    assert not SyncRun.objects.exists()


def test_a_run_that_was_killed_is_closed_by_the_next(mirrored: Workspace) -> None:
    killed = SyncRun.objects.create(workspace=mirrored, lane=Lane.FULL, started_at=timezone.now())
    assert run(mirrored).outcome == "complete"
    killed.refresh_from_db()
    assert (killed.outcome, killed.error_code) == ("failed", "interrupted")
    assert killed.finished_at


def test_progress_is_told_after_each_page(mirrored: Workspace, server: Server) -> None:
    told: list[int] = []
    run(mirrored, progress=lambda progress: told.append(progress.seen))
    assert told == sorted(told)
    assert told[-1] == len(server.state[101].records)


def test_a_pull_that_was_overtaken_stores_nothing_more_and_tells_its_lane_nothing(
    mirrored: Workspace, server: Server
) -> None:
    overtaking: list[SyncRun] = []
    later = timezone.now() + timedelta(seconds=61)

    def take_over(_: Progress) -> None:
        if not overtaking:
            overtaking.append(pull(mirrored, lane=Lane.FULL, now=later))

    overtaken = run(mirrored, progress=take_over)
    assert overtaking[0].outcome == "complete"
    assert (overtaken.outcome, overtaken.error_code) == ("failed", "lease_lost")
    lane = SyncLane.objects.get(workspace=mirrored, lane=Lane.FULL)
    assert (lane.last_error, lane.last_success_at) == ("", overtaking[0].started_at)
    assert truth.mirror(mirrored) == truth.upstream(server)


def test_a_pull_that_is_interrupted_is_closed_and_gives_its_lease_back(mirrored: Workspace) -> None:
    def interrupt(_: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(mirrored, progress=interrupt)
    assert SyncRun.objects.get().error_code == "interrupted"
    assert run(mirrored).outcome == "complete"


def test_a_failure_of_our_own_is_raised_and_leaves_no_run_open(
    mirrored: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dsrportal.mirror.store.words_of", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run(mirrored)
    assert SyncRun.objects.get().error_code == "internal"
    assert not DataSubjectRequest.objects.exists()
    assert set(WorkflowStep.objects.values_list("live_count", "archived_count")) == {(0, 0)}
    monkeypatch.undo()


def test_requests_without_a_step_or_in_an_unknown_one_are_mirrored(mirrored: Workspace, server: Server) -> None:
    first, second = sorted(server.state[101].records)[:2]
    none = {"workFlowStep": None, "workFlowStepId": None}
    unknown = {"workFlowStep": None, "workFlowStepId": 987_654}
    for chosen, merge in ((first, none), (second, unknown)):
        server.faults.add(Fault(kind="mutate_rows", ids=frozenset({chosen}), merge=merge, times=2))
    for _ in range(2):
        assert run(mirrored).outcome == "complete"
    server.faults.clear()
    assert truth.ids(mirrored) == set(server.state[101].records)
    assert truth.counters_are_right(mirrored)


def test_a_list_that_shows_rows_twice_in_place_of_others_is_never_complete(mirrored: Workspace, server: Server) -> None:
    server.faults.add(Fault(kind="duplicate_ids", match=r"DataSubjectRequests\?", times=None))
    done = run(mirrored)
    assert (done.outcome, done.error_code) == ("failed", "incomplete_list")
    server.faults.clear()
    assert run(mirrored).outcome == "complete"
    assert truth.mirror(mirrored) == truth.upstream(server)
