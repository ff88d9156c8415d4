"""`add_workspace`: tested before it is stored, and the secret seen by nobody."""

from __future__ import annotations

from typing import Any

import pytest

from dsrportal.models import AuditEvent, Workspace
from dsrportal.sandbox.faults import Fault
from dsrportal.sandbox.server import Server
from tests.commands.calling import Told, call
from tests.mirror import truth
from tests.mirror.conftest import Serve

pytestmark = pytest.mark.django_db


@pytest.fixture
def add(server: Server, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Adds "Acme" with the right key unless told otherwise."""

    def added(*further: str, name: str = "Acme", base_url: str = "", stdin: str | None = None, ws: str = "101") -> Told:
        url = base_url or server.base_url
        key = f"{server.api_key}\n" if stdin is None else stdin
        return call(
            "add_workspace", name, "--upstream-id", ws, "--base-url", url, *further, stdin=key, monkeypatch=monkeypatch
        )

    return added


def test_a_workspace_is_added_and_can_be_read(add: Any, server: Server) -> None:
    told = add(name="Acme France")
    assert not told.reason
    workspace = Workspace.objects.get()
    assert (workspace.slug, workspace.country, workspace.time_zone) == ("acme-france", "FR", "Europe/Paris")
    assert workspace.secret_last_four == server.api_key[-4:]
    assert server.api_key not in told.out
    assert AuditEvent.objects.filter(operation="workspace_added").count() == 1
    assert "other workspace" in told.out
    assert not call("sync", "Acme France", "--full").reason
    assert truth.mirror(workspace) == truth.upstream(server)


def test_the_way_in_with_two_keys(add: Any, server: Server) -> None:
    told = add("--auth", "oauth", "--public-key", server.public_key, "--token-url", server.token_url)
    assert not told.reason
    assert not call("sync", "acme", "--full").reason
    assert truth.mirror(Workspace.objects.get()) == truth.upstream(server)


@pytest.mark.parametrize(
    ("stdin", "part"),
    [
        ("", "empty"),
        ("  \n", "empty"),
        ("not-the-key", "does not accept"),
        ("two\nlines", "line breaks"),
        ("clé", "no key has"),
        ("k" * 5_000, "too long"),
    ],
)
def test_a_key_that_will_not_do(add: Any, stdin: str, part: str) -> None:
    told = add(stdin=stdin)
    assert part in told.reason
    assert stdin.strip() == "" or stdin.strip() not in told.reason
    assert not Workspace.objects.exists()
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize(
    "base_url",
    [
        "https://dastra.example.org",
        "http://api.dastra.eu",
        "api.dastra.eu",
        "https://api.dastra.eu@evil.example.org",
        "https://api.dastra.eu/v1",
        "ftp://api.dastra.eu",
        "https://169.254.169.254",
        "https://",
    ],
)
def test_an_address_that_is_not_allowed(add: Any, base_url: str) -> None:
    assert "UPSTREAM_ALLOWED_HOSTS" in add(base_url=base_url).reason
    assert not Workspace.objects.exists()


@pytest.mark.parametrize(
    "kind", ["login_page", "redirect", "empty", "garbage_json", "close_without_answer", "truncate"]
)
def test_a_server_that_is_not_the_api(add: Any, server: Server, kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dsrportal.dastra.transport.MOST_TRIES", 1)
    server.faults.add(Fault(kind=kind, times=None))
    assert "Nothing was stored." in add().reason
    assert not Workspace.objects.exists()


def test_a_workspace_that_the_key_cannot_see(add: Any) -> None:
    assert add(ws="999").reason
    assert not Workspace.objects.exists()


def test_a_workspace_is_added_once(add: Any) -> None:
    add()
    assert "name" in add(ws="102").reason
    assert "already" in add(name="Another").reason
    assert Workspace.objects.count() == 1


def test_names_that_look_alike_get_short_names_of_their_own(add: Any) -> None:
    assert not add(name="Acme!").reason
    assert not add(name="Acme?", ws="102").reason
    assert set(Workspace.objects.values_list("slug", flat=True)) == {"acme", "acme-2"}


@pytest.mark.parametrize(
    "further",
    [("--country", "France"), ("--time-zone", "Europe/Atlantis"), ("--region", "a region!"), ("--auth", "oauth")],
)
def test_settings_that_make_no_sense(add: Any, further: tuple[str, str]) -> None:
    assert add(*further).reason
    assert not Workspace.objects.exists()


def test_endpoints_that_are_missing_are_reported_and_no_reason_to_refuse(add: Any, server: Server) -> None:
    for path in ("/Workflows", "/Tags", "/Users", "/Areas", "/me", "/rate-limiting-state", "/v1/Workspaces"):
        server.faults.add(Fault(kind="status", status=404, match=path, times=None))
    told = add()
    assert not told.reason
    assert told.out.count("no   ") == 7
    assert Workspace.objects.count() == 1


def test_a_key_for_one_workspace_is_told_from_one_for_all(add: Any, serve: Serve, server: Server) -> None:
    assert "alone" in add(ws="102", stdin=server.keys["benelux"].secret).out
