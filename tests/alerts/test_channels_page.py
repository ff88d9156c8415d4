"""The pages of channels: who may see them, what they keep, and that no answer ever holds an address."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from dsrportal import credentials
from dsrportal.actions import channels as actions
from dsrportal.alerts.posts import PostFailedError
from dsrportal.alerts.sending import send_alerts
from dsrportal.mirror.resealing import reseal_everything
from dsrportal.models import AuditEvent, Channel, Role, User, Workspace
from dsrportal.models.channels import ChannelKind, ChannelTells
from dsrportal.queries.channels import failure_words
from tests.alerts.stage import at, make_dsr, make_member
from tests.conftest import MakeWorkspace, make_person
from tests.dastra.wire import Wire, answer

DUE = date(2026, 3, 10)
SECRET = "T0PSECRET"
PAGE = "/settings/workspaces/acme-france/channels/"


@pytest.fixture
def wire(settings: Any) -> Iterator[Wire]:
    """What listens, on loopback, and is listed."""
    wire = Wire().plays(answer(b"ok"))
    settings.CHANNEL_ALLOWED_HOSTS = [wire.host]
    yield wire
    wire.stop()


@pytest.fixture
def ada(client: Client, workspace: Workspace) -> User:
    """The admin, signed in with `client`."""
    user = make_person("ada", workspace=workspace, role=Role.ADMIN)
    client.force_login(user)
    return user


def filled(**values: str) -> dict[str, str]:
    """The form of a webhook."""
    url = f"https://hooks.example.org/{SECRET}"
    return {"kind": "webhook", "name": "Privacy", "url": url, "tells": "both", "language": "fr"} | values


def add(client: Client, **values: str) -> Any:
    """Post the form."""
    return client.post(f"{PAGE}add/", filled(**values))


def test_an_address_is_sealed_and_only_its_host_is_ever_shown(client: Client, ada: User) -> None:
    assert add(client, signing_key="k" * 20).status_code == 302
    channel = Channel.objects.get()
    assert channel.read_url() == f"https://hooks.example.org/{SECRET}"
    assert channel.read_signing_key() == "k" * 20
    assert SECRET.encode() not in bytes(channel.url_sealed)
    page = client.get(PAGE).content.decode()
    assert "hooks.example.org" in page
    assert "French" in page
    assert "Not tried yet" in page
    for answered in (page, client.get(f"{PAGE}{channel.pk}/delete/").content.decode()):
        assert SECRET not in answered
        assert "k" * 20 not in answered
    event = AuditEvent.objects.get(operation="channel_added")
    assert event.details == {"channel": channel.pk, "kind": "webhook"}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"kind": "slack"}, "looks like https://hooks.slack.com/services/"),
        ({"kind": "teams"}, "/triggers/manual/paths/invoke"),
        ({"kind": "mattermost"}, "looks like https://chat.example.org/hooks/"),
        ({"kind": "email"}, "Select a valid choice"),
        ({"url": f"http://hooks.example.org/{SECRET}"}, "must begin with https://"),
        ({"url": ""}, "This field is required"),
        ({"name": " "}, "This field is required"),
        ({"language": "xx"}, "Select a valid choice"),
        ({"signing_key": "short"}, "16 characters at least"),
    ],
)
def test_what_makes_no_channel_says_why_beside_the_field_and_repeats_no_secret(
    client: Client, ada: User, values: dict[str, str], words: str
) -> None:
    answered = add(client, **values)
    assert answered.status_code == 422
    page = answered.content.decode()
    assert words in page
    assert SECRET not in page
    assert not Channel.objects.exists()


def test_a_name_is_there_once_in_a_workspace(client: Client, ada: User) -> None:
    add(client)
    answered = add(client)
    assert (answered.status_code, Channel.objects.count()) == (422, 1)
    assert "Another channel has this name." in answered.content.decode()


def test_what_is_not_a_webhook_is_not_signed(client: Client, ada: User, wire: Wire) -> None:
    add(client, kind="slack", url=f"{wire.url}/services/T0/B0/x", signing_key="k" * 20)
    assert Channel.objects.get().signing_key_sealed is None


def test_a_test_message_is_sent_at_once_and_its_outcome_is_told(client: Client, ada: User, wire: Wire) -> None:
    add(client, url=f"{wire.url}/{SECRET}")
    pk = str(Channel.objects.get().pk)
    told = client.post(PAGE, {"deed": "test", "channel": pk}, follow=True).content.decode()
    assert "“Privacy” took the test message." in told
    assert "Works" in told
    wire.plays(answer(status=404))
    told = client.post(PAGE, {"deed": "test", "channel": pk}, follow=True).content.decode()
    assert "did not take the test message. The server knows no such channel (404)" in told
    assert "Does not take messages" in told
    assert "It is tried again from" in told
    assert SECRET not in told
    assert len(wire.journal) == 2
    assert list(AuditEvent.objects.filter(operation="channel_tested").values_list("outcome", flat=True)) == [
        "done",
        "failed",
    ]


def test_it_is_disabled_enabled_and_deleted(client: Client, ada: User) -> None:
    add(client)
    channel = Channel.objects.get()
    Channel.objects.update(
        failures=3, rest_until=timezone.now(), last_failure_at=timezone.now(), last_failure="timed_out"
    )
    assert "The server did not answer in time." in client.get(PAGE).content.decode()
    client.post(PAGE, {"deed": "disable", "channel": channel.pk})
    assert "Disabled" in client.get(PAGE).content.decode()
    client.post(PAGE, {"deed": "enable", "channel": channel.pk})
    channel.refresh_from_db()
    assert (channel.disabled_at, channel.failures, channel.rest_until) == (None, 0, None)
    assert "leaves the list of alerts" in client.get(f"{PAGE}{channel.pk}/delete/").content.decode()
    client.post(f"{PAGE}{channel.pk}/delete/")
    assert not Channel.objects.exists()
    done = AuditEvent.objects.filter(operation__startswith="channel").values_list("operation", flat=True)
    assert list(done) == ["channel_added", "channel_changed", "channel_changed", "channel_deleted"]


def test_another_workspaces_channel_does_not_exist(client: Client, ada: User, make_workspace: MakeWorkspace) -> None:
    other = make_workspace("elsewhere", upstream_id=102)
    theirs = actions.add(
        other,
        name="Theirs",
        kind=ChannelKind.WEBHOOK,
        url="https://hooks.example.org/x",
        tells=ChannelTells.BOTH,
        language="en",
        by=ada,
        now=timezone.now(),
    )
    for deed in ("test", "disable", "enable"):
        assert client.post(PAGE, {"deed": deed, "channel": theirs.pk}).status_code == 404
    for odd in ("", "-1", "x", "9" * 30):
        assert client.post(PAGE, {"deed": "disable", "channel": odd}).status_code == 404
    assert client.post(f"{PAGE}{theirs.pk}/delete/").status_code == 404
    assert client.get("/settings/workspaces/elsewhere/channels/").status_code == 404
    assert Channel.objects.get().is_enabled


def test_only_admins_see_it(client: Client, workspace: Workspace) -> None:
    for role, status in ((Role.OFFICER, 404), (Role.MANAGER, 404), (Role.AUDITOR, 404)):
        client.force_login(make_person(f"p-{role}", workspace=workspace, role=role))
        assert {client.get(f"{PAGE}{more}").status_code for more in ("", "add/")} == {status}


def test_the_ledger_lists_what_channels_were_told_among_what_people_were(
    client: Client, workspace: Workspace, wire: Wire, settings: Any
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    marc = make_member("marc", workspace=workspace, role=Role.MANAGER)
    channels = [
        actions.add(
            workspace,
            name=name,
            kind=ChannelKind.WEBHOOK,
            url=f"{wire.url}/{name}",
            tells=ChannelTells.BOTH,
            language="en",
            by=marc,
            now=at(DUE),
        )
        for name in ("Hall", "Yard")
    ]
    make_dsr(workspace, 104, respond_by=DUE, extend_by=None)
    wire.plays(answer(status=403), answer(b"ok"))
    send_alerts(now=at(DUE))
    client.force_login(marc)

    def rows(**query: str) -> list[str]:
        page = client.get("/w/acme-france/alerts/", query).content.decode()
        return [name for name in ("marc", "Hall", "Yard") if f'data-label="Who was told">{name}<' in page]

    assert rows() == ["marc", "Hall", "Yard"]
    assert rows(person=f"c{channels[1].pk}") == ["Yard"]
    assert rows(person=str(marc.pk)) == ["marc"]
    assert (rows(show="waiting"), rows(show="sent"), rows(q="nothing")) == (["Hall"], ["marc", "Yard"], [])
    assert "did not take the message (403)" in client.get("/w/acme-france/alerts/").content.decode()
    client.force_login(make_member("luc", workspace=workspace, role=Role.OFFICER))
    assert (rows(), rows(person=f"c{channels[1].pk}")) == ([], [])


def test_a_new_key_reseals_addresses(client: Client, ada: User, settings: Any) -> None:
    add(client, signing_key="k" * 20)
    fresh = "A" * 42 + "E="
    settings.CREDENTIAL_KEYS = [fresh, *settings.CREDENTIAL_KEYS]
    before = reseal_everything()
    channel = Channel.objects.get()
    assert credentials.is_sealed_with_first_key(channel.url_sealed)
    assert channel.signing_key_sealed is not None
    assert credentials.is_sealed_with_first_key(channel.signing_key_sealed)
    assert channel.read_url().endswith(SECRET)
    assert (before.problems, reseal_everything().secrets) == ((), 0)


@pytest.mark.parametrize(
    "code",
    [
        *(
            "connection_failed",
            "name_not_resolved",
            "certificate_refused",
            "timed_out",
            "host_not_allowed",
            "configuration",
        ),
        *("sealed", "answer_cut", *(f"answered {status}" for status in (200, 302, 403, 404, 410, 429, 500))),
    ],
)
def test_every_failure_is_told_in_a_sentence(code: str) -> None:
    assert failure_words(PostFailedError(code).code).endswith((".", ")."))
