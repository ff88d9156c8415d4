"""What a client may do to a request: create, write whole, patch, move, close, archive, restore, delete."""

from typing import Any

import pytest

from dsrportal.sandbox import Sandbox, Server, Switches
from dsrportal.sandbox.values import dotnet
from tests.sandbox.calling import LIST, NOW, Api

NEW = {"title": "By telephone", "locale": "nl", "areaId": 12, "purposes": ["Access", "Erasure"]}
HEAVY = {"closedByUser", "area", "creator", "operator", "operatorId", "attachments", "tags"}


def one(api: Api, **query: Any) -> Any:
    """Any request that the query means."""
    return api.rows(**query)[0]


def test_a_creation_needs_four_fields(api: Api) -> None:
    seen = api.call("POST", LIST, body={"title": ""})
    assert seen.status == 400
    assert set(seen.json["errors"]) == {"title", "locale", "areaId", "purposes"}
    assert seen.headers["Content-Type"].startswith("application/problem+json")


def test_a_creation_answers_the_flat_object_and_is_listed_at_once(api: Api) -> None:
    seen = api.call("POST", LIST, body=NEW | {"complex": True, "operatorId": 73, "tags": [{"id": 302}]})
    created = seen.json
    assert seen.status == 200
    assert not HEAVY & set(created)
    assert len(created) == 60 - len(HEAVY)
    assert (created["state"], created["workFlowStep"]["initialStep"]) == ("Open", True)
    assert (created["dateDemand"], created["dateUpdate"]) == (dotnet(NOW), None)
    assert created["remainingDays"] == 90
    assert created["purposes"] == ["Access", "Erasure"]
    whole = api.get(f"{LIST}/{created['id']}")
    assert (whole["operator"]["id"], [tag["id"] for tag in whole["tags"]]) == (73, [302])
    assert created["id"] in api.ids()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("areaId", 9999),
        ("areaId", "12"),
        ("purposes", ["Forgetting"]),
        ("purposes", "Access"),
        ("title", "x" * 241),
        ("countryCode", "FRA"),
        ("complex", "yes"),
        ("dateDemand", "yesterday"),
        ("operatorId", 4),
        ("tags", [{"id": 1}]),
        ("tags", 5),
        ("customFields", {"newsletter": "yes"}),
        ("closedReason", "Bored"),
        ("workFlowStepId", 1),
    ],
)
def test_a_value_that_is_not_valid_refuses_the_creation(*, api: Api, field: str, value: Any) -> None:
    total = api.get(LIST)["total"]
    seen = api.call("POST", LIST, body=NEW | {field: value})
    assert (seen.status, list(seen.json["errors"])) == (400, [field])
    assert api.get(LIST)["total"] == total


@pytest.mark.parametrize("body", ["[1]", "nonsense", ""])
def test_a_body_that_is_no_object_is_refused(*, api: Api, body: str) -> None:
    assert api.call("POST", LIST, body=body).status == 400


def test_put_takes_the_whole_object_back_unchanged(api: Api) -> None:
    before = one(api, states="Closed", q="")
    after = api.call("PUT", f"{LIST}/{before['id']}", body=before).json
    assert after | {"dateUpdate": None} == before | {"dateUpdate": None}
    assert after["dateUpdate"] == dotnet(NOW)


def test_put_empties_what_is_missing_and_ignores_what_the_server_sets(api: Api) -> None:
    before = next(row for row in api.rows() if row["operatorId"] and row["tags"])
    body = {name: before[name] for name in ("title", "locale", "areaId", "purposes", "workFlowStepId")}
    body |= {"demandId": "AAAAAAAA", "state": "Closed", "remainingDays": 5, "archived": True, "invented": 1}
    body["customFields"] = {"numero_client": "N1", "no_such_field": "x"}
    after = api.call("PUT", f"{LIST}/{before['id']}", body=body).json
    emptied = ("email", "message", "expiryTime", "operatorId", "operator", "refId")
    assert [after[name] for name in emptied] == [None] * len(emptied)
    assert (after["tags"], after["customFields"]) == ([], {"numero_client": "N1"})
    assert after["emailValidationDate"] == "0001-01-01T00:00:00"
    kept = ("demandId", "state", "archived", "dateDemand", "dateCreation", "channel")
    assert [after[name] for name in kept] == [before[name] for name in kept]


def test_put_without_a_required_field_changes_nothing(api: Api) -> None:
    before = one(api)
    seen = api.call("PUT", f"{LIST}/{before['id']}", body=before | {"title": None})
    assert (seen.status, list(seen.json["errors"])) == (400, ["title"])
    assert api.get(f"{LIST}/{before['id']}") == before


