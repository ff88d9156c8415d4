"""A new request, a deletion and a change of many in a real Chromium: by keyboard, with axe, and without scripts."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from dsrportal.models import DataSubjectRequest, OutboxEntry, WorkflowStep
from dsrportal.models.outbox import WishState
from tests.browser.conftest import PageAs, Portal, assert_accessible

pytestmark = pytest.mark.browser


def fill(page: Page) -> None:
    """The form, as a person fills it in."""
    page.get_by_label("Title").fill("By letter: access")
    page.get_by_label("Given name").fill("Ana")
    page.get_by_label("E-mail", exact=True).or_(page.get_by_label("E-mail optional")).first.fill("ana@example.org")
    page.get_by_role("checkbox", name="Access").check()
    page.locator("#id_area").select_option(index=1)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_new_request_is_entered_and_the_person_is_brought_to_it(
    portal: Portal, page_as: PageAs, settings: Any, theme: str
) -> None:
    settings.UNDO_SECONDS = 8
    page = page_as("olivia", color_scheme=theme)
    page.goto(portal.board_url())
    page.get_by_role("link", name="New request").click()
    page.get_by_role("button", name="Enter it in Dastra").click()
    expect(page.get_by_label("Title")).to_be_focused()  # the browser itself asks for what is required
    fill(page)
    assert_accessible(page)
    page.get_by_role("button", name="Enter it in Dastra").press("Enter")
    expect(page.locator("#waiting")).to_contain_text("Sending in")
    expect(page.locator("#request-head")).to_be_visible()
    expect(page.locator("#messages")).to_contain_text("The new request is in Dastra.")
    expect(page.locator("#request-side")).to_contain_text("Ana")
    made = [dsr for dsr in portal.sandbox.state[101].all() if dsr["title"] == "By letter: access"]
    assert len(made) == 1


def test_undo_brings_the_form_back_as_it_was(portal: Portal, page_as: PageAs, settings: Any) -> None:
    settings.UNDO_SECONDS = 120
    page = page_as("olivia", color_scheme="dark")
    page.goto(f"{portal.url}/w/acme-france/requests/new/")
    fill(page)
    page.get_by_role("button", name="Enter it in Dastra").click()
    expect(page.locator("#waiting")).to_contain_text("Sending in")
    assert_accessible(page)
    page.get_by_role("button", name="Undo and edit").click()
    expect(page.get_by_label("Title")).to_have_value("By letter: access")
    expect(page.get_by_role("checkbox", name="Access")).to_be_checked()
    assert OutboxEntry.objects.get().state == WishState.CANCELLED


def test_deleting_takes_the_reference_and_the_safe_choice_comes_first(portal: Portal, page_as: PageAs) -> None:
    dsr = DataSubjectRequest.objects.filter(workspace=portal.workspace, archived=False).order_by("pk")[0]
    page = page_as("ada")
    page.goto(f"{portal.url}/w/acme-france/requests/{dsr.upstream_id}/")
    expect(page.locator("#texts")).to_contain_text("Read from Dastra")
    opener = page.get_by_role("button", name="Delete for good…")
    opener.press("Enter")
    dialog = page.get_by_role("dialog", name="Delete")
    expect(dialog.get_by_role("button", name="Keep it")).to_be_focused()
    assert_accessible(page)
    dialog.get_by_role("textbox").fill("something")
    dialog.get_by_role("button", name="Delete in Dastra").click()
    expect(page.locator("#messages")).to_contain_text("not the reference")
    assert dsr.upstream_id in portal.sandbox.state[101].records
    opener.press("Enter")
    dialog.get_by_role("textbox").fill(dsr.reference)
    dialog.get_by_role("textbox").press("Enter")
    page.wait_for_url("**/requests/")
    expect(page.locator("#messages")).to_contain_text("Deleted in Dastra.")
    assert dsr.upstream_id not in portal.sandbox.state[101].records
    assert all("404" in line for line in portal.complaints), "the page's own question about what is gone by now"
    portal.complaints.clear()


def test_rows_are_ticked_by_keyboard_and_changed_together(portal: Portal, page_as: PageAs, settings: Any) -> None:
    settings.UNDO_SECONDS = 1
    step = WorkflowStep.objects.filter(workspace=portal.workspace)[2]
    page = page_as("olivia")
    page.goto(
        f"{portal.url}/w/acme-france/requests/?workflows={WorkflowStep.objects.filter(workspace=portal.workspace)[0].upstream_id}"
    )
    bar = page.locator("#bulk")
    expect(bar).to_be_hidden()
    boxes = page.locator("input[name=pick]")
    boxes.nth(0).focus()
    page.keyboard.press("Space")
    expect(bar).to_be_visible()
    expect(bar).to_contain_text("1 ticked")
    boxes.nth(2).click(modifiers=["Shift"])
    expect(bar).to_contain_text("3 ticked")
    page.keyboard.press("Enter")
    expect(bar, "Enter in a box changes nothing").to_contain_text("3 ticked")
    assert_accessible(page)
    ids = [int((boxes.nth(n).get_attribute("value") or "").partition("|")[0]) for n in range(3)]
    bar.get_by_label("Move to").select_option(str(step.upstream_id))
    bar.get_by_role("button", name="Move").press("Enter")
    expect(page.locator("#changes")).to_contain_text("3 requests")
    expect(page.locator("#changes")).to_contain_text("3 done")
    assert_accessible(page)
    assert {portal.upstream_step(upstream_id) for upstream_id in ids} == {step.upstream_id}


def test_all_rows_of_a_page_are_ticked_and_unticked_and_undone(portal: Portal, page_as: PageAs, settings: Any) -> None:
    settings.UNDO_SECONDS = 600
    page = page_as("olivia")
    page.goto(f"{portal.url}/w/acme-france/requests/?size=25")
    every = page.get_by_role("checkbox", name="Tick all on this page")
    every.check()
    expect(page.locator("#bulk")).to_contain_text("25 ticked")
    page.get_by_role("button", name="Untick all").click()
    expect(page.locator("#bulk")).to_be_hidden()
    expect(every).not_to_be_checked()
    every.check()
    page.locator("#bulk").get_by_role("button", name="Archive").click()
    expect(page.locator("#changes")).to_contain_text("25 requests")
    page.get_by_role("button", name="Undo all that waits").click()
    expect(page.locator("#changes")).to_contain_text("25 undone")
    assert not OutboxEntry.objects.exclude(state=WishState.CANCELLED).exists()


def test_without_scripts_rows_are_changed_by_the_plain_form(portal: Portal, page_as: PageAs) -> None:
    step = WorkflowStep.objects.filter(workspace=portal.workspace)[1]
    page = page_as("olivia", java_script_enabled=False)
    page.goto(f"{portal.url}/w/acme-france/requests/")
    page.locator("input[name=pick]").nth(0).check()
    page.locator("#bulk select[name=step]").select_option(str(step.upstream_id))
    page.locator("#bulk").get_by_role("button", name="Move").click()
    expect(page.locator("#changes")).to_contain_text("1 request")
    assert OutboxEntry.objects.get().step_upstream_id == step.upstream_id


@pytest.mark.parametrize("width", [360, 1280])
def test_the_bar_and_the_form_fit_every_width(portal: Portal, page_as: PageAs, width: int) -> None:
    page = page_as("olivia", viewport={"width": width, "height": 800})
    for path in ("requests/", "requests/new/"):
        page.goto(f"{portal.url}/w/acme-france/{path}")
        if path == "requests/":
            page.locator("input[name=pick]").first.check()
            expect(page.locator("#bulk")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
