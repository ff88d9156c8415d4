"""The list of requests: paging, envelope, filters and sorts, each against the rows of the store itself."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from dsrportal.sandbox import Sandbox, Server, Switches
from dsrportal.sandbox.values import dotnet
from tests.sandbox.calling import LIST, NOW, Api, Seen

Keep = Callable[[dict[str, Any]], object]


def live(server: Server, keep: Keep = lambda _: True) -> set[int]:
    return {row["id"] for row in server.state[101].all() if not row["archived"] and keep(row)}


def test_a_page_holds_20_and_the_first_page_is_1(reader: Api, large: Server) -> None:
    first, second = reader.get(LIST), reader.get(LIST, page=2)
    assert (len(first["items"]), first["size"], first["page"]) == (20, 20, 1)
    assert first["total"] == len(live(large))
    assert not {row["id"] for row in first["items"]} & {row["id"] for row in second["items"]}
    assert reader.get(LIST, page=0)["items"] == first["items"]


def test_pages_of_500_hold_everything_once(reader: Api, large: Server) -> None:
    pages = [reader.get(LIST, size=500, page=page) for page in (1, 2, 3)]
    ids = [row["id"] for page in pages for row in page["items"]]
    assert len(pages[0]["items"]) == 500
    assert pages[2]["items"] == []
    assert sorted(ids) == sorted(live(large))


def test_a_size_above_500_is_clamped(reader: Api) -> None:
    page = reader.get(LIST, size=5000)
    assert (len(page["items"]), page["size"]) == (500, 500)


@pytest.mark.parametrize(
    ("name", "values", "keep"),
    [
        ("states", ["Open", "Active"], lambda row: row["state"] in {"Open", "Active"}),
        ("states", ["closed"], lambda row: row["state"] == "Closed"),
        ("purposes", ["Erasure"], lambda row: "Erasure" in row["purposes"]),
        ("purposes", ["Portability", "Restriction"], lambda row: {"Portability", "Restriction"} & set(row["purposes"])),
        ("workflows", [22292, 22293], lambda row: row["workFlowStepId"] in {22292, 22293}),
        ("users", [72, 74], lambda row: row["operatorId"] in {72, 74}),
        ("areaId", [13], lambda row: row["areaId"] == 13),
        ("widgetId", [3009], lambda row: row["widgetId"] == 3009),
        ("tags", [301], lambda row: 301 in {tag["id"] for tag in row["tags"]}),
        ("tags", [301, 302], lambda row: {301, 302} <= {tag["id"] for tag in row["tags"]}),
        ("q", ["hermitte"], lambda row: "hermitte" in row["title"].lower()),
        ("overtaking", ["true"], lambda row: row["state"] != "Closed" and (row["remainingDays"] or 0) < 0),
        ("overtaking", ["false"], lambda _: True),
        ("archived", ["false"], lambda _: True),
    ],
)
def test_every_filter_answers_just_the_rows_that_it_means(
    *, reader: Api, large: Server, name: str, values: list[str], keep: Keep
) -> None:
    expected = live(large, keep)
    assert expected, "the data set should have such rows"
    found = {row for page in (1, 2) for row in reader.ids(**{name: values, "page": page})}
    assert found == expected


def test_filters_narrow_each_other(reader: Api, large: Server) -> None:
    expected = live(large, lambda row: row["state"] == "Open" and "Access" in row["purposes"])
    assert set(reader.ids(states="Open", purposes="Access")) == expected


def test_ids_ask_for_named_rows_and_arrays_may_carry_an_index(reader: Api, large: Server) -> None:
    wanted = sorted(live(large))[:3]
    assert sorted(reader.ids(ids=wanted)) == wanted
    assert sorted(reader.ids(**{"ids[0]": wanted[0], "ids[1]": wanted[1]})) == wanted[:2]


def test_archived_answers_only_the_recycle_bin(reader: Api, large: Server) -> None:
    binned = {row["id"] for row in large.state[101].all() if row["archived"]}
    assert binned
    assert set(reader.ids(archived="true")) == binned
    large.switch(archived_true="also")
    try:
        assert binned < set(reader.ids(archived="TRUE", page=1)) | set(reader.ids(archived="true", page=2))
    finally:
        large.switch(archived_true="only")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("states", "Sleeping"),
        ("ids", "1,2"),
        ("page", "two"),
        ("archived", "perhaps"),
        ("sortBy", "nonsense"),
        ("tags", "x"),
    ],
)
def test_a_value_that_does_not_bind_is_a_problem_that_names_the_field(*, reader: Api, name: str, value: str) -> None:
    seen = reader.call("GET", LIST, query={name: value})
    assert seen.status == 400
    assert seen.headers["Content-Type"].startswith("application/problem+json")
    assert list(seen.json["errors"]) == [name]


@pytest.mark.parametrize(
    ("sort_by", "of"),
    [
        ("dateDemand", lambda row: row["dateDemand"]),
        ("DATEDEMAND", lambda row: row["dateDemand"]),
        ("id", lambda row: row["id"]),
        ("title", lambda row: row["title"].casefold()),
        ("expiryTime", lambda row: row["expiryTime"] or ""),
        ("remainingDays", lambda row: -(10**6) if row["remainingDays"] is None else row["remainingDays"]),
        ("workFlowStep.order", lambda row: row["workFlowStep"]["order"]),
        ("operator.displayName", lambda row: row["operator"]["displayName"] if row["operator"] else ""),
    ],
)
def test_every_field_sorts_in_both_directions(*, reader: Api, sort_by: str, of: Callable[[Any], Any]) -> None:
    upwards = [of(row) for row in reader.rows(sortBy=sort_by, asc="true", states=["Open", "Active"])]
    downwards = [of(row) for row in reader.rows(sortBy=sort_by, states=["Open", "Active"])]
    assert len(set(upwards)) > 1
    assert upwards == sorted(upwards)
    assert downwards == sorted(downwards, reverse=True)


def test_the_newest_request_comes_first_unless_asked_otherwise(reader: Api) -> None:
    dates = [row["dateDemand"] for row in reader.rows()]
    assert dates == sorted(dates, reverse=True)


def test_select_trims_the_rows(reader: Api) -> None:
    rows = reader.rows(select="id,Title, state", size=3)
    assert [list(row) for row in rows] == [["id", "title", "state"]] * 3


def test_skip_is_an_offset_or_is_ignored(reader: Api, large: Server) -> None:
    ids = reader.ids(size=10)
    assert reader.ids(size=5, skip=5) == ids[5:]
    large.switch(skip_is_offset=False)
    try:
        assert reader.ids(size=5, skip=5) == ids[:5]
    finally:
        large.switch(skip_is_offset=True)


def test_paths_match_in_any_case(reader: Api) -> None:
    assert reader.get(LIST.upper().replace("/V1/WS", "/v1/ws"))["total"] == reader.get(LIST)["total"]


def test_an_overdue_request_has_negative_days_and_a_closed_one_keeps_its_count(reader: Api, large: Server) -> None:
    overdue = reader.rows(overtaking="true")
    assert all(row["remainingDays"] < 0 and row["expiryTime"] < dotnet(NOW) for row in overdue)
    closed = [row for row in reader.rows(states="Closed") if row["expiryTime"]]
    before = {row["id"]: row["remainingDays"] for row in closed}
    large.switch(closed_days="counting")
    try:
        counting = {row["id"]: row["remainingDays"] for row in reader.rows(states="Closed")}
    finally:
        large.switch(closed_days="frozen")
    assert all(counting[dsr_id] <= days for dsr_id, days in before.items())
    assert counting != before


def tagged(row: Any, wanted: set[int]) -> bool:
    return not row["archived"] and bool(wanted & {tag["id"] for tag in row["tags"]})


@pytest.mark.parametrize(
    ("switches", "query", "expected"),
    [
        (Switches(oversized="refuse"), {"size": 501}, lambda seen, _: seen.status == 400),
        (Switches(page_past_end="not_found"), {"page": 99}, lambda seen, _: seen.status == 404),
        (Switches(page_past_end="last"), {"page": 99}, lambda seen, _: 0 < len(seen.json["items"]) <= 20),
        (Switches(unknown_sort="ignore"), {"sortBy": "nonsense"}, lambda seen, _: len(seen.json["items"]) == 20),
        (Switches(max_size=5), {"size": 500}, lambda seen, _: (len(seen.json["items"]), seen.json["size"]) == (5, 5)),
        (Switches(envelope_size="returned"), {"size": 500}, lambda seen, _: seen.json["size"] == seen.json["total"]),
        (
            Switches(tags_match="any"),
            {"tags": [301, 302]},
            lambda seen, rows: seen.json["total"] == sum(tagged(row, {301, 302}) for row in rows),
        ),
        (
            Switches(area_includes_children=True),
            {"areaId": 12},
            lambda seen, rows: seen.json["total"] == sum(not row["archived"] for row in rows),
        ),
        (
            Switches(list_rows="light"),
            {},
            lambda seen, _: not {"area", "operator", "tags", "creator"} & set(seen.json["items"][0]),
        ),
    ],
)
def test_each_guess_is_a_switch(
    *, switches: Switches, query: dict[str, Any], expected: Callable[[Seen, list[Any]], bool]
) -> None:
    with Sandbox(requests=40, seed=2, now=NOW, settings=switches).serve() as server:
        assert expected(Api(server).call("GET", LIST, query=query), server.state[101].all())


def test_a_lagging_list_shows_the_past_while_the_request_shows_the_present() -> None:
    clock = [100.0]
    with Sandbox(requests=10, seed=2, now=NOW, settings=Switches(list_lag_seconds=60)).serve() as server:
        server.state.monotonic = lambda: clock[0]
        api, workspace = Api(server), server.state[101]
        dsr_id = api.ids(states="Open")[0]
        before = workspace.get(dsr_id)
        workspace.move(dsr_id, 22292)
        created = workspace.create(givenName="New", familyName="Person")["id"]
        gone = api.ids(states="Closed")[0]
        workspace.delete(gone)
        listed = {row["id"]: row for row in api.rows()}
        assert listed[dsr_id] == before
        assert api.get(f"{LIST}/{dsr_id}")["workFlowStepId"] == 22292
        assert created not in listed
        assert gone in listed
        clock[0] += 61
        listed = {row["id"]: row for row in api.rows()}
        assert listed[dsr_id]["workFlowStepId"] == 22292
        assert created in listed
        assert gone not in listed


def test_days_left_follow_the_clock() -> None:
    instant = [NOW]
    with Sandbox(requests=30, seed=2, now=lambda: instant[0]).serve() as server:
        api = Api(server)
        running = [row for row in api.rows(states="Open") if row["expiryTime"]]
        instant[0] = NOW + timedelta(days=40)
        later = {row["id"]: row["remainingDays"] for row in api.rows(states="Open")}
        assert all(later[row["id"]] == row["remainingDays"] - 40 for row in running)
        assert set(api.ids(overtaking="true", states="Open")) >= {
            row["id"] for row in running if 0 <= row["remainingDays"] < 39
        }
