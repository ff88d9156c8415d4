"""Channels through a real server on loopback: what is told where, when, in which words; twice is once; what fails is neither lost nor doubled."""

from __future__ import annotations

import contextlib
import json
import os
import signal
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from dsrportal import credentials
from dsrportal.alerts import channel_letters
from dsrportal.alerts.channel_delivery import test as send_test
from dsrportal.alerts.sending import preview, send_alerts
from dsrportal.models import Channel, ChannelAlert, ChannelMessage, DataSubjectRequest, Workspace
from dsrportal.models.alert_rules import AlertRules
from dsrportal.models.alerts import AlertState, CancelledBecause
from dsrportal.models.channels import ChannelKind, ChannelTells, MessageState
from tests.alerts.stage import at, make_dsr
from tests.dastra.wire import Wire, answer

DUE = date(2026, 3, 10)
DAY = timedelta(days=1)
PATHS = {
    ChannelKind.SLACK: "/services/T0/B0/secret",
    ChannelKind.TEAMS: "/workflows/flow/triggers/manual/paths/invoke?api-version=2016-06-01&sig=secret",
    ChannelKind.MATTERMOST: "/hooks/secret",
    ChannelKind.WEBHOOK: "/in?token=secret",
}


@pytest.fixture
def wire(settings: Any) -> Iterator[Wire]:
    """What listens: a server on loopback that the operator has listed, and that says what each kind wants to hear."""
    wire = Wire().plays(answer(b"ok"))
    settings.CHANNEL_ALLOWED_HOSTS = [wire.host]
    settings.PORTAL_URL = "https://privacy.example.org"
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    yield wire
    wire.stop()


def make_channel(
    workspace: Workspace,
    *,
    url: str,
    kind: ChannelKind = ChannelKind.WEBHOOK,
    tells: ChannelTells = ChannelTells.BOTH,
    **fields: Any,
) -> Channel:
    """Store a channel."""
    wanted = {"name": kind.label, "language": "en", "created_at": at(DUE - 30 * DAY), "tells": tells} | fields
    channel = Channel(workspace=workspace, kind=kind, **wanted)
    channel.set_url(url, host="127.0.0.1")
    channel.save()
    return channel


@pytest.fixture
def channel(workspace: Workspace, wire: Wire) -> Channel:
    """A webhook of the workspace that is told everything."""
    return make_channel(workspace, url=wire.url + PATHS[ChannelKind.WEBHOOK])


def due(workspace: Workspace, upstream_id: int, *, on: date = DUE, **fields: Any) -> DataSubjectRequest:
    """A request that is due then, of somebody with a name."""
    return make_dsr(workspace, upstream_id, respond_by=on, extend_by=None, **fields)


def said(wire: Wire) -> list[dict[str, Any]]:
    """The documents that arrived, in order."""
    return [json.loads(asked.body) for asked in wire.journal]


def kinds(wire: Wire) -> list[tuple[str, int]]:
    """Kind and number of requests of each."""
    return [(one["kind"], len(one["requests"])) for one in said(wire)]


@pytest.mark.parametrize("kind", list(ChannelKind))
def test_each_kind_is_told_reference_clock_and_link_and_nothing_personal(
    workspace: Workspace, wire: Wire, kind: ChannelKind
) -> None:
    row = due(workspace, 104)
    anna = {"title": "Erase Anna Moreau", "given_name": "Anna", "family_name": "Moreau", "email": "anna@example.org"}
    row.identity_sealed = credentials.seal_fields(anna, context=row.identity_context())
    row.save()
    make_channel(workspace, url=wire.url + PATHS[kind], kind=kind)
    told = send_alerts(now=at(DUE, 7, 1))
    assert told.posts == 1
    (asked,) = wire.journal
    body = json.dumps(json.loads(asked.body), ensure_ascii=False)
    assert "DSR-104" in body
    assert "respond by Tue 10 Mar 2026, due today" in body
    assert "not checked since the beginning" in body, "nothing answers at the address of this workspace"
    assert "https://privacy.example.org/w/acme-france/requests/104/" in body
    for word in ("Anna", "Moreau", "anna@", "Erase"):
        assert word not in body
    alert = ChannelAlert.objects.get()
    assert (alert.state, alert.was_unchecked, alert.sent_at) == (AlertState.SENT, True, at(DUE, 7, 1))


