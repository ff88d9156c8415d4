"""A step or an assignee changed within its row of the register: through the same wishes, and answered with that row as it then is."""

from __future__ import annotations

import html
import json
import re
import uuid
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from dsrportal.models import DataSubjectRequest, Operator, OutboxEntry, User, WorkflowStep, Workspace
from dsrportal.models.outbox import WishState
from dsrportal.sandbox import Fault
from dsrportal.sandbox.server import Server
from tests.dsr.test_page import as_person

LIST = "/w/acme-france/requests/"
HTMX = {"HX-Request": "true"}
QUESTION = "columns=operator,workFlowStep&states=Open"


@pytest.fixture
def client(officer: User, mirrored: Workspace) -> Client:
    return as_person(officer)


@pytest.fixture
def row(mirrored: Workspace) -> DataSubjectRequest:
    """A live request of the first step."""
    rows = DataSubjectRequest.objects.filter(workspace=mirrored, archived=False, step__position=0)
    return rows.select_related("step", "operator").order_by("pk")[0]


def press(client: Client, row: DataSubjectRequest, deed: str, **values: Any) -> str:
    """What the browser posts for a row, and the answer's text."""
    posted = {
        "origin": "register",
        "question": QUESTION,
        "action_id": str(uuid.uuid4()),
        "seen_step": row.step.upstream_id if row.step else "",
        "seen_updated_at": row.updated_at.isoformat() if row.updated_at else "",
        **values,
    }
    answer = client.post(f"{LIST}{row.upstream_id}/{deed}/", posted, headers=HTMX)
    assert answer.status_code in {200, 422}
    return html.unescape(answer.text)


def columns_of(text: str) -> int:
    return len(re.findall(r"<t[dh][ >]", text.partition("</tr>")[0]))


def test_a_move_waits_in_its_row_and_is_undone_there(
    client: Client, row: DataSubjectRequest, settings: Any, mirrored: Workspace
) -> None:
    settings.UNDO_SECONDS = 8
    step = WorkflowStep.objects.filter(workspace=mirrored)[1]
    text = press(client, row, "move", step=step.upstream_id)
    assert text.lstrip().startswith(f'<tr id="row-{row.upstream_id}"')
    assert "Sending in 8 s" in text
    assert "is-pending" in text
    assert text.index(step.label) < text.index("Sending in"), "where it goes"
    assert "data-announce" in text
    assert columns_of(text) == 4, "box, reference and the two columns of the list"
    assert "data-inline" not in text, "one change at a time"
    assert f'id="row-{row.upstream_id}"' in client.get(f"{LIST}?size=100").text
    assert "Sending in" in client.get(f"{LIST}?size=100").text, "told by the whole list too"

    undo = re.search(r'hx-post="([^"]+/undo/)"', text)
    assert undo
    answer = client.post(undo[1], {"origin": "register", "question": QUESTION}, headers=HTMX)
    assert "data-inline" in answer.text
    assert "Sending in" not in answer.text
    assert OutboxEntry.objects.get().state == WishState.CANCELLED


def test_what_is_done_is_shown_and_what_is_refused_is_told_with_its_reason(
    client: Client, row: DataSubjectRequest, mirrored: Workspace, dastra: Server
) -> None:
    step = WorkflowStep.objects.filter(workspace=mirrored)[1]
    assert step.label in press(client, row, "move", step=step.upstream_id)
    assert dastra.state[101].get(row.upstream_id)["workFlowStepId"] == step.upstream_id

    row.refresh_from_db()
    operator = Operator.objects.filter(workspace=mirrored).exclude(pk=row.operator_id or 0)[0]
    seen = json.dumps({"operator": row.operator.upstream_id if row.operator else None})
    assert operator.display_name in press(client, row, "assign", operator=operator.upstream_id, seen=seen)

    row.refresh_from_db()
    dastra.faults.add(Fault(kind="refuse", match="POST", reason="Not this one."))
    other = WorkflowStep.objects.filter(workspace=mirrored)[0]
    text = press(client, row, "move", step=other.upstream_id)
    assert "Not this one." in text
    assert step.label in text
    dismiss = re.search(r'hx-post="([^"]+/dismiss/)"', text)
    assert dismiss
    assert "Not this one." not in client.post(dismiss[1], {"origin": "register"}, headers=HTMX).text


def test_a_row_costs_few_queries_and_a_form_that_makes_no_sense_gives_it_back(
    client: Client, row: DataSubjectRequest
) -> None:
    with CaptureQueriesContext(connection) as queries:
        text = press(client, row, "move", step=424242)
    assert len(queries) <= 20
    assert text.lstrip().startswith(f'<tr id="row-{row.upstream_id}"')
    assert not OutboxEntry.objects.exists()
