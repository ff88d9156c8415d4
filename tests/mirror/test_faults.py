"""Whatever goes wrong on the way: the run says so, nothing is lost, nothing is forgotten, and the next pass is a normal one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dsrportal.models import DataSubjectRequest, Lane, SetAsideRow, Workspace
from dsrportal.sandbox.faults import Fault
from dsrportal.sandbox.server import Server
from tests.conftest import MakeWorkspace
from tests.mirror import truth
from tests.mirror.conftest import Serve, run

pytestmark = pytest.mark.one_database

LISTS = r"DataSubjectRequests\?"
ENDING = (
    Fault(kind="status", status=400),
    Fault(kind="status", status=401),
    Fault(kind="status", status=403),
    Fault(kind="status", status=405),
    Fault(kind="status", status=429, headers=(("Retry-After", "0"),)),
    Fault(kind="status", status=500),
    Fault(kind="status", status=503),
    Fault(kind="redirect", status=302),
    Fault(kind="login_page"),
    Fault(kind="empty"),
    Fault(kind="garbage_json"),
    Fault(kind="bad_gzip"),
    Fault(kind="reset"),
    Fault(kind="close_without_answer"),
    Fault(kind="applied_then_500"),
    Fault(kind="truncate"),
    Fault(kind="cut_chunked"),
    Fault(kind="mutate_envelope", merge={"items": None}),
    Fault(kind="mutate_envelope", merge={"error": "no"}, drop=("items",)),
)
HARMLESS = (
    Fault(kind="gzip_bomb", size=30_000_000),  # once: a page that is too large is asked for again in smaller ones
    Fault(kind="bom", times=None),
    Fault(kind="ignored_size", size=7, times=None),
    Fault(kind="bad_total", total=None, times=None),
    Fault(kind="bad_total", total=-3, times=None),
    Fault(kind="bad_total", total=1, times=None),
    Fault(kind="bad_total", total=1_000_000_000, times=None),
    Fault(kind="mutate_rows", merge={"somethingNew": {"deep": [1, 2]}}, times=None),
)


@pytest.fixture(autouse=True)
def _one_try(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries belong to the client's own tests."""
    monkeypatch.setattr("dsrportal.dastra.transport.MOST_TRIES", 1)


@pytest.mark.parametrize("fault", ENDING, ids=lambda fault: f"{fault.kind}-{fault.status or ''}")
def test_an_error_at_any_list_call_ends_the_pass_cleanly(mirrored: Workspace, server: Server, fault: Fault) -> None:
    run(mirrored)
    before = truth.mirror(mirrored)
    server.state[101].delete(before[0]["upstream_id"])
    for lane, calls in ((Lane.FULL, 2), (Lane.ACTIVE, 2)):
        for index in range(calls):
            server.faults.clear()
            server.faults.add(replace(fault, match=LISTS, after=index))
            done = run(mirrored, lane)
            assert (done.outcome, done.gone) == ("failed", 0), done.error
            assert done.error
            assert done.error_code
            assert truth.mirror(mirrored) == before
    server.faults.clear()
    assert run(mirrored).gone == 1
    assert truth.mirror(mirrored) == truth.upstream(server)
    assert truth.counters_are_right(mirrored)


@pytest.mark.parametrize("fault", HARMLESS, ids=lambda fault: f"{fault.kind}-{fault.total}")
def test_oddities_of_lists_are_read_all_the_same(mirrored: Workspace, server: Server, fault: Fault) -> None:
    server.faults.add(replace(fault, match=LISTS))
    done = run(mirrored)
    assert (done.outcome, done.error) == ("complete", "")
    assert truth.mirror(mirrored) == truth.upstream(server)
    assert run(mirrored).stored == 0


@pytest.mark.parametrize("kind", ["same_page", "empty_page", "duplicate_ids"])
@pytest.mark.parametrize("times", [1, None])
def test_pages_that_do_not_add_up_lose_and_forget_nothing(
    serve: Serve, make_workspace: MakeWorkspace, kind: str, times: int | None
) -> None:
    server = serve(requests=120, max_size=30)
    workspace = make_workspace("pages", base_url=server.base_url, secret=server.api_key)
    run(workspace)
    before = truth.mirror(workspace)
    assert before == truth.upstream(server)
    server.faults.add(Fault(kind=kind, match=LISTS, after=1, times=times))  # type: ignore[arg-type]
    done = run(workspace)
    assert done.gone == 0
    assert done.outcome == "complete" or done.error
    assert truth.mirror(workspace) == before
    server.faults.clear()
    assert run(workspace).outcome == "complete"


def test_duplicates_that_hide_rows_make_the_list_be_read_again(serve: Serve, make_workspace: MakeWorkspace) -> None:
    server = serve(requests=120, max_size=30)
    workspace = make_workspace("pages", base_url=server.base_url, secret=server.api_key)
    server.faults.add(Fault(kind="duplicate_ids", match=LISTS, after=1, times=1))
    assert run(workspace).outcome == "complete"
    assert truth.mirror(workspace) == truth.upstream(server)


