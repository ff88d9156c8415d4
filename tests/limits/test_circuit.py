"""The breaker and the retry budget in the whole house: pulls, wishes, pages and an admin's button, against a local Dastra in trouble."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from dsrportal.actions import workspaces
from dsrportal.dastra import breaker
from dsrportal.dastra.auth import ApiKey
from dsrportal.dastra.breaker import Circuit, Outcome, Permit, State
from dsrportal.dastra.errors import CircuitOpen, DastraError, RateLimited, ServerFailure, Unauthorized
from dsrportal.dastra.pacing_file import SharedPacer
from dsrportal.dastra.transport import Transport
from dsrportal.mirror import connections
from dsrportal.mirror.pull import pull
from dsrportal.models import Lane, Role, SyncRun, Workspace
from dsrportal.models.workspaces import Hold
from dsrportal.sandbox import Limit, Sandbox, Server, Switches
from dsrportal.sandbox.faults import Fault
from tests.conftest import MakeWorkspace, make_person

from .conftest import Clock


@pytest.fixture
def machine(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of all pacers that the portal makes."""
    monkeypatch.setattr("dsrportal.dastra.pacing_file.machine_clock", clock)
    monkeypatch.setattr("dsrportal.mirror.pacing_rows.machine_clock", clock)
    monkeypatch.setattr("dsrportal.mirror.pacing_rows._database_clock", clock)
    monkeypatch.setattr("dsrportal.dastra.transport._BACKOFF_BASE_SECONDS", 0.0)
    return clock


@pytest.fixture
def server(settings: Any, tmp_path: Any) -> Iterator[Server]:
    settings.DATA_DIR = tmp_path
    settings.UPSTREAM_TIMEOUT_SECONDS = 5.0
    limits = (Limit(count=1_000_000, seconds=60),)
    with Sandbox(requests=30, seed=3, settings=Switches(limits=limits)).serve() as server:
        settings.UPSTREAM_ALLOWED_HOSTS = [server.host_port]
        yield server


@pytest.fixture
def mirrored(server: Server, make_workspace: MakeWorkspace, settings: Any) -> Workspace:
    workspace = make_workspace("acme", base_url=server.base_url, secret=server.api_key, upstream_id=101)
    assert pull(workspace, lane=Lane.FULL, now=timezone.now).error == ""
    return workspace


def scheduled(workspace: Workspace) -> SyncRun:
    return pull(workspace, lane=Lane.ACTIVE, now=timezone.now, scheduled=True)


def calls_of(server: Server) -> int:
    return len(server.journal.entries)


def test_during_an_outage_few_calls_are_made_and_the_first_probe_after_repair_closes_it(
    machine: Clock, mirrored: Workspace, server: Server
) -> None:
    """Jobs ask every six seconds for ten minutes of an outage: a stampede."""
    server.faults.add(Fault(kind="status", status=500, times=None))
    before = calls_of(server)
    calls: list[float] = []
    codes = set()
    for _ in range(100):
        machine.now += 6
        so_far = calls_of(server)
        codes.add(scheduled(mirrored).error_code)
        calls.extend([machine.now] * (calls_of(server) - so_far))
    assert codes == {"server_failure", "circuit_open"}
    opened = next(at for at in calls if sum(other <= at for other in calls) >= 8)
    probes = [at for at in calls if at > opened + 20]
    assert max(sum(at - 60 < other <= at for other in probes) for at in probes) <= 3
    assert calls_of(server) - before <= 24
    server.faults.clear()
    budget = connections.budget_of(mirrored)
    assert budget is not None
    assert budget.next_try_seconds is not None
    machine.now += budget.next_try_seconds + 0.1
    assert scheduled(mirrored).outcome == "complete"


def test_while_it_is_open_every_page_stays_readable(
    machine: Clock, mirrored: Workspace, server: Server, client: Client
) -> None:
    server.faults.add(Fault(kind="close_without_answer", times=None))
    while connections.budget_of(mirrored).circuit == State.CLOSED:  # type: ignore[union-attr]
        scheduled(mirrored)
    client.force_login(make_person("olivia", workspace=mirrored, role=Role.OFFICER))
    before = calls_of(server)
    for path in ("/", f"/w/{mirrored.slug}/board/", f"/w/{mirrored.slug}/requests/"):
        assert client.get(path, follow=True).status_code == 200
    assert calls_of(server) == before


