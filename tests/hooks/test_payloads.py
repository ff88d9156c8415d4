"""Which request a payload is about, however it says so."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dsrportal.dastra.webhooks import Event, digest_of, is_signed, read_event
from dsrportal.sandbox import webhooks as witness


def event(**fields: Any) -> Event:
    return read_event(json.dumps({"eventType": "DataSubjectUpdate"} | fields).encode())


@pytest.mark.parametrize(
    "data",
    [
        {"id": 41},
        {"Id": 41},
        {"ID": "41"},
        {"id": " 41 "},
        {"dataSubjectRequestId": 41},
        {"DataSubjectRequestId": "41"},
        {"userRequestId": 41, "id": "0f8fad5b-d9cb-469f-a165-70867728950e"},
        {"id": 5, "dataSubjectRequestId": 41},
        {"dataSubjectRequest": {"id": 41}},
        {"id": 5, "DataSubjectRequest": {"Id": "41"}},
        {"dataSubjectRequestId": None, "id": 41},
        41,
        "41",
    ],
)
def test_the_id_is_found(data: object) -> None:
    assert event(data=data).upstream_id == 41


@pytest.mark.parametrize(
    "data",
    [
        None,
        {},
        [],
        [41],
        {"id": None},
        {"id": True},
        {"id": 0},
        {"id": -41},
        {"id": 41.0},
        {"id": "41x"},
        {"id": 2**63},
        {"id": "9" * 5_000},
        {"id": {"id": 41}},
        {"title": "41"},
        "forty-one",
        True,
    ],
)
def test_what_is_no_id_is_none(data: object) -> None:
    found = event(data=data)
    assert (found.upstream_id, found.is_known) == (None, True)


@pytest.mark.parametrize(
    ("event_type", "data", "expected"),
    [
        ("DataSubjectCreation", {"id": 41}, ("DataSubjectCreation", 41, True)),
        ("datasubjectmessage", {"id": 41}, ("datasubjectmessage", 41, True)),
        ("DataSubjectSomethingNew", {"id": 41}, ("DataSubjectSomethingNew", 41, True)),
        (4, {"id": 41}, ("4", 41, True)),
        ("4", {"id": 41}, ("4", 41, True)),
        (4, None, ("4", None, False)),
        ("TaskCreation", {"id": 41}, ("TaskCreation", None, False)),
        ("not a type", {"id": 41}, ("unreadable", None, False)),
        ("x" * 60, {"id": 41}, ("unreadable", None, False)),
        (True, {"id": 41}, ("unreadable", None, False)),
        (10**9, {"id": 41}, ("unreadable", None, False)),
        (None, {"id": 41}, ("unreadable", None, False)),
        ({"name": "DataSubjectUpdate"}, {"id": 41}, ("unreadable", None, False)),
    ],
)
def test_types_are_names_or_numbers_and_only_those_of_requests_name_one(
    event_type: object, data: object, expected: tuple[str, int | None, bool]
) -> None:
    found = event(eventType=event_type, data=data)
    assert (found.event_type, found.upstream_id, found.is_known) == expected


@pytest.mark.parametrize("date", [None, 5, "soon", "0001-01-01T00:00:00", "9999-12-31T00:00:00", {}])
def test_a_date_that_is_none_is_left_out(date: object) -> None:
    assert event(date=date, data={"id": 41}) == Event(event_type="DataSubjectUpdate", upstream_id=41, is_known=True)


def test_a_byte_order_mark_and_other_cases_of_the_names_do_no_harm() -> None:
    body = b'\xef\xbb\xbf{"EventType": "DataSubjectUpdate", "DATA": {"id": 41}}'
    assert read_event(body).upstream_id == 41


@pytest.mark.parametrize("body", [b"", b"{}", "é".encode(), b"\xff" * 70_000])
def test_our_signature_is_the_one_that_the_other_side_makes(body: bytes) -> None:
    key = "0f8fad5b-d9cb-469f-a165-70867728950e"
    digest = digest_of(body, key=f" {key}\n")
    assert is_signed(digest, signature=witness.signature_of(body, key=key))
    assert is_signed(digest, signature=f" {witness.signature_of(body, key=key)} ")
    assert not is_signed(digest, signature=witness.signature_of(body, key=key.upper()))
    assert not is_signed(digest, signature=digest.hex())
