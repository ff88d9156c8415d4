"""Dastra's objects become ours; what is odd in them is noted and nothing else is lost."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from dsrportal.dastra import reading, wire_json
from dsrportal.dastra.errors import MalformedAnswer
from dsrportal.dastra.row import BadRowError, Row
from dsrportal.dastra.schema import Attachment, DataSubjectRequest, RejectedItem, Tag, WorkflowStep

from .samples import AREA, OPERATOR, STEP, request_2022, request_2023

NEWER = {"dateDemand", "customFields", "nbMessagesIncoming", "lastMessageDate", "subjectCategory"}


def read(**changes: Any) -> DataSubjectRequest:
    return reading.data_subject_request(Row(request_2023(**changes)))


def test_every_field_of_a_request_has_its_place() -> None:
    dsr = read()
    assert dsr.upstream_id == 501
    assert (dsr.reference, dsr.locale, dsr.state, dsr.channel) == ("K7QZ2MBA", "fr", "Open", "Widget")
    assert (dsr.title, dsr.given_name, dsr.family_name) == ("K7QZ2MBA Elise Sample", "Elise", "Sample")
    assert (dsr.email, dsr.phone_number) == ("elise.sample@example.org", "+33100000000")
    assert (dsr.address, dsr.zip_code, dsr.city, dsr.country_code) == (
        "1 Example Street",
        "00000",
        "Exampleville",
        "FR",
    )
    assert (dsr.message, dsr.description, dsr.resolution_message) == ("Please send me my data", "Called twice", "")
    assert dsr.received_at == datetime(2026, 1, 5, 9, 12, 44, 123456, tzinfo=UTC)
    assert dsr.created_at == datetime(2026, 1, 5, 9, 13, 0, 500000, tzinfo=UTC)
    assert dsr.expires_at == datetime(2026, 2, 4, 9, 12, 44, 123456, tzinfo=UTC)
    assert dsr.email_validated_at == datetime(2026, 1, 5, 9, 13, 20, 500000, tzinfo=UTC)
    assert dsr.last_message_at == datetime(2026, 1, 7, 10, tzinfo=UTC)
    assert (dsr.updated_at, dsr.closed_at, dsr.archived_at, dsr.identity_validated_at) == (None,) * 4
    assert (dsr.archived, dsr.complex, dsr.mail_validated, dsr.identity_validated) == (False, False, True, False)
    assert (dsr.message_count, dsr.unread_message_count, dsr.incoming_message_count) == (4, 1, 2)
    assert dsr.purposes == ("Access", "Erasure")
    assert dsr.tags == (Tag(upstream_id=5, label="Shop", color="#0a0"),)
    file_id = "0b6f6c1e-0000-4000-8000-000000000001"
    assert dsr.attachments == (Attachment(name="proof.pdf", size=2048, upstream_id=file_id),)
    assert (dsr.step_upstream_id, dsr.operator_upstream_id, dsr.area_upstream_id) == (22290, 31, 12)
    assert (dsr.customer_reference, dsr.subject_category, dsr.widget_id) == ("C-77", "Customers", 3008)
    assert (dsr.closed_reason, dsr.custom_fields) == ("None", {"case_origin": "shop"})
    assert (dsr.drift, dsr.missing) == ((), ())


def test_the_objects_around_it() -> None:
    dsr = read()
    assert dsr.step == reading.workflow_step(Row(STEP))
    assert dsr.step == WorkflowStep(
        upstream_id=22290,
        label="Nouveau",
        color="#1E8EE1",
        position=0,
        item_limit=None,
        mapped_state="Open",
        is_initial=True,
        is_final=False,
        notice_html="<p>Read it first</p>",
    )
    assert dsr.operator == reading.operator(Row(OPERATOR))
    assert dsr.operator.display_name == "Noor Example"
    assert dsr.area == reading.area(Row(AREA))
    assert dsr.area.country_code == "FR"


def test_the_older_generation_is_read_too() -> None:
    dsr = reading.data_subject_request(Row(request_2022()))
    assert dsr.subject_category == "Client"
    assert dsr.received_at is None
    assert dsr.created_at is not None
    assert (dsr.drift, dsr.missing) == ((), ())


def test_the_flat_object_says_what_it_lacks() -> None:
    flat = {
        name: value
        for name, value in request_2023().items()
        if name not in {"closedByUser", "area", "creator", "operator", "operatorId", "attachments", "tags"}
    }
    dsr = reading.data_subject_request(Row(flat))
    assert set(dsr.missing) == {"area", "operator", "operatorId", "attachments", "tags"}
    assert dsr.area_upstream_id == 12


def test_no_repr_holds_a_person() -> None:
    shown = repr(read())
    for private in (
        "Elise",
        "Sample",
        "example.org",
        "Please",
        "Called",
        "Street",
        "+33",
        "proof",
        "shop",
        "Noor",
        "C-77",
    ):
        assert private not in shown
    assert "K7QZ2MBA" in shown


def test_raw_is_what_came_untouched() -> None:
    text = json.dumps(request_2023(brandNew={"x": [1, None]}, title="a\0\ud800")).replace('"x"', '"x": 3.10, "y"')
    dsr = reading.one(wire_json.decode(text), read=reading.data_subject_request)
    assert wire_json.encode(dsr.raw).decode() == text.replace(", ", ",").replace(": ", ":").replace(
        "K7QZ2MBA,", "K7QZ2MBA, "
    )
    assert dsr.title == "a\ufffd"


@pytest.mark.parametrize("field", [field for field in request_2023() if field != "id"])
@pytest.mark.parametrize("mutation", ["dropped", "null", "number", "text", "list", "object", "flag"])
def test_no_change_of_a_field_loses_the_row_or_passes_in_silence(field: str, mutation: str) -> None:
    """Each documented field dropped or retyped: the row is read, its other fields are as before, and a note is left."""
    before = request_2023(dateUpdate="2026-01-06T00:00:00", operator=OPERATOR, description="x")
    after = dict(before)
    odd: dict[str, Any] = {"number": 1.5, "text": "odd", "list": [[]], "object": {"odd": 1}, "flag": True, "null": None}
    if mutation == "dropped":
        del after[field]
    else:
        after[field] = odd[mutation]
    old, new = reading.data_subject_request(Row(before)), reading.data_subject_request(Row(after))
    changed = {
        f.name for f in dataclasses.fields(old) if getattr(old, f.name) != getattr(new, f.name) and f.name != "raw"
    } - {"drift", "missing"}
    assert len(changed) <= 2
    for name in changed:
        if not getattr(new, name) and mutation not in {"null", "dropped"}:
            assert new.drift
    if changed and mutation == "dropped":
        assert new.missing or field in NEWER
    assert all("odd" not in note.split(":")[-1] for note in new.drift)


@pytest.mark.parametrize(
    ("changes", "note"),
    [
        ({"expiryTime": "soon"}, "expiryTime: not a date"),
        ({"expiryTime": "9999-12-31T23:59:59.9999999"}, "expiryTime: date at the end of time"),
        ({"complex": "perhaps"}, "complex: not true or false"),
        ({"purposes": "Access"}, "purposes: a text, not a list"),
        ({"purposes": ["Access", None]}, "purposes: an entry is not a text"),
        ({"state": 0}, "state: a number, not a text"),
        ({"state": None}, "state: absent, taken from the step"),
        ({"operator": "Noor"}, "operator: not an object"),
        ({"operator": {"id": 0}}, "operator.id: id out of range"),
        ({"tags": [{"label": "x"}]}, "tags.id: not an id"),
        ({"workFlowStep": {**STEP, "label": []}}, "workFlowStep.label: not a text"),
        ({"subjectCategory": {"label": 1.5}}, "subjectCategory.label: not a text"),
        ({"tags": ["x"]}, "tags: an entry is not an object"),
        ({"customFields": []}, "customFields: not an object"),
        ({"suspendedUntil": None}, "suspendedUntil: unknown field"),
        ({"<b>elise": 1}, "a field with an odd name: unknown field"),
        ({"nbMessages": -(2**40)}, "nbMessages: out of range"),
    ],
)
def test_what_is_odd_is_noted_by_field_never_by_value(changes: dict[str, Any], note: str) -> None:
    assert note in read(**changes).drift


def test_values_nobody_knows_yet_are_kept() -> None:
    dsr = read(state="Frozen", purposes=["Forgetting", "Access"], channel="Fax", closedReason="Moved")
    assert (dsr.state, dsr.purposes, dsr.channel, dsr.closed_reason) == (
        "Frozen",
        ("Forgetting", "Access"),
        "Fax",
        "Moved",
    )
    assert dsr.drift == ()


def test_ids_beside_missing_objects_serve() -> None:
    dsr = read(workFlowStep=None, operator=None, area=None)
    assert (dsr.step, dsr.operator, dsr.area) == (None, None, None)
    assert (dsr.step_upstream_id, dsr.operator_upstream_id, dsr.area_upstream_id) == (22290, 31, 12)


def test_a_name_in_another_case_is_found_and_noted() -> None:
    whole = request_2023()
    created = whole.pop("dateCreation")
    dsr = reading.data_subject_request(Row({**whole, "DateCreation": created}))
    assert dsr.created_at is not None
    assert dsr.drift == ("dateCreation: written in another case",)
    assert dsr.missing == ()


def test_no_date_of_dotnet_is_no_date() -> None:
    dsr = read(emailValidationDate="0001-01-01T00:00:00")
    assert dsr.email_validated_at is None
    assert dsr.drift == ()


@pytest.mark.parametrize("upstream_id", [None, 0, -1, True, 17.0, 2**63, "x", [], {}])
def test_a_row_without_an_id_is_rejected(upstream_id: object) -> None:
    with pytest.raises(BadRowError, match=r"^id: "):
        read(id=upstream_id)


def test_bad_rows_land_in_rejected_and_spoil_nothing() -> None:
    text = '[{"id":1},{"id":2,"n":NaN},{"id":3,"id":4},{"id":5,"a":1,"a":2},null,"x",{"id":true},{"id":6,"d":%s},{"id":"7"}]'
    rows = wire_json.decode(text % ("[" * 150 + "]" * 150))
    page = reading.many(rows, read=reading.data_subject_request)
    assert [dsr.upstream_id for dsr in page.items] == [1, 7]
    assert page.size == 9
    assert page.rejected == (
        RejectedItem(upstream_id=2, reason="a number is not finite"),
        RejectedItem(upstream_id=None, reason="a key is repeated"),
        RejectedItem(upstream_id=5, reason="a key is repeated"),
        RejectedItem(upstream_id=None, reason="not an object"),
        RejectedItem(upstream_id=None, reason="not an object"),
        RejectedItem(upstream_id=None, reason="id: not an id"),
        RejectedItem(upstream_id=6, reason="nested too deep"),
    )


@pytest.mark.parametrize("value", [None, [], "x", 1, {}, {"id": "x"}, {"error": "no"}])
def test_something_else_than_the_object_is_malformed(value: object) -> None:
    with pytest.raises(MalformedAnswer):
        reading.one(value, read=reading.data_subject_request)


def test_neighbours_make_do_with_little() -> None:
    assert reading.operator(Row({"id": 1, "givenName": "Noor", "familyName": "Example"})).display_name == "Noor Example"
    assert reading.tag(Row({"id": 2, "label": "x", "color": "url(//x)"})).color == ""
    assert reading.workspace(Row({"id": 3, "label": "Example", "state": "Active"})).label == "Example"
    assert reading.me({"id": 4, "email": "key@example.org", "anything": 1}).raw["anything"] == 1
    with pytest.raises(MalformedAnswer):
        reading.me(["x"])
