"""`/__sandbox__/…`: how other processes program faults, read the journal and the state, and act as someone in Dastra's screens.

Called by server.py before any key, limit or fault is looked at; guarded by the sandbox's own token in `X-Sandbox-Token`. Neither
journalled nor limited.
"""

import json
import secrets
from collections.abc import Callable
from typing import Any

from dsrportal.sandbox.calls import Answer, Refusal, refusal_answer
from dsrportal.sandbox.faults import Fault, Faults
from dsrportal.sandbox.journal import Journal
from dsrportal.sandbox.store import State, Workspace
from dsrportal.sandbox.values import Json
from dsrportal.sandbox.wire import Request

PREFIX = "/__sandbox__/"


class Control:
    """The control door of one sandbox. `violations` answers what the judge found, as JSON."""

    def __init__(
        self, *, token: str, state: State, journal: Journal, faults: Faults, violations: Callable[[], list[Json]]
    ) -> None:
        self._token = token
        self._state = state
        self._journal = journal
        self._faults = faults
        self._violations = violations

    def answer(self, request: Request) -> Answer:
        """GET journal, violations, state/{ws}, faults; POST faults (one or a list), act; DELETE faults, journal."""
        try:
            given = request.headers.get("x-sandbox-token", "")
            if not secrets.compare_digest(given.encode(), self._token.encode()):
                raise Refusal(401, "X-Sandbox-Token is missing or wrong.")
            return self._routed(request)
        except Refusal as refusal:
            return refusal_answer(refusal, style="problem")
        except (ValueError, KeyError, TypeError) as error:
            return refusal_answer(Refusal(400, f"{type(error).__name__}: {error}"), style="problem")

    def _routed(self, request: Request) -> Answer:
        name = request.path.removeprefix(PREFIX).rstrip("/")
        match request.method, name.split("/"):
            case "GET", ["journal"]:
                return Answer.json([entry.as_json() for entry in self._journal.entries])
            case "DELETE", ["journal"]:
                self._journal.clear()
                return Answer.json({"cleared": True})
            case "GET", ["violations"]:
                return Answer.json(self._violations())
            case "GET", ["state", workspace_id]:
                return Answer.json(self._state_of(self._workspace(workspace_id)))
            case "GET", ["faults"]:
                return Answer.json(
                    {"pending": [fault.kind for fault in self._faults.pending()], "rate": self._faults.rate}
                )
            case "POST", ["faults"]:
                asked = json.loads(request.body)
                faults = [Fault.of_json(one) for one in (asked if isinstance(asked, list) else [asked])]
                self._faults.add(*faults)
                return Answer.json({"pending": len(self._faults.pending())})
            case "DELETE", ["faults"]:
                self._faults.clear()
                return Answer.json({"pending": 0})
            case "POST", ["act"]:
                return Answer.json(self._act(json.loads(request.body)))
        raise Refusal(404, "Not Found")

    def _workspace(self, workspace_id: Any) -> Workspace:
        workspace = self._state.workspaces.get(int(workspace_id))
        if workspace is None:
            raise Refusal(404, "Not Found")
        return workspace

    def _state_of(self, workspace: Workspace) -> Json:
        with self._state.lock:
            return {
                "id": workspace.id,
                "label": workspace.label,
                "steps": workspace.ordered_steps(),
                "areas": list(workspace.areas.values()),
                "tags": list(workspace.tags.values()),
                "users": list(workspace.users.values()),
                "requests": workspace.all(),
            }

    def _act(self, asked: Json) -> Json:
        """`{"workspace": 101, "act": "move", "id": 5001, "step": 22291}`; also edit (`fields`), archive, restore, anonymise,
        delete, read_messages, write (`text`), add_step (`label`, `mapped_state`), delete_step (`step`)."""
        workspace, act = self._workspace(asked["workspace"]), asked["act"]
        if act == "add_step":
            return workspace.add_step(
                asked["label"], mapped_state=asked["mapped_state"], item_limit=asked.get("item_limit")
            )
        if act == "delete_step":
            workspace.delete_step(asked["step"])
            return {"deleted": True}
        dsr_id = asked["id"]
        if act == "delete":
            workspace.delete(dsr_id)
            return {"deleted": True}
        if act == "edit":
            return workspace.edit(dsr_id, **asked["fields"])
        if act == "move":
            return workspace.move(dsr_id, asked["step"])
        simple = {"archive": workspace.archive, "restore": workspace.restore, "anonymise": workspace.anonymise}
        if act not in simple:
            raise ValueError("unknown act")
        return simple[act](dsr_id)