def test_the_digest_of_a_working_day_goes_once_with_the_proof_of_watch(
    workspace: Workspace, channel: Channel, wire: Wire
) -> None:
    due(workspace, 104, on=DUE - DAY)
    due(workspace, 105, on=DUE + 2 * DAY)
    for n in range(7):
        for hour in (3, 8, 9, 12, 23):
            send_alerts(now=at(DUE + n * DAY, hour))
    digests = [one for one in said(wire) if one["kind"] == "digest"]
    assert [one["sent_at"][:10] for one in digests] == [f"2026-03-{day}" for day in (10, 11, 12, 13, 16)]
    first = digests[0]
    assert first["title"] == "Acme France: 1 overdue, 1 due soon"
    assert first["counts"] == {"overdue": 1, "due": 1, "extend": 0}
    assert [one["days_left"] for one in first["requests"]] == [-1, 2]
    assert first["watch"][0] == "Looked at: 2 open requests in 1 workspace."
    assert not ChannelAlert.objects.filter(state=AlertState.WAITING).exists()


@pytest.mark.parametrize(
    ("tells", "heard"),
    [
        (ChannelTells.BOTH, [("alert", 1), ("digest", 2)]),
        (ChannelTells.IMMEDIATE, [("alert", 1)]),
        (ChannelTells.DIGEST, [("digest", 2)]),
    ],
)
def test_a_channel_is_told_what_it_wants(
    workspace: Workspace, wire: Wire, tells: ChannelTells, heard: list[tuple[str, int]]
) -> None:
    make_channel(workspace, url=wire.url + PATHS[ChannelKind.WEBHOOK], tells=tells)
    due(workspace, 104)
    due(workspace, 105, on=DUE + 2 * DAY)
    for minute in (1, 6, 11):
        send_alerts(now=at(DUE, 7, minute))
        send_alerts(now=at(DUE, 8, 30 + minute))
    assert kinds(wire) == heard
    assert ChannelAlert.objects.count() == (1 if tells == ChannelTells.IMMEDIATE else 2)


def test_many_at_once_are_one_message_and_what_does_not_fit_is_counted(workspace: Workspace, wire: Wire) -> None:
    make_channel(
        workspace, url=wire.url + PATHS[ChannelKind.SLACK], kind=ChannelKind.SLACK, tells=ChannelTells.IMMEDIATE
    )
    for n in range(60):
        due(workspace, 1000 + n, on=DUE - DAY)
    for minute in (0, 5, 10):
        send_alerts(now=at(DUE, 7, minute))
    due(workspace, 2000)
    send_alerts(now=at(DUE, 7, 12))
    send_alerts(now=at(DUE, 7, 40))
    first, second = (json.loads(asked.body)["attachments"][0] for asked in wire.journal)
    assert first["title"] == "Acme France: 60 deadlines need somebody"
    listed = first["text"].count("|DSR-")
    assert f"and {60 - listed} more" in first["text"]
    assert second["title"] == "Acme France: 1 deadline needs somebody", (
        "held back with the many, and told when they are over"
    )
    assert ChannelAlert.objects.filter(state=AlertState.SENT).count() == 61


@pytest.mark.parametrize(
    ("language", "words"), [("fr", "mar 10 mar 2026"), ("nl", "di 10 mrt 2026"), ("xx", "tue 10 mar 2026")]
)
def test_it_is_told_in_the_language_of_the_channel(workspace: Workspace, wire: Wire, language: str, words: str) -> None:
    make_channel(workspace, url=wire.url + PATHS[ChannelKind.WEBHOOK], language=language)
    due(workspace, 104)
    send_alerts(now=at(DUE, 7, 1))
    assert words in said(wire)[0]["requests"][0]["text"].lower()


def test_what_was_closed_meanwhile_is_not_told(workspace: Workspace, channel: Channel, wire: Wire) -> None:
    row = due(workspace, 104)
    send_alerts(now=at(DUE, 3))
    assert ChannelAlert.objects.get().state == AlertState.WAITING
    DataSubjectRequest.objects.filter(pk=row.pk).update(is_closed=True, state="Closed")
    send_alerts(now=at(DUE, 7, 1))
    assert wire.journal == []
    assert ChannelAlert.objects.get().cancelled_because == CancelledBecause.CLOSED
    DataSubjectRequest.objects.filter(pk=row.pk).update(is_closed=False, state="Processing")
    send_alerts(now=at(DUE, 7, 5))
    assert kinds(wire) == [("alert", 1)]


