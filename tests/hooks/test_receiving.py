"""The door for machines: who is let in, what is kept, and how little each post costs."""

from __future__ import annotations

import io
import logging
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import serializers
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_q.models import OrmQ

from dsrportal import jobs
from dsrportal.models import AuditEvent, DataSubjectRequest, User, WebhookEvent, WebhookReceiver, Workspace
from dsrportal.sandbox.webhooks import signature_of
from tests.hooks.conftest import KEY, Hook, payload, work_off
from tests.mirror.test_privacy import bytes_of_database


def test_a_signed_event_is_kept_and_wakes_one_job(hook: Hook) -> None:
    answer = hook.tell(41)
    assert (answer.status_code, answer.content) == (200, b"")
    event = WebhookEvent.objects.get()
    assert (event.event_type, event.upstream_id, event.is_known, event.outcome) == ("DataSubjectUpdate", 41, True, "")
    assert event.sent_at is not None
    assert event.sent_at.isoformat() == "2026-03-10T09:30:00.123456+00:00"
    [task] = [row.task for row in OrmQ.objects.all()]
    assert (task["func"], task["args"]) == ("dsrportal.jobs.run_events", (hook.receiver.pk,))
    assert hook.receiver.last_heard_at == hook.receiver.first_heard_at == event.received_at


@pytest.mark.parametrize(
    "signature",
    [
        "",
        "AAAA",
        "no base64 at all",
        "ÄÖÜ",
        signature_of(payload(41), key="another key"),
        signature_of(payload(42), key=KEY),
        signature_of(payload(41), key=KEY)[:-4],
        signature_of(payload(41), key=KEY) + "AAAA",
        signature_of(payload(41), key=""),
    ],
)
def test_a_forged_event_is_refused_without_a_word(hook: Hook, signature: str) -> None:
    answer = hook.post(payload(41), signature=signature)
    assert (answer.status_code, answer.content) == (401, b"")
    assert not WebhookEvent.objects.exists()
    assert not OrmQ.objects.exists()
    assert hook.receiver.refused_count == 1
    assert hook.receiver.first_heard_at is None


def test_one_altered_byte_is_refused(hook: Hook) -> None:
    body = payload(41)
    assert hook.post(body.replace(b"41", b"42"), signature=signature_of(body, key=KEY)).status_code == 401


def test_nothing_is_taken_in_while_the_key_is_missing_or_cannot_be_opened(hook: Hook, settings: Any) -> None:
    WebhookReceiver.objects.update(signature_key_sealed=None)
    assert hook.tell(41).status_code == 401
    assert hook.post(payload(41), signature=signature_of(payload(41), key="")).status_code == 401
    WebhookReceiver.objects.update(signature_key_sealed=b"nobody can open this, it is no ciphertext")
    assert hook.tell(41).status_code == 401
    assert hook.post(payload(41), signature=signature_of(payload(41), key="")).status_code == 401
    assert not WebhookEvent.objects.exists()


def test_an_unknown_address_and_one_that_was_revoked_or_replaced_are_not_found(
    hook: Hook, client: Client, ada: User
) -> None:
    assert hook.post(payload(41), path="/hooks/dastra/guess/").status_code == 404
    assert hook.post(payload(41), path=hook.path.replace("/hooks/dastra/", "/hooks/dastra/x")).status_code == 404
    client.force_login(ada)
    page = f"/settings/workspaces/{hook.workspace.slug}/webhook/"
    client.post(page, {"deed": "address"})
    assert hook.tell(41).status_code == 404
    client.post(page, {"deed": "revoke"})
    assert hook.tell(41).status_code == 404
    assert not WebhookEvent.objects.exists()


@pytest.mark.parametrize("method", ["get", "head", "put", "patch", "delete", "options", "trace"])
def test_it_takes_posts_alone(hook: Hook, method: str) -> None:
    for path in (hook.path, "/hooks/dastra/guess/"):
        assert getattr(hook.client, method)(path).status_code == 405


def test_strangers_and_their_cookies_change_nothing(hook: Hook, stranger: User, client: Client) -> None:
    client.force_login(stranger)
    assert client.post(hook.path, data=payload(41), content_type="application/json").status_code == 401
    hook.client = client
    assert hook.tell(41).status_code == 200


def test_more_than_a_megabyte_is_refused_unread(hook: Hook) -> None:
    large = payload(41, eventName="x" * 1_000_001)
    assert hook.post(large).status_code == 413
    assert hook.post(large, path="/hooks/dastra/guess/").status_code == 413
    just = payload(41, eventName="")
    just = payload(41, eventName="x" * (1_000_000 - len(just)))
    assert len(just) == 1_000_000
    assert hook.post(just).status_code == 200
    assert WebhookEvent.objects.count() == 1


@pytest.mark.parametrize("length", [10_000, 1_000_001])
def test_a_body_in_chunks_is_read_too_and_no_further_than_the_limit(hook: Hook, length: int) -> None:
    body = payload(41, eventName="x" * length)
    extra: dict[str, Any] = {"wsgi.input": io.BytesIO(body), "wsgi.input_terminated": True}
    answer = hook.client.generic("POST", hook.path, headers={"Dastra-Signature": signature_of(body, key=KEY)}, **extra)
    assert answer.status_code == (200 if length < 1_000_000 else 413)
    assert extra["wsgi.input"].tell() <= 1_000_001
    assert WebhookEvent.objects.count() == (length < 1_000_000)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "x"])
