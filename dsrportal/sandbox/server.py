"""The sandbox itself: builds the store, listens, and takes every call through key, limit, fault and endpoint.

Used by `python -m dsrportal.sandbox`, by the management command and, in the same process, by tests. Never leaves loopback.
"""

import json
import os
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dsrportal.sandbox import messages_api, neighbours, requests_api, spoil, webhooks_api
from dsrportal.sandbox.calls import Answer, Call, Query, RefusalError, Routes, refusal_answer
from dsrportal.sandbox.control import PREFIX, Control
from dsrportal.sandbox.faults import Fault, Faults
from dsrportal.sandbox.journal import Entry, Journal
from dsrportal.sandbox.keys import Key, Keyring, made_keys, made_text
from dsrportal.sandbox.limits import Limiter, Violation, refused, violations
from dsrportal.sandbox.seeding import BENELUX, fill
from dsrportal.sandbox.store import State
from dsrportal.sandbox.switches import Switches
from dsrportal.sandbox.webhooks import Sender
from dsrportal.sandbox.wire import Reply, Request, WireServer

_STATE_VERSION = 1
_SAVE_SECONDS = 1.0
_TABLES: tuple[Routes, ...] = (requests_api.routes, messages_api.routes, neighbours.routes, webhooks_api.routes)


class StateFileError(Exception):
    """The state file is not one of ours."""


def _real_now() -> datetime:
    return datetime.now(UTC)


