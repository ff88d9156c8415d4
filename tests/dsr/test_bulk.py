"""The bar below the register: its form as a browser without scripts posts it, and the page that tells what became of each."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from django.test import Client

from dsrportal.models import DataSubjectRequest, OutboxEntry, User, WorkflowStep, Workspace
from dsrportal.models.outbox import WishState
from dsrportal.sandbox import Fault
from dsrportal.sandbox.server import Server
from tests.dsr.test_page import as_person

LIST = "/w/acme-france/requests/"
URL = f"{LIST}bulk/"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def client(officer: User, mirrored: Workspace) -> Client:
    return as_person(officer)


def ticked(client: Client, *, count: int = 3, query: str = "", **values: Any) -> dict[str, Any]:
    """The form with the first rows ticked."""
    text = client.get(f"{LIST}?{query}").text
    batch_id = re.search(r'name="batch_id" value="([0-9a-f-]+)"', text)
    assert batch_id
    picks = [html.unescape(value) for value in re.findall(r'name="pick"[^>]* value="([^"]+)"', text)]
    return {"batch_id": batch_id[1], "question": query, "pick": picks[:count], **values}


def test_ticked_rows_are_moved_and_each_outcome_is_listed(client: Client, mirrored: Workspace, dastra: Server) -> None:
    step = WorkflowStep.objects.filter(workspace=mirrored)[1]
    data = ticked(client, count=5, step=step.upstream_id, deed="move", query="size=25")
    targets = {client.post(URL, data).headers["Location"] for _time in range(3)}
    assert targets == {f"/w/acme-france/changes/?batch={data['batch_id']}"}
    dastra.faults.add(Fault(kind="refuse", match="POST", reason="Not this one."))
    page = targets.pop()
    assert "5 requests, " in client.get(page).text
    while OutboxEntry.objects.filter(state=WishState.HELD).exists():
        answer = client.post(f"{URL}send/", {"batch": data["batch_id"]}, headers=HTMX)
        assert answer.text.lstrip().startswith('<div id="changes"') or 'id="changes"' in answer.text
    text = html.unescape(client.get(page).text)
    done = OutboxEntry.objects.filter(state=WishState.DONE).count()
    assert OutboxEntry.objects.count() == 5
    assert f"{done} done" in text
    assert "Not this one." in text
    assert "hx-post" not in text.partition('id="changes"')[2].partition(">")[0]


def test_the_whole_list_is_meant_on_whatever_page_its_rows_are(
    client: Client, mirrored: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = WorkflowStep.objects.filter(workspace=mirrored)[1]
    wanted = DataSubjectRequest.objects.filter(workspace=mirrored, archived=False).exclude(step=step)
    asked = f"where=all(any(step.not.{step.upstream_id}))&size=25"
    assert wanted.count() > 25
    assert "The whole list:" in client.get(f"{LIST}?{asked}").text
    data = ticked(client, count=1, query=asked, whole="true", step=step.upstream_id, deed="move")
    client.post(URL, data)
    assert {entry.upstream_id for entry in OutboxEntry.objects.all()} == {dsr.upstream_id for dsr in wanted}

    monkeypatch.setattr("dsrportal.actions.batches.MOST", 3)
    data = ticked(client, count=1, whole="true", deed="archive")
    assert client.post(URL, data).headers["Location"] == LIST
    assert not OutboxEntry.objects.filter(kind="archive").exists()


def test_the_whole_batch_is_undone_while_it_waits(
    client: Client, mirrored: Workspace, dastra: Server, settings: Any
) -> None:
    settings.UNDO_SECONDS = 8
    data = ticked(client, deed="archive")
    page = client.post(URL, data).headers["Location"]
    assert "Undo all that waits" in client.get(page).text
    client.post(f"{URL}undo/", {"batch": data["batch_id"]})
    text = client.get(page).text
    assert "3 changes undone." in text
    assert "Undo all that waits" not in text
    assert {entry.state for entry in OutboxEntry.objects.all()} == {WishState.CANCELLED}
    assert not [call for call in dastra.journal.entries if call.method == "POST"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"pick": []}, "No request was chosen"),
        ({"pick": ["x", "1|2", "-1|||"]}, "No request was chosen"),
        ({"step": ""}, "Choose what it is to become"),
        ({"deed": "delete"}, "incomplete"),
        ({"batch_id": "x"}, "incomplete"),
    ],
)
def test_what_makes_no_sense_is_said_and_nothing_is_kept(
    client: Client, mirrored: Workspace, change: dict[str, Any], words: str
) -> None:
    answer = client.post(URL, {**ticked(client, deed="move", step=1, query="states=Open"), **change}, follow=True)
    assert answer.redirect_chain[0][0] == f"{LIST}?states=Open"
    assert words in html.unescape(answer.text)
    assert not OutboxEntry.objects.exists()


def test_the_archive_offers_to_restore_and_who_only_looks_gets_no_boxes(
    client: Client, officer: User, mirrored: Workspace, dastra: Server
) -> None:
    data = ticked(client, count=1, deed="archive")
    client.post(URL, data)
    client.post(f"{URL}send/", {"batch": data["batch_id"]})
    upstream_id = OutboxEntry.objects.get().upstream_id
    text = client.get(f"{LIST}?archived=true").text
    assert 'value="restore"' in text
    assert 'value="move"' not in text
    assert upstream_id is not None
    row = DataSubjectRequest.objects.get(upstream_id=upstream_id)
    again = ticked(client, count=50, query="archived=true&size=50", deed="restore")
    again["pick"] = [one for one in again["pick"] if one.startswith(f"{row.upstream_id}|")]
    client.post(URL, again)
    client.post(f"{URL}send/", {"batch": again["batch_id"]})
    assert dastra.state[101].get(row.upstream_id)["archived"] is False
    officer.memberships.update(role="viewer")
    assert 'name="pick"' not in as_person(officer).get(LIST).text


def test_a_batch_that_nobody_made_is_an_empty_list(client: Client, mirrored: Workspace) -> None:
    assert client.post(f"{URL}undo/", {"batch": "x"}).status_code == 404
    for batch in ("x", "00000000-0000-0000-0000-000000000000"):
        assert client.get(f"/w/acme-france/changes/?batch={batch}").status_code == 200