def test_a_request_is_read_just_before_it_is_told(
    workspace: Workspace, channel: Channel, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = due(workspace, 104)

    def closed_now(*_args: Any, **_kwargs: Any) -> None:
        DataSubjectRequest.objects.filter(pk=row.pk).update(is_closed=True, state="Closed")

    monkeypatch.setattr("dsrportal.mirror.connections.connect", lambda _workspace: contextlib.nullcontext())
    monkeypatch.setattr("dsrportal.mirror.refresh.refresh_requests", closed_now)
    told = send_alerts(now=at(DUE, 7, 1))
    assert (told.posts, told.cancelled, wire.journal) == (0, 1, [])
    assert ChannelMessage.objects.get().state == MessageState.CANCELLED


def test_a_channel_that_refuses_rests_longer_and_longer_and_then_hears_everything_once(
    workspace: Workspace, channel: Channel, wire: Wire
) -> None:
    due(workspace, 104)
    wire.plays(answer(status=404))
    rests = []
    for _ in range(8):
        before = timezone.now()
        send_alerts(now=at(DUE, 7, 1), insist=True)
        channel.refresh_from_db()
        assert channel.rest_until is not None
        rests.append(round((channel.rest_until - before).total_seconds() / 60))
    assert rests == [1, 2, 4, 8, 16, 32, 60, 60]
    assert (channel.last_failure, channel.failures) == ("answered 404", 8)
    asked = len(wire.journal)
    send_alerts(now=at(DUE, 7, 5))
    assert len(wire.journal) == asked, "it rests"
    wire.plays(answer(b"ok"))
    send_alerts(now=at(DUE, 9), insist=True)
    send_alerts(now=at(DUE, 9, 5), insist=True)
    assert kinds(wire)[asked:] == [("digest", 1)]
    channel.refresh_from_db()
    assert (channel.failures, channel.rest_until) == (0, None)
    assert sorted(ChannelMessage.objects.values_list("state", flat=True)) == ["cancelled", "sent"]


def test_who_wrote_too_slowly_leaves_the_message_to_whoever_has_it_now(
    workspace: Workspace, channel: Channel, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    due(workspace, 104)
    compose = channel_letters.compose

    def slow(message: ChannelMessage, **how: Any) -> Any:
        ChannelMessage.objects.update(lease_token="another", lease_until=timezone.now() + DAY)
        return compose(message, **how)

    monkeypatch.setattr(channel_letters, "compose", slow)
    assert send_alerts(now=at(DUE, 7, 1)).posts == 0
    assert wire.journal == []


def test_one_channel_that_fails_keeps_no_other_from_hearing(workspace: Workspace, wire: Wire) -> None:
    make_channel(workspace, url="http://127.0.0.1:9/in", name="A")
    make_channel(workspace, url=wire.url + PATHS[ChannelKind.WEBHOOK], name="B")
    due(workspace, 104)
    assert send_alerts(now=at(DUE, 7, 1)).posts == 1
    assert dict(Channel.objects.values_list("name", "last_failure")) == {"A": "host_not_allowed", "B": ""}


def test_a_disabled_channel_or_workspace_hears_nothing(workspace: Workspace, channel: Channel, wire: Wire) -> None:
    due(workspace, 104)
    Channel.objects.update(disabled_at=at(DUE))
    send_alerts(now=at(DUE))
    Channel.objects.update(disabled_at=None)
    Workspace.objects.update(disabled_at=at(DUE))
    send_alerts(now=at(DUE))
    assert wire.journal == []
    assert not ChannelAlert.objects.exists()


def test_a_dry_run_is_written_down_and_told_when_it_is_over(workspace: Workspace, channel: Channel, wire: Wire) -> None:
    due(workspace, 104)
    AlertRules.objects.create(
        workspace=workspace, is_dry=True, extend_days=[10], respond_days=[5, 2], overdue_days=[1], changed_at=at(DUE)
    )
    send_alerts(now=at(DUE, 9))
    assert wire.journal == []
    assert ChannelAlert.objects.get().state == AlertState.DRY
    AlertRules.objects.update(is_dry=False)
    send_alerts(now=at(DUE, 9, 5))
    assert kinds(wire) == [("digest", 1)]
    assert ChannelAlert.objects.get().state == AlertState.SENT


def test_other_rules_repeat_nothing_and_lose_nothing(workspace: Workspace, channel: Channel, wire: Wire) -> None:
    due(workspace, 104, on=DUE + 2 * DAY)
    due(workspace, 105, on=DUE)
    send_alerts(now=at(DUE, 7, 1))
    since = {code: DUE.isoformat() for code in ("respond_4", "respond_3")}
    AlertRules.objects.create(
        workspace=workspace, extend_days=[], respond_days=[4, 3], overdue_days=[1], since=since, changed_at=at(DUE)
    )
    send_alerts(now=at(DUE, 7, 5))
    states = dict(ChannelAlert.objects.values_list("upstream_id", "state"))
    assert states == {104: AlertState.WAITING, 105: AlertState.SENT}
    send_alerts(now=at(DUE, 9))
    assert kinds(wire) == [("alert", 1), ("digest", 2)]


def test_a_preview_posts_nothing(workspace: Workspace, channel: Channel, wire: Wire) -> None:
    due(workspace, 104)
    preview(now=at(DUE))
    assert (ChannelAlert.objects.count(), ChannelMessage.objects.count(), wire.journal) == (0, 0, [])


def test_a_test_message_names_no_request_and_wakes_the_channel(
    workspace: Workspace, channel: Channel, wire: Wire
) -> None:
    Channel.objects.update(failures=7, rest_until=timezone.now() + DAY)
    assert send_test(channel, now=at(DUE)) == ""
    (only,) = said(wire)
    assert (only["kind"], only["title"], only["requests"]) == ("test", "Acme France: a test", [])
    assert Channel.objects.get().rest_until is None
    wire.plays(answer(status=500))
    assert send_test(channel, now=at(DUE)) == "answered 500"


def test_a_channel_whose_keys_are_gone_says_so(workspace: Workspace, channel: Channel, wire: Wire) -> None:
    Channel.objects.update(host="elsewhere.example.org")
    assert send_test(Channel.objects.select_related("workspace").get(), now=at(DUE)) == "sealed"
    assert wire.journal == []


@pytest.mark.django_db(transaction=True)
def test_who_is_killed_while_the_channel_takes_it_posts_one_more_under_the_same_number(
    workspace: Workspace, channel: Channel, wire: Wire
) -> None:
    due(workspace, 104)
    pids: list[int] = []

    def kill(_connection: Any, _asked: Any) -> None:
        while not pids:
            wire.wait(0.01)
        os.kill(pids[-1], signal.SIGKILL)

    wire.plays(kill, answer(b"ok"))
    connection.close()
    pid = os.fork()
    if not pid:
        try:
            send_alerts(now=at(DUE, 7, 1))
        finally:
            os._exit(0)
    pids.append(pid)
    assert os.WIFSIGNALED(os.waitpid(pid, 0)[1])
    assert send_alerts(now=at(DUE, 7, 5)).posts == 0, "the lease holds"
    ChannelMessage.objects.update(lease_until=timezone.now())
    assert send_alerts(now=at(DUE, 7, 5)).posts == 1
    assert send_alerts(now=at(DUE, 7, 10)).posts == 0
    numbers = [{k.lower(): v for k, v in asked.headers.items()}["dsr-portal-delivery"] for asked in wire.journal]
    assert (len(numbers), len(set(numbers))) == (2, 1)
    assert ChannelAlert.objects.get().state == AlertState.SENT


@pytest.mark.django_db(transaction=True)
def test_killed_before_any_statement_nothing_is_lost_or_doubled(
    workspace: Workspace, channel: Channel, wire: Wire
) -> None:
    due(workspace, 104)
    due(workspace, 105)
    statement, ended = 1, False
    while not ended:
        ended = _run_and_die(statement)
        ChannelMessage.objects.update(lease_until=timezone.now())
        send_alerts(now=at(DUE, 7, 5), insist=True)
        assert set(ChannelAlert.objects.values_list("upstream_id", "state")) == {(104, "sent"), (105, "sent")}
        assert len(wire.journal) - 2 <= (not ended)
        assert {one["requests"][0]["reference"] for one in said(wire)} == {"DSR-104", "DSR-105"}
        ChannelMessage.objects.all().delete()
        ChannelAlert.objects.all().delete()
        wire.journal.clear()
        statement += 13
    assert statement > 40, "there were statements to be killed at"


def _run_and_die(statement: int) -> bool:
    """A run in a process of its own that is killed before its n-th statement. Whether it lived to its end."""
    connection.close()
    pid = os.fork()
    if not pid:
        count = 0

        def counted(execute: Any, *arguments: Any) -> Any:
            nonlocal count
            count += 1
            if count == statement:
                os.kill(os.getpid(), signal.SIGKILL)
            return execute(*arguments)

        try:
            with connection.execute_wrapper(counted):
                send_alerts(now=at(DUE, 7, 1))
        finally:
            os._exit(0)
    return os.WIFEXITED(os.waitpid(pid, 0)[1])
