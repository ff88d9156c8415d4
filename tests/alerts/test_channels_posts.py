"""What goes over the wire to a channel: the payload of each kind, to the host of its address and nowhere else, once."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

import pytest
from apprise.plugins import slack

from dsrportal.alerts import plugins, posts
from dsrportal.alerts.markup import LONGEST_LIST, Line, Message, Section, fitted, plain
from dsrportal.alerts.posts import PostFailedError, checked_target, send
from dsrportal.dastra.errors import ConfigurationError, HostNotAllowed
from dsrportal.dastra.posting import Target, target_of
from dsrportal.models.channels import ChannelKind
from tests.dastra.wire import Wire, answer, hang_up

LINE = Line(
    reference="DSR-104",
    url="https://privacy.example.org/w/acme/requests/104/",
    what="respond by Tue 10 Mar 2026, due today",
    note="not checked since 02:10",
    facts={"clock": "respond", "due_on": "2026-03-10"},
)
MESSAGE = Message(
    title="1 deadline needs somebody",
    sections=[Section(title="Overdue & more", lines=[LINE], more="and 3 more")],
    watch=["Read at 07:30."],
    link_words="All of them in the portal",
    url="https://privacy.example.org/w/acme/alerts/",
    facts={"kind": "alert", "workspace": "acme"},
)
PATHS = {
    ChannelKind.SLACK: "/services/T0/B0/secret",
    ChannelKind.TEAMS: "/workflows/flow-1/triggers/manual/paths/invoke?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=secret_1",
    ChannelKind.MATTERMOST: "/chat/hooks/secret",
    ChannelKind.WEBHOOK: "/in/box?token=secret",
}
POWER = "/powerautomate/automations/direct/cu/7/workflows/flow/triggers/manual/paths/invoke?api-version=1&sig=secret"


@pytest.fixture
def wire(settings: Any) -> Iterator[Wire]:
    """A server on loopback that the operator has listed."""
    wire = Wire()
    settings.CHANNEL_ALLOWED_HOSTS = [wire.host]
    settings.PORTAL_URL = "https://privacy.example.org"
    yield wire
    wire.stop()


def post(wire: Wire, kind: ChannelKind, *, path: str = "", key: str = "") -> None:
    """Send the message."""
    send(MESSAGE, kind=kind, url=wire.url + (path or PATHS[kind]), delivery_id="d1", signing_key=key)


def test_slack_gets_its_markup(wire: Wire) -> None:
    post(wire.plays(answer(b"ok", content_type="text/html")), ChannelKind.SLACK)
    (asked,) = wire.journal
    assert (asked.method, asked.path) == ("POST", "/services/T0/B0/secret")
    (card,) = json.loads(asked.body)["attachments"]
    assert card["title"] == "1 deadline needs somebody"
    assert card["text"].splitlines() == [
        "*Overdue &amp; more*",
        "• <https://privacy.example.org/w/acme/requests/104/|DSR-104>: respond by Tue 10 Mar 2026, due today (not checked since 02:10)",
        "and 3 more",
        "Read at 07:30.",
        "<https://privacy.example.org/w/acme/alerts/|All of them in the portal>",
    ]


@pytest.mark.parametrize("path", [PATHS[ChannelKind.TEAMS], POWER])
def test_teams_gets_a_card(wire: Wire, path: str) -> None:
    post(wire.plays(answer(status=202)), ChannelKind.TEAMS, path=path)
    (asked,) = wire.journal
    assert asked.path == path.partition("?")[0]
    assert dict(asked.query)["sig"].startswith("secret")
    (attachment,) = json.loads(asked.body)["attachments"]
    (block,) = attachment["content"]["body"]
    assert block["text"].split("\n\n")[:3] == [
        "**1 deadline needs somebody**",
        "**Overdue & more**",
        "- [DSR-104](https://privacy.example.org/w/acme/requests/104/): respond by Tue 10 Mar 2026, due today (not checked since 02:10)",
    ]


def test_mattermost_gets_markdown(wire: Wire) -> None:
    post(wire.plays(answer(b"ok")), ChannelKind.MATTERMOST)
    (asked,) = wire.journal
    assert asked.path == "/chat/hooks/secret"
    said = json.loads(asked.body)
    assert said["username"] == "DSR Portal"
    assert said["text"].splitlines() == [
        "**1 deadline needs somebody**",
        "",
        "**Overdue & more**",
        "- [DSR-104](https://privacy.example.org/w/acme/requests/104/): respond by Tue 10 Mar 2026, due today (not checked since 02:10)",
        "- and 3 more",
        "",
        "Read at 07:30.",
        "",
        "[All of them in the portal](https://privacy.example.org/w/acme/alerts/)",
    ]


def test_a_webhook_gets_a_signed_document(wire: Wire) -> None:
    post(wire.plays(answer(status=204)), ChannelKind.WEBHOOK, key="k" * 32)
    (asked,) = wire.journal
    assert asked.query == [("token", "secret")]
    assert json.loads(asked.body) == {
        "title": "1 deadline needs somebody",
        "message": json.loads(asked.body)["message"],
        "kind": "alert",
        "workspace": "acme",
        "url": "https://privacy.example.org/w/acme/alerts/",
        "requests": [
            {
                "reference": "DSR-104",
                "url": "https://privacy.example.org/w/acme/requests/104/",
                "text": "respond by Tue 10 Mar 2026, due today",
                "note": "not checked since 02:10",
                "clock": "respond",
                "due_on": "2026-03-10",
            }
        ],
        "watch": ["Read at 07:30."],
    }
    headers = {name.lower(): value for name, value in asked.headers.items()}
    digest = hmac.new(b"k" * 32, asked.body, hashlib.sha256).hexdigest()
    assert headers["dsr-portal-signature"] == f"sha256={digest}"
    assert headers["dsr-portal-delivery"] == "d1"
    assert headers["user-agent"].startswith("dsr-portal/")


@pytest.mark.parametrize("kind", list(ChannelKind))
@pytest.mark.parametrize(
    ("act", "code"),
    [
        (answer(status=302, headers=("Location: http://127.0.0.1:9/elsewhere",)), "answered 302"),
        (answer(status=404), "answered 404"),
        (answer(status=500), "answered 500"),
        (hang_up, "answer_cut"),
        (answer(b"x" * 70_000), "answer_too_large"),
    ],
)
def test_what_is_not_taken_says_why_and_is_not_tried_again(wire: Wire, kind: ChannelKind, act: Any, code: str) -> None:
    with pytest.raises(PostFailedError, match=f"^{code}$") as caught:
        post(wire.plays(act), kind)
    assert len(wire.journal) == 1
    assert "secret" not in f"{caught.value!r} {caught.value.__context__!r} {caught.value.__cause__!r}"


def test_slack_that_answers_something_else_than_ok_has_not_taken_it(wire: Wire) -> None:
    with pytest.raises(PostFailedError, match="answered 200"):
        post(wire.plays(answer(b"<html>sign in</html>")), ChannelKind.SLACK)


def test_a_server_that_drips_ends_at_the_deadline(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posts, "SECONDS", 0.3)

    def drip(connection: Any, _asked: Any) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        for _ in range(100):
            wire.wait(0.05)
            connection.sendall(b"X-A: b\r\n")

    with pytest.raises(PostFailedError, match="timed_out"):
        post(wire.plays(drip), ChannelKind.WEBHOOK)


@pytest.mark.parametrize(
    "host", ["127.0.0.1:{port}", "localhost:{port}", "[::1]:{port}", "2130706433:{port}", "0.0.0.0:{port}"]
)
def test_an_address_of_this_machine_that_is_not_listed_is_never_spoken_to(wire: Wire, settings: Any, host: str) -> None:
    settings.CHANNEL_ALLOWED_HOSTS = []
    for scheme in ("http", "https"):
        url = f"{scheme}://{host.format(port=wire.host.partition(':')[2])}/in"
        with pytest.raises(PostFailedError, match=r"^host_not_allowed$"):
            send(MESSAGE, kind=ChannelKind.WEBHOOK, url=url, delivery_id="d1")
    assert wire.journal == []


def test_nobody_learns_which_ports_of_the_network_behind_answer() -> None:
    for port in (9, 22):
        with pytest.raises(PostFailedError, match=r"^host_not_allowed$"):
            send(MESSAGE, kind=ChannelKind.WEBHOOK, url=f"https://127.0.0.1:{port}/in", delivery_id="d1")


def test_a_name_that_moves_between_look_up_and_connection_is_caught_there(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = int(wire.host.partition(":")[2])
    monkeypatch.setattr("dsrportal.dastra.posting._look_up", lambda _target: None)
    monkeypatch.setattr("socket.getaddrinfo", lambda *_args, **_kwargs: [(2, 1, 6, "", ("127.0.0.1", port))])
    with pytest.raises(PostFailedError, match="host_not_allowed"):
        send(MESSAGE, kind=ChannelKind.WEBHOOK, url=f"https://hooks.example.org:{port}/in", delivery_id="d1")
    assert wire.journal == []


def test_a_public_name_that_leads_here_is_not_spoken_to(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    port = int(wire.host.partition(":")[2])
    found = [(2, 1, 6, "", ("127.0.0.1", port))]
    monkeypatch.setattr("socket.getaddrinfo", lambda *_args, **_kwargs: found)
    with pytest.raises(PostFailedError, match="host_not_allowed"):
        send(MESSAGE, kind=ChannelKind.WEBHOOK, url=f"https://hooks.example.org:{port}/in", delivery_id="d1")
    assert wire.journal == []


@pytest.mark.parametrize(
    ("peer", "when"),
    [
        ("93.184.216.34", "always"),
        ("10.0.0.7", "listed"),
        ("192.168.1.4", "listed"),
        ("fd00::1", "listed"),
        ("::ffff:10.0.0.7", "listed"),
        ("127.0.0.1", "never"),
        ("169.254.169.254", "never"),
        ("fe80::1", "never"),
        ("::", "never"),
        ("224.0.0.1", "never"),
    ],
)
def test_a_private_address_only_behind_a_listed_name(peer: str, when: str) -> None:
    def target(hosts: list[str]) -> Target:
        return target_of("https://chat.example.org/hooks/x", listed_hosts=hosts)

    assert target([]).may_reach(peer) is (when == "always")
    assert target(["chat.example.org"]).may_reach(peer) is (when != "never")


@pytest.mark.parametrize(
    ("kind", "url"),
    [
        (ChannelKind.SLACK, "https://hooks.slack.example/services/T0/B0/x"),
        (ChannelKind.SLACK, "https://hooks.slack.com/services/T0/B0"),
        (ChannelKind.SLACK, "https://hooks.slack.com/services/T0/B0/x?template=file:///etc/passwd"),
        (ChannelKind.TEAMS, "https://prod-1.example.org/workflows/a/triggers/manual/paths/invoke"),
        (ChannelKind.TEAMS, "https://prod-1.example.org/webhookb2/a@b/IncomingWebhook/c/d?sig=x"),
        (ChannelKind.MATTERMOST, "https://chat.example.org/api/v4/posts"),
        (ChannelKind.MATTERMOST, "https://chat.example.org/hooks/x?mode=bot"),
        (ChannelKind.WEBHOOK, "https://example.org/x?a=1&a=2"),
        (ChannelKind.WEBHOOK, "http://example.org/x"),
        (ChannelKind.WEBHOOK, "https://user:word@example.org/x"),
        (ChannelKind.WEBHOOK, "https://example.org"),
        (ChannelKind.WEBHOOK, "https://example.org/../x"),
        (ChannelKind.WEBHOOK, "https://example.org/x#y"),
        (ChannelKind.WEBHOOK, "https://example.org\\@evil.example.org/x"),
        (ChannelKind.WEBHOOK, "https://example.org:0/x"),
        (ChannelKind.WEBHOOK, "https://exämple.org/x"),
        (ChannelKind.WEBHOOK, "syslog://localhost"),
        (ChannelKind.WEBHOOK, "file:///etc/passwd"),
        (ChannelKind.WEBHOOK, "jsons://example.org/x"),
        (ChannelKind.WEBHOOK, " https://example.org/x"),
        (ChannelKind.WEBHOOK, "https://example.org/" + "x" * 2000),
    ],
)
def test_an_address_of_another_kind_or_form_is_refused(kind: ChannelKind, url: str) -> None:
    with pytest.raises(HostNotAllowed) as caught:
        checked_target(url, kind=kind)
    assert "example" not in str(caught.value)


def test_the_plugins_have_no_other_way_out() -> None:
    assert len(plugins.MODULES) == len(ChannelKind)
    for plugin in plugins.MODULES:
        names = vars(plugin)
        assert isinstance(names["requests"], posts.Door)
        assert not {"socket", "urllib", "http", "subprocess", "aiohttp", "httpx"} & set(names)
        assert not any(hasattr(names["requests"], way) for way in ("get", "put", "Session", "sessions", "api"))
    with pytest.raises(ConfigurationError):
        vars(slack)["requests"].post("https://example.org/", data="", headers={})


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("DSR-2026_104 (b)", "DSR-2026_104 (b)"),
        ("<!channel> @all ~x *b* [a](b) `c` |d|", "channel all x b a (b) c d"),
        ("_soft_ __hard__\nnext", "soft hard next"),
        ("Accès / données", "Accès / données"),
    ],
)
def test_nothing_from_outside_is_markup(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_what_does_not_fit_is_counted() -> None:
    sections = [Section(title="Overdue", lines=[LINE] * 60), Section(title="Due", lines=[LINE] * 5)]
    first, second = fitted(sections, more="and %(n)d more")
    assert 10 < len(first.lines) < LONGEST_LIST // 100
    assert first.more == f"and {60 - len(first.lines)} more"
    assert (second.lines, second.more) == ([], "and 5 more")
