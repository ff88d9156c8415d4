"""Calls to a sandbox with the standard library alone, so that no mistake of the API client can hide one of the sandbox."""

import http.client
import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message
from typing import Any
from urllib.parse import urlencode

from dsrportal.sandbox import Server

NOW = datetime(2026, 3, 10, 9, 30, tzinfo=UTC)
LIST = "/v1/ws/101/DataSubjectRequests"


@dataclass(frozen=True)
class Seen:
    """What came back."""

    status: int
    body: bytes
    headers: Message

    @property
    def json(self) -> Any:
        """The decoded body."""
        return json.loads(self.body)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirect, urllib.request.ProxyHandler({}))


class Api:
    """One client of one sandbox, with one key."""

    def __init__(self, server: Server, *, key: str | None = None) -> None:
        self.server = server
        self.headers = {"X-API-Key": server.api_key if key is None else key}

    def call(self, method: str, path: str, *, body: Any = None, query: Any = (), headers: Any = None) -> Seen:
        """One call; `query` is a mapping or pairs. Errors of HTTP are answers, errors of the wire are raised."""
        address = f"{self.server.base_url}{path}" + (f"?{urlencode(query, doseq=True)}" if query else "")
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(
            address, data=data, method=method, headers=self.headers if headers is None else headers
        )
        try:
            with _OPENER.open(request, timeout=60) as answer:
                return Seen(answer.status, answer.read(), answer.headers)
        except urllib.error.HTTPError as error:
            with error:
                return Seen(error.code, error.read(), error.headers)

    def get(self, path: str, **query: Any) -> Any:
        """The decoded body of a GET that must succeed."""
        seen = self.call("GET", path, query=query)
        assert seen.status == 200, seen.body
        return seen.json

    def rows(self, **query: Any) -> list[Any]:
        """All rows of one large page of the first workspace's list."""
        items: list[Any] = self.get(LIST, **({"size": 500} | query))["items"]
        return items

    def ids(self, **query: Any) -> list[int]:
        """Their ids, in order."""
        return [row["id"] for row in self.rows(**query)]

    def control(self, method: str, path: str, body: Any = None) -> Seen:
        """A call to the control door."""
        return self.call(
            method, f"/__sandbox__/{path}", body=body, headers={"X-Sandbox-Token": self.server.control_token}
        )


def connection(server: Server) -> http.client.HTTPConnection:
    """A keep-alive connection."""
    return http.client.HTTPConnection(server.host_port, timeout=60)