def test_a_refused_key_is_left_alone_until_an_admin_acts(machine: Clock, mirrored: Workspace, server: Server) -> None:
    server.faults.add(Fault(kind="status", status=401, times=None))
    before = calls_of(server)
    for _ in range(40):
        machine.now += 300
        scheduled(mirrored)
    assert calls_of(server) - before == 2, "the refusal and the one call that confirms it"
    mirrored.refresh_from_db()
    assert mirrored.hold == Hold.REFUSED
    server.faults.clear()
    machine.now += 86_400
    assert scheduled(mirrored).error_code == "credential_held"
    assert workspaces.end_hold(mirrored, by=None, now=timezone.now()).outcome == "complete"
    assert scheduled(mirrored).outcome == "complete"


def test_another_workspace_with_the_refused_key_says_so_without_a_call(
    machine: Clock, mirrored: Workspace, server: Server, make_workspace: MakeWorkspace
) -> None:
    twin = make_workspace("twin", base_url=server.base_url, secret=server.api_key, upstream_id=102)
    server.faults.add(Fault(kind="status", status=401, times=None))
    scheduled(mirrored)
    before = calls_of(server)
    assert scheduled(twin).error_code == "credential_held"
    twin.refresh_from_db()
    assert (twin.hold, calls_of(server)) == (Hold.REFUSED, before)


def test_the_same_key_tested_with_success_ends_it(machine: Clock, mirrored: Workspace, server: Server) -> None:
    server.faults.add(Fault(kind="status", status=401, times=None))
    scheduled(mirrored)
    server.faults.clear()
    assert scheduled(mirrored).outcome == "failed"
    workspaces.rotate_secret(mirrored, secret=server.api_key, by=None, now=timezone.now())
    assert scheduled(mirrored).outcome == "complete"


def test_a_wrong_address_that_is_tried_out_counts_nothing_against_the_key(
    machine: Clock, mirrored: Workspace, server: Server
) -> None:
    server.faults.add(Fault(kind="login_page", times=None))
    for _ in range(6):
        with pytest.raises(workspaces.WorkspaceError):
            workspaces.test_connection(base_url=server.base_url, upstream_id=101, secret=server.api_key)
    server.faults.clear()
    assert scheduled(mirrored).outcome == "complete"


@pytest.mark.one_database
def test_where_calls_often_fail_a_tenth_are_retries(server: Server, tmp_path: Any) -> None:
    rng = random.Random(5)
    clock = Clock()
    auth = ApiKey(server.api_key)
    pacer = SharedPacer(directory=tmp_path, key_id=auth.key_id, clock=clock, sleep=clock.sleep, boot_id=lambda: "one")
    transport = Transport(
        base_url=server.base_url, auth=auth, allowed_hosts=[server.host_port], pacer=pacer, sleep=clock.sleep
    )
    asked = 0
    for _ in range(400):
        clock.now += 0.5
        if rng.random() < 0.3:
            server.faults.add(Fault(kind="status", status=502))
        asked += 1
        try:
            transport.get("/me")
        except CircuitOpen:
            clock.now += 31
        except DastraError:
            continue
    transport.close()
    retries = transport.call_count - asked
    assert 0 < retries <= max(0.1 * transport.call_count, breaker.RETRIES_ALWAYS_ALLOWED)


OUTCOMES: list[tuple[Callable[[], DastraError | None], Outcome]] = [
    (lambda: None, Outcome.ANSWERED),
    (lambda: ServerFailure(status=500), Outcome.FAILED),
    (lambda: Unauthorized(status=401), Outcome.REFUSED),
    (lambda: RateLimited(status=429), Outcome.NEUTRAL),
]


@pytest.mark.parametrize(("error", "outcome"), OUTCOMES)
def test_what_counts_against_the_other_side(error: Callable[[], DastraError | None], outcome: Outcome) -> None:
    assert breaker.outcome_of(error()) == outcome


def test_more_than_half_of_twenty_opens_it_although_never_five_in_a_row() -> None:
    circuit = Circuit()
    letters = "xx.xx.xx.x.x.x.x.x.x"
    states = []
    for letter in letters:
        outcome = Outcome.FAILED if letter == "x" else Outcome.ANSWERED
        circuit = breaker.record(circuit, Permit(), outcome=outcome, now=1.0)
        states.append(circuit.state)
    assert letters.count("x") == 12
    assert states[-1] == State.OPEN
    assert states.index(State.OPEN) == [i for i, letter in enumerate(letters) if letter == "x"][10]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"state": "odd"}', '{"retries": 3}', '{"recent": null, "x": 1}']
)
def test_a_text_that_is_not_ours_is_a_closed_circuit(text: str) -> None:
    assert breaker.from_text(text).state == State.CLOSED


def test_a_circuit_is_kept_as_it_is() -> None:
    circuit = Circuit(state=State.REFUSED, recent="x..", since=3.5, next_probe_at=None, retries=((3, 2), (4, 1)))
    assert breaker.from_text(breaker.to_text(circuit)) == circuit
