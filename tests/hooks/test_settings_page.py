"""The admin's page: an address is shown once, rotated and revoked; a key is taken and never shown; every act is audited."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from dsrportal.environment import make_key
from dsrportal.models import AuditEvent, User, WebhookReceiver, Workspace
from tests.hooks.conftest import KEY, Hook, payload


@pytest.fixture
def page(client: Client, ada: User, mirrored: Workspace) -> str:
    """The page's path, with the admin signed in."""
    client.force_login(ada)
    return f"/settings/workspaces/{mirrored.slug}/webhook/"


def address_in(text: str) -> str:
    found = re.search(r"http://localhost:8000(/hooks/dastra/[\w-]{43}/)", text)
    assert found, text
    return found[1]


def test_from_nothing_to_the_first_event(client: Client, page: str, mirrored: Workspace) -> None:
    edit = page.removesuffix("webhook/")
    assert "Not set up" in client.get(edit).content.decode()
    assert "Make the address" in client.get(page).content.decode()
    made = client.post(page, {"deed": "address"})
    path = address_in(made.content.decode())
    hook = Hook(workspace=mirrored, path=path)
    assert "The validation key is missing" in client.get(edit).content.decode()
    assert hook.tell(41).status_code == 401
    assert client.post(page, {"deed": "key", "secret": f" {KEY} "}).status_code == 302
    assert "No event came yet" in client.get(edit).content.decode()
    assert hook.tell(41).status_code == 200
    assert "Last event on" in client.get(edit).content.decode()
    text = client.get(page).content.decode()
    assert "<dt>Events today</dt><dd>1</dd>" in text
    assert re.search(r"<dt>Refused</dt><dd>1 ", text)
    assert [event.operation for event in AuditEvent.objects.order_by("pk")] == [
        "webhook_address_made",
        "webhook_key_set",
    ]


def test_the_address_is_shown_once_and_kept_as_a_hash(client: Client, page: str) -> None:
    made = client.post(page, {"deed": "address"})
    token = address_in(made.content.decode()).split("/")[-2]
    assert "no-store" in made["Cache-Control"]
    assert token not in client.get(page).content.decode()
    assert token not in repr(list(WebhookReceiver.objects.values()))
    assert token not in repr(list(AuditEvent.objects.values()))
    assert token not in repr(dict(client.session))


def test_a_new_address_replaces_the_old_one_and_keeps_the_key(client: Client, page: str, mirrored: Workspace) -> None:
    first = address_in(client.post(page, {"deed": "address"}).content.decode())
    client.post(page, {"deed": "key", "secret": KEY})
    second = address_in(client.post(page, {"deed": "address"}).content.decode())
    assert first != second
    assert Hook(workspace=mirrored, path=first).tell(41).status_code == 404
    assert Hook(workspace=mirrored, path=second).tell(41).status_code == 200


def test_revoking_forgets_key_and_events(client: Client, page: str, hook: Hook) -> None:
    hook.tell(41)
    assert client.post(page, {"deed": "revoke"}).status_code == 302
    assert client.post(page, {"deed": "revoke"}).status_code == 302
    assert not WebhookReceiver.objects.exists()
    assert hook.tell(41).status_code == 404
    assert AuditEvent.objects.filter(operation="webhook_revoked").count() == 1


@pytest.mark.parametrize("secret", ["", " ", "two words", "clé", "x" * 5_000])
def test_what_is_no_key_is_refused_and_not_shown(client: Client, page: str, hook: Hook, secret: str) -> None:
    answer = client.post(page, {"deed": "key", "secret": secret})
    assert answer.status_code == 422
    assert not secret.strip() or f'value="{secret}"' not in answer.content.decode()
    assert hook.tell(41).status_code == 200, "the key that was kept stays"


def test_a_key_needs_an_address(client: Client, page: str) -> None:
    answer = client.post(page, {"deed": "key", "secret": KEY})
    assert answer.status_code == 422
    assert KEY not in answer.content.decode()
    assert not WebhookReceiver.objects.exists()


def test_the_key_is_sealed_and_survives_a_rotation_of_the_portal_s_keys(hook: Hook, settings: Any) -> None:
    sealed = bytes(hook.receiver.signature_key_sealed or b"")
    assert KEY.encode() not in sealed
    settings.CREDENTIAL_KEYS = [make_key(), *settings.CREDENTIAL_KEYS]
    call_command("rotate_keys")
    settings.CREDENTIAL_KEYS = settings.CREDENTIAL_KEYS[:1]
    assert bytes(hook.receiver.signature_key_sealed or b"") != sealed
    assert hook.receiver.read_signature_key() == KEY
    assert hook.post(payload(41)).status_code == 200


def test_a_sealed_key_opens_for_its_own_workspace_alone(hook: Hook, make_workspace: Any) -> None:
    other = make_workspace("other-house", upstream_id=102)
    copied = WebhookReceiver(workspace=other, signature_key_sealed=hook.receiver.signature_key_sealed)
    with pytest.raises(Exception, match="for something else"):
        copied.read_signature_key()
