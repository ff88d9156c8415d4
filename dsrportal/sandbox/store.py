"""What the sandbox holds: workspaces with their steps, units, tags, users and requests, and the acts of people on them.

Changed by the endpoints and, directly, by tests that play "someone in Dastra's own screens". Every method takes the store's one
lock. Knows no HTTP; an act that Dastra refuses raises a RefusalError.
"""

import copy
import json
import random
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from dsrportal.sandbox.calls import RefusalError
from dsrportal.sandbox.records import (
    COMPLEX_DELAY_DAYS,
    DELAY_DAYS,
    Record,
    check_names,
    count_messages,
    demand_id_of,
    new_fields,
    new_message,
)
from dsrportal.sandbox.shapes import heavy_object, light_object, remaining_days
from dsrportal.sandbox.snapshots import by_id, workspace_snapshot
from dsrportal.sandbox.switches import Switches
from dsrportal.sandbox.values import Json, days_after, dotnet, to_json

_HISTORY_LENGTH = 5_000


@dataclass(slots=True, kw_only=True)
class Workspace:
    """One workspace. Its methods are what people do in Dastra's own screens; they answer the whole object of the request."""

    id: int
    label: str
    retention_days: int | None
    steps: dict[int, Json]
    areas: dict[int, Json]
    tags: dict[int, Json]
    users: dict[int, Json]
    custom_fields: dict[str, str]
    records: dict[int, Record]
    state: "State"
    catalogue_version: int = 0
    history: deque[tuple[float, int, Record | None]] = field(default_factory=lambda: deque(maxlen=_HISTORY_LENGTH))

    # Reading

    def record(self, dsr_id: int) -> Record:
        """Raises RefusalError: 404 for an id that is not in this workspace."""
        found = self.records.get(dsr_id)
        if found is None:
            raise RefusalError(404, "Not Found")
        return found

    def get(self, dsr_id: int) -> Json:
        """The whole object as the API serves it now. Raises RefusalError (404)."""
        with self.state.lock:
            decoded: Json = json.loads(self.encoded(self.record(dsr_id)))
            return decoded

    def all(self) -> list[Json]:
        """Every request, archived ones too, whole, in the order of their ids."""
        with self.state.lock:
            return [self.get(dsr_id) for dsr_id in sorted(self.records)]

    def encoded(self, record: Record, *, heavy: bool = True) -> bytes:
        """The object as JSON, from the record's cache while nothing changed and the day count is the same."""
        settings = self.state.settings
        days = remaining_days(record.fields, now=self.state.now(), settings=settings)
        key = (record.version, self.catalogue_version, days)
        name = "heavy" if heavy else "light"
        cached = record.encoded.get(name)
        if cached is not None and cached[0] == key:
            return cached[1]
        shape = heavy_object if heavy else light_object
        value = shape(record, workspace=self, days=days, generation=settings.generation)
        body = to_json(value)
        record.encoded[name] = (key, body)
        return body

    def as_listed(self) -> list[Record]:
        """The records as lists show them: now, or as they were `list_lag_seconds` ago."""
        lag = self.state.settings.list_lag_seconds
        if lag <= 0:
            return list(self.records.values())
        seen: dict[int, Record | None] = dict(self.records)
        horizon = self.state.monotonic() - lag
        for changed_at, dsr_id, before in reversed(self.history):
            if changed_at < horizon:
                break
            seen[dsr_id] = before
        return [record for record in seen.values() if record is not None]

    def ordered_steps(self) -> list[Json]:
        """The steps from left to right."""
        return sorted(self.steps.values(), key=lambda step: (step["order"], step["id"]))

    def initial_step(self) -> Json:
        """Where a new request starts."""
        return self.ordered_steps()[0]

    def final_step(self) -> Json:
        """Where a closed request ends."""
        closed = [step for step in self.ordered_steps() if step["mappedState"] == "Closed"]
        return closed[-1]

    # Acts on requests

    def create(self, *, by: int | None = None, **given: Any) -> Json:
        """A new request, in the initial step unless `workFlowStepId` says otherwise; fields by their JSON names.

        Also `operatorId` and `tagIds`. Without an `expiryTime` it is 30 days after the request, 90 for a complex one.
        """
        with self.state.lock:
            dsr_id = self.state.next_id("dsr")
            rng = random.Random(f"created:{dsr_id}")  # noqa: S311 - a public number, not a secret
            record = Record(fields=new_fields(dsr_id=dsr_id, demand_id=demand_id_of(rng), stamp=self.state.stamp()))
            record.creator_id = by
            record.operator_id = given.pop("operatorId", None)
            record.tag_ids = list(given.pop("tagIds", None) or [])
            step = self.steps[given.pop("workFlowStepId", None) or self.initial_step()["id"]]
            fields = record.fields
            check_names(given, fields)
            fields.update({name: value for name, value in given.items() if value is not None})
            fields.update(workFlowStepId=step["id"], state=step["mappedState"])
            fields["title"] = fields["title"] or f"{fields['demandId']} {fields['givenName']} {fields['familyName']}"
            fields["locale"] = fields["locale"] or "fr"
            fields["areaId"] = fields["areaId"] or next(iter(self.areas))
            if fields["expiryTime"] is None:
                days = COMPLEX_DELAY_DAYS if fields["complex"] else DELAY_DAYS
                fields["expiryTime"] = days_after(fields["dateDemand"], days=days)
            self._keep_history(dsr_id)
            self.records[dsr_id] = record
            self.state.touched()
            return self._told("DataSubjectCreation", dsr_id)

    def edit(self, dsr_id: int, **changes: Any) -> Json:
        """Sets fields by their JSON names, as well as `operatorId` and `tagIds`; dates as served. Sets `dateUpdate`.

        `complex` moves the expiry where the switch says so and `expiryTime` is not given.
        """
        with self.state.lock:
            record = self.changing(dsr_id)
            if "operatorId" in changes:
                record.operator_id = changes.pop("operatorId")
            if "tagIds" in changes:
                record.tag_ids = list(changes.pop("tagIds"))
            was_complex, old_expiry = record.fields["complex"], record.fields["expiryTime"]
            check_names(changes, record.fields)
            record.fields.update(changes)
            toggled = record.fields["complex"] != was_complex and record.fields["expiryTime"] == old_expiry
            if toggled and self.state.settings.complex_moves_expiry:
                days = COMPLEX_DELAY_DAYS if record.fields["complex"] else DELAY_DAYS
                record.fields["expiryTime"] = days_after(record.fields["dateDemand"], days=days)
            return self._told("DataSubjectUpdate", dsr_id)

    def move(self, dsr_id: int, step_id: int, *, by: int | None = None) -> Json:
        """Changes the step; the state follows. Raises RefusalError: 404 unknown id, 400 unknown step.

        Entering a closed state sets the closing date and `by` as the one who closed; leaving it clears both, and the reason.
        """
        with self.state.lock:
            record = self.record(dsr_id)
            step = self.steps.get(step_id)
            if step is None:
                raise RefusalError(400, "The workflow step does not exist.", errors={"stepId": ["Unknown step."]})
            record = self.changing(dsr_id, updates=self.state.settings.step_change_updates)
            record.fields["workFlowStepId"] = step_id
            record.fields["state"] = step["mappedState"]
            if step["mappedState"] == "Closed":
                record.fields["dateClosed"] = record.fields["dateClosed"] or self.state.stamp()
                record.closed_by_id = record.closed_by_id or by
            else:
                record.fields.update(dateClosed=None, closedReason="None", closedReasonDescription=None)
                record.closed_by_id = None
            return self._told("DataSubjectStateChange", dsr_id)

    def archive(self, dsr_id: int) -> Json:
        """Into the recycle bin; nothing happens to what is in it already."""
        with self.state.lock:
            if self.record(dsr_id).fields["archived"]:
                return self.get(dsr_id)
            self.changing(dsr_id).fields.update(archived=True, archivedDate=self.state.stamp())
            return self._told("DataSubjectArchived", dsr_id)

    def restore(self, dsr_id: int) -> Json:
        """Out of the recycle bin."""
        with self.state.lock:
            if not self.record(dsr_id).fields["archived"]:
                return self.get(dsr_id)
            self.changing(dsr_id).fields.update(archived=False, archivedDate=None)
            return self._told("DataSubjectUpdate", dsr_id)

    def anonymise(self, dsr_id: int) -> Json:
        """As the nightly purge does: the person's data replaced, files and messages gone, type, step and dates kept.

        `dateUpdate` does not move.
        """
        with self.state.lock:
            record = self.changing(dsr_id, updates=False)
            fields = record.fields
            for name in ("message", "description", "phoneNumber", "address", "zipCode", "city", "refId", "userId"):
                if fields[name] is not None:
                    fields[name] = "XXXXXX"
            fields.update(givenName="John", familyName="DOE", email="anonymized@example.com", title="XXXXXX")
            fields.update(
                additionalDatas=None, customFields={}, nbMessages=0, nbMessagesNotViewed=0, nbMessagesIncoming=0
            )
            fields["lastMessageDate"] = None
            record.attachments, record.messages = [], []
            return self.get(dsr_id)

    def write(self, dsr_id: int, text: str, *, by: int | None = None) -> Json:
        """A message on the request: from the person, and unread, unless a user wrote it. Answers the stored message."""
        with self.state.lock:
            record = self.changing(dsr_id)
            rng = random.Random(f"message:{self.state.next_id('message')}")  # noqa: S311 - an id, not a secret
            message = new_message(rng=rng, dsr_id=dsr_id, text=text, stamp=self.state.stamp(), user_id=by)
            message["dateViewed"] = None if by is None else message["dateSend"]
            record.messages.append(message)
            count_messages(record)
            self.state.announce("DataSubjectMessage", self.id, message)
            return message

    def read_messages(self, dsr_id: int) -> Json:
        """Someone has looked at all messages of the request."""
        with self.state.lock:
            record = self.changing(dsr_id, updates=False)
            for message in record.messages:
                message["dateViewed"] = message["dateViewed"] or self.state.stamp()
            count_messages(record)
            return self.get(dsr_id)

    def delete(self, dsr_id: int) -> None:
        """For good. Raises RefusalError (404)."""
        with self.state.lock:
            self.record(dsr_id)
            self._keep_history(dsr_id)
            del self.records[dsr_id]
            self.state.touched()

    def changing(self, dsr_id: int, *, updates: bool = True) -> Record:
        """The record, about to be changed by the caller who holds the lock: its past kept for lagging lists."""
        record = self.record(dsr_id)
        self._keep_history(dsr_id)
        record.version += 1
        if updates:
            record.fields["dateUpdate"] = self.state.stamp()
        self.state.touched()
        return record

    def _keep_history(self, dsr_id: int) -> None:
        if self.state.settings.list_lag_seconds > 0:
            before = copy.deepcopy(self.records.get(dsr_id))
            self.history.append((self.state.monotonic(), dsr_id, before))

    def _told(self, event: str, dsr_id: int) -> Json:
        """The request as it is now, of which whoever listens is told too."""
        shown = self.get(dsr_id)
        self.state.announce(event, self.id, shown)
        return shown

    # Acts on the catalogue

    def add_step(self, label: str, *, mapped_state: str, color: str = "#1E8EE1", item_limit: int | None = None) -> Json:
        """A new step before the final one; later steps move up by one."""
        with self.state.lock:
            final = self.final_step()
            step = {
                "id": self.state.next_id("step"),
                "label": label,
                "color": color,
                "order": final["order"],
                "itemLimit": item_limit,
                "finalStep": False,
                "initialStep": False,
                "authorizedRole": None,
                "authorizedRoleId": None,
                "descriptionHtml": None,
                "mappedState": mapped_state,
            }
            final["order"] += 1
            self.steps[step["id"]] = step
            self._catalogue_changed()
            return dict(step)

    def delete_step(self, step_id: int) -> None:
        """Its requests go to the first other step of the same state. Raises ValueError where there is none."""
        with self.state.lock:
            gone = self.steps[step_id]
            heirs = [
                step for step in self.ordered_steps() if step["mappedState"] == gone["mappedState"] and step is not gone
            ]
            if not heirs:
                raise ValueError("the last step of a state cannot be deleted")
            for record in self.records.values():
                if record.fields["workFlowStepId"] == step_id:
                    record.fields["workFlowStepId"] = heirs[0]["id"]
                    record.version += 1
            del self.steps[step_id]
            steps = self.ordered_steps()
            for step in steps:
                step.update(initialStep=step is steps[0], finalStep=step is steps[-1])
            self._catalogue_changed()

    def edit_step(self, step_id: int, **changes: Any) -> Json:
        """Sets fields of a step by their JSON names; requests show it at once."""
        with self.state.lock:
            self.steps[step_id].update(changes)
            self._catalogue_changed()
            return dict(self.steps[step_id])

    def _catalogue_changed(self) -> None:
        self.catalogue_version += 1
        self.state.touched()


