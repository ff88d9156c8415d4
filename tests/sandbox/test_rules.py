"""The list parameter `filters`: rules and nested groups, judged over HTTP against the rows of the store."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from dsrportal.sandbox import Server
from tests.sandbox.calling import LIST, Api

Row = dict[str, Any]


def rule(field: str, operator: str, value: Any = None) -> dict[str, Any]:
    return {"field": field, "operator": operator, "value": value}


CASES: list[tuple[dict[str, Any], Callable[[Row], object]]] = [
    (rule("State", "notEqual", "Closed"), lambda row: row["state"] != "Closed"),
    (rule("state", "equal", "open"), lambda row: row["state"] == "Open"),
    (rule("state", "equal", 4), lambda row: row["state"] == "Closed"),
    ({"field": "complex", "value": True}, lambda row: row["complex"]),
    (rule("STATE", "in", ["Open", "Active"]), lambda row: row["state"] in {"Open", "Active"}),
    (rule("state", "notIn", ["Open", "Active"]), lambda row: row["state"] not in {"Open", "Active"}),
    (rule("operatorId", "isNull"), lambda row: row["operatorId"] is None),
    (rule("expiryTime", "isNotNull"), lambda row: row["expiryTime"] is not None),
    (
        rule("Operator.FamilyName", "equal", "Rivoire"),
        lambda row: (row["operator"] or {}).get("familyName") == "Rivoire",
    ),
    (rule("Tags.Id", "equal", 301), lambda row: 301 in [tag["id"] for tag in row["tags"]]),
    (rule("Tags.Id", "notEqual", 301), lambda row: 301 not in [tag["id"] for tag in row["tags"]]),
    (
        rule("Tags.Label", "in", ["Presse", "Mineur"]),
        lambda row: {"Presse", "Mineur"} & {t["label"] for t in row["tags"]},
    ),
    (rule("tags", "isEmpty"), lambda row: not row["tags"]),
    (rule("tags", "isNotEmpty"), lambda row: bool(row["tags"])),
    (rule("purposes", "equal", "Erasure"), lambda row: "Erasure" in row["purposes"]),
    (rule("purposes", "includeAll", ["Access", "Erasure"]), lambda row: {"Access", "Erasure"} <= set(row["purposes"])),
    (
        rule("purposes", "excludeAll", ["Access", "Erasure"]),
        lambda row: not {"Access", "Erasure"} & set(row["purposes"]),
    ),
    (rule("nbMessages", "greaterThan", 1), lambda row: row["nbMessages"] > 1),
    (rule("nbMessages", "greaterThanInclusive", 1), lambda row: row["nbMessages"] >= 1),
    (rule("nbMessages", "lessThan", 2), lambda row: row["nbMessages"] < 2),
    (rule("nbMessages", "lessThanInclusive", 2), lambda row: row["nbMessages"] <= 2),
    (rule("title", "contains", "MORVAN"), lambda row: "morvan" in row["title"].lower()),
    (rule("title", "doesNotContains", "Morvan"), lambda row: "morvan" not in row["title"].lower()),
    (rule("dateDemand", "lessThan", "2026-02-01"), lambda row: row["dateDemand"] < "2026-02-01"),
    (rule("dateDemand", "greaterThan", "2026-03-01T08:00:00Z"), lambda row: row["dateDemand"] > "2026-03-01T08:00:00"),
    (
        rule("dateDemand", "greaterThan", '"-4.10:00:00"'),
        lambda row: row["dateDemand"] > "2026-03-05T23:30:00",
    ),
    (rule("customFields.newsletter", "equal", True), lambda row: row["customFields"].get("newsletter") is True),
    (
        {"separator": "Or", "rules": [rule("complex", "equal", True), rule("state", "equal", "Active")]},
        lambda row: row["complex"] or row["state"] == "Active",
    ),
    (
        {"rules": [rule("complex", "equal", False), {"separator": "or", "rules": [rule("state", "equal", "Open")]}]},
        lambda row: not row["complex"] and row["state"] == "Open",
    ),
]


@pytest.mark.parametrize(("asked", "keep"), CASES, ids=[json.dumps(case)[:60] for case, _ in CASES])
def test_a_rule_answers_just_the_rows_that_it_means(
    *, medium: Server, asked: dict[str, Any], keep: Callable[[Row], object]
) -> None:
    expected = {row["id"] for row in medium.state[101].all() if not row["archived"] and keep(row)}
    assert expected, "the data set should have such rows"
    assert set(Api(medium).ids(filters=json.dumps(asked))) == expected


def test_one_day_means_all_instants_of_it(reader: Api, large: Server) -> None:
    day = reader.rows(size=1)[0]["dateDemand"][:10]
    expected = {row["id"] for row in large.state[101].all() if not row["archived"] and row["dateDemand"][:10] == day}
    assert set(reader.ids(filters=json.dumps(rule("dateDemand", "equal", day)))) == expected


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"field":"nonsense","operator":"equal","value":1}',
        '{"field":"state","operator":"resembles","value":1}',
        '{"field":"dateDemand","operator":"lessThan","value":"yesterday"}',
        '{"field":"nbMessages","operator":"lessThan","value":"few"}',
        '{"separator":"xor","rules":[]}',
        '{"rules":[' * 60 + "{}" + "]}" * 60,
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(*, reader: Api, text: str) -> None:
    assert reader.call("GET", LIST, query={"filters": text}).status == 400
