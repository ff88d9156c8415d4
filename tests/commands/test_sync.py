"""`sync` and `dump_mirror`."""

from __future__ import annotations

import json

import pytest
from django.utils import timezone

from dsrportal.actions.workspaces import disable
from dsrportal.mirror.leases import acquire
from dsrportal.models import AuditEvent, DataSubjectRequest, Workspace
from dsrportal.sandbox.faults import Fault
from dsrportal.sandbox.server import Server
from tests.commands.calling import call
from tests.mirror import truth

COUNTS = ["calls", "seen", "stored", "unchanged", "gone", "seconds"]


def counts_of(out: str) -> dict[str, float]:
    """The one line of JSON."""
    (line,) = out.splitlines()
    counts: dict[str, float] = json.loads(line)
    assert list(counts) == COUNTS
    return counts


def test_sync_reads_the_open_requests_by_default(mirrored: Workspace, server: Server) -> None:
    told = call("sync", mirrored.name, "--json")
    is_open = [line for line in truth.upstream(server) if not line["archived"] and line["state"] != "Closed"]
    assert counts_of(told.out)["stored"] == len(is_open)


def test_sync_full_twice(mirrored: Workspace, server: Server) -> None:
    first = counts_of(call("sync", mirrored.slug, "--full", "--json").out)
    second = counts_of(call("sync", mirrored.slug, "--full", "--json").out)
    assert (second["stored"], second["calls"], second["unchanged"]) == (0, first["calls"], first["seen"])
    assert first["calls"] > 0


def test_sync_in_words(mirrored: Workspace) -> None:
    told = call("sync", mirrored.slug, "--overtaking")
    assert "stored" in told.out
    assert not told.reason


def test_a_failed_sync_prints_its_counts_and_the_reason(mirrored: Workspace, server: Server) -> None:
    server.faults.add(Fault(kind="status", status=401, times=None))
    told = call("sync", mirrored.slug, "--full", "--json")
    assert counts_of(told.out)["stored"] == 0
    assert "credential" in told.reason or "key" in told.reason


def test_sync_of_a_workspace_that_is_being_read(mirrored: Workspace) -> None:
    acquire(mirrored, now=timezone.now())
    told = call("sync", mirrored.slug, "--json")
    assert counts_of(told.out)["calls"] == 0
    assert "being read" in told.reason


def test_sync_of_a_disabled_workspace(mirrored: Workspace, server: Server) -> None:
    disable(mirrored, by=None, now=timezone.now())
    told = call("sync", mirrored.slug)
    assert "disabled" in told.reason
    assert not server.journal.entries


def test_sync_of_an_unknown_workspace_names_those_that_exist(mirrored: Workspace) -> None:
    assert mirrored.name in call("sync", "nobody").reason


def test_accept_missing_ends_the_hold(mirrored: Workspace, server: Server) -> None:
    call("sync", mirrored.slug, "--full")
    for victim in sorted(server.state[101].records)[:30]:
        server.state[101].delete(victim)
    held = call("sync", mirrored.slug, "--full", "--json")
    assert "more than a fifth" in held.reason
    assert counts_of(held.out)["gone"] == 0
    assert counts_of(call("sync", mirrored.slug, "--accept-missing", "--json").out)["gone"] == 30
    assert truth.mirror(mirrored) == truth.upstream(server)
    mirrored.refresh_from_db()
    assert mirrored.hold == ""
    assert AuditEvent.objects.filter(operation="hold_ended", workspace=mirrored).count() == 1


def test_the_dump_has_its_fields_in_order_and_no_identity_unless_asked(mirrored: Workspace) -> None:
    call("sync", mirrored.slug, "--full")
    lines = [json.loads(line) for line in call("dump_mirror", mirrored.slug).out.splitlines()]
    plain = ["upstream_id", "reference", "state", "step", "archived", "complex", "operator", "area", "tags", "purposes"]
    plain += ["channel", "received_at", "expires_at", "closed_at", "updated_at"]
    assert all(list(line) == plain for line in lines)
    assert [line["upstream_id"] for line in lines] == sorted(line["upstream_id"] for line in lines)
    whole = json.loads(call("dump_mirror", mirrored.slug, "--with-identity").out.splitlines()[0])
    assert list(whole) == [*plain, "title", "given_name", "family_name", "email"]


def test_the_dump_shows_what_is_absent_as_null(mirrored: Workspace) -> None:
    call("sync", mirrored.slug, "--full")
    chosen = DataSubjectRequest.objects.earliest("upstream_id")
    DataSubjectRequest.objects.filter(pk=chosen.pk).update(
        reference="", channel="", step=None, operator=None, area=None, tag_ids="", expires_at=None, identity_sealed=None
    )
    line = json.loads(call("dump_mirror", mirrored.slug, "--with-identity").out.splitlines()[0])
    for name in ("reference", "channel", "step", "operator", "area", "expires_at", "title", "email"):
        assert line[name] is None, name
    assert line["tags"] == []


@pytest.mark.usefixtures("db")
def test_instants_always_have_six_digits(mirrored: Workspace, server: Server) -> None:
    chosen = min(server.state[101].records)
    server.state[101].edit(chosen, dateDemand="2026-01-02T03:04:05", expiryTime="2026-02-01T03:04:05.9999999")
    call("sync", mirrored.slug, "--full")
    line = json.loads(call("dump_mirror", mirrored.slug).out.splitlines()[0])
    assert line["received_at"] == "2026-01-02T03:04:05.000000+00:00"
    assert line["expires_at"] == "2026-02-01T03:04:05.999999+00:00"