class Sandbox:
    """A Dastra to be served. Data follow from `seed`, the counts and `now`; a `state_file` that exists takes their place.

    now         an aware clock, or an aware instant at which time stands still; the real clock by default
    requests    how many in workspace 101; workspace 102 gets a tenth, at least five
    fault_rate  the share of calls, 0 to 1, that meet a fault drawn from the seed
    """

    def __init__(
        self,
        *,
        requests: int = 600,
        seed: int = 1,
        now: datetime | Callable[[], datetime] | None = None,
        settings: Switches | None = None,
        fault_rate: float = 0.0,
        state_file: Path | None = None,
    ) -> None:
        clock = (lambda: now) if isinstance(now, datetime) else (now or _real_now)
        self.seed = seed
        self.fault_rate = fault_rate
        self.state_file = state_file
        self.state = State(now=clock, settings=settings or Switches())
        if state_file is not None and state_file.exists():
            self._load(state_file)
        else:
            fill(self.state, requests=requests, seed=seed)

    def _load(self, path: Path) -> None:
        try:
            kept = json.loads(path.read_text(encoding="utf-8"))
            version = kept["version"]
            if version == _STATE_VERSION:
                self.state.load(kept["state"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StateFileError(f"it cannot be read ({type(error).__name__})") from None
        if version != _STATE_VERSION:
            raise StateFileError("it was written by another version")

    def serve(self, *, host: str = "127.0.0.1", port: int = 0) -> "Server":
        """Starts listening (port 0: any free one). Use the answer in a `with`, or call its `stop`. Raises OSError."""
        return Server(self, host=host, port=port)


class Server:
    """A sandbox that listens.

    base_url, host_port      "http://127.0.0.1:41234" and "127.0.0.1:41234"
    token_url                the OAuth token endpoint
    api_key, public_key, secret   of the key for the whole organisation; `secret` is the API key itself, as in Dastra
    keys                     by name: full, benelux (workspace 102 alone), read_only
    workspaces               the ids
    state, journal, faults   the store, the calls so far, the programmable faults
    webhooks                 what Dastra sends by itself
    control_token            for `X-Sandbox-Token`
    """

    def __init__(self, sandbox: Sandbox, *, host: str, port: int) -> None:
        self.state = sandbox.state
        self.workspaces = tuple(self.state.workspaces)
        self.keys = made_keys(seed=sandbox.seed, second_workspace=BENELUX)
        self.control_token = made_text(seed=sandbox.seed, purpose="control", length=32)
        self.keyring = Keyring(self.keys, token_seconds=self.state.settings.token_seconds)
        self.journal = Journal(now=self.state.now, monotonic=time.monotonic)
        self.faults = Faults(rate=sandbox.fault_rate, seed=sandbox.seed)
        self.webhooks = Sender(self.state, seed=sandbox.seed)
        self._limiter = Limiter(self.state.settings.limits)
        self._state_file = sandbox.state_file
        self._saved_changes = -1
        self._stopped = threading.Event()
        self._control = Control(
            token=self.control_token,
            state=self.state,
            journal=self.journal,
            faults=self.faults,
            webhooks=self.webhooks,
            violations=lambda: [asdict(violation) for violation in self.limit_violations()],
        )
        self._wire = WireServer(host=host, port=port, exchange=self._exchange)
        self.host_port = f"{host}:{self._wire.address[1]}"
        self.base_url = f"http://{self.host_port}"
        self.token_url = f"{self.base_url}/connect/token"
        self._saver: threading.Thread | None = None
        if self._state_file is not None:
            self._saver = threading.Thread(target=self._save_while_running, name="sandbox-save", daemon=True)
            self._saver.start()

    @property
    def api_key(self) -> str:
        """The secret of the key for the whole organisation."""
        return self.keys["full"].secret

    @property
    def public_key(self) -> str:
        """The OAuth client id of that key."""
        return self.keys["full"].public

    @property
    def secret(self) -> str:
        """The OAuth client secret of that key: the API key itself."""
        return self.keys["full"].secret

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Closes every connection, ends every thread, and writes the state file. Safe to call twice."""
        self._stopped.set()
        self._wire.stop()
        self.webhooks.stop()
        if self._saver is not None:
            self._saver.join()
            self.save()

    def switch(self, **changes: Any) -> None:
        """Changes switches of the running server (all but `limits` and `token_seconds`, which are read at the start)."""
        with self.state.lock:
            self.state.settings = replace(self.state.settings, **changes)
            for workspace in self.state.workspaces.values():
                workspace.catalogue_version += 1

    def limit_violations(self) -> list[Violation]:
        """Every arrival in the journal that made a window of its key too full."""
        return violations(self.journal.entries, limits=self.state.settings.limits)

    def save(self) -> None:
        """Writes the state file, whole or not at all, if something changed since the last time."""
        if self._state_file is None:
            return
        with self.state.lock:
            if self.state.changes == self._saved_changes:
                return
            self._saved_changes = self.state.changes
            text = json.dumps({"version": _STATE_VERSION, "state": self.state.snapshot()}, separators=(",", ":"))
        self._state_file.parent.mkdir(parents=True, exist_ok=True)
        partial = self._state_file.with_name(self._state_file.name + ".partial")
        with partial.open("w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(self._state_file)

    def _save_while_running(self) -> None:
        while not self._stopped.wait(_SAVE_SECONDS):
            self.save()

    # One call

    def _exchange(self, request: Request) -> Reply:
        if request.path.startswith(PREFIX):
            return Reply(answer=self._control.answer(request))
        key = self.keyring.identify(request.headers, basic=self.state.settings.basic_auth)
        entry = self.journal.arrival(
            method=request.method,
            path=request.path,
            query=request.query,
            key=key.name if key else "",
            body=request.body,
        )
        reply = self._judged(request, key=key, entry=entry)
        entry.status = None if reply.delivery in {"close", "drip_headers"} else reply.answer.status
        return reply

    def _judged(self, request: Request, *, key: Key | None, entry: Entry) -> Reply:
        settings = self.state.settings
        if key is not None and settings.limits_enforced:
            full = self._limiter.admit(key.name, at=entry.arrived)
            if full is not None:
                return Reply(answer=refused(full[0], wait=full[1], style=settings.limit_answer))
        fault = self.faults.take(method=request.method, path=request.path, query=request.query)
        entry.fault = fault.kind if fault else ""
        if fault is not None and spoil.prevents(fault):
            return spoil.spoiled(spoil.replacement(fault), fault=fault)
        answer = self._carried_out(request, key=key, fault=fault)
        if key is not None and settings.limit_headers:
            self._add_limit_headers(answer, key=key, at=entry.arrived)
        return Reply(answer=answer) if fault is None else spoil.spoiled(answer, fault=fault)

    def _carried_out(self, request: Request, *, key: Key | None, fault: Fault | None) -> Answer:
        settings = self.state.settings
        try:
            if request.path.lower() == "/connect/token" and request.method == "POST":
                return self.keyring.token(headers=request.headers, body=request.body)
            endpoint, words, key = _admitted(request, key=key)
            query = request.query if fault is None else spoil.rewritten(request.query, fault=fault)
            call = Call(
                method=request.method,
                path=request.path,
                query=Query(query),
                body=request.body,
                state=self.state,
                key=key,
                settings=settings,
                words=words,
                limits_state=lambda: self._limiter.state(key.name, at=time.monotonic()),
            )
            return endpoint(call)
        except RefusalError as refusal:
            return refusal_answer(refusal, style=settings.error_body)
        except Exception:  # a mistake of ours is a 500, as anywhere, and is seen on standard error
            traceback.print_exc()
            return refusal_answer(RefusalError(500, "Internal Server Error"), style=settings.error_body)

    def _add_limit_headers(self, answer: Answer, *, key: Key, at: float) -> None:
        first = self._limiter.state(key.name, at=at)[0]
        answer.headers.append(("X-Rate-Limit-Limit", str(first["period"])))
        answer.headers.append(("X-Rate-Limit-Remaining", str(first["remaining"])))


def _admitted(request: Request, *, key: Key | None) -> tuple[Callable[[Call], Answer], dict[str, str], Key]:
    if key is None:
        raise RefusalError(401, "Unauthorized")
    endpoint, words = _find(method=request.method, path=request.path)
    if request.method != "GET" and not key.may_write:
        raise RefusalError(403, "Forbidden")
    return endpoint, words, key


def _find(*, method: str, path: str) -> tuple[Callable[[Call], Answer], dict[str, str]]:
    refusals = []
    for table in _TABLES:
        try:
            return table.find(method=method, path=path)
        except RefusalError as error:
            refusals.append(error)
    # A 405 of one table says more than the 404 of the other.
    raise max(refusals, key=lambda refusal: refusal.status)