def test_the_toggle_complex_moves_the_expiry_both_ways(api: Api) -> None:
    before = next(row for row in api.rows(states="Open") if row["expiryTime"] and not row["complex"])
    patch = [{"op": "replace", "path": "/complex", "value": True}]
    longer = api.call("PATCH", f"{LIST}/{before['id']}", body=patch).json
    assert longer["remainingDays"] == before["remainingDays"] + 60
    shorter = api.call("PUT", f"{LIST}/{before['id']}", body=longer | {"complex": False}).json
    assert shorter["expiryTime"] == before["expiryTime"]


def test_patch_changes_single_fields_and_keeps_the_rest(api: Api) -> None:
    before = next(row for row in api.rows() if len(row["tags"]) == 1)
    patch = [
        {"op": "test", "path": "/state", "value": before["state"]},
        {"op": "replace", "path": "/OperatorId", "value": 75},
        {"op": "add", "path": "/tags/-", "value": {"id": 306}},
        {"op": "add", "path": "/customFields/numero_client", "value": "N7"},
        {"op": "remove", "path": "/refId"},
        {"op": "add", "path": "/purposes/0", "value": "Information"},
        {"op": "copy", "from": "/givenName", "path": "/city"},
    ]
    after = api.call("PATCH", f"{LIST}/{before['id']}", body=patch).json
    assert after["operator"]["id"] == 75
    assert [tag["id"] for tag in after["tags"]] == [before["tags"][0]["id"], 306]
    assert after["customFields"] == before["customFields"] | {"numero_client": "N7"}
    assert (after["refId"], after["purposes"]) == (None, ["Information", *before["purposes"]])
    assert after["city"] == before["givenName"]
    touched = {"operator", "operatorId", "tags", "customFields", "refId", "purposes", "city", "dateUpdate"}
    assert {name for name in before if before[name] != after[name]} <= touched


@pytest.mark.parametrize(
    "patch",
    [
        {"op": "replace", "path": "/complex", "value": True},
        [{"op": "test", "path": "/state", "value": "Nowhere"}, {"op": "replace", "path": "/city", "value": "Gent"}],
        [{"op": "replace", "path": "/city", "value": "Gent"}, {"op": "replace", "path": "/nonsense", "value": 1}],
        [{"op": "paint", "path": "/city", "value": "Gent"}],
        [{"op": "replace", "path": "city", "value": "Gent"}],
        [{"op": "remove", "path": "/tags/17"}],
        [{"op": "replace", "path": "/title", "value": None}],
        ["city"],
    ],
)
def test_a_patch_that_fails_anywhere_changes_nothing(*, api: Api, patch: Any) -> None:
    before = one(api)
    assert api.call("PATCH", f"{LIST}/{before['id']}", body=patch).status == 400
    assert api.get(f"{LIST}/{before['id']}") == before


def test_the_state_follows_the_step(api: Api, server: Server) -> None:
    dsr_id = one(api, states="Open")["id"]
    for step in server.state[101].ordered_steps():
        seen = api.call("POST", f"{LIST}/workflow", body={"id": dsr_id, "stepId": step["id"]})
        after = api.get(f"{LIST}/{dsr_id}")
        assert (seen.status, seen.body) == (200, b"")
        assert (after["workFlowStepId"], after["state"]) == (step["id"], step["mappedState"])
        assert (after["dateClosed"] is not None) == (step["mappedState"] == "Closed")
        assert after["dateUpdate"] == dotnet(NOW)


def test_reopening_takes_the_closing_away(api: Api) -> None:
    dsr_id = one(api, states="Closed")["id"]
    api.call("POST", f"{LIST}/workflow", body={"id": dsr_id, "stepId": 22292})
    after = api.get(f"{LIST}/{dsr_id}")
    closing = ("dateClosed", "closedReason", "closedByUser", "closingTime")
    assert [after[name] for name in closing] == [None, "None", None, None]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"id": 1, "stepId": 22292}, 404),
        ({"id": 5001, "stepId": 1}, 400),
        ({"id": "5001", "stepId": 22292}, 400),
        ({"stepId": 22292}, 400),
        ({"id": 5001}, 400),
    ],
)
def test_a_move_that_makes_no_sense_is_refused(*, api: Api, body: Any, status: int) -> None:
    before = api.get(f"{LIST}/5001")
    assert api.call("POST", f"{LIST}/workflow", body=body).status == status
    assert api.get(f"{LIST}/5001") == before


