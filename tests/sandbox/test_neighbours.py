"""The endpoints around requests, and the ways in: keys, tokens, reach."""

import base64
import json
import urllib.request
from typing import Any

import pytest

from dsrportal.sandbox import Sandbox, Server, Switches
from tests.sandbox.calling import LIST, NOW, Api, Seen

WS = "/v1/ws/101"
FORM = "grant_type=client_credentials&scope=api1"


def token(server: Server, *, client: str | None = None, form: str = FORM) -> Seen:
    """One call of the token endpoint."""
    credential = client if client is not None else f"{server.public_key}:{server.secret}"
    basic = base64.b64encode(credential.encode()).decode()
    request = urllib.request.Request(server.token_url, data=form.encode(), headers={"Authorization": f"Basic {basic}"})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return Seen(answer.status, answer.read(), answer.headers)
    except urllib.error.HTTPError as error:
        with error:
            return Seen(error.code, error.read(), error.headers)


def test_without_a_key_or_with_a_wrong_one_nothing_is_answered(api: Api) -> None:
    for headers in ({}, {"X-API-Key": "wrong"}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic %%"}):
        for path in (LIST, "/me", "/v1/Workspaces", "/nowhere"):
            assert api.call("GET", path, headers=headers).status == 401


def test_a_key_for_one_workspace_reaches_no_other(server: Server) -> None:
    narrow = Api(server, key=server.keys["benelux"].secret)
    assert narrow.call("GET", LIST).status == 403
    assert narrow.call("GET", "/v1/ws/999/DataSubjectRequests").status == 403
    assert narrow.get("/v1/ws/102/DataSubjectRequests")["total"] > 0
    assert [one["id"] for one in narrow.get("/v1/Workspaces")["items"]] == [102]
    assert Api(server).call("GET", "/v1/ws/999/DataSubjectRequests").status == 404


def test_a_read_only_key_writes_nothing(server: Server) -> None:
    reader = Api(server, key=server.keys["read_only"].secret)
    dsr_id = reader.ids()[0]
    assert reader.call("POST", f"{LIST}/archive/{dsr_id}").status == 403
    assert reader.call("DELETE", f"{LIST}/{dsr_id}").status == 403
    assert reader.get(f"{LIST}/{dsr_id}")["archived"] is False


def test_client_credentials_give_an_opaque_token_that_ends(server: Server, api: Api) -> None:
    answer = token(server).json
    assert (answer["expires_in"], answer["token_type"], answer["scope"]) == (3600, "Bearer", "api1")
    assert len(answer["access_token"]) == 43
    bearer = {"Authorization": f"Bearer {answer['access_token']}"}
    assert api.call("GET", LIST, headers=bearer).status == 200
    server.keyring.forget_tokens()
    assert api.call("GET", LIST, headers=bearer).status == 401


@pytest.mark.parametrize(
    ("client", "form", "error"),
    [
        ("no:body", FORM, "invalid_client"),
        (None, "grant_type=password&scope=api1", "unsupported_grant_type"),
        (None, "grant_type=client_credentials&scope=everything", "invalid_scope"),
    ],
)
def test_a_token_is_refused_with_a_reason(*, server: Server, client: str | None, form: str, error: str) -> None:
    seen = token(server, client=client, form=form)
    assert (seen.status, seen.json) == (400, {"error": error})


def test_a_token_lives_as_long_as_it_says() -> None:
    with Sandbox(requests=5, now=NOW, settings=Switches(token_seconds=0)).serve() as server:
        bearer = {"Authorization": f"Bearer {token(server).json['access_token']}"}
        assert Api(server).call("GET", "/me", headers=bearer).status == 401


def test_basic_authentication_is_legacy_and_may_be_off(server: Server, api: Api) -> None:
    basic = {"Authorization": "Basic " + base64.b64encode(f"{server.secret}:anything".encode()).decode()}
    assert api.call("GET", "/me", headers=basic).status == 200
    server.switch(basic_auth=False)
    assert api.call("GET", "/me", headers=basic).status == 401


def test_steps_come_in_order_with_one_first_and_one_last(api: Api) -> None:
    steps = api.get(f"{WS}/WorkFlows/DataSubjectRequest")
    assert [step["order"] for step in steps] == list(range(len(steps)))
    assert [step["initialStep"] for step in steps] == [True] + [False] * (len(steps) - 1)
    assert [step["finalStep"] for step in steps] == [False] * (len(steps) - 1) + [True]
    assert {step["mappedState"] for step in steps} == {"Open", "IdentityValidation", "Processing", "Active", "Closed"}
    assert api.get(f"{WS}/workflows") == steps
    assert api.get(f"{WS}/workflows/Task") == []
    assert api.call("GET", f"{WS}/workflows/nonsense").status == 400


def test_optional_endpoints_may_be_missing(api: Api, server: Server) -> None:
    legacy = [f"{LIST}/stats", f"{LIST}/dashboard", f"{LIST}/columns"]
    assert [api.call("GET", path).status for path in legacy] == [200] * 3
    server.switch(workflows_endpoint=False, legacy_endpoints=False)
    paths = [f"{WS}/Workflows", f"{WS}/Workflows/DataSubjectRequest", *legacy]
    assert [api.call("GET", path).status for path in paths] == [404] * 5


def test_tags_are_a_plain_array_by_label(api: Api) -> None:
    labels = [tag["label"] for tag in api.get(f"{WS}/Tags", type="DataSubject")]
    assert labels == sorted(labels, key=str.casefold)
    assert len(labels) > 3
    assert [tag["label"] for tag in api.get(f"{WS}/Tags", asc="false")] == labels[::-1]
    assert api.get(f"{WS}/Tags", type="Task") == []


def test_users_of_the_workspace_and_of_the_organisation(api: Api) -> None:
    users = api.get(f"{WS}/Users", size=3)
    assert (len(users["items"]), users["total"], users["size"], users["page"]) == (3, 7, 3, 1)
    assert api.get(f"{WS}/Users/72")["displayName"] == "Yanis Belkacem"
    assert api.call("GET", f"{WS}/Users/9").status == 404
    found = api.get("/v1/TenantUsers", q="verhoeven")
    assert [user["email"] for user in found["items"]] == ["sanne.verhoeven@example.org"]
    assert [user["id"] for user in api.get("/v1/TenantUsers", ids=[71, 73])["items"]] == [71, 73]


def test_units_flat_and_as_a_tree(api: Api) -> None:
    flat = api.get(f"{WS}/Areas", size=500)["items"]
    tree = api.get(f"{WS}/Areas/hierarchy")

    def ids(nodes: list[Any]) -> list[int]:
        return [found for node in nodes for found in (node["id"], *ids(node["children"]))]

    assert sorted(ids(tree["items"])) == sorted(area["id"] for area in flat)
    assert len(tree["items"]) == 1
    assert [area["parentId"] for area in api.get(f"{WS}/Areas", parentId=12)["items"]] == [12, 12, 12]
    assert {area["type"] for area in api.get(f"{WS}/Areas", type="Entity")["items"]} == {"Entity"}


def test_workspaces_come_in_two_shapes(api: Api, server: Server) -> None:
    paged = api.get("/v1/workspaces")
    assert ([one["id"] for one in paged["items"]], paged["total"]) == ([101, 102], 2)
    assert api.get("/v1/WorkSpaces/102")["label"] == "Acme Benelux"
    server.switch(workspaces_shape="plan")
    assert [one["id"] for one in api.get("/v1/workspaces")["workSpaces"]] == [101, 102]


def test_messages_are_listed_counted_and_written(api: Api, server: Server) -> None:
    row = next(row for row in api.rows() if row["nbMessages"] > 1)
    path = f"{WS}/DataSubjectMessages"
    mine = api.get(path, dataSubjectRequestId=row["id"])
    assert mine["total"] == row["nbMessages"] == api.get(f"{path}/count/{row['id']}")
    assert api.get(path, userRequestId=row["id"])["items"] == mine["items"]
    assert api.get(f"{path}/{mine['items'][0]['id']}") == mine["items"][0]
    written = api.call("POST", path, body={"message": "We are on it.", "dataSubjectRequestId": row["id"]}).json
    assert (written["userRequestId"], written["user"]["displayName"]) == (row["id"], "Dastra API")
    server.state[101].write(row["id"], "Any news?")
    after = api.get(f"{LIST}/{row['id']}")
    assert after["nbMessages"] == row["nbMessages"] + 2
    assert after["nbMessagesNotViewed"] == row["nbMessagesNotViewed"] + 1
    assert server.state[101].read_messages(row["id"])["nbMessagesNotViewed"] == 0
    for body in ({"message": "x" * 3001, "dataSubjectRequestId": row["id"]}, {"message": "To whom?"}, {}):
        assert api.call("POST", path, body=body).status == 400


def test_attachments_and_statistics(api: Api) -> None:
    row = next(row for row in api.rows() if row["attachments"])
    assert api.get(f"{WS}/DataSubjectAttachments/{row['id']}") == row["attachments"]
    stats = api.get(f"{LIST}/stats", start="2020-01-01", areaId=row["areaId"])
    assert stats["nbCustomerRequests"] == len(api.ids(areaId=row["areaId"]))
    narrowed = api.get(f"{LIST}/dashboard", start="2020-01-01", filters=json.dumps({"field": "state", "value": "Open"}))
    assert narrowed["nbCustomerRequests"] == len(api.ids(states="Open"))


def test_who_am_i_and_how_are_you(api: Api) -> None:
    assert api.get("/me")["workSpaces"] == [101, 102]
    assert api.get("/status")["status"] == "Healthy"


def test_an_unknown_path_is_404_and_an_unknown_verb_405(api: Api) -> None:
    assert api.call("GET", "/v1/ws/101/DataBreaches").status == 404
    assert api.call("DELETE", LIST).status == 405
    assert api.call("GET", f"{LIST}/abc").status == 400
