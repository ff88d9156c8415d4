"""The sandbox's answers against Dastra's own OpenAPI file of 2022-08-31, collected only where that file is found.

Every way in which an answer differs from the file is in one table with its reason; a new one fails, and so does one that is gone.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError

from dsrportal.sandbox import Sandbox, Switches
from tests.sandbox.calling import NOW, Api
from tests.sandbox.openapi_file import openapi_path

_LATER = "came with the 2023 generation, which the published sample of a real request shows"
_NAMED_LATER = "the endpoint list of 2024 and the samples of 2023 name the type DataSubjectRequest"

_PAGED = "the documentation of the authentication shows the paged shape; the switch `workspaces_shape` gives the other"

# What differs -> why that is meant.
DEVIATIONS = {
    "format date-time": "real data carry no zone and up to seven digits; the file's examples are generated",
    "AreaDto adds permissions": _LATER,
    "DataSubjectRequestDto adds customFields": _LATER,
    "DataSubjectRequestDto adds dateDemand": _LATER,
    "DataSubjectRequestDto adds lastMessageDate": _LATER,
    "DataSubjectRequestDto adds messages": _LATER,
    "DataSubjectRequestDto adds nbMessagesIncoming": _LATER,
    "DataSubjectRequestDto adds subjectCategory": _LATER,
    "DataSubjectRequestDto adds subjectCategoryId": _LATER,
    "DataSubjectRequestLightDto adds customFields": _LATER,
    "DataSubjectRequestLightDto adds dateDemand": _LATER,
    "DataSubjectRequestLightDto adds lastMessageDate": _LATER,
    "DataSubjectRequestLightDto adds messages": _LATER,
    "DataSubjectRequestLightDto adds nbMessagesIncoming": _LATER,
    "DataSubjectRequestLightDto adds subjectCategory": _LATER,
    "DataSubjectRequestLightDto adds subjectCategoryId": _LATER,
    "WorkFlowStepDto adds authorizedRole": _LATER,
    "WorkFlowStepDto adds authorizedRoleId": _LATER,
    "WorkSpaceListDto adds items": _PAGED,
    "WorkSpaceListDto adds total": _PAGED,
    "enum of type": _NAMED_LATER,
}


def _document() -> Any:
    path = openapi_path()
    assert path
    return json.loads(path.read_text(encoding="utf-8-sig"))


def _as_json_schema(node: Any) -> Any:
    """The file's schemas as JSON Schema: `nullable` becomes a type; a reference to an object may be null, as .NET serves it."""
    if isinstance(node, list):
        return [_as_json_schema(one) for one in node]
    if not isinstance(node, dict):
        return node
    made = {name: _as_json_schema(value) for name, value in node.items()}
    if made.pop("nullable", False) and isinstance(made.get("type"), str):
        made["type"] = [made["type"], "null"]
    return made


def _with_null_objects(schemas: Any) -> Any:
    for schema in schemas.values():
        for name, part in schema.get("properties", {}).items():
            target = schemas.get(str(part.get("$ref", "")).rpartition("/")[2]) if isinstance(part, dict) else None
            if target is not None and target.get("type") == "object":
                schema["properties"][name] = {"anyOf": [part, {"type": "null"}]}
    return schemas


_FORMATS = FormatChecker(formats=())


@_FORMATS.checks("date-time")
def _has_a_zone(value: object) -> bool:
    return not isinstance(value, str) or re.search(r"(Z|[+-]\d\d:\d\d)$", value) is not None


class Contract:
    """The file, ready to judge answers."""

    def __init__(self) -> None:
        self.document = _document()
        self.paths = {path.lower(): operations for path, operations in self.document["paths"].items()}
        self.schemas = _with_null_objects(_as_json_schema(self.document["components"]["schemas"]))

    def operation(self, method: str, path: str) -> Any:
        """The operation of the file, its path in any case."""
        return self.paths[path.lower()][method.lower()]

    def differences(self, value: Any, *, method: str, path: str) -> set[str]:
        """In which ways the answer is not what the file says."""
        answers = self.operation(method, path)["responses"]["200"].get("content", {})
        schema = answers.get("application/json", {}).get("schema")
        if schema is None:
            return set()
        whole = {**_as_json_schema(schema), "components": {"schemas": self.schemas}}
        validator = Draft202012Validator(whole, format_checker=_FORMATS)
        return {text for error in validator.iter_errors(value) for text in self._described(error)}

    def _described(self, error: ValidationError) -> Iterator[str]:
        if error.context:
            for one in error.context:
                if not (one.validator == "type" and one.validator_value == "null"):
                    yield from self._described(one)
            return
        if error.validator == "format":
            yield f"format {error.validator_value}"
            return
        if error.validator == "additionalProperties" and isinstance(error.instance, dict):
            owner = next(name for name, schema in self.schemas.items() if schema == error.schema)
            known = self.schemas[owner]["properties"]
            yield from (f"{owner} adds {name}" for name in error.instance if name not in known)
            return
        yield f"{error.validator} of {error.absolute_path[-1] if error.absolute_path else 'the answer'}"


