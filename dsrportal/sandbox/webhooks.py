"""What Dastra sends by itself: one signed POST for each event and each address that asked for it, late or lost on demand, never twice.

Fed by the store's acts, run by server.py, steered by tests and by the control door. Posts to loopback addresses alone, and knows no
receiver: what it is told back is counted, no more.
"""

import base64
import heapq
import hmac
import http.client
import itertools
import random
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from dsrportal.sandbox.seeding import API_USER_ID
from dsrportal.sandbox.store import State
from dsrportal.sandbox.values import Json, to_json

LOOPBACK = ("127.0.0.1", "localhost", "::1")
EVENTS = {
    "DataSubjectCreation": "Nouvelle demande d'exercice de droits",
    "DataSubjectUpdate": "Modification d'une demande d'exercice de droits",
    "DataSubjectStateChange": "Changement d'étape d'une demande d'exercice de droits",
    "DataSubjectArchived": "Archivage d'une demande d'exercice de droits",
    "DataSubjectMessage": "Nouveau message d'une personne concernée",
}
_NUMBERS = {"DataSubjectCreation": 3, "DataSubjectUpdate": 4, "DataSubjectStateChange": 5, "DataSubjectArchived": 14}
_OTHER_NUMBER = 28
_MOST_KEPT = 5_000
_OK = 200


def signature_of(body: bytes, *, key: str) -> str:
    """The value of `Dastra-Signature`: Base64 of the HMAC-SHA256 of the body under the validation key as text."""
    return base64.b64encode(hmac.digest(key.encode(), body, "sha256")).decode()


