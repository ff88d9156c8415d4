"""The clock of a request in a real Chromium: why this date, a pause and its end, an extension, a refusal, Dastra's date set to the legal one."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from dsrportal.models import DataSubjectRequest
from tests.browser.conftest import PageAs, Portal, assert_accessible

pytestmark = pytest.mark.browser
RECEIVED_DAYS_AGO = 12


@pytest.fixture
def dsr(portal: Portal) -> DataSubjectRequest:
    """A live request of twelve days ago, whose date in Dastra is too late."""
    rows = DataSubjectRequest.objects.filter(workspace=portal.workspace, archived=False, step__position=0)
    row = rows.order_by("pk")[0]
    received = timezone.now() - timedelta(days=RECEIVED_DAYS_AGO)
    expires = received + timedelta(days=50)
    portal.sandbox.state[101].edit(
        row.upstream_id, dateDemand=f"{received:%Y-%m-%dT09:00:00}", expiryTime=f"{expires:%Y-%m-%dT09:00:00}"
    )
    portal.pull()
    row.refresh_from_db()
    return row


def today() -> date:
    return timezone.localdate()


def deed(page: Page, *, button: str, dialog: str, fields: dict[str, str], press: str) -> None:
    """Fill in a dialog of the clock and press its deed."""
    page.locator("#clock").get_by_role("button", name=button).click()
    box = page.get_by_role("dialog", name=dialog)
    for label, value in fields.items():
        box.get_by_label(label).fill(value)
    box.get_by_role("button", name=press).click()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pause_resume_extend_refuse_and_why(
    portal: Portal, page_as: PageAs, dsr: DataSubjectRequest, theme: str
) -> None:
    page = page_as("olivia", color_scheme=theme)
    page.goto(f"{portal.url}/w/acme-france/requests/{dsr.upstream_id}/")
    clock = page.locator("#clock")
    expect(clock).to_contain_text("later than the law")
    clock.get_by_text("Why this date?").click()
    expect(clock.locator(".trace")).to_contain_text("GDPR Art. 12(3)")
    assert_accessible(page)

    asked = today() - timedelta(days=5)
    deed(page, button="Pause…", dialog="Pause the clock", fields={"Person asked on": asked.isoformat()}, press="Pause")
    expect(page.locator(".request-side .clock--paused")).to_be_visible()
    expect(clock).to_contain_text("Without pauses")

    before = (asked - timedelta(days=1)).isoformat()
    deed(
        page,
        button="End the pause…",
        dialog="End the pause",
        fields={"Person answered on": before},
        press="Let the clock",
    )
    dialog = page.get_by_role("dialog", name="End the pause")
    expect(dialog, "refused, it is open again with the reason").to_contain_text("cannot have answered before")
    assert_accessible(page)
    dialog.get_by_label("Person answered on").fill(today().isoformat())
    dialog.get_by_role("button", name="Let the clock go on").click()
    expect(page.locator(".timeline")).to_contain_text("Pause ended")

    told = {"Person told on": today().isoformat(), "Why, and where": "Three systems. Letter 42."}
    deed(page, button="Extend…", dialog="Record an extension", fields=told, press="Record the extension")
    expect(clock).to_contain_text("Extended")
    deed(page, button="Refusal…", dialog="Record a refusal", fields=told, press="Record the refusal")
    expect(page.locator(".timeline")).to_contain_text("Refused, person told on")
    dsr.refresh_from_db()
    assert (dsr.extension_state, dsr.is_refusal_late, dsr.paused_since) == ("valid", False, None)

    clock.get_by_role("button", name="Withdraw: Extended").click()
    expect(page.locator(".timeline")).to_contain_text("Withdrawn: Extended")


def test_dastras_date_is_set_to_the_legal_one(portal: Portal, page_as: PageAs, dsr: DataSubjectRequest) -> None:
    page = page_as("olivia")
    page.goto(f"{portal.url}/w/acme-france/requests/{dsr.upstream_id}/")
    page.get_by_role("button", name="Set Dastra's date to the legal one").click()
    expect(page.locator("#clock .dates")).to_contain_text("the same day as the law")
    dsr.refresh_from_db()
    assert dsr.upstream_due_on == dsr.respond_by
    assert not dsr.has_unexplained_change, "it was changed from here"
    whole = portal.sandbox.state[101].get(dsr.upstream_id)
    assert whole["expiryTime"].startswith(f"{dsr.respond_by:%Y-%m-%d}")


def test_a_dialog_works_without_scripts(portal: Portal, page_as: PageAs, dsr: DataSubjectRequest) -> None:
    page = page_as("marc", java_script_enabled=False)
    page.goto(f"{portal.url}/w/acme-france/requests/{dsr.upstream_id}/")
    deed(
        page,
        button="Pause…",
        dialog="Pause the clock",
        fields={"Person asked on": today().isoformat()},
        press="Pause the clock",
    )
    expect(page.locator(".request-side .clock--paused")).to_be_visible()