class State:
    """Everything the sandbox knows, behind one lock. `now` is an aware clock; `monotonic` counts seconds for lagging lists.

    `announce` is called with each event that Dastra would tell of: its name, the workspace's id, and what it is about.
    """

    def __init__(
        self,
        *,
        now: Callable[[], datetime],
        settings: Switches,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.now = now
        self.monotonic = monotonic
        self.settings = settings
        self.lock = threading.RLock()
        self.workspaces: dict[int, Workspace] = {}
        self.users: dict[int, Json] = {}
        self.counters: dict[str, int] = {}
        self.webhooks: dict[int, Json] = {}
        self.announce: Callable[[str, int, Json], None] = lambda *_: None
        self.changes = 0

    def __getitem__(self, workspace_id: int) -> Workspace:
        return self.workspaces[workspace_id]

    def stamp(self) -> str:
        """Now, as served."""
        return dotnet(self.now())

    def next_id(self, kind: str) -> int:
        """The next number of a kind (`dsr`, `step`, …); never given twice."""
        with self.lock:
            self.counters[kind] = self.counters.get(kind, 0) + 1
            return self.counters[kind]

    def touched(self) -> None:
        """Counts a change, for whoever writes the state to disk."""
        self.changes += 1

    def snapshot(self) -> Json:
        """All of it as JSON-able data; still the store's own objects, so the caller holds the lock until it has written them."""
        with self.lock:
            return {
                "counters": dict(self.counters),
                "users": list(self.users.values()),
                "webhooks": list(self.webhooks.values()),
                "workspaces": [workspace_snapshot(workspace) for workspace in self.workspaces.values()],
            }

    def load(self, snapshot: Json) -> None:
        """Takes the place of everything held. Raises KeyError or TypeError for data of another make."""
        with self.lock:
            self.counters = dict(snapshot["counters"])
            self.users = by_id(snapshot["users"])
            self.webhooks = by_id(snapshot.get("webhooks", []))
            self.workspaces = {kept["id"]: self._workspace(kept) for kept in snapshot["workspaces"]}

    def _workspace(self, kept: Json) -> Workspace:
        records = [Record(**record) for record in kept["records"]]
        return Workspace(
            id=kept["id"],
            label=kept["label"],
            retention_days=kept["retention_days"],
            steps=by_id(kept["steps"]),
            areas=by_id(kept["areas"]),
            tags=by_id(kept["tags"]),
            users=self.users,
            custom_fields=kept["custom_fields"],
            records={record.fields["id"]: record for record in records},
            state=self,
        )
