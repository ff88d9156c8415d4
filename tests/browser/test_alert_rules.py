"""The rules of the alerts in a real Chromium: a slip that is mended without losing the rest, a preview, and one's own absence on a phone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from dsrportal.models import Absence, Alert, User
from dsrportal.models.alert_rules import alert_policy_of
from tests.browser.conftest import PageAs, Portal, assert_accessible

pytestmark = pytest.mark.browser

RULES = "/settings/workspaces/acme-france/alerts/"


def test_an_admin_mends_a_slip_looks_ahead_and_saves(portal: Portal, page_as: PageAs) -> None:
    User.objects.update(email="somebody@example.org")
    page = page_as("ada")
    page.goto(f"{portal.url}/settings/workspaces/acme-france/")
    page.get_by_role("link", name="Change the alerts").click()
    page.get_by_label("Working days before the answer is due").fill("8, x")
    page.get_by_label("The managers, of every request").check()
    page.get_by_label("Friday").check()
    page.get_by_role("button", name="Preview today").click()
    expect(page.get_by_role("alert")).to_be_focused()
    expect(page.get_by_label("Friday")).to_be_checked()
    expect(page.get_by_label("Working days before the answer is due")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Working days before the answer is due").fill("8")
    page.get_by_role("button", name="Preview today").click()
    expect(page.get_by_role("heading", name="What would be sent today")).to_be_visible()
    assert_accessible(page)
    assert not Alert.objects.exists()
    page.get_by_role("button", name="Save the rules").click()
    expect(page.locator("#messages").get_by_text("Saved.")).to_be_visible()
    policy = alert_policy_of(portal.workspace)
    assert policy.thresholds.respond == (8, 0)
    assert policy.tells_managers
    assert policy.quiet_weekdays == frozenset({4})
    page.get_by_role("button", name="Begin a dry run").click()
    expect(page.get_by_text("This is a dry run: nobody is told anything")).to_be_visible()
    page.reload()  # without the message that passes
    assert_accessible(page)


def test_a_person_notes_an_absence_on_a_phone(portal: Portal, page_as: PageAs) -> None:
    page = page_as("olivia", viewport={"width": 390, "height": 800})
    page.goto(f"{portal.url}/accounts/notices/")
    today = timezone.localdate()
    page.get_by_label("First day away").fill((today + timedelta(days=2)).isoformat())
    page.get_by_label("Last day away").fill((today + timedelta(days=4)).isoformat())
    page.get_by_label("Who stands in").select_option(label="marc")
    page.get_by_role("button", name="Note the absence").click()
    expect(page.get_by_text("marc stands in")).to_be_visible()
    assert Absence.objects.get().deputy == User.objects.get(username="marc")
    page.reload()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert_accessible(page)
