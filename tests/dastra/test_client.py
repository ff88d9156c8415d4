"""Each endpoint as it is asked, and what becomes of its answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from dsrportal.dastra import errors
from dsrportal.dastra.auth import ApiKey
from dsrportal.dastra.client import DastraClient

from .conftest import OpenPace
from .samples import AREA, OPERATOR, STEP, request_2023
from .wire import Asked, Wire, answer, page

BASE = "/v1/ws/42/DataSubjectRequests"


def test_a_list_is_read_page_by_page_as_it_is_asked_for(client: DastraClient, wire: Wire) -> None:
    wire.plays(page(range(1, 501), total=700), page(range(501, 701), total=700))
    found = client.list_requests()
    assert next(found).upstream_id == 1
    assert len(wire.journal) == 1
    assert len(list(found)) == 699
    assert [asked.query for asked in wire.journal] == [
        [("page", "1"), ("size", "500")],
        [("page", "2"), ("size", "500")],
    ]
    assert {asked.path for asked in wire.journal} == {BASE}
    assert client.call_count == 2


@pytest.fixture
def bulky(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """A function that serves 620 requests, each `padding` bytes long from number 500 on, to a client that takes 100 kB at most."""
    monkeypatch.setattr("dsrportal.dastra.transport.LARGEST_BODY", 100_000)

    def serve(*, padding: int) -> None:
        def act(connection: Any, asked: Asked) -> None:
            size, number = asked.number("size"), asked.number("page")
            rows = [{"id": i, "message": "x" * padding * (i >= 500)} for i in range(1, 621)]
            shown = rows[(number - 1) * size : number * size]
            connection.sendall(answer({"items": shown, "total": 620, "size": size, "page": number}))

        wire.plays(act)

    return serve


def test_a_page_that_is_too_large_is_asked_for_in_small_ones(
    client: DastraClient, wire: Wire, bulky: Callable[..., None]
) -> None:
    bulky(padding=1_500)
    assert [dsr.upstream_id for dsr in client.list_requests()] == list(range(1, 621))
    sizes = [asked.number("size") for asked in wire.journal]
    assert sizes == [500, 500, *[50] * 13]


def test_smaller_pages_are_tried_once(client: DastraClient, wire: Wire, bulky: Callable[..., None]) -> None:
    bulky(padding=30_000)
    found = client.list_requests()
    assert [next(found).upstream_id for _ in range(499)] == list(range(1, 500))
    with pytest.raises(errors.AnswerTooLarge):
        list(found)
    assert [asked.number("size") for asked in wire.journal] == [500, 500, *[50] * 11]


def test_every_documented_filter_is_sent_and_skip_never(client: DastraClient, wire: Wire) -> None:
    wire.plays(page([]))
    rule = {"field": "State", "operator": "notEqual", "value": "Closed"}
    found = client.list_requests(
        overtaking=True,
        archived=False,
        q="Élise & co",
        widget_id=3008,
        workflows=[1, 2],
        states=["Open", "Active"],
        purposes=["Access"],
        area_id=12,
        users=[31],
        ids=[7, 8, 7],
        tags=[5, 6],
        select=["id", "state"],
        sort_by="dateDemand",
        asc=True,
        filters=rule,
        size=20,
    )
    assert list(found) == []
    query = wire.journal[0].query
    assert [pair for pair in query if pair[0] != "filters"] == [
        ("overtaking", "true"),
        ("archived", "false"),
        ("q", "Élise & co"),
        ("widgetId", "3008"),
        ("workflows", "1"),
        ("workflows", "2"),
        ("states", "Open"),
        ("states", "Active"),
        ("purposes", "Access"),
        ("areaId", "12"),
        ("users", "31"),
        ("tags", "5"),
        ("tags", "6"),
        ("select", "id,state"),
        ("sortBy", "dateDemand"),
        ("asc", "true"),
        ("ids", "7"),
        ("ids", "8"),
        ("page", "1"),
        ("size", "20"),
    ]
    assert json.loads(dict(query)["filters"]) == rule


def test_very_many_ids_are_asked_in_parts_and_none_costs_nothing(client: DastraClient, wire: Wire) -> None:
    wire.plays(page([]))
    assert list(client.list_requests(ids=range(2**31 - 1000, 2**31))) == []
    assert len(wire.journal) == 3
    assert all(len(asked.target) < 8_000 for asked in wire.journal)
    assert sum(name == "ids" for asked in wire.journal for name, _ in asked.query) == 1000
    assert list(client.list_requests(ids=[])) == []
    assert len(wire.journal) == 3


@pytest.mark.parametrize(
    "filters", [{"skip": 1}, {"state": "Open"}, {"q": object()}, {"q": "\ud800"}, {"filters": {"value": {1}}}]
)
def test_a_filter_that_does_not_exist_is_not_ignored(filters: Any, client: DastraClient, wire: Wire) -> None:
    with pytest.raises(errors.ConfigurationError):
        list(client.list_requests(**filters))
    assert wire.journal == []


@pytest.mark.parametrize(("number", "size"), [(0, 500), (1, 0), (1, 501)])
def test_pages_beyond_what_dastra_documents_are_not_asked(number: int, size: int, client: DastraClient) -> None:
    with pytest.raises(errors.ConfigurationError):
        list(client.iter_request_pages(page=number, size=size))


def test_a_bad_row_is_set_aside_with_its_reason(client: DastraClient, wire: Wire) -> None:
    wire.plays(answer('{"items":[{"id":1},{"id":true},{"id":3,"n":NaN}],"total":3}'))
    (found,) = client.iter_request_pages()
    assert [dsr.upstream_id for dsr in found.items] == [1]
    assert [(row.upstream_id, row.reason) for row in found.rejected] == [
        (None, "id: not an id"),
        (3, "a number is not finite"),
    ]
    assert (found.total, found.size, found.number) == (3, 3, 1)


def test_one_request_is_read_whole(client: DastraClient, wire: Wire) -> None:
    wire.plays(answer(request_2023()))
    dsr = client.get_request(501)
    assert dsr.email == "elise.sample@example.org"
    assert wire.journal[0].target == f"{BASE}/501"


@pytest.mark.parametrize("status", [404, 410])
def test_a_request_that_is_gone_is_not_found(status: int, client: DastraClient, wire: Wire) -> None:
    wire.plays(answer(status=status))
    with pytest.raises(errors.NotFound):
        client.get_request(501)


@pytest.mark.parametrize("body", [{"id": 502}, {"id": 0}, [], {"error": "x"}])
def test_another_object_is_not_taken_for_the_request(body: Any, client: DastraClient, wire: Wire) -> None:
    wire.plays(answer(body))
    with pytest.raises(errors.MalformedAnswer):
        client.get_request(501)


def test_a_put_sends_back_what_came_byte_for_byte(client: DastraClient, wire: Wire) -> None:
    came = json.dumps(request_2023(brandNew={"deep": [1, None, {"k": "\ud800é\0"}]}, amount=0), separators=(",", ":"))
    came = came.replace('"amount":0', '"amount":3.10')
    wire.plays(answer(came), answer(""))
    dsr = client.get_request(501)
    client.update_request(501, {**dsr.raw, "complex": True})
    assert wire.journal[1].method == "PUT"
    assert wire.journal[1].target == f"{BASE}/501"
    assert wire.journal[1].body.decode() == came.replace('"complex":false', '"complex":true')


WRITES: dict[str, tuple[Callable[[DastraClient], None], str, str, Any]] = {
    "patch": (
        lambda client: client.patch_request(7, [{"op": "replace", "path": "/complex", "value": True}]),
        "PATCH",
        f"{BASE}/7",
        [{"op": "replace", "path": "/complex", "value": True}],
    ),
    "delete": (lambda client: client.delete_request(7), "DELETE", f"{BASE}/7", None),
    "step": (lambda client: client.change_step(7, 22290), "POST", f"{BASE}/workflow", {"id": 7, "stepId": 22290}),
    "archive": (lambda client: client.archive_request(7), "POST", f"{BASE}/archive/7", None),
    "restore": (lambda client: client.restore_request(7), "POST", f"{BASE}/restore/7", None),
    "close": (
        lambda client: client.close_request(
            7,
            closed_reason="Accepted",
            resolution_message="Done",
            closed_at=datetime(2026, 3, 2, 10, 30, tzinfo=timezone(timedelta(hours=2))),
        ),
        "POST",
        f"{BASE}/7/close",
        {
            "closedReason": "Accepted",
            "closedReasonDescription": None,
            "resolutionMessage": "Done",
            "dateClosed": "2026-03-02T08:30:00Z",
            "sendNotification": False,
        },
    ),
}


@pytest.mark.parametrize("case", WRITES)
@pytest.mark.parametrize(
    "reply", [answer(""), answer(status=204), answer("done", content_type="text/plain"), answer({})]
)
def test_writes_are_sent_once_as_documented(case: str, reply: bytes, client: DastraClient, wire: Wire) -> None:
    write, method, target, body = WRITES[case]
    wire.plays(reply)
    write(client)
    (asked,) = wire.journal
    assert (asked.method, asked.target) == (method, target)
    assert (json.loads(asked.body) if asked.body else None) == body
    if body is not None:
        kind = "application/json-patch+json" if case == "patch" else "application/json"
        assert asked.headers["content-type"] == kind


def test_a_refusal_carries_a_short_safe_reason(client: DastraClient, wire: Wire) -> None:
    problem = {
        "title": 'The step of elise.sample@example.org\u202e\n is "Secret" 123456789 ' + "long " * 60,
        "errors": {"Title": ["too long: Elise"], "<b>": ["x"]},
        "detail": "Elise Sample",
    }
    wire.plays(answer(problem, status=400, content_type="application/problem+json"))
    with pytest.raises(errors.Rejected) as caught:
        client.change_step(7, 8)
    reason = caught.value.reason
    assert reason.startswith("The step of … is … … long long")
    assert len(reason) <= 120
    assert reason.isprintable()
    assert caught.value.outcome_unknown is False


@pytest.mark.parametrize("body", ["<html>Elise</html>", "Elise", '"Elise"', "{}", '{"title": 7}', b"\xff\xfe"])
def test_a_refusal_without_a_problem_document_has_no_reason(body: Any, client: DastraClient, wire: Wire) -> None:
    wire.plays(answer(body, status=422))
    with pytest.raises(errors.Rejected) as caught:
        client.archive_request(7)
    assert caught.value.reason == ""
    assert caught.value.sentence == "Dastra refused the change."


def test_a_creation_answers_with_the_flat_object(client: DastraClient, wire: Wire) -> None:
    fields = {"title": "Synthetic", "locale": "fr", "areaId": 12, "purposes": ["Access"]}
    wire.plays(answer({"id": 9, "title": "Synthetic", "state": "Open"}))
    dsr = client.create_request(fields)
    assert dsr.upstream_id == 9
    assert "operator" in dsr.missing
    assert (wire.journal[0].method, wire.journal[0].target) == ("POST", BASE)
    assert json.loads(wire.journal[0].body) == fields


@pytest.mark.parametrize("reply", [answer(""), answer("ok"), answer({"id": "x"}), answer([])])
def test_a_creation_whose_answer_is_unreadable_is_unknown(reply: bytes, client: DastraClient, wire: Wire) -> None:
    wire.plays(reply)
    with pytest.raises(errors.MalformedAnswer) as caught:
        client.create_request({})
    assert caught.value.outcome_unknown is True
    assert len(wire.journal) == 1


LATE = {**STEP, "id": 3, "order": 4}
TASK = {**STEP, "id": 9, "type": "Task"}


@pytest.mark.parametrize("missing", [404, 403, 400, 405])
@pytest.mark.parametrize("source", [0, 1, 2])
def test_steps_come_from_the_first_source_that_has_them(
    missing: int, source: int, client: DastraClient, wire: Wire
) -> None:
    wire.plays(*[answer(status=missing)] * source, answer([LATE, STEP, *([TASK] if source == 2 else [])]))
    assert [step.upstream_id for step in client.list_steps()] == [22290, 3]
    sources = ["/v1/ws/42/Workflows/DataSubjectRequest", "/v1/ws/42/Workflows/DataSubject", "/v1/ws/42/Workflows"]
    assert [asked.path for asked in wire.journal] == sources[: source + 1]


@pytest.mark.parametrize("reply", [answer(status=404), answer(status=403), answer([]), answer([TASK])])
def test_steps_that_nobody_offers_are_not_found(reply: bytes, client: DastraClient, wire: Wire) -> None:
    wire.plays(answer(status=404), answer([]), reply)
    with pytest.raises(errors.NotFound):
        client.list_steps()


@pytest.mark.parametrize(
    ("status", "kind"), [(401, errors.Unauthorized), (422, errors.Rejected), (405, errors.NotFound)]
)
def test_a_failure_is_not_mistaken_for_missing_steps(
    status: int, kind: type[errors.DastraError], client: DastraClient, wire: Wire
) -> None:
    wire.plays(answer(status=status))
    with pytest.raises(kind):
        client.list_steps()


def test_neighbours_in_either_shape(client: DastraClient, wire: Wire) -> None:
    tags = [{"id": 5, "label": "Shop", "type": "DataSubject", "color": "#0a0"}, {"label": "no id"}]
    wire.plays(answer(tags))
    assert [tag.label for tag in client.list_tags()] == ["Shop"]
    shapes: list[Any] = [[OPERATOR], {"items": [OPERATOR], "total": 1}]
    for body in shapes:
        wire.plays(answer(body))
        assert [person.upstream_id for person in client.list_users()] == [31]
    wire.plays(answer({"items": [AREA], "total": 1}))
    assert [area.label for area in client.list_areas()] == ["Example SA"]
    workspace = {"id": 42, "label": "Example"}
    shapes = [{"items": [workspace], "total": 1}, {"pricingPlan": {}, "workSpaces": [workspace]}, [workspace]]
    for body in shapes:
        wire.plays(answer(body))
        assert [found.upstream_id for found in client.list_workspaces()] == [42]
    assert [asked.path for asked in wire.journal] == [
        "/v1/ws/42/Tags",
        *["/v1/ws/42/Users"] * 2,
        "/v1/ws/42/Areas",
        *["/v1/Workspaces"] * 3,
    ]


def test_the_technical_endpoints_have_no_version(client: DastraClient, wire: Wire) -> None:
    wire.plays(answer({"id": 4, "displayName": "Key", "email": "key@example.org"}))
    assert client.me().upstream_id == 4
    assert client.rate_limiting_state()["displayName"] == "Key"
    wire.plays(answer([1]))
    assert client.rate_limiting_state() == {"value": [1]}
    assert [asked.target for asked in wire.journal] == ["/me", "/rate-limiting-state", "/rate-limiting-state"]


@pytest.mark.parametrize("upstream_id", [0, -1, True, "x", "1/../2", "1 OR 1", 1.0, 2**63, "９", "1" * 5_000])
def test_an_id_that_is_none_reaches_no_path(upstream_id: Any, client: DastraClient, wire: Wire) -> None:
    for call in (client.get_request, client.delete_request, client.archive_request):
        with pytest.raises(errors.ConfigurationError):
            call(upstream_id)
    assert wire.journal == []


@pytest.mark.parametrize("workspace_id", ["", "../1", "1 2", "abc", "0", 10**30, -4])
def test_a_workspace_id_that_is_none_is_refused(workspace_id: Any, wire: Wire, pace: OpenPace) -> None:
    with pytest.raises(errors.ConfigurationError):
        DastraClient(
            base_url=wire.url, workspace_id=workspace_id, auth=ApiKey("k"), allowed_hosts=(wire.host,), pacer=pace
        )


def test_a_closing_date_has_a_zone(client: DastraClient, wire: Wire) -> None:
    with pytest.raises(errors.ConfigurationError):
        client.close_request(7, closed_reason="Other", closed_at=datetime(2026, 3, 2))  # noqa: DTZ001  (that is the point)
    assert wire.journal == []


@pytest.mark.parametrize("interactive", [True, False])
def test_the_pace_knows_whether_a_person_waits(interactive: bool, wire: Wire, pace: OpenPace) -> None:  # noqa: FBT001
    wire.plays(answer({}))
    with DastraClient(
        base_url=wire.url,
        workspace_id="42",
        auth=ApiKey("k"),
        allowed_hosts=(wire.host,),
        pacer=pace,
        interactive=interactive,
    ) as client:
        client.me()
    assert pace.acquired == [interactive]
