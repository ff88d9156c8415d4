"""Dastra's REST API as Python: one method an endpoint, payloads typed by `schema.py`, errors from `errors.py`.

Made by whoever holds a workspace's credential (the mirror, the actions). Holds no rows and writes no database. Every
method may raise any DastraError; a docstring names only those with a meaning of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self, Unpack

from . import filters as request_filters
from . import reading
from .auth import Auth
from .correspondence import Correspondence
from .errors import AnswerTooLarge, ConfigurationError, Forbidden, MalformedAnswer, NotFound, Rejected, UnexpectedStatus
from .filters import RequestFilters
from .pacing import Pacer
from .paging import LARGEST_PAGE, SMALL_PAGE, Identified, rows_of, walk, without
from .row import Row
from .schema import Area, DataSubjectRequest, Me, Operator, Page, Tag, WorkflowStep, WorkspaceInfo
from .transport import Transport

# The steps of requests are filed under this type since 2023, under the second before.
_STEP_TYPES = ("DataSubjectRequest", "DataSubject")
_LARGEST_ID = 2**63 - 1


class DastraClient:
    """One workspace of Dastra, through one credential. A context manager; `close()` drops the connections.

    `allowed_hosts` are host or host:port, exactly as the operator lists them. `interactive` calls (a person waits) are
    served before bulk ones and give up sooner; `insist` tries a connection out even while the breaker is open. `call_count`
    counts the HTTP calls made, retries and tokens included. `correspondence` has the messages and files.
    Safe to share between threads; after a fork the child makes its own connections.
    """

    def __init__(
        self,
        *,
        base_url: str,
        workspace_id: int | str,
        auth: Auth,
        allowed_hosts: Iterable[str],
        pacer: Pacer,
        timeout_seconds: float = 10.0,
        interactive: bool = False,
        insist: bool = False,
    ) -> None:
        self._workspace = f"/v1/ws/{_digits(workspace_id, what='workspace id')}"
        self._requests = f"{self._workspace}/DataSubjectRequests"
        self._transport = Transport(
            base_url=base_url,
            auth=auth,
            allowed_hosts=allowed_hosts,
            pacer=pacer,
            timeout_seconds=timeout_seconds,
            interactive=interactive,
            insist=insist,
        )
        self.correspondence = Correspondence(self._transport, workspace=self._workspace)

    @property
    def call_count(self) -> int:
        return self._transport.call_count

    def close(self) -> None:
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def list_requests(
        self, *, size: int = LARGEST_PAGE, **filters: Unpack[RequestFilters]
    ) -> Iterator[DataSubjectRequest]:
        """Every request that matches, page by page as needed. Rows that cannot be read are left out.

        Source: GET /v1/ws/{id}/DataSubjectRequests.
        """
        for page in self.iter_request_pages(size=size, **filters):
            yield from page.items

    def iter_request_pages(
        self, *, page: int = 1, size: int = LARGEST_PAGE, **filters: Unpack[RequestFilters]
    ) -> Iterator[Page[DataSubjectRequest]]:
        """The same list as pages, from page `page` (1-based) to the end, each with its rejected rows and the server's total.

        A list that ends normally was complete as far as the server's paging goes; IncompleteList is raised otherwise.
        Pages already handed out stay valid. Where an answer is too large, the list is read anew in pages of 50, once.
        Source: GET /v1/ws/{id}/DataSubjectRequests.
        """
        for query in request_filters.queries(filters):
            yield from self._pages(self._requests, query=query, read=reading.data_subject_request, page=page, size=size)

    def get_request(self, upstream_id: int) -> DataSubjectRequest:
        """Raises NotFound for 404 and 410. Source: GET /v1/ws/{id}/DataSubjectRequests/{id}."""
        path = f"{self._requests}/{_digits(upstream_id, what='request id')}"
        dsr = reading.one(self._transport.get(path), read=reading.data_subject_request)
        if dsr.upstream_id != int(upstream_id):
            raise MalformedAnswer("Dastra answered with another request than the one asked for.")
        return dsr

    # Requests, writing: nothing here is ever sent twice, and what was written is learnt by reading back.

    def create_request(self, fields: Mapping[str, Any]) -> DataSubjectRequest:
        """Creates a request from Dastra's own field names; `title, locale, areaId, purposes` are required there.

        The answer is the flat object: without area, operator, tags and attachments (see `missing`).
        Source: POST /v1/ws/{id}/DataSubjectRequests.
        """
        answer = self._transport.write("POST", self._requests, payload=fields)
        try:
            return reading.one(answer, read=reading.data_subject_request)
        except MalformedAnswer as error:
            error.outcome_unknown = True
            raise

    def update_request(self, upstream_id: int, whole: Mapping[str, Any]) -> None:
        """Replaces the whole object. `whole` is `raw` of a fresh `get_request`, with the changes in it.

        Prefer `patch_request`: a PUT overwrites what others changed since the read.
        Source: PUT /v1/ws/{id}/DataSubjectRequests/{id}.
        """
        self._transport.write("PUT", f"{self._requests}/{_digits(upstream_id, what='request id')}", payload=whole)

    def patch_request(self, upstream_id: int, operations: Sequence[Mapping[str, Any]]) -> None:
        """Applies JSON Patch operations, e.g. `[{"op": "replace", "path": "/complex", "value": True}]`.

        Source: PATCH /v1/ws/{id}/DataSubjectRequests/{id}.
        """
        self._transport.write(
            "PATCH",
            f"{self._requests}/{_digits(upstream_id, what='request id')}",
            payload=list(operations),
            content_type="application/json-patch+json",
        )

    def delete_request(self, upstream_id: int) -> None:
        """Deletes for ever; `archive_request` is the way back. Source: DELETE /v1/ws/{id}/DataSubjectRequests/{id}."""
        self._transport.write("DELETE", f"{self._requests}/{_digits(upstream_id, what='request id')}")

    def change_step(self, upstream_id: int, step_upstream_id: int) -> None:
        """Moves a request to a workflow step; its state follows. Source: POST /v1/ws/{id}/DataSubjectRequests/workflow."""
        body = {
            "id": int(_digits(upstream_id, what="request id")),
            "stepId": int(_digits(step_upstream_id, what="step id")),
        }
        self._transport.write("POST", f"{self._requests}/workflow", payload=body)

    def archive_request(self, upstream_id: int) -> None:
        """Puts it in Dastra's recycle bin. Source: POST /v1/ws/{id}/DataSubjectRequests/archive/{id}."""
        self._transport.write("POST", f"{self._requests}/archive/{_digits(upstream_id, what='request id')}")

    def restore_request(self, upstream_id: int) -> None:
        """Takes it out of the recycle bin. Source: POST /v1/ws/{id}/DataSubjectRequests/restore/{id}."""
        self._transport.write("POST", f"{self._requests}/restore/{_digits(upstream_id, what='request id')}")

    def close_request(
        self,
        upstream_id: int,
        *,
        closed_reason: str,
        closed_at: datetime,
        closed_reason_description: str = "",
        resolution_message: str = "",
        send_notification: bool = False,
    ) -> None:
        """Closes with a reason. `send_notification=True` makes Dastra write to the data subject.

        The body of this endpoint is not documented; these are the names that the object itself uses.
        Source: POST /v1/ws/{id}/DataSubjectRequests/{id}/close.
        """
        if closed_at.tzinfo is None:
            raise ConfigurationError("The closing date needs a time zone.")
        body = {
            "closedReason": closed_reason,
            "closedReasonDescription": closed_reason_description or None,
            "resolutionMessage": resolution_message or None,
            "dateClosed": closed_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            "sendNotification": send_notification,
        }
        path = f"{self._requests}/{_digits(upstream_id, what='request id')}/close"
        self._transport.write("POST", path, payload=body)

    # Neighbours. Rows of theirs that cannot be read are left out.

    def list_steps(self) -> tuple[WorkflowStep, ...]:
        """The workflow steps of requests, by position. NotFound where no source offers them: learn them from requests.

        Sources: GET /v1/ws/{id}/Workflows/DataSubjectRequest, …/Workflows/DataSubject, …/Workflows.
        """
        for suffix in (*(f"/{kind}" for kind in _STEP_TYPES), ""):
            try:
                answer = self._transport.get(f"{self._workspace}/Workflows{suffix}")
            except (NotFound, Forbidden):
                continue
            except (Rejected, UnexpectedStatus) as error:
                if error.status not in {400, 405}:
                    raise
                continue
            rows = rows_of(answer).rows
            if not suffix:
                rows = [row for row in rows if isinstance(row, dict) and row.get("type") in _STEP_TYPES]
            steps = reading.many(rows, read=reading.workflow_step).items
            if steps:
                return tuple(sorted(steps, key=lambda step: (step.position, step.upstream_id)))
        raise NotFound("Dastra does not offer the workflow steps to this credential.")

    def list_tags(self) -> Iterator[Tag]:
        """Tags of every type. Source: GET /v1/ws/{id}/Tags, a plain array."""
        yield from self._items(f"{self._workspace}/Tags", read=reading.tag)

    def list_users(self) -> Iterator[Operator]:
        """People of the workspace. Source: GET /v1/ws/{id}/Users, whose shape is not documented: array or pages."""
        yield from self._items(f"{self._workspace}/Users", read=reading.operator)

    def list_areas(self) -> Iterator[Area]:
        """Organisational units, flat. Source: GET /v1/ws/{id}/Areas."""
        yield from self._items(f"{self._workspace}/Areas", read=reading.area)

    def list_workspaces(self) -> Iterator[WorkspaceInfo]:
        """Workspaces that the credential reaches. Source: GET /v1/Workspaces, in either of its two shapes."""
        yield from self._items("/v1/Workspaces", read=reading.workspace)

    def me(self) -> Me:
        """Who the credential is. Source: GET /me (no /v1), whose shape is not documented."""
        return reading.me(self._transport.get("/me"))

    def rate_limiting_state(self) -> Mapping[str, Any]:
        """As Dastra words it; the shape is not documented. Source: GET /rate-limiting-state (no /v1)."""
        value = self._transport.get("/rate-limiting-state")
        return value if isinstance(value, dict) else {"value": value}

    def _items(self, path: str, *, read: Callable[[Row], Identified]) -> Iterator[Identified]:
        for page in self._pages(path, query=[], read=read):
            yield from page.items

    def _pages(
        self,
        path: str,
        *,
        query: list[tuple[str, str]],
        read: Callable[[Row], Identified],
        page: int = 1,
        size: int = LARGEST_PAGE,
    ) -> Iterator[Page[Identified]]:
        if page < 1 or not 1 <= size <= LARGEST_PAGE:
            raise ConfigurationError(f"A page counts from 1 and holds 1 to {LARGEST_PAGE} rows.")

        def pages(size: int, first: int) -> Iterator[Page[Identified]]:
            def fetch(number: int) -> object:
                return self._transport.get(path, query=[*query, ("page", str(number)), ("size", str(size))])

            return walk(fetch, read=read, first=first)

        given: set[int] = set()
        try:
            for found in pages(size, page):
                given.update(item.upstream_id for item in found.items)
                yield found
        except AnswerTooLarge:
            if size <= SMALL_PAGE:
                raise
            # From the start again, since only such a walk can be held against the server's count.
            for found in pages(SMALL_PAGE, (page - 1) * size // SMALL_PAGE + 1):
                yield without(found, ids=given)


def _digits(number: int | str, *, what: str) -> str:
    text = str(number).strip()
    if isinstance(number, bool) or not (text.isascii() and text.isdigit()) or not 0 < int(text[:20]) <= _LARGEST_ID:
        raise ConfigurationError(f"The {what} must be a positive whole number.")
    return str(int(text))