@pytest.mark.parametrize("bad_id", [None, 0, -1, True, 2**63, "x", 1.5, {}])
def test_a_row_without_a_usable_id_spoils_no_other(mirrored: Workspace, server: Server, bad_id: object) -> None:
    victim = min(server.state[101].records)
    server.faults.add(Fault(kind="mutate_rows", match=LISTS, ids=frozenset({victim}), merge={"id": bad_id}, times=None))
    done = run(mirrored)
    assert done.outcome == "complete"
    assert done.set_aside == 1
    assert SetAsideRow.objects.get(workspace=mirrored).reason
    assert truth.ids(mirrored) == set(server.state[101].records) - {victim}
    server.faults.clear()
    run(mirrored)
    assert not SetAsideRow.objects.exists()


def test_a_row_that_cannot_be_understood_by_any_read_is_kept_and_spoils_no_pass(
    mirrored: Workspace, server: Server
) -> None:
    run(mirrored)
    before = truth.mirror(mirrored)
    victim = before[0]["upstream_id"]
    server.faults.add(Fault(kind="replace_text", old=f'"id":{victim},', new='"id":null,', times=None))
    done = run(mirrored)
    assert (done.outcome, done.gone, done.set_aside) == ("complete", 0, 2)
    assert truth.mirror(mirrored) == before


def test_a_row_that_becomes_unreadable_keeps_its_mirrored_copy_and_heals(mirrored: Workspace, server: Server) -> None:
    run(mirrored)
    before = truth.mirror(mirrored)
    victim = before[0]["upstream_id"]
    server.faults.add(
        Fault(
            kind="replace_text", match=LISTS, old=f'"id":{victim},', new=f'"id":{victim},"nbMessages":NaN,', times=None
        )
    )
    for lane in (Lane.FULL, Lane.FULL, Lane.ACTIVE):
        done = run(mirrored, lane)
        assert (done.outcome, done.gone) == ("complete", 0)
    noted = SetAsideRow.objects.get(workspace=mirrored)
    assert noted.upstream_id == victim
    assert noted.last_seen_at > noted.first_seen_at
    assert truth.mirror(mirrored) == before
    server.faults.clear()
    run(mirrored)
    assert not SetAsideRow.objects.exists()


@pytest.mark.parametrize("endpoint", ["Tags", "Users", "Areas", "Workflows"])
@pytest.mark.parametrize(
    "fault", [Fault(kind="status", status=404), Fault(kind="status", status=403), Fault(kind="login_page")]
)
def test_a_missing_neighbour_costs_only_its_own_list(
    mirrored: Workspace, server: Server, endpoint: str, fault: Fault
) -> None:
    server.faults.add(replace(fault, match=f"/{endpoint}", times=None))
    first = run(mirrored)
    assert (first.outcome, first.error) == ("complete", "")
    assert truth.mirror(mirrored) == truth.upstream(server)
    second = run(mirrored)
    assert (second.stored, second.calls) == (0, first.calls)


def test_an_answer_without_some_fields_blanks_nothing(mirrored: Workspace, server: Server) -> None:
    run(mirrored)
    before = truth.mirror(mirrored)
    dropped = (
        "area",
        "areaId",
        "operator",
        "operatorId",
        "tags",
        "expiryTime",
        "demandId",
        "title",
        "email",
        "channel",
    )
    server.faults.add(Fault(kind="mutate_rows", match=LISTS, drop=dropped, times=None))
    done = run(mirrored)
    assert (done.outcome, done.stored) == ("complete", 0)
    assert truth.mirror(mirrored) == before


def test_a_failing_workspace_leaves_another_alone(serve: Serve, make_workspace: MakeWorkspace) -> None:
    server = serve()
    broken = make_workspace("broken", base_url=server.base_url, secret=server.api_key, upstream_id=101)
    sound = make_workspace("sound", base_url=server.base_url, secret=server.api_key, upstream_id=102)
    server.faults.add(Fault(kind="status", status=500, match="/ws/101/", times=None))
    assert run(broken).outcome == "failed"
    assert run(sound).outcome == "complete"
    assert truth.mirror(sound) == truth.upstream(server, workspace_id=102)
    assert not DataSubjectRequest.objects.filter(workspace=broken).exists()


def test_a_wrong_key_and_a_wrong_workspace_say_so(serve: Serve, make_workspace: MakeWorkspace) -> None:
    server = serve()
    wrong_key = make_workspace("wrong-key", base_url=server.base_url, secret="not-a-key", upstream_id=101)
    wrong_id = make_workspace("wrong-id", base_url=server.base_url, secret=server.api_key, upstream_id=999)
    not_allowed = make_workspace("not-allowed", base_url="https://dastra.example.org", secret="k", upstream_id=101)
    assert run(wrong_key).error_code == "unauthorized"
    assert run(wrong_id).error_code in {"not_found", "forbidden"}
    assert run(not_allowed).error_code == "host_not_allowed"
