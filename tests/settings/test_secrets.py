"""A key is never shown again: not by a page, a repr, the audit log, a job's arguments, or a line of a log."""

from __future__ import annotations

import logging
from urllib.parse import quote

import pytest
from django.core import serializers
from django.test import Client
from django_q.models import OrmQ

from dsrportal.models import AuditEvent, User, Workspace
from dsrportal.sandbox import Server

LIST = "/settings/workspaces/"
ADD = "/settings/add-workspace/"


def test_the_key_is_in_no_answer_and_in_nothing_that_is_kept(
    client: Client, ada: User, answers: dict[str, str], server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    new_key = server.keys["read_only"].secret
    keys = (server.api_key, new_key)
    htmx = {"HX-Request": "true"}
    seen = [
        client.post(ADD, answers | {"deed": "test"}),
        client.post(ADD, answers | {"deed": "test"}, headers=htmx),
        client.post(ADD, answers | {"time_zone": "Paris"}),
        client.post(ADD, answers, follow=True),
        client.get(LIST),
        client.get(f"{LIST}acme-benelux/"),
        client.post(f"{LIST}acme-benelux/", answers | {"country": "1"}),
        client.get(f"{LIST}acme-benelux/key/"),
        client.post(f"{LIST}acme-benelux/key/", {"secret": new_key, "deed": "test"}),
        client.post(f"{LIST}acme-benelux/key/", {"secret": new_key}, follow=True),
        client.get("/settings/jobs/"),
    ]
    added = Workspace.objects.get(slug="acme-benelux")
    kept = [
        repr(added),
        serializers.serialize("json", Workspace.objects.all()),
        serializers.serialize("json", AuditEvent.objects.all()),
        repr([task.task for task in OrmQ.objects.all()]),
        caplog.text,
        repr(dict(client.session)),
    ]
    for key in keys:
        for answer in seen:
            text = answer.content.decode() + str(answer.headers) + str(answer.cookies)
            assert key not in text
            assert quote(key) not in text
        for text in kept:
            assert key not in text
    assert added.read_secret() == new_key


def test_a_failure_page_shows_no_key(
    client: Client, ada: User, answers: dict[str, str], server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(**_answers: object) -> None:
        raise RuntimeError("broken for the test")

    monkeypatch.setattr("dsrportal.actions.workspaces.add_workspace", break_down)
    client.raise_request_exception = False
    answer = client.post(ADD, answers)
    assert answer.status_code == 500
    assert server.api_key not in answer.content.decode()