@pytest.fixture(scope="module")
def contract() -> Contract:
    return Contract()


_WS = "/v1/ws/{workspaceId}"
_GETS = (
    f"{_WS}/DataSubjectRequests",
    f"{_WS}/DataSubjectRequests/{{id}}",
    f"{_WS}/DataSubjectRequests/stats",
    f"{_WS}/DataSubjectRequests/dashboard",
    f"{_WS}/DataSubjectMessages",
    f"{_WS}/Areas",
    f"{_WS}/Areas/hierarchy",
    f"{_WS}/Tags",
    "/v1/TenantUsers",
    "/v1/WorkSpaces",
    "/v1/WorkSpaces/{id}",
    "/me",
    "/status",
    "/rate-limiting-state",
)


def _address(path: str, *, dsr_id: int) -> str:
    own = "101" if path.lower() == "/v1/workspaces/{id}" else str(dsr_id)
    return path.replace("{workspaceId}", "101").replace("{id}", own)


def _differences(contract: Contract, *, switches: Switches) -> set[str]:
    """All differences of all endpoints that the file knows, under these switches."""
    found: set[str] = set()
    with Sandbox(requests=120, seed=3, now=NOW, settings=switches).serve() as server:
        api = Api(server)
        dsr_id = next(row["id"] for row in api.rows() if row["operatorId"] and row["attachments"])
        for path in _GETS:
            found |= contract.differences(api.get(_address(path, dsr_id=dsr_id)), method="get", path=path)
        body = {"title": "By post", "locale": "fr", "areaId": 12, "purposes": ["Access"]}
        list_path = f"{_WS}/DataSubjectRequests"
        created = api.call("POST", "/v1/ws/101/DataSubjectRequests", body=body).json
        found |= contract.differences(created, method="post", path=list_path)
        one = f"/v1/ws/101/DataSubjectRequests/{dsr_id}"
        written = api.call("PUT", one, body=api.get(one)).json
        found |= contract.differences(written, method="put", path=f"{list_path}/{{id}}")
    return found


def test_answers_differ_from_the_file_only_as_the_table_says(contract: Contract) -> None:
    older = _differences(contract, switches=Switches(generation=2022, workspaces_shape="plan"))
    newer = _differences(contract, switches=Switches())
    assert older | newer == set(DEVIATIONS)
    assert older <= {"format date-time", "AreaDto adds permissions"}


_SAMPLES = {"boolean": "true", "integer": "1", "string": "x"}


@pytest.mark.parametrize("path", [path for path in _GETS if "{id}" not in path])
def test_every_query_parameter_of_the_file_is_accepted(contract: Contract, path: str) -> None:
    named = {"asc": "true", "sortBy": "id", "filters": '{"rules":[]}', "states": "Open", "purposes": "Access"}
    with Sandbox(requests=5, now=NOW).serve() as server:
        api = Api(server)
        for parameter in contract.operation("get", path).get("parameters", []):
            if parameter["in"] != "query":
                continue
            schema = parameter["schema"]
            sample = "2026-01-01T00:00:00Z" if schema.get("format") == "date-time" else None
            value = named.get(parameter["name"]) or sample or _SAMPLES.get(schema.get("type"), "1")
            seen = api.call("GET", _address(path, dsr_id=5001), query={parameter["name"]: value})
            assert seen.status == 200, (parameter["name"], seen.body)


def test_every_verb_that_the_file_knows_for_a_request_is_answered(contract: Contract) -> None:
    with Sandbox(requests=5, now=NOW).serve() as server:
        api = Api(server)
        for path in (f"{_WS}/DataSubjectRequests", f"{_WS}/DataSubjectRequests/{{id}}"):
            for method in contract.paths[path.lower()]:
                assert api.call(method.upper(), _address(path, dsr_id=5001), body={}).status in {200, 400}
