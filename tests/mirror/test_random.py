"""Whatever people do in Dastra between and during pulls, the mirror follows: a seeded run of random acts."""

from __future__ import annotations

import random

import pytest

from dsrportal.models import Lane, Workspace
from dsrportal.sandbox.faults import Fault
from dsrportal.sandbox.server import Server
from dsrportal.sandbox.store import Workspace as DastraWorkspace
from tests.conftest import MakeWorkspace
from tests.mirror import truth
from tests.mirror.conftest import Serve, run

ROUNDS = 20
WEATHER = ("reset", "truncate", "garbage_json", "empty", "login_page", "duplicate_ids", "empty_page")


def act(dastra: DastraWorkspace, rng: random.Random) -> None:
    """Something that a person does in Dastra."""
    chosen = rng.choice(sorted(dastra.records))
    kind = rng.choice(("create", "edit", "edit", "move", "move", "archive", "restore", "anonymise", "delete"))
    if kind == "create":
        area = rng.choice(sorted(dastra.areas))
        dastra.create(title=f"New {rng.random()}", locale="fr", areaId=area, purposes=["Access", "Erasure"])
    elif kind == "edit":
        changes = rng.choice(
            ({"complex": rng.random() < 0.5}, {"operatorId": rng.choice([None, *sorted(dastra.users)])})
        )
        dastra.edit(chosen, **changes)
    elif kind == "move":
        dastra.move(chosen, rng.choice(sorted(dastra.steps)))
    elif kind == "delete":
        dastra.delete(chosen)
    else:
        getattr(dastra, kind)(chosen)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_mirror_follows_random_acts_and_faults(
    serve: Serve, make_workspace: MakeWorkspace, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dsrportal.dastra.transport.MOST_TRIES", 1)
    rng = random.Random(seed)
    server = serve(requests=40, seed=seed, max_size=15)
    workspace = make_workspace("random", base_url=server.base_url, secret=server.api_key)
    run(workspace)
    for _ in range(ROUNDS):
        for _ in range(rng.randrange(5)):
            act(server.state[101], rng)
        if rng.random() < 0.5:
            server.faults.add(Fault(kind=rng.choice(WEATHER), match="DataSubjectRequests", after=rng.randrange(5)))  # type: ignore[arg-type]
        before, alive = truth.ids(workspace), set(server.state[101].records)
        done = run(workspace, rng.choice([*Lane, Lane.ACTIVE]))
        assert before & alive <= truth.ids(workspace), "a request that Dastra has was forgotten"
        assert truth.counters_are_right(workspace)
        server.faults.clear()
        if done.outcome == "complete":
            check_lane(workspace, server, done.lane)
    run(workspace, accept_missing=True)
    assert truth.mirror(workspace) == truth.upstream(server)
    assert run(workspace).stored == 0


def check_lane(workspace: Workspace, server: Server, lane: str) -> None:
    """After a complete pass, what it covers is as in Dastra."""
    wanted = {line["upstream_id"]: line for line in truth.upstream(server)}
    found = {line["upstream_id"]: line for line in truth.mirror(workspace)}
    if lane == Lane.FULL:
        assert found == wanted
    elif lane == Lane.ACTIVE:
        is_open = {i for i, line in wanted.items() if not line["archived"] and line["state"] != "Closed"}
        assert {i: found.get(i) for i in is_open} == {i: wanted[i] for i in is_open}
        assert {i for i, line in found.items() if not line["archived"] and line["state"] != "Closed"} == is_open


@pytest.mark.parametrize("act_at", [1, 2, 3, 4])
def test_acts_between_two_pages_lose_nothing(serve: Serve, make_workspace: MakeWorkspace, act_at: int) -> None:
    server = serve(requests=60, max_size=10)
    dastra = server.state[101]
    workspace = make_workspace("between", base_url=server.base_url, secret=server.api_key)
    pages = 0

    def meddle(_: object) -> None:
        nonlocal pages
        pages += 1
        if pages == act_at:
            live = [row["id"] for row in dastra.all() if not row["archived"]]
            dastra.delete(live[0])
            dastra.archive(live[1])
            dastra.edit(live[-1], complex=True)

    assert run(workspace, progress=meddle).outcome == "complete"
    assert set(dastra.records) <= truth.ids(workspace)
    run(workspace)
    assert truth.mirror(workspace) == truth.upstream(server)