def test_the_content_type_is_not_what_counts(hook: Hook, kind: str) -> None:
    assert hook.post(payload(41), kind=kind).status_code == 200
    assert WebhookEvent.objects.get().upstream_id == 41


@pytest.mark.parametrize(
    "body", [b"", b"\0", b"null", b"[]", b"{", b"\xff\xfe{}", b"[" * 100_000, b'{"data": {"id": 1}}']
)
def test_what_is_signed_but_makes_no_sense_is_an_unknown_event(hook: Hook, body: bytes) -> None:
    assert hook.post(body).status_code == 200
    event = WebhookEvent.objects.get()
    assert (event.event_type, event.is_known, event.upstream_id) == ("unreadable", False, None)


def test_the_same_bytes_again_are_the_same_event_for_an_hour(hook: Hook) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(5):
            assert hook.tell(41).status_code == 200
        assert (WebhookEvent.objects.count(), hook.receiver.repeated_count) == (1, 4)
        clock.shift(timedelta(minutes=61))
        hook.tell(41)
        assert WebhookEvent.objects.count() == 2


def test_a_queue_that_fails_loses_no_event(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise OSError("the queue is away")

    with monkeypatch.context() as broken_queue:
        broken_queue.setattr("dsrportal.jobs.running.async_task", broken)
        assert hook.tell(41).status_code == 200
    assert WebhookEvent.objects.count() == 1
    assert jobs.read_events() == 1
    work_off()
    assert WebhookEvent.objects.get().outcome in {"read", "gone"}


def test_a_thousand_posts_cost_the_same_each_and_wake_one_job(hook: Hook) -> None:
    costs = []
    with time_machine.travel(timezone.now(), tick=False):
        for n in range(1_000):
            with CaptureQueriesContext(
                connection,
            ) as queries:
                hook.tell(n % 7 + 1, date=f"2026-03-10T09:30:00.{n:07d}")
            costs.append(len(queries))
    assert WebhookEvent.objects.count() == 1_000
    assert len(set(costs[1:])) == 1
    assert costs[1] < costs[0] <= 14
    assert OrmQ.objects.count() == 1


def test_a_refusal_costs_three_queries_at_most(hook: Hook) -> None:
    with CaptureQueriesContext(connection) as queries:
        hook.post(payload(41), signature="AAAA")
    assert len(queries) <= 3


MARKERS = ("Zqgiven", "Zqmail@example.org", "Zqmessage", "Zqevent", "Zqtype", "Zqurl", "Zqkey")


@pytest.mark.django_db(transaction=True)
def test_nothing_of_a_payload_is_kept_and_no_secret_is_logged(hook: Hook, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    data = {"id": 41, "givenName": MARKERS[0], "email": MARKERS[1], "message": MARKERS[2], MARKERS[6]: [MARKERS[0]]}
    hook.tell(eventName=MARKERS[3], signatureUrl=MARKERS[5], data=data)
    hook.tell(event="Zqtype is <b>not</b> a type", data=data)
    hook.post(b"Zqmessage, signed but no JSON")
    hook.post(payload(41), signature="AAAA")
    hook.client.get(hook.path)
    hook.post(payload(41, eventName="x" * 1_000_001))
    token = hook.path.split("/")[-2]
    kept = [serializers.serialize("json", model.objects.all()) for model in (WebhookReceiver, WebhookEvent, AuditEvent)]
    kept += [repr([row.task for row in OrmQ.objects.all()]), caplog.text]
    if connection.vendor == "sqlite":
        kept.append(bytes_of_database().decode("latin-1"))
    assert WebhookEvent.objects.count() == 3
    for text in kept:
        assert [marker for marker in (*MARKERS, token, KEY) if marker in text] == []
    assert "/hooks/dastra/…/" in caplog.text


def test_a_row_is_never_taken_from_a_payload(hook: Hook) -> None:
    upstream_id = 9_999_999
    hook.tell(data={"id": upstream_id, "title": "Invented", "state": "Closed"})
    work_off()
    assert not DataSubjectRequest.objects.filter(upstream_id=upstream_id).exists()
    assert WebhookEvent.objects.get().outcome == "gone"


def test_a_disabled_workspace_s_events_are_answered_and_lead_to_nothing(hook: Hook) -> None:
    Workspace.objects.update(disabled_at=timezone.now())
    assert hook.tell(41).status_code == 200
    work_off()
    assert WebhookEvent.objects.get().outcome == "dropped"


def test_a_sender_that_goes_away_midway_is_told_nothing_and_breaks_nothing(hook: Hook) -> None:
    class Broken(io.BytesIO):
        def read(self, *_: Any) -> bytes:
            raise OSError("gone")

    chunked: dict[str, Any] = {"wsgi.input": Broken(), "wsgi.input_terminated": True}
    plain: dict[str, Any] = {"wsgi.input": Broken(), "CONTENT_LENGTH": "10"}
    for extra in (chunked, plain):
        assert hook.client.generic("POST", hook.path, **extra).status_code == 400
    assert hook.receiver.refused_count == 0
