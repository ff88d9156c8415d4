"""The settings in a real Chromium: a connection tested without losing its key, jobs that show what happens, French and Dutch on a phone."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from dsrportal.models import JobHeartbeat, Lane, SetAsideRow, SyncLane, Workspace
from tests.browser.conftest import PageAs, Portal, assert_accessible

pytestmark = pytest.mark.browser

PAGES = [
    "/settings/workspaces/",
    "/settings/add-workspace/",
    "/settings/workspaces/acme-france/",
    "/settings/workspaces/acme-france/key/",
    "/settings/workspaces/acme-france/disable/",
    "/settings/jobs/",
    "/settings/jobs/acme-france/set-aside/",
]


def test_an_admin_tests_a_connection_and_adds_the_workspace(portal: Portal, page_as: PageAs) -> None:
    page = page_as("ada")
    page.goto(f"{portal.url}/settings/add-workspace/")
    page.get_by_label("Name").fill("Acme Benelux")
    page.get_by_label("Workspace id in Dastra").fill("102")
    page.get_by_label("Address of the API").fill(portal.sandbox.base_url)
    key = page.get_by_label("Key", exact=True)
    key.fill("a-wrong-key")
    page.get_by_role("button", name="Test the connection").click()
    expect(page.get_by_role("alert")).to_contain_text("Dastra does not accept this key.")

    key.fill(portal.sandbox.api_key)
    page.get_by_role("button", name="Test the connection").click()
    expect(page.get_by_role("heading", name="The connection works")).to_be_visible()
    assert key.input_value() == portal.sandbox.api_key
    assert not Workspace.objects.filter(name="Acme Benelux").exists()

    page.get_by_role("button", name="Add the workspace").click()
    expect(page.get_by_role("heading", name="Acme Benelux")).to_be_visible()
    assert portal.sandbox.api_key not in page.content()


def test_the_fields_of_the_second_key_follow_the_way_in(portal: Portal, page_as: PageAs) -> None:
    page = page_as("ada")
    page.goto(f"{portal.url}/settings/add-workspace/")
    public_key = page.get_by_label("Public key", exact=True)
    expect(public_key).to_be_hidden()
    page.get_by_label("Public and private key (OAuth2)").check()
    expect(public_key).to_be_visible()


def test_the_jobs_page_shows_news_by_itself_and_runs_a_job_once(portal: Portal, page_as: PageAs) -> None:
    page = page_as("ada")
    page.goto(f"{portal.url}/settings/jobs/")
    expect(page.get_by_role("alert")).to_contain_text("The background jobs do not run")
    run = page.get_by_role("button", name="Run now All requests, Acme France")
    run.click()
    expect(page.get_by_role("button", name="Waiting… All requests, Acme France")).to_be_visible()
    expect(page.locator("#messages")).to_contain_text("will run in a moment")
    assert SyncLane.objects.get(workspace=portal.workspace, lane=Lane.FULL).requested_at is not None

    JobHeartbeat.objects.create(name="cluster", beat_at=timezone.now())
    expect(page.get_by_text("The background jobs run.")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)


@pytest.mark.parametrize(
    ("width", "scheme", "language"), [(360, "light", "fr"), (768, "light", "nl"), (1280, "dark", "en")]
)
def test_the_settings_fit_every_width_language_and_theme(
    portal: Portal, page_as: PageAs, width: int, scheme: Any, language: str
) -> None:
    SetAsideRow.objects.create(
        workspace=portal.workspace,
        upstream_id=12345,
        reason="not a date",
        first_seen_at=timezone.now(),
        last_seen_at=timezone.now(),
    )
    page = page_as("ada", viewport={"width": width, "height": 800}, color_scheme=scheme)
    page.context.add_cookies([{"name": "django_language", "value": language, "url": portal.url}])
    for path in PAGES:
        page.goto(portal.url + path)
        assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0, path
        assert_accessible(page)
