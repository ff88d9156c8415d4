"""Polling is the guarantee: with all events, none, half, reordered or replayed ones, the mirror ends the same, and true."""

from __future__ import annotations

import random
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from django_q.models import OrmQ

from dsrportal.actions import webhooks as actions
from dsrportal.mirror import webhooks
from dsrportal.models import Lane, User, WebhookEvent, Workspace
from dsrportal.sandbox.server import Server
from tests.hooks.conftest import Hook, run
from tests.mirror import truth
from tests.sandbox.calling import Api

TIMES = ("received_at", "expires_at", "closed_at", "updated_at")


def act(server: Server, *, rng: random.Random, deaths: bool) -> None:
    """Something that people do in Dastra's own screens."""
    dastra = server.state[101]
    ids = sorted(dastra.records)
    steps = [step["id"] for step in dastra.ordered_steps()]
    chosen, step, number = rng.choice(ids), rng.choice(steps), rng.randrange(10**6)
    deeds: list[Any] = [
        lambda: dastra.create(title=f"Request {number}", givenName="Ondine", email=f"o{number}@example.org"),
        lambda: dastra.edit(chosen, complex=bool(number % 2), familyName=f"Quill{number}"),
        lambda: dastra.move(chosen, step),
        lambda: dastra.move(chosen, steps[-1]),
        lambda: dastra.archive(chosen),
        lambda: dastra.restore(chosen),
        lambda: dastra.write(chosen, f"Message {number}"),
    ]
    if deaths:
        deeds += [lambda: dastra.delete(chosen), lambda: dastra.anonymise(chosen)]
    rng.choice(deeds)()


def listen(server: Server, live_server: Any, workspace: Workspace, by: User) -> Hook:
    """Dastra is told the portal's address, and the portal Dastra's key, both over HTTP as people would."""
    path = reverse("hooks.dastra", args=[actions.make_address(workspace, by=by, now=timezone.now())])
    answer = Api(server).call("POST", "/v1/WebHookUrls", body={"url": f"{live_server.url}{path}", "workSpaceId": 101})
    actions.keep_key(workspace, key=answer.json["signatureKey"], by=by, now=timezone.now())
    return Hook(workspace=workspace, path=path, key=answer.json["signatureKey"])


def work(hook: Hook) -> None:
    OrmQ.objects.all().delete()
    webhooks.read_events(hook.receiver.pk, clock=timezone.now, pause=lambda _: None)


def without_times(lines: list[truth.Line]) -> list[truth.Line]:
    return [{name: value for name, value in line.items() if name not in TIMES} for line in lines]


@pytest.mark.django_db(transaction=True)
def test_events_alone_keep_the_mirror_true_while_nothing_is_deleted(
    server: Server, live_server: Any, mirrored: Workspace, ada: User
) -> None:
    run(mirrored)
    hook = listen(server, live_server, mirrored, ada)
    rng = random.Random(11)
    for _ in range(40):
        act(server, rng=rng, deaths=False)
    assert server.webhooks.settle()
    work(hook)
    assert truth.mirror(mirrored) == truth.upstream(server)
    assert {delivery.status for delivery in server.webhooks.deliveries} == {200}
    assert hook.receiver.refused_count == 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("seed", [1, 2])
def test_the_end_is_the_same_whatever_is_lost_reordered_or_replayed(
    serve: Any, make_workspace: Any, live_server: Any, admin: User, seed: int
) -> None:
    ends = {}
    for way in ("all", "none", "half", "muddled"):
        server = serve(requests=40, seed=3)
        workspace = make_workspace(f"{way}-{seed}", base_url=server.base_url, secret=server.api_key, upstream_id=101)
        run(workspace)
        hook = listen(server, live_server, workspace, admin)
        server.switch(webhook_loss={"none": 1.0, "half": 0.5}.get(way, 0.0))
        rng = random.Random(seed)
        for round_number in range(4):
            if way == "muddled":
                server.webhooks.hold()
            for _ in range(8):
                act(server, rng=rng, deaths=True)
            if way == "muddled":
                server.webhooks.release(order="reversed")
            assert server.webhooks.settle()
            if way == "muddled":
                assert server.webhooks.replay(server.webhooks.deliveries[0]) == 200
            work(hook)
            run(workspace, Lane.FULL if round_number == 3 else Lane.ACTIVE)
        heard = WebhookEvent.objects.filter(receiver=hook.receiver).count()
        assert (heard == 0) == (way == "none")
        assert truth.mirror(workspace) == truth.upstream(server)
        assert truth.counters_are_right(workspace)
        ends[way] = without_times(truth.mirror(workspace))
    assert ends["all"] == ends["none"] == ends["half"] == ends["muddled"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("data", ["object", "id", "text_id", "nothing"])
@pytest.mark.parametrize("event", ["name", "number"])
def test_whatever_dastra_s_payload_looks_like_the_change_arrives(
    server: Server, live_server: Any, mirrored: Workspace, ada: User, data: str, event: str
) -> None:
    run(mirrored)
    hook = listen(server, live_server, mirrored, ada)
    server.switch(webhook_data=data, webhook_event=event)
    chosen = min(row["id"] for row in server.state[101].all() if not row["archived"] and row["state"] != "Closed")
    server.state[101].edit(chosen, complex=True)
    server.state[101].write(chosen, "Hello")
    assert server.webhooks.settle()
    done = webhooks.read_events(hook.receiver.pk, clock=timezone.now, pause=lambda _: None)
    assert done.wants_pull == (data == "nothing")
    if done.wants_pull:
        run(mirrored, Lane.ACTIVE)
    assert truth.mirror(mirrored) == truth.upstream(server)
