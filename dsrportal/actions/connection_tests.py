"""Tries a connection to Dastra before anything is stored, and tells what its key can and cannot do.

Called by `actions.workspaces` alone. Reads one page of requests and asks the other endpoints once each; writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dsrportal.dastra.client import DastraClient
from dsrportal.dastra.errors import DastraError, Forbidden, NotFound, Unauthorized
from dsrportal.mirror.connections import connect_unsaved
from dsrportal.queries.sentences import in_words


@dataclass(frozen=True, kw_only=True, slots=True)
class Connection:
    """All that it takes to reach one workspace of Dastra. The secret never shows in a repr: use and drop."""

    base_url: str
    upstream_id: int
    auth_mode: str
    public_key: str
    token_url: str
    secret: str

    def __repr__(self) -> str:
        return f"Connection({self.base_url!r}, {self.upstream_id})"


@dataclass(frozen=True, kw_only=True, slots=True)
class Capability:
    """One thing that the key can or cannot do. `name` is a stable slug; `sentence` is for people."""

    name: str
    ok: bool
    sentence: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ConnectionReport:
    """What a tested connection can do: requests first, then the neighbours. `request_count` is Dastra's own figure."""

    request_count: int | None
    capabilities: tuple[Capability, ...]


class UnusableConnectionError(Exception):
    """The requests of the workspace could not be read. `sentence` says why; `code` is that of the DastraError."""

    def __init__(self, sentence: str, *, code: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.code = code


def try_connection(connection: Connection) -> ConnectionReport:
    """Read one page of requests, then try every other endpoint once. Raises `UnusableConnectionError`."""
    try:
        client = connect_unsaved(
            base_url=connection.base_url,
            upstream_id=connection.upstream_id,
            auth_mode=connection.auth_mode,
            public_key=connection.public_key,
            secret=connection.secret,
            token_url=connection.token_url,
        )
    except DastraError as error:
        raise UnusableConnectionError(in_words(error.sentence), code=error.code) from error
    with client:
        try:
            page = next(client.iter_request_pages(size=20), None)
        except DastraError as error:
            raise UnusableConnectionError(_sentence(error), code=error.code) from error
        total = page.total if page else None
        tries = (
            Capability(name="requests", ok=True, sentence=_requests_sentence(total)),
            _try("steps", lambda: _steps(client), without=_("Steps are learned from the requests instead.")),
            _try("tags", lambda: _tags(client), without=_("Tags are learned from the requests instead.")),
            _try("users", lambda: _users(client), without=_("Assignees are learned from the requests instead.")),
            _try("areas", lambda: _areas(client), without=_("Units are learned from the requests instead.")),
            _try("me", lambda: _me(client), without=_("The portal does not need it.")),
            _try("rate_limit", lambda: _rate_limit(client), without=_("The portal keeps count by itself.")),
            _try("workspaces", lambda: _workspaces(client, connection), without=_("The portal does not need it.")),
        )
    return ConnectionReport(request_count=total, capabilities=tries)


def _sentence(error: DastraError) -> str:
    if isinstance(error, Unauthorized):
        return _("Dastra does not accept this key.")
    if isinstance(error, Forbidden):
        return _("This key may not read the requests of this workspace.")
    if isinstance(error, NotFound):
        return _("Dastra has no workspace with this id, or this key cannot see it.")
    return in_words(error.sentence)


def _try(name: str, ask: Callable[[], str], *, without: str) -> Capability:
    try:
        return Capability(name=name, ok=True, sentence=ask())
    except (Forbidden, NotFound):
        problem = _LABELS[name]() + " " + without
    except DastraError as error:
        problem = _LABELS[name]() + " " + in_words(error.sentence)
    return Capability(name=name, ok=False, sentence=problem)


_LABELS: dict[str, Callable[[], str]] = {
    "steps": lambda: _("The list of workflow steps is not available to this key."),
    "tags": lambda: _("The list of tags is not available to this key."),
    "users": lambda: _("The list of users is not available to this key."),
    "areas": lambda: _("The list of units is not available to this key."),
    "me": lambda: _("Dastra does not tell whose key this is."),
    "rate_limit": lambda: _("Dastra does not tell how many calls are left."),
    "workspaces": lambda: _("Dastra does not tell which workspaces this key reaches."),
}


def _requests_sentence(total: int | None) -> str:
    if total is None:
        return _("Requests can be read.")
    return ngettext("%(n)d live request can be read.", "%(n)d live requests can be read.", total) % {"n": total}


def _steps(client: DastraClient) -> str:
    n = len(client.list_steps())
    return ngettext("%(n)d workflow step can be read.", "%(n)d workflow steps can be read.", n) % {"n": n}


def _tags(client: DastraClient) -> str:
    n = sum(1 for _tag in client.list_tags())
    return ngettext("%(n)d tag can be read.", "%(n)d tags can be read.", n) % {"n": n}


def _users(client: DastraClient) -> str:
    n = sum(1 for _user in client.list_users())
    return ngettext("%(n)d user can be read.", "%(n)d users can be read.", n) % {"n": n}


def _areas(client: DastraClient) -> str:
    n = sum(1 for _area in client.list_areas())
    return ngettext("%(n)d unit can be read.", "%(n)d units can be read.", n) % {"n": n}


def _me(client: DastraClient) -> str:
    client.me()
    return _("Dastra knows whose key this is.")


def _rate_limit(client: DastraClient) -> str:
    client.rate_limiting_state()
    return _("Dastra tells how many calls are left.")


def _workspaces(client: DastraClient, connection: Connection) -> str:
    others = sum(1 for found in client.list_workspaces() if found.upstream_id != connection.upstream_id)
    if not others:
        return _("The key reaches this workspace alone.")
    return ngettext(
        "The key also reaches %(n)d other workspace of the organisation. A key for this workspace alone is safer.",
        "The key also reaches %(n)d other workspaces of the organisation. A key for this workspace alone is safer.",
        others,
    ) % {"n": others}
