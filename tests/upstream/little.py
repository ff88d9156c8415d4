"""A very small Dastra on a raw socket: three requests, two steps, and whatever a test wants it to answer instead."""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import Callable
from typing import Any

from tests.dastra.wire import Act, Asked, Wire, answer

Json = dict[str, Any]
MARK = "Zq"
"""Every text about a person begins with it and occurs nowhere else."""

STEPS: list[Json] = [
    {"id": 10, "label": "New", "order": 0, "type": "DataSubjectRequest", "mappedState": "Open", "color": "#1E8EE1"},
    {
        "id": 11,
        "label": "Doing",
        "order": 1,
        "type": "DataSubjectRequest",
        "mappedState": "Processing",
        "color": "#0a0",
    },
]


def request_row(upstream_id: int, **changes: Any) -> Json:
    """A request as the list and the single read show it."""
    return {
        "id": upstream_id,
        "demandId": f"REF{upstream_id}",
        "title": f"{MARK}title{upstream_id}",
        "givenName": f"{MARK}given{upstream_id}",
        "familyName": f"{MARK}family{upstream_id}",
        "email": f"{MARK.lower()}{upstream_id}@example.org",
        "message": f"{MARK}message{upstream_id}",
        "description": None,
        "state": "Open",
        "workFlowStepId": 10,
        "workFlowStep": STEPS[0],
        "archived": False,
        "complex": False,
        "purposes": ["Access"],
        "channel": "Internal",
        "area": {"id": 5, "label": "Example SA"},
        "areaId": 5,
        "operator": {"id": 31, "displayName": "Noor Example"},
        "operatorId": 31,
        "tags": [{"id": 7, "label": "Shop", "color": "#0a0"}],
        "dateDemand": "2026-01-05T09:12:44.1234567",
        "dateCreation": "2026-01-05T09:13:00.5",
        "dateUpdate": None,
        "expiryTime": "2026-02-04T09:12:44",
        "dateClosed": None,
        "customFields": {},
        **changes,
    }


class LittleDastra:
    """`on_list`, `on_one` and `on_write` are served in place of the honest answer while they are set.

    `raw` replaces the JSON text of a request, in the list and by id. `applies`: a write takes effect whatever is answered. Writes
    are noted in `written`.
    """

    def __init__(self, *, tls: ssl.SSLContext | None = None) -> None:
        self.rows = {upstream_id: request_row(upstream_id) for upstream_id in (1, 2, 3)}
        self.rows[3].update(workFlowStep=STEPS[1], workFlowStepId=11, state="Processing")
        self.raw: dict[int, str] = {}
        self.steps = STEPS
        self.wire = Wire(tls=tls).plays(self._act)
        self.honest()

    def honest(self) -> None:
        """No spoilt answers any more."""
        self.on_list: Act | None = None
        self.on_one: Act | None = None
        self.on_write: Act | None = None
        self.on_steps: Act | None = None
        self.envelope: Callable[[Json, Asked], Any] | None = None
        self.headers: tuple[str, ...] = ()
        self.applies = True
        self.lags = False
        self.raw.clear()

    @property
    def written(self) -> list[Asked]:
        return [asked for asked in self.wire.journal if asked.method != "GET"]

    @property
    def lists(self) -> list[Asked]:
        return [asked for asked in self.wire.journal if asked.path.endswith("/DataSubjectRequests")]

    def text_of(self, upstream_id: int) -> str:
        return self.raw.get(upstream_id) or json.dumps(self.rows[upstream_id])

    def chosen(self, asked: Asked) -> list[int]:
        """The ids that a list's filters let through, in order."""
        query: dict[str, list[str]] = {}
        for name, value in asked.query:
            query.setdefault(name, []).append(value)
        wants_archived = query.get("archived", ["false"])[0].lower() == "true"
        states, ids = query.get("states"), query.get("ids")
        return [
            upstream_id
            for upstream_id, row in sorted(self.rows.items())
            if bool(row.get("archived")) == wants_archived
            and (not states or row.get("state") in states)
            and (not ids or str(upstream_id) in ids)
        ]

    def _act(self, connection: Any, asked: Asked) -> None:
        act = self._choice(asked)
        if callable(act):
            act(connection, asked)
        else:
            connection.sendall(act)

    def _choice(self, asked: Asked) -> Act:
        single = re.search(r"/DataSubjectRequests/(\d+)$", asked.path)
        if asked.method != "GET":
            if self.applies:
                self._apply(asked)
            return self.on_write or answer()
        if asked.path.endswith("/DataSubjectRequests"):
            return self.on_list or self.list_answer(asked)
        if single:
            upstream_id = int(single[1])
            if self.on_one:
                return self.on_one
            return answer(self.text_of(upstream_id)) if upstream_id in self.rows else answer(status=404)
        if asked.path.endswith("/Workflows/DataSubjectRequest"):
            return self.on_steps or answer(self.steps)
        return answer(status=404)

    def list_answer(self, asked: Asked) -> bytes:
        """The honest page, or what `envelope` makes of it."""
        query = dict(asked.query)
        size, number = int(query["size"]), int(query["page"])
        ids = self.chosen(asked)
        shown = ids[(number - 1) * size : number * size]
        if self.envelope is None:
            texts = ", ".join(self.text_of(upstream_id) for upstream_id in shown)
            body = f'{{"items": [{texts}], "total": {len(ids)}, "size": {size}, "page": {number}}}'
            return answer(body, headers=self.headers)
        honest = {"items": [self.rows[i] for i in shown], "total": len(ids), "size": size, "page": number}
        changed = self.envelope(honest, asked)
        return changed if isinstance(changed, bytes) else answer(json.dumps(changed))

    def _apply(self, asked: Asked) -> None:
        if self.lags or not asked.path.endswith("/workflow"):
            return
        wanted = json.loads(asked.body)
        step = next(step for step in self.steps if step["id"] == wanted["stepId"])
        self.rows[wanted["id"]].update(workFlowStep=step, workFlowStepId=step["id"], state=step["mappedState"])
