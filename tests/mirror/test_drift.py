"""Dastra's schema drifts: each field dropped, renamed or sent as something else. Nothing breaks, and nothing known goes without a note."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from dsrportal.dastra import reading
from dsrportal.identity import IDENTITY_FIELDS
from dsrportal.mirror import store
from dsrportal.models import DataSubjectRequest, DriftNote, SetAsideRow, Workspace
from dsrportal.models.requests import identity_context
from dsrportal.sandbox.faults import Fault
from dsrportal.sandbox.server import Server
from tests.mirror.conftest import run

pytestmark = pytest.mark.one_database

LEAST_FIELDS = 55
EMPTY: tuple[Any, ...] = (None, "", 0, False)
OURS = frozenset(
    {"id", "sequence", "mirrored_at", "digest", "identity_sealed", "step_entered_at", "clock_at", "is_closed"}
    | {"clock_rank", "has_unexplained_change", *DataSubjectRequest.LEGAL_FIELDS}
)

MUTATIONS: dict[str, Callable[[dict[str, Any], str], dict[str, Any]]] = {
    "dropped": lambda raw, name: {key: value for key, value in raw.items() if key != name},
    "renamed": lambda raw, name: {f"{key}New" if key == name else key: value for key, value in raw.items()},
    "a text": lambda raw, name: raw | {name: "something else"},
    "a number": lambda raw, name: raw | {name: 7.5},
    "a list": lambda raw, name: raw | {name: [{"strange": []}]},
    "an object": lambda raw, name: raw | {name: {"strange": {}}},
}


def kept(workspace: Workspace, upstream_id: int) -> dict[str, Any]:
    """What the mirror knows of a request, identity in clear."""
    dsr = DataSubjectRequest.objects.get(workspace=workspace, upstream_id=upstream_id)
    columns = {f.attname: getattr(dsr, f.attname) for f in dsr._meta.concrete_fields if f.attname not in OURS}
    assert dsr.identity_context() == identity_context(workspace_id=workspace.pk, upstream_id=upstream_id)
    return columns | {name: dsr.read_identity().get(name, "") for name in IDENTITY_FIELDS}


def full_request(server: Server) -> dict[str, Any]:
    """A request of which every field that is kept has a value."""
    dastra = server.state[101]
    chosen = next(row["id"] for row in dastra.all() if row["operator"] and row["tags"] and not row["archived"])
    stamp = "2026-01-02T03:04:05.1234567"
    dastra.edit(chosen, complex=True, widgetId=3007, mailValidated=True, dateIdentityValidated=stamp, givenName="Zoe")
    dastra.write(chosen, "A question.")
    dastra.move(chosen, dastra.final_step()["id"])
    dastra.edit(chosen, closedReason="Accepted", email="zoe@example.org", familyName="Quillfeather")
    dastra.archive(chosen)
    return dastra.get(chosen)


@pytest.mark.parametrize("kind", MUTATIONS)
def test_each_field_drifts_without_harm(mirrored: Workspace, server: Server, kind: str) -> None:
    raw = full_request(server)
    assert len(raw) >= LEAST_FIELDS
    upstream_id = raw["id"]
    for name in raw:
        good = reading.many([raw], read=reading.data_subject_request)
        store.store_requests(mirrored, good.items, sequence=store.next_sequence(mirrored), now=timezone.now())
        before = kept(mirrored, upstream_id)
        assert not good.items[0].drift
        page = reading.many([MUTATIONS[kind](raw, name)], read=reading.data_subject_request)
        if page.rejected:
            assert name == "id", f"{name} made the row unusable"
            continue
        store.store_requests(mirrored, page.items, sequence=store.next_sequence(mirrored), now=timezone.now())
        after = kept(mirrored, upstream_id)
        blanked = {field for field, value in before.items() if value not in EMPTY and after[field] in EMPTY}
        notes = DriftNote.objects.filter(workspace=mirrored, note__startswith=name)
        assert not blanked or (kind not in {"dropped", "renamed"} and notes.exists()), f"{name}: {blanked}"


def test_odd_fields_are_counted_until_a_complete_pass_misses_them(mirrored: Workspace, server: Server) -> None:
    server.faults.add(
        Fault(
            kind="mutate_rows",
            match="DataSubjectRequests",
            merge={"priority": "high", "dateClosed": "soon"},
            times=None,
        )
    )
    assert run(mirrored).outcome == "complete"
    notes = dict(DriftNote.objects.filter(workspace=mirrored).values_list("note", "count"))
    assert notes == {"dateClosed: not a date": 60, "priority: unknown field": 60}
    server.faults.clear()
    run(mirrored)
    assert not DriftNote.objects.filter(workspace=mirrored).exists()


def test_notes_hold_no_value_and_have_an_end(mirrored: Workspace, server: Server) -> None:
    odd = {f"field{number}": "zoe@example.org" for number in range(400)}
    server.faults.add(Fault(kind="mutate_rows", match="DataSubjectRequests", merge=odd, times=None))
    assert run(mirrored).outcome == "complete"
    notes = list(DriftNote.objects.filter(workspace=mirrored).values_list("note", flat=True))
    assert len(notes) == 200
    assert not any("zoe" in note for note in notes)
    assert not SetAsideRow.objects.filter(workspace=mirrored).exists()
