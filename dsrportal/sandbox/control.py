"""`/__sandbox__/…`: how other processes program faults, read the journal and the state, and act as someone in Dastra's screens.

Called by server.py before any key, limit or fault is looked at; guarded by the sandbox's own token in `X-Sandbox-Token`. Neither
journalled nor limited.
"""

import json
import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from dsrportal.sandbox.calls import Answer, RefusalError, refusal_answer
from dsrportal.sandbox.faults import Fault, Faults
from dsrportal.sandbox.journal import Journal
from dsrportal.sandbox.store import State, Workspace
from dsrportal.sandbox.values import Json
from dsrportal.sandbox.webhooks import Sender
from dsrportal.sandbox.wire import Request

PREFIX = "/__sandbox__/"


class Control:
    """The control door of one sandbox. `violations` answers what the judge found, as JSON."""

    def __init__(
        self,
        *,
        token: str,
        state: State,
        journal: Journal,
        faults: Faults,
        webhooks: Sender,
        violations: Callable[[], list[Json]],
    ) -> None:
        self._token = token
        self._state = state
        self._journal = journal
        self._faults = faults
        self._webhooks = webhooks
        self._doors: dict[tuple[str, str], Callable[[str, Any], Any]] = {
            ("GET", "journal"): self._read_journal,
            ("DELETE", "journal"): self._clear_journal,
            ("GET", "violations"): lambda *_: violations(),
            ("GET", "state"): self._state_of,
            ("GET", "faults"): self._read_faults,
            ("POST", "faults"): self._add_faults,
            ("DELETE", "faults"): self._clear_faults,
            ("POST", "act"): self._act,
            ("GET", "webhooks"): self._read_webhooks,
            ("POST", "webhooks"): self._steer_webhooks,
        }

    def answer(self, request: Request) -> Answer:
        """GET journal, violations, state/{ws}, faults, webhooks; POST faults (one or a list), act, webhooks; DELETE faults, journal."""
        given = request.headers.get("x-sandbox-token", "")
        if not secrets.compare_digest(given.encode(), self._token.encode()):
            return _problem(401, "X-Sandbox-Token is missing or wrong.")
        name, _, rest = request.path.removeprefix(PREFIX).rstrip("/").partition("/")
        answer = self._doors.get((request.method, name))
        if answer is None:
            return _problem(404, "Not Found")
        try:
            return Answer.json(answer(rest, json.loads(request.body or b"null")))
        except RefusalError as refusal:
            return refusal_answer(refusal, style="problem")
        except (ValueError, LookupError, TypeError, AttributeError, OSError) as error:
            return _problem(400, f"{type(error).__name__}: {error}")

    def _read_journal(self, *_: Any) -> list[Json]:
        return [entry.as_json() for entry in self._journal.entries]

    def _clear_journal(self, *_: Any) -> Json:
        self._journal.clear()
        return {"cleared": True}

    def _read_faults(self, *_: Any) -> Json:
        return {"pending": [fault.kind for fault in self._faults.pending()], "rate": self._faults.rate}

    def _add_faults(self, _: str, asked: Any) -> Json:
        self._faults.add(*(Fault.of_json(one) for one in (asked if isinstance(asked, list) else [asked])))
        return self._read_faults()

    def _clear_faults(self, *_: Any) -> Json:
        self._faults.clear()
        return self._read_faults()

    def _read_webhooks(self, *_: Any) -> list[Json]:
        return [delivery.as_json() for delivery in self._webhooks.deliveries]

    def _steer_webhooks(self, _: str, asked: Json) -> list[Json]:
        """`{"delay_seconds", "loss", "hold": true, "release": "given" or "reversed", "replay": place in the list}`, each if wanted."""
        names = {"delay_seconds", "loss"} & set(asked)
        with self._state.lock:
            changes: Json = {f"webhook_{name}": float(asked[name]) for name in names}
            self._state.settings = replace(self._state.settings, **changes)
        if asked.get("hold"):
            self._webhooks.hold()
        if "release" in asked:
            self._webhooks.release(order=asked["release"])
        if "replay" in asked:
            self._webhooks.replay(self._webhooks.deliveries[asked["replay"]])
        return self._read_webhooks()

    def _workspace(self, workspace_id: Any) -> Workspace:
        workspace = self._state.workspaces.get(int(workspace_id))
        if workspace is None:
            raise RefusalError(404, "Not Found")
        return workspace

    def _state_of(self, workspace_id: str, _: Any) -> Json:
        workspace = self._workspace(workspace_id)
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

    def _act(self, _: str, asked: Json) -> Json:
        """`{"workspace": 101, "act": "move", "id": 5001, "step": 22291}`.

        Further acts: create and edit (`fields`), archive, restore, anonymise, delete, write (`text`), read_messages,
        add_step (`label`, `mapped_state`, `item_limit`), delete_step (`step`), edit_step (`step`, `fields`).
        """
        workspace = self._workspace(asked["workspace"])
        acts: dict[str, Callable[[], Json | None]] = {
            "create": lambda: workspace.create(**asked.get("fields", {})),
            "edit": lambda: workspace.edit(asked["id"], **asked["fields"]),
            "move": lambda: workspace.move(asked["id"], asked["step"]),
            "archive": lambda: workspace.archive(asked["id"]),
            "restore": lambda: workspace.restore(asked["id"]),
            "anonymise": lambda: workspace.anonymise(asked["id"]),
            "delete": lambda: workspace.delete(asked["id"]),
            "write": lambda: workspace.write(asked["id"], asked["text"]),
            "read_messages": lambda: workspace.read_messages(asked["id"]),
            "add_step": lambda: workspace.add_step(
                asked["label"], mapped_state=asked["mapped_state"], item_limit=asked.get("item_limit")
            ),
            "delete_step": lambda: workspace.delete_step(asked["step"]),
            "edit_step": lambda: workspace.edit_step(asked["step"], **asked["fields"]),
        }
        return acts[asked["act"]]() or {"done": True}


def _problem(status: int, title: str) -> Answer:
    return refusal_answer(RefusalError(status, title), style="problem")
