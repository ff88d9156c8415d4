"""The data set, the acts of people in Dastra's own screens, the journal, and the state that outlives a restart."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from dsrportal.sandbox import Sandbox, Server
from dsrportal.sandbox.server import StateFileError
from tests.sandbox.calling import LIST, NOW, Api


def data(sandbox: Sandbox) -> str:
    return json.dumps(sandbox.state.snapshot())


def test_the_data_follow_from_the_seed_the_count_and_the_instant() -> None:
    first = data(Sandbox(requests=50, seed=4, now=NOW))
    assert first == data(Sandbox(requests=50, seed=4, now=NOW))
    assert first != data(Sandbox(requests=50, seed=5, now=NOW))


def test_there_are_two_workspaces_the_second_a_tenth_of_the_first() -> None:
    for requests, second in ((600, 60), (20, 5), (0, 5)):
        state = Sandbox(requests=requests, now=NOW).state
        assert [len(workspace.records) for workspace in state.workspaces.values()] == [requests, second]


def test_the_data_set_has_every_kind_of_request(large: Server) -> None:
    rows = large.state[101].all()
    running = [row for row in rows if row["state"] != "Closed"]

    def share(kept: list[Any]) -> float:
        return len(kept) / len(rows)

    assert 0.38 < share([row for row in rows if row["state"] == "Closed"]) < 0.52
    assert 0.05 < share([row for row in rows if row["archived"]]) < 0.16
    days = [row["remainingDays"] for row in running if row["remainingDays"] is not None]
    assert sum(count < 0 for count in days) >= 10
    assert sum(0 <= count <= 7 for count in days) >= 30
    for field, value in (("operatorId", None), ("expiryTime", None), ("complex", True), ("mailValidated", False)):
        assert sum(row[field] == value for row in running) >= 3, field
    assert any(row["nbMessagesNotViewed"] for row in running)
    assert any(row["emailValidationDate"] == "0001-01-01T00:00:00" for row in rows)
    assert Counter(len(row["tags"]) for row in rows).keys() == {0, 1, 2, 3}
    assert {row["locale"] for row in rows} == {"fr", "nl", "en"}
    assert {row["state"] for row in rows} == {"Open", "IdentityValidation", "Processing", "Active", "Closed"}
    assert {len(row) for row in rows} == {60}


def test_everybody_is_invented_and_dates_are_dot_nets(large: Server) -> None:
    for row in large.state[101].all() + large.state[102].all():
        assert row["email"].endswith(("@example.org", "@example.test"))
        assert row["title"] == f"{row['demandId']} {row['givenName']} {row['familyName']}"
        assert re.fullmatch("[A-Z2-7]{8}", row["demandId"])
        for name in ("dateDemand", "dateCreation", "emailValidationDate"):
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{0,6}[1-9])?", row[name])


def test_people_in_dastras_screens_act_directly_and_the_api_shows_it(api: Api, server: Server) -> None:
    workspace = server.state[101]
    created = workspace.create(givenName="Ada", familyName="Example", purposes=["Access"], operatorId=72, tagIds=[301])
    path = f"{LIST}/{created['id']}"
    assert api.get(path) == created
    workspace.edit(created["id"], city="Gent", operatorId=None)
    workspace.move(created["id"], 22292)
    workspace.archive(created["id"])
    workspace.restore(created["id"])
    row = api.get(path)
    assert (row["city"], row["operator"], row["state"], row["archived"]) == ("Gent", None, "Processing", False)
    with pytest.raises(KeyError):
        workspace.edit(created["id"], nonsense=1)
    workspace.delete(created["id"])
    assert api.call("GET", path).status == 404


def test_anonymising_leaves_no_trace_of_the_person_and_no_date_of_change(api: Api, server: Server) -> None:
    row = next(row for row in api.rows() if row["attachments"] and row["address"])
    after = server.state[101].anonymise(row["id"])
    assert (after["givenName"], after["familyName"], after["email"]) == ("John", "DOE", "anonymized@example.com")
    text = json.dumps(after, ensure_ascii=False)
    for name in ("email", "message", "address", "title"):
        assert row[name] not in text
    assert (after["attachments"], after["nbMessages"]) == ([], 0)
    kept = ("dateUpdate", "dateDemand", "state", "purposes", "expiryTime")
    assert [after[name] for name in kept] == [row[name] for name in kept]


def test_steps_are_added_edited_and_deleted(api: Api, server: Server) -> None:
    workspace = server.state[101]
    added = workspace.add_step("Waiting for the bank", mapped_state="Processing", item_limit=3)
    steps = api.get("/v1/ws/101/Workflows")
    assert [step["label"] for step in steps][-2:] == ["Waiting for the bank", "Fermé"]
    dsr_id = api.ids(states="Open")[0]
    workspace.move(dsr_id, added["id"])
    workspace.edit_step(added["id"], label="Waiting")
    assert api.get(f"{LIST}/{dsr_id}")["workFlowStep"]["label"] == "Waiting"
    workspace.delete_step(added["id"])
    assert api.get(f"{LIST}/{dsr_id}")["workFlowStep"]["label"] == "En cours"
    with pytest.raises(ValueError, match="last step"):
        workspace.delete_step(steps[0]["id"])


def test_the_control_door_acts_for_other_processes(api: Api) -> None:
    dsr_id = api.ids(states="Open")[0]

    def act(name: str, **asked: Any) -> Any:
        seen = api.control("POST", "act", {"workspace": 101, "act": name, "id": dsr_id} | asked)
        assert seen.status == 200, seen.body
        return seen.json

    assert act("move", step=22292)["state"] == "Processing"
    assert act("edit", fields={"city": "Gent"})["city"] == "Gent"
    assert act("archive")["archived"] is True
    assert act("restore")["archived"] is False
    assert act("write", text="Hello?")["message"] == "Hello?"
    assert act("read_messages")["nbMessagesNotViewed"] == 0
    assert act("anonymise")["familyName"] == "DOE"
    step = act("add_step", label="New", mapped_state="Open")["id"]
    assert act("edit_step", step=step, fields={"color": "#000000"})["color"] == "#000000"
    assert act("delete_step", step=step) == {"done": True}
    assert act("create", fields={"givenName": "Ada", "familyName": "Example"})["state"] == "Open"
    assert act("delete") == {"done": True}
    state = api.control("GET", "state/101").json
    assert dsr_id not in [row["id"] for row in state["requests"]]
    assert [step["order"] for step in state["steps"]] == sorted(step["order"] for step in state["steps"])


def test_the_control_door_is_shut_without_its_token_and_leaves_no_line(api: Api, server: Server) -> None:
    assert api.call("GET", "/__sandbox__/journal").status == 401
    assert api.control("GET", "nowhere").status == 404
    assert api.control("GET", "state/999").status == 404
    assert api.control("GET", "state/x").status == 400
    assert api.control("POST", "act", {"workspace": 101, "act": "paint"}).status == 400
    assert api.control("POST", "act", {"workspace": 101, "act": "delete", "id": 1}).status == 404
    assert len(server.journal) == 0
    api.get("/me")
    assert api.control("DELETE", "journal").json == {"cleared": True}
    assert len(server.journal) == 0


def test_the_journal_tells_who_asked_what_and_keeps_no_body(api: Api, server: Server) -> None:
    api.get(LIST, states=["Open", "Active"])
    api.call("PUT", f"{LIST}/5001", body={"title": "Private words"})
    api.call("GET", LIST, headers={})
    lines = [(one.method, one.path, one.query, one.key, one.status) for one in server.journal.entries]
    assert lines == [
        ("GET", LIST, "states=Open&states=Active", "full", 200),
        ("PUT", f"{LIST}/5001", "", "full", 400),
        ("GET", LIST, "", "", 401),
    ]
    assert [bool(one.body_hash) for one in server.journal.entries] == [False, True, False]
    assert "Private" not in json.dumps(api.control("GET", "journal").json)


def test_two_runs_that_do_the_same_leave_the_same_journal_and_state() -> None:
    def run() -> tuple[list[Any], str]:
        sandbox = Sandbox(requests=30, seed=9, now=NOW, fault_rate=0.2)
        with sandbox.serve() as server:
            api = Api(server)
            for number in range(40):
                try:
                    api.call("POST", f"{LIST}/workflow", body={"id": 5001 + number % 30, "stepId": 22290 + number % 6})
                except OSError:
                    continue
        return [entry.line() for entry in server.journal.entries], data(sandbox)

    first, again = run(), run()
    assert first == again
    assert any(line[-1] for line in first[0])


def test_a_restart_goes_on_where_it_stopped(tmp_path: Path) -> None:
    path = tmp_path / "kept" / "state.json"
    sandbox = Sandbox(requests=20, seed=1, now=NOW, state_file=path)
    with sandbox.serve() as server:
        moved = server.state[101].move(5001, 22292)
        created = server.state[101].create(givenName="Ada", familyName="Example")
        key = server.api_key
    with Sandbox(requests=99, seed=1, now=NOW, state_file=path).serve() as server:
        assert server.api_key == key
        assert server.state[101].get(5001) == moved
        assert server.state[101].get(created["id"]) == created
        assert server.state[101].create(givenName="Bo", familyName="Example")["id"] > created["id"]
        assert len(server.state[101].records) == 22
    assert [kept.name for kept in path.parent.iterdir()] == ["state.json"]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"version": 1}', '{"version": 99, "state": {}}', '{"version": 1, "state": 5}']
)
def test_a_state_file_that_is_not_ours_is_refused_and_kept(*, tmp_path: Path, text: str) -> None:
    path = tmp_path / "state.json"
    path.write_text(text)
    with pytest.raises(StateFileError):
        Sandbox(state_file=path)
    assert path.read_text() == text
