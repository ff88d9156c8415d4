"""The client against the local Dastra, which shares no code with it: whatever the documents leave open, both ways."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dsrportal.dastra import errors
from dsrportal.dastra.auth import ApiKey, Auth, ClientCredentials
from dsrportal.dastra.client import DastraClient
from dsrportal.dastra.pacing_file import SharedPacer
from dsrportal.sandbox.faults import Fault
from dsrportal.sandbox.server import Sandbox, Server
from dsrportal.sandbox.switches import Switches

COUNT = 60
SIZE = 25
Connect = Callable[..., tuple[Server, DastraClient]]


@pytest.fixture
def connect(tmp_path: Path) -> Iterator[Connect]:
    """A sandbox of so many requests and a client of its first workspace; both end with the test."""
    with ExitStack() as stack:

        def start(*, auth: Callable[[Server], Auth] | None = None, requests: int = 40, **switches: Any) -> Any:
            server = stack.enter_context(Sandbox(requests=requests, settings=Switches(**switches)).serve())
            credential = auth(server) if auth else ApiKey(server.api_key)
            client = DastraClient(
                base_url=server.base_url,
                workspace_id=server.workspaces[0],
                auth=credential,
                allowed_hosts=(server.host_port,),
                pacer=SharedPacer(directory=tmp_path, key_id=credential.key_id),
                timeout_seconds=5,
            )
            return server, stack.enter_context(client)

        yield start


def oauth(server: Server) -> Auth:
    return ClientCredentials(public_key=server.public_key, secret=server.secret, token_url=server.token_url)


@pytest.mark.parametrize(
    "switches",
    [
        {},
        {"max_size": 10},
        {"page_past_end": "404"},
        {"page_past_end": "last"},
        {"envelope_size": "returned"},
        {"generation": 2022},
        {"list_rows": "light"},
    ],
    ids=str,
)
def test_a_full_list_has_every_request_once_and_no_note(switches: dict[str, Any], connect: Connect) -> None:
    _, client = connect(requests=COUNT, **switches)
    pages = list(client.iter_request_pages(size=SIZE, sort_by="id", asc=True))
    found = [dsr for page in pages for dsr in page.items]
    live = sum(not dsr.archived for dsr in found)
    assert len({dsr.upstream_id for dsr in found}) == len(found) == pages[0].total
    assert live == len(found) > 2 * SIZE
    assert [dsr.upstream_id for dsr in found] == sorted(dsr.upstream_id for dsr in found)
    assert {note for dsr in found for note in dsr.drift} == set()
    assert all(not page.rejected for page in pages)
    assert client.call_count <= -(-len(found) // switches.get("max_size", SIZE))


@pytest.mark.parametrize("auth", [None, oauth], ids=["key", "oauth"])
def test_both_ways_in_and_every_neighbour(auth: Callable[[Server], Auth] | None, connect: Connect) -> None:
    server, client = connect(auth=auth)
    steps = client.list_steps()
    assert [step.is_initial for step in steps] == [True, *[False] * (len(steps) - 1)]
    assert steps[-1].is_final
    assert all(step.color and step.mapped_state for step in steps)
    assert all(tag.label for tag in client.list_tags())
    assert all(person.display_name for person in client.list_users())
    assert all(area.label for area in client.list_areas())
    assert server.workspaces[0] in [workspace.upstream_id for workspace in client.list_workspaces()]
    assert client.me().raw
    assert client.rate_limiting_state()


def test_the_steps_endpoint_may_be_missing(connect: Connect) -> None:
    _, client = connect(workflows_endpoint=False)
    with pytest.raises(errors.NotFound):
        client.list_steps()
    assert {dsr.step.label for dsr in client.list_requests() if dsr.step} != set()


def test_the_other_shape_of_workspaces(connect: Connect) -> None:
    server, client = connect(workspaces_shape="plan")
    assert {workspace.upstream_id for workspace in client.list_workspaces()} == set(server.workspaces)


def test_the_life_of_a_request(connect: Connect) -> None:
    _, client = connect()
    area = next(client.list_areas())
    created = client.create_request(
        {"title": "Synthetic", "locale": "fr", "areaId": area.upstream_id, "purposes": ["Access", "Erasure"]}
    )
    mine = created.upstream_id
    assert created.area is None
    steps = client.list_steps()
    middle = steps[len(steps) // 2]
    client.change_step(mine, middle.upstream_id)
    moved = client.get_request(mine)
    assert (moved.step_upstream_id, moved.state) == (middle.upstream_id, middle.mapped_state)
    client.patch_request(mine, [{"op": "replace", "path": "/complex", "value": True}])
    assert client.get_request(mine).complex is True
    whole = dict(client.get_request(mine).raw)
    client.update_request(mine, {**whole, "description": "Written back whole"})
    after = client.get_request(mine)
    assert after.description == "Written back whole"
    assert {name for name in whole if whole[name] != after.raw.get(name)} <= {"description", "dateUpdate"}
    client.archive_request(mine)
    assert client.get_request(mine).archived is True
    assert mine not in [dsr.upstream_id for dsr in client.list_requests()]
    assert mine in [dsr.upstream_id for dsr in client.list_requests(archived=True)]
    client.restore_request(mine)
    assert client.get_request(mine).archived is False
    client.close_request(mine, closed_reason="Accepted", closed_at=datetime.now(UTC), resolution_message="Done")
    closed = client.get_request(mine)
    assert (closed.state, closed.closed_reason) == ("Closed", "Accepted")
    assert closed.closed_at is not None
    client.delete_request(mine)
    with pytest.raises(errors.NotFound):
        client.get_request(mine)


def test_filters_narrow_the_list(connect: Connect) -> None:
    _, client = connect(requests=120)
    everything = list(client.list_requests())
    assert {dsr.state for dsr in client.list_requests(states=["Open", "Active"])} == {"Open", "Active"}
    chosen = [dsr.upstream_id for dsr in everything[:3]]
    assert {dsr.upstream_id for dsr in client.list_requests(ids=chosen)} == set(chosen)
    late = list(client.list_requests(overtaking=True))
    assert 0 < len(late) < len(everything)
    rule = {"field": "State", "operator": "notEqual", "value": "Closed"}
    assert {dsr.state for dsr in client.list_requests(filters=rule)}.isdisjoint({"Closed"})


def test_an_unknown_step_is_refused_with_a_reason_and_nothing_moved(connect: Connect) -> None:
    _, client = connect()
    before = next(client.list_requests())
    with pytest.raises((errors.Rejected, errors.NotFound)) as caught:
        client.change_step(before.upstream_id, 999_999)
    assert caught.value.outcome_unknown is False
    assert client.get_request(before.upstream_id).step == before.step


@pytest.mark.parametrize("kind", ["applied_then_500", "applied_then_cut", "close_without_answer", "redirect"])
def test_a_write_whose_answer_is_lost_is_unknown_and_sent_once(kind: Any, connect: Connect) -> None:
    server, client = connect()
    dsr = next(client.list_requests())
    server.faults.add(Fault(kind=kind, match="POST .*archive", times=None))
    with pytest.raises(errors.DastraError) as caught:
        client.archive_request(dsr.upstream_id)
    assert caught.value.outcome_unknown is True
    assert sum("archive" in entry.path for entry in server.journal.entries) == 1


@pytest.mark.parametrize(
    "kind", ["login_page", "empty", "garbage_json", "bad_gzip", "redirect", "same_page", "empty_page"]
)
def test_a_list_that_lies_never_ends_as_complete(kind: Any, connect: Connect) -> None:
    server, client = connect(requests=COUNT)
    server.faults.add(Fault(kind=kind, match="GET .*DataSubjectRequests", times=None))
    with pytest.raises(errors.DastraError) as caught:
        list(client.list_requests(size=SIZE))
    assert caught.value.outcome_unknown is False


@pytest.mark.parametrize("kind", ["ignored_size", "bom", "bad_total"])
def test_a_list_that_is_only_odd_is_read_whole(kind: Any, connect: Connect) -> None:
    server, client = connect(requests=COUNT)
    whole = {dsr.upstream_id for dsr in client.list_requests(size=SIZE)}
    server.faults.add(Fault(kind=kind, match="GET .*DataSubjectRequests", times=None))
    assert {dsr.upstream_id for dsr in client.list_requests(size=SIZE)} == whole


def test_a_key_of_another_workspace_is_refused(connect: Connect) -> None:
    _, client = connect(auth=lambda server: ApiKey(server.keys["benelux"].secret))
    with pytest.raises((errors.Forbidden, errors.NotFound)):
        next(client.list_requests())


def test_a_wrong_key_is_not_accepted_and_asked_once(connect: Connect) -> None:
    server, client = connect(auth=lambda _server: ApiKey("synthetic-wrong-key"))
    with pytest.raises(errors.Unauthorized):
        next(client.list_requests())
    assert len(server.journal.entries) == 1


def test_a_limit_without_a_header_holds_every_client_of_the_machine(connect: Connect) -> None:
    server, client = connect()
    server.faults.add(Fault(kind="status", status=429, match="GET .*/me"))
    with pytest.raises(errors.RateLimited) as caught:
        client.me()
    assert caught.value.pause_seconds == 60
    calls = len(server.journal.entries)
    with pytest.raises(errors.RateLimited):
        next(client.list_requests())
    assert len(server.journal.entries) == calls
