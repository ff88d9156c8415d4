"""The stage of the webhooks' tests: a mirrored workspace with an address and a key, and what Dastra would post there."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from dsrportal.actions import webhooks as actions
from dsrportal.models import Role, User, WebhookReceiver, Workspace
from dsrportal.sandbox.server import Server
from dsrportal.sandbox.webhooks import signature_of
from tests.conftest import make_person
from tests.jobs.conftest import work_off
from tests.mirror.conftest import mirrored, run, serve, server

__all__ = ["ada", "hook", "mirrored", "run", "serve", "server", "work_off"]

KEY = "0f8fad5b-d9cb-469f-a165-70867728950e"


@dataclass
class Hook:
    """A workspace's address with its key; posts as Dastra does, or as somebody else would."""

    workspace: Workspace
    path: str
    key: str = KEY
    client: Client = field(default_factory=lambda: Client(enforce_csrf_checks=True))

    @property
    def receiver(self) -> WebhookReceiver:
        """As it is kept now."""
        return WebhookReceiver.objects.get(workspace=self.workspace)

    def post(
        self,
        body: bytes,
        *,
        signature: str | None = None,
        path: str | None = None,
        kind: str = "application/json",
        **extra: Any,
    ) -> HttpResponse:
        """One post, signed with the key unless a signature is given."""
        headers = {"Dastra-Signature": signature_of(body, key=self.key) if signature is None else signature}
        answer: HttpResponse = self.client.post(  # type: ignore[assignment]
            path or self.path, data=body, content_type=kind, headers=headers, **extra
        )
        return answer

    def tell(self, upstream_id: object = None, *, event: object = "DataSubjectUpdate", **more: Any) -> HttpResponse:
        """One signed event about a request."""
        return self.post(payload(upstream_id, event=event, **more))


def payload(upstream_id: object = None, *, event: object = "DataSubjectUpdate", **more: Any) -> bytes:
    """A body as documented; `more` replaces its fields."""
    fields = {
        "webhookId": 7,
        "signatureUrl": "https://portal.example.org/hooks/dastra/secret/",
        "userId": 70,
        "eventType": event,
        "eventName": "Modification d'une demande",
        "data": {"id": upstream_id, "givenName": "Ondine"} if upstream_id is not None else None,
        "date": "2026-03-10T09:30:00.1234567",
    }
    return json.dumps(fields | more).encode()


@pytest.fixture
def ada(mirrored: Workspace) -> User:
    """The admin of the mirrored workspace."""
    return make_person("ada", workspace=mirrored, role=Role.ADMIN)


@pytest.fixture
def hook(mirrored: Workspace, server: Server, ada: User, now: datetime) -> Hook:
    """The mirrored workspace's webhook, set up with a key."""
    token = actions.make_address(mirrored, by=ada, now=now)
    actions.keep_key(mirrored, key=KEY, by=ada, now=now)
    return Hook(workspace=mirrored, path=reverse("hooks.dastra", args=[token]))