def test_a_step_may_refuse_by_its_limit_or_by_its_role(api: Api, server: Server) -> None:
    steps = server.state[101].ordered_steps()
    full, guarded = steps[3], next(step for step in steps if step["authorizedRoleId"])
    server.state[101].edit_step(full["id"], itemLimit=0)
    dsr_id = one(api, workflows=steps[0]["id"])["id"]
    for step in (full, guarded):
        assert api.call("POST", f"{LIST}/workflow", body={"id": dsr_id, "stepId": step["id"]}).status == 200
    api.call("POST", f"{LIST}/workflow", body={"id": dsr_id, "stepId": steps[0]["id"]})
    server.switch(item_limits=True, step_roles=True)
    for step, reason in ((full, "limit"), (guarded, "role")):
        seen = api.call("POST", f"{LIST}/workflow", body={"id": dsr_id, "stepId": step["id"]})
        assert seen.status == 400
        assert reason in seen.json["title"]
    assert api.get(f"{LIST}/{dsr_id}")["workFlowStepId"] == steps[0]["id"]


def test_close_needs_a_reason_and_ends_in_the_final_step(api: Api) -> None:
    dsr_id = one(api, states="Processing")["id"]
    assert api.call("POST", f"{LIST}/{dsr_id}/close", body={}).status == 400
    body = {"closedReason": "Accepted", "resolutionMessage": "Done.", "dateClosed": "2026-03-09T10:00:00Z"}
    after = api.call("POST", f"{LIST}/{dsr_id}/close", body=body).json
    assert (after["state"], after["workFlowStep"]["finalStep"]) == ("Closed", True)
    assert (after["closedReason"], after["dateClosed"]) == ("Accepted", "2026-03-09T10:00:00")
    assert (after["sendNotification"], after["userNotified"]) == (False, False)


def test_the_recycle_bin_gives_back(api: Api) -> None:
    dsr_id = one(api)["id"]
    assert api.call("POST", f"{LIST}/archive/{dsr_id}").status == 200
    archived = api.get(f"{LIST}/{dsr_id}")
    assert (archived["archived"], archived["archivedDate"]) == (True, dotnet(NOW))
    assert dsr_id in api.ids(archived="true")
    assert dsr_id not in api.ids()
    assert api.call("POST", f"{LIST}/restore/{dsr_id}").status == 200
    restored = api.get(f"{LIST}/{dsr_id}")
    assert (restored["archived"], restored["archivedDate"]) == (False, None)
    assert dsr_id in api.ids()


def test_a_deletion_is_final(api: Api) -> None:
    dsr_id = one(api)["id"]
    seen = api.call("DELETE", f"{LIST}/{dsr_id}")
    assert (seen.status, seen.body) == (200, b"")
    for method, path in (("GET", f"/{dsr_id}"), ("DELETE", f"/{dsr_id}"), ("POST", f"/restore/{dsr_id}")):
        assert api.call(method, f"{LIST}{path}").status == 404
    assert api.ids(ids=dsr_id) == []


def test_the_identity_may_be_checked_and_unchecked(api: Api) -> None:
    dsr_id = one(api)["id"]
    for validation, date in ((True, dotnet(NOW)), (False, None)):
        after = api.call("PUT", f"{LIST}/set-identity-validation/{dsr_id}", body={"validation": validation}).json
        assert (after["identityValidated"], after["dateIdentityValidated"]) == (validation, date)


def test_the_older_generation_has_54_fields() -> None:
    with Sandbox(requests=10, now=NOW, settings=Switches(generation=2022)).serve() as server:
        row = one(Api(server))
    assert len(row) == 54
    assert row["personCategory"]
    assert not {"dateDemand", "customFields", "subjectCategory", "messages"} & set(row)
    assert row["workFlowStep"]["type"] == "DataSubject"


@pytest.mark.parametrize(
    ("switches", "status", "body"),
    [
        (Switches(create_status=201), 201, b'{"customFields"'),
        (Switches(error_body="empty"), 404, b""),
        (Switches(error_body="html"), 404, b"<!DOCTYPE html>"),
    ],
)
def test_the_style_of_answers_is_switched(*, switches: Switches, status: int, body: bytes) -> None:
    with Sandbox(requests=10, now=NOW, settings=switches).serve() as server:
        api = Api(server)
        seen = api.call("POST", LIST, body=NEW) if status == 201 else api.call("GET", f"{LIST}/1")
        assert (seen.status, seen.body[: len(body)]) == (status, body)
        assert status == 201 or len(seen.body) == 0 or seen.headers["Content-Type"].startswith("text/html")


def test_a_move_may_leave_the_date_of_change_alone(api: Api, server: Server) -> None:
    server.switch(step_change_updates=False, workflow_answer="object", patch_answer="empty")
    before = one(api, states="Open")
    moved = api.call("POST", f"{LIST}/workflow", body={"id": before["id"], "stepId": 22292}).json
    assert (moved["state"], moved["dateUpdate"]) == ("Processing", before["dateUpdate"])
    patch = [{"op": "replace", "path": "/city", "value": "Gent"}]
    assert api.call("PATCH", f"{LIST}/{before['id']}", body=patch).body == b""
