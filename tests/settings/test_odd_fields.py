"""Fields that Dastra sends otherwise than documented are counted on the jobs page and listed beside the rows set aside."""

from __future__ import annotations

from datetime import datetime

from django.test import Client

from dsrportal.models import DriftNote, User, Workspace


def test_odd_fields_are_counted_and_listed(client: Client, admin: User, workspace: Workspace, now: datetime) -> None:
    client.force_login(admin)
    assert "odd field" not in client.get("/settings/jobs/").content.decode()
    for note, count in (("dateClosed: not a date", 41), ("priority: unknown field", 7)):
        DriftNote.objects.create(workspace=workspace, note=note, count=count, first_seen_at=now, last_seen_at=now)
    jobs_page = client.get("/settings/jobs/").content.decode()
    assert "2 odd fields" in jobs_page
    assert "/settings/jobs/acme-france/set-aside/#odd-fields" in jobs_page
    page = client.get("/settings/jobs/acme-france/set-aside/").content.decode()
    for text in ("dateClosed: not a date", ">41<", "priority: unknown field", ">7<"):
        assert text in page
    assert "Nothing is set aside" in page


def test_odd_fields_of_another_workspace_are_not_shown(
    client: Client, admin: User, stranger: User, workspace: Workspace, now: datetime
) -> None:
    other = Workspace.objects.get(memberships__user=stranger)
    DriftNote.objects.create(
        workspace=other, note="priority: unknown field", count=1, first_seen_at=now, last_seen_at=now
    )
    client.force_login(admin)
    assert "odd field" not in client.get("/settings/jobs/").content.decode()
    assert "priority" not in client.get("/settings/jobs/acme-france/set-aside/").content.decode()