def post(url: str, body: bytes, *, signature: str | None, timeout: float = 10.0, kind: str = "application/json") -> int:
    """One POST as Dastra makes it, or as a forger would; the status. Raises OSError or HTTPException when there was no answer."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port or 80, timeout=timeout)
    headers = {"Content-Type": kind} | ({} if signature is None else {"Dastra-Signature": signature})
    try:
        connection.request("POST", f"{address.path}?{address.query}".rstrip("?"), body=body, headers=headers)
        return connection.getresponse().status
    finally:
        connection.close()


@dataclass(slots=True, kw_only=True)
class Delivery:
    """One event for one address. `status` is None until it was answered; `failure` names why there was no answer; `lost` never left."""

    webhook_id: int
    url: str
    event: str
    body: bytes = field(repr=False)
    signature: str
    lost: bool = False
    status: int | None = None
    failure: str = ""

    def as_json(self) -> Json:
        """For the control door: without the body, which is about a person."""
        names = ("webhook_id", "url", "event", "lost", "status", "failure")
        return {name: getattr(self, name) for name in names}


class Sender:
    """Sends what the store announces, in order, one after the other, in a thread of its own."""

    def __init__(self, state: State, *, seed: int) -> None:
        self.deliveries: deque[Delivery] = deque(maxlen=_MOST_KEPT)
        self._state = state
        self._random = random.Random(f"webhooks:{seed}")  # noqa: S311 - which are lost, not a secret
        self._order = itertools.count()
        self._waiting: list[tuple[float, int, Delivery]] = []
        self._is_posting = False
        self._is_held = False
        self._is_stopped = False
        self._changed = threading.Condition()
        state.announce = self.announce
        self._thread = threading.Thread(target=self._run, name="sandbox-webhooks", daemon=True)
        self._thread.start()

    def announce(self, event: str, workspace_id: int, data: Json) -> None:
        """Queues the event for each address that subscribed to it. Called with the store's lock held, so it never waits for a receiver."""
        for webhook in self._state.webhooks.values():
            subscribed = webhook["subscribedEvents"] or list(EVENTS)
            if webhook["workSpaceId"] in {None, workspace_id} and event in subscribed and not webhook["inError"]:
                self._queue(self._delivery(webhook, event=event, data=data))

    def _delivery(self, webhook: Json, *, event: str, data: Json) -> Delivery:
        settings = self._state.settings
        shown: dict[str, Json | None] = {
            "object": data,
            "id": {"Id": data.get("userRequestId", data["id"])},
            "text_id": {"dataSubjectRequestId": str(data.get("userRequestId", data["id"]))},
            "nothing": None,
        }
        body = to_json(
            {
                "webhookId": webhook["id"],
                "signatureUrl": webhook["url"],
                "userId": API_USER_ID,
                "eventType": event if settings.webhook_event == "name" else _NUMBERS.get(event, _OTHER_NUMBER),
                "eventName": EVENTS[event],
                "data": shown[settings.webhook_data],
                "date": self._state.stamp(),
            }
        )
        return Delivery(
            webhook_id=webhook["id"],
            url=webhook["url"],
            event=event,
            body=body,
            signature=signature_of(body, key=webhook["signatureKey"]),
            lost=self._random.random() < settings.webhook_loss,
        )

    def _queue(self, delivery: Delivery) -> None:
        self.deliveries.append(delivery)
        if delivery.lost:
            return
        due = time.monotonic() + self._state.settings.webhook_delay_seconds
        with self._changed:
            heapq.heappush(self._waiting, (due, next(self._order), delivery))
            self._changed.notify_all()

    # For tests

    def hold(self) -> None:
        """Sends nothing until `release`."""
        with self._changed:
            self._is_held = True

    def release(self, *, order: Literal["given", "reversed"] = "given") -> None:
        """Sends what was held, at once, first the first or first the last."""
        with self._changed:
            held = sorted(self._waiting, key=lambda one: one[1], reverse=order == "reversed")
            self._waiting = [(0.0, place, delivery) for place, (_, _, delivery) in enumerate(held)]
            self._is_held = False
            self._changed.notify_all()

    def settle(self, *, seconds: float = 30.0) -> bool:
        """Waits until everything queued was sent; False when that takes longer, or while it is held."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting and not self._is_posting, timeout=seconds)

    def replay(self, delivery: Delivery) -> int:
        """Sends the very same bytes once more, as somebody who listened could; the status."""
        return post(delivery.url, delivery.body, signature=delivery.signature)

    def stop(self) -> None:
        """Ends the thread; what is still queued is never sent. Safe to call twice."""
        with self._changed:
            self._is_stopped = True
            self._changed.notify_all()
        self._thread.join()

    # The thread

    def _run(self) -> None:
        while (delivery := self._next()) is not None:
            self._deliver(delivery)
            with self._changed:
                self._is_posting = False
                self._changed.notify_all()

    def _next(self) -> Delivery | None:
        with self._changed:
            while not self._is_stopped:
                wait = self._waiting[0][0] - time.monotonic() if self._waiting and not self._is_held else None
                if wait is not None and wait <= 0:
                    self._is_posting = True
                    return heapq.heappop(self._waiting)[2]
                self._changed.wait(wait)
            return None

    def _deliver(self, delivery: Delivery) -> None:
        with self._state.lock:
            webhook = self._state.webhooks.get(delivery.webhook_id)
            if webhook is None or webhook["inError"]:
                delivery.failure = "blocked"
                return
        try:
            timeout = self._state.settings.webhook_timeout_seconds
            delivery.status = post(delivery.url, delivery.body, signature=delivery.signature, timeout=timeout)
        except (OSError, http.client.HTTPException) as error:
            delivery.failure = type(error).__name__
        if delivery.status != _OK:
            self._count_error(webhook, delivery=delivery)

    def _count_error(self, webhook: Json, *, delivery: Delivery) -> None:
        with self._state.lock:
            count = webhook["nbErrors"] + 1
            webhook.update(
                nbErrors=count,
                dateLastError=self._state.stamp(),
                errorMessage=delivery.failure or f"HTTP {delivery.status}",
                inError=count > self._state.settings.webhook_errors_allowed,
            )
            self._state.touched()
