"""One HTTP call as the endpoints see it, one answer as they give it, and the table of routes.

Used by the endpoint modules and by the server, which turns a RefusalError into a body of the switched style. Knows no socket.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

from dsrportal.sandbox.switches import Switches
from dsrportal.sandbox.values import normalised, to_json

if TYPE_CHECKING:
    from dsrportal.sandbox.keys import Key
    from dsrportal.sandbox.store import State, Workspace

MAX_INT32 = 2**31 - 1


class RefusalError(Exception):
    """An answer of 4xx. `title` is what the body says, where the switched style has a body."""

    def __init__(self, status: int, title: str, *, errors: dict[str, list[str]] | None = None) -> None:
        super().__init__(title)
        self.status = status
        self.title = title
        self.errors = errors


@dataclass(slots=True)
class Answer:
    """Status, body and headers; `Content-Length` and `Connection` are added when it is sent."""

    status: int = 200
    body: bytes = b""
    headers: list[tuple[str, str]] = field(default_factory=list)

    @classmethod
    def json(cls, value: Any, *, status: int = 200) -> "Answer":
        """`value` as JSON in UTF-8."""
        return cls.encoded(to_json(value), status=status)

    @classmethod
    def encoded(cls, body: bytes, *, status: int = 200) -> "Answer":
        """A body that already is JSON."""
        return cls(status=status, body=body, headers=[("Content-Type", "application/json; charset=utf-8")])


def refusal_answer(refusal: RefusalError, *, style: str) -> Answer:
    """The refusal in the switched style: `problem`, `empty` or `html`."""
    if style == "empty":
        return Answer(status=refusal.status)
    if style == "html":
        page = f"<!DOCTYPE html><html><head><title>Error</title></head><body><h1>{refusal.status}</h1></body></html>"
        return Answer(status=refusal.status, body=page.encode(), headers=[("Content-Type", "text/html; charset=utf-8")])
    problem: dict[str, Any] = {
        "type": f"https://httpstatuses.io/{refusal.status}",
        "title": refusal.title,
        "status": refusal.status,
    }
    if refusal.errors:
        problem["errors"] = refusal.errors
    body = to_json(problem)
    return Answer(
        status=refusal.status, body=body, headers=[("Content-Type", "application/problem+json; charset=utf-8")]
    )


class Query:
    """The query string as ASP.NET Core binds it: names in any case, arrays by repeated key or `name[0]`."""

    def __init__(self, text: str) -> None:
        self.pairs = parse_qsl(text, keep_blank_values=True)
        self._values: dict[str, list[str]] = {}
        for name, value in self.pairs:
            self._values.setdefault(re.sub(r"\[\d*\]$", "", name).lower(), []).append(value)

    def text(self, name: str) -> str | None:
        """The first value, or None where it is absent or empty."""
        values = self._values.get(name.lower())
        return values[0] if values and values[0] != "" else None

    def texts(self, name: str) -> list[str]:
        """Every value that is not empty."""
        return [value for value in self._values.get(name.lower(), []) if value != ""]

    def number(self, name: str, default: int | None = None) -> int | None:
        """An int32. Raises RefusalError (400)."""
        value = self.text(name)
        return default if value is None else _int32(value, name=name)

    def numbers(self, name: str) -> list[int]:
        """Several int32. Raises RefusalError (400); a list with commas does not bind, as in ASP.NET Core."""
        return [_int32(value, name=name) for value in self.texts(name)]

    def flag(self, name: str) -> bool | None:
        """`true` or `false` in any case. Raises RefusalError (400)."""
        value = self.text(name)
        if value is None:
            return None
        if value.lower() not in {"true", "false"}:
            raise invalid_value(value, name=name)
        return value.lower() == "true"

    def instant(self, name: str) -> str | None:
        """A date or an instant, as the store keeps it. Raises RefusalError (400)."""
        value = self.text(name)
        try:
            return None if value is None else normalised(value)
        except ValueError:
            raise invalid_value(str(value), name=name) from None

    def words(self, name: str, *, known: tuple[str, ...]) -> list[str]:
        """Enum values by name in any case, or by number. Raises RefusalError (400)."""
        return [word_of(value, known=known, name=name) for value in self.texts(name)]


def word_of(value: Any, *, known: tuple[str, ...], name: str) -> str:
    """The enum value that is meant, in its own spelling. Raises RefusalError (400)."""
    by_name = {word.lower(): word for word in known}
    text = str(value)
    if text.lower() in by_name:
        return by_name[text.lower()]
    if text.isascii() and text.isdigit() and int(text) < len(known):
        return known[int(text)]
    raise invalid_value(text, name=name)


def _int32(value: str, *, name: str) -> int:
    if not re.fullmatch(r"\s*-?[0-9]{1,10}\s*", value) or abs(int(value)) > MAX_INT32:
        raise invalid_value(value, name=name)
    return int(value)


def invalid_value(value: str, *, name: str) -> RefusalError:
    """The 400 for a value that does not bind."""
    return RefusalError(
        400,
        "One or more validation errors occurred.",
        errors={name: [f"The value '{value[:40]}' is not valid."]},
    )


@dataclass(slots=True, kw_only=True)
class Call:
    """One authenticated call. `numbers` and `words` are the path's parameters; `workspace` is set under `/v1/ws/`."""

    method: str
    path: str
    query: Query
    body: bytes
    state: "State"
    key: "Key"
    settings: Switches
    words: dict[str, str] = field(default_factory=dict)
    limits_state: Callable[[], list[dict[str, Any]]] = list

    @property
    def workspace(self) -> "Workspace":
        """The workspace of the path. Raises RefusalError: 403 out of the key's reach, 404 unknown to a key that reaches all."""
        text = self.words["ws"]
        workspace_id = int(text) if re.fullmatch(r"[0-9]{1,9}", text) else -1
        if not self.key.reaches(workspace_id):
            raise RefusalError(403, "Forbidden")
        workspace = self.state.workspaces.get(workspace_id)
        if workspace is None:
            raise RefusalError(404, "Not Found")
        return workspace

    def number(self, name: str) -> int:
        """A path parameter that must be an int32. Raises RefusalError (400)."""
        return _int32(self.words[name], name=name)

    def json(self) -> Any:
        """The decoded body. Raises RefusalError: 400 where it is not JSON."""
        try:
            return json.loads(self.body.decode("utf-8-sig"))
        except (ValueError, RecursionError):
            raise RefusalError(400, "The input was not valid JSON.") from None

    def mapping(self) -> dict[str, Any]:
        """The decoded body, which must be an object. Raises RefusalError (400)."""
        value = self.json()
        if not isinstance(value, dict):
            raise RefusalError(400, "The JSON value could not be converted to the expected type.")
        return value


Endpoint = Callable[[Call], Answer]


class Routes:
    """Which endpoint answers which verb and path. Paths match in any case, as in ASP.NET Core."""

    def __init__(self) -> None:
        self._routes: list[tuple[str, re.Pattern[str], Endpoint]] = []

    def on(self, method: str, path: str) -> Callable[[Endpoint], Endpoint]:
        """Registers an endpoint; `{name}` in the path is one segment."""
        pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path), re.IGNORECASE)

        def register(endpoint: Endpoint) -> Endpoint:
            self._routes.append((method, pattern, endpoint))
            return endpoint

        return register

    def find(self, *, method: str, path: str) -> tuple[Endpoint, dict[str, str]]:
        """The endpoint and the path's parameters. Raises RefusalError: 404, or 405 where another verb would do."""
        other_verb = False
        for verb, pattern, endpoint in self._routes:
            found = pattern.fullmatch(path.rstrip("/") or "/")
            if found is None:
                continue
            if verb == method:
                return endpoint, {name: unquote(value) for name, value in found.groupdict().items()}
            other_verb = True
        raise RefusalError(405, "Method Not Allowed") if other_verb else RefusalError(404, "Not Found")
