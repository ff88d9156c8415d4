"""The keyboard in a real Chromium: the board and a request without a mouse, the palette, and keys that are turned off."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Route, expect

from dsrportal.models import DataSubjectRequest, WorkflowStep
from tests.browser.conftest import PageAs, Portal, assert_accessible, upstream_id_of

pytestmark = pytest.mark.browser


def test_a_day_without_a_mouse(portal: Portal, page_as: PageAs, steps: list[WorkflowStep]) -> None:
    page = page_as("olivia")
    page.goto(portal.board_url())
    cards = page.locator(f"#cards-{steps[0].upstream_id} > .card")
    page.keyboard.press("j")
    expect(cards.nth(0).locator(".card__link")).to_be_focused()
    page.keyboard.press("j")
    expect(cards.nth(1).locator(".card__link")).to_be_focused()
    page.keyboard.press("l")
    expect(page.locator(f"#cards-{steps[1].upstream_id} .card__link:focus")).to_have_count(1)
    page.keyboard.press("h")
    page.keyboard.press("m")
    expect(page.locator("#move-menu")).to_be_visible()
    page.keyboard.press("j")  # a menu is open: nothing happens
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    page.keyboard.press("?")  # before it is there
    help_ = page.get_by_role("dialog", name="Keyboard")
    expect(help_).to_contain_text("Next request")
    assert_accessible(page)
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("gb?m")
    expect(page.get_by_role("searchbox")).to_have_value("gb?m")
    page.keyboard.press("Escape")
    page.locator("#content").focus()
    page.keyboard.type("gt")
    page.wait_for_url("**/requests/")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator("tbody tr").first.locator("[name=pick]")).to_be_checked()
    page.locator("tbody .ledger__main a").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/requests/\d+/"))
    page.keyboard.press("a")
    expect(page.locator("#dialog-assign")).to_be_visible()
    page.keyboard.press("Escape")
    first = page.url
    page.keyboard.press("]")
    page.wait_for_url(lambda url: url != first)


def test_the_palette_finds_a_reference_acts_and_goes(portal: Portal, page_as: PageAs) -> None:
    dsr = DataSubjectRequest.objects.filter(archived=False, state="Open").order_by("pk").first()
    assert dsr is not None
    page = page_as("olivia")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(portal.board_url())
    page.keyboard.press("Control+k")
    page.keyboard.type(dsr.reference)  # before the dialog is there
    field = page.get_by_role("combobox")
    expect(field).to_have_value(dsr.reference)
    option = page.get_by_role("option", name=dsr.reference)
    expect(option).to_have_attribute("aria-selected", "true")
    expect(field).to_have_attribute("aria-activedescendant", str(option.get_attribute("id")))
    assert_accessible(page)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/requests/{dsr.upstream_id}/")
    assert not [url for url in asked if "q=" in url], "what is typed stands in no address"

    page.keyboard.press("Control+k")
    page.keyboard.type("tags")
    expect(page.get_by_role("option", selected=True)).to_contain_text("Tags…")
    page.keyboard.press("Enter")
    expect(page.locator("#dialog-tag")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    expect(field).to_be_focused()
    page.keyboard.press("Escape")
    expect(field).to_have_count(0)


def test_answers_that_come_too_late_for_the_palette_change_nothing(portal: Portal, page_as: PageAs) -> None:
    page = page_as("olivia")
    late: list[Route] = []
    page.route(
        "**/palette/**", lambda route: late.append(route) if route.request.method == "POST" else route.continue_()
    )
    page.goto(portal.board_url())
    page.keyboard.press("Control+k")
    field = page.get_by_role("combobox")
    expect(field).to_be_focused()
    for letters in ("DSR", "X"):  # a hand that pauses: the second request takes the place of the first
        with page.expect_request(lambda request: request.method == "POST"):
            page.keyboard.type(letters)
    page.keyboard.press("Escape")
    expect(field).to_have_count(0)
    for route in late:
        route.fulfill(body='<div role="option" class="palette__option">too late</div>', content_type="text/html")
    page.keyboard.press("Control+k")
    expect(field).to_be_focused()
    page.keyboard.type("keyb")
    expect(page.get_by_role("option", selected=True)).to_contain_text("Keyboard")
    expect(page.get_by_text("too late")).to_have_count(0)
    expect(page.locator("[data-failure]")).to_have_count(0)


def test_keys_that_are_turned_off_do_nothing_and_the_palette_still_opens(
    portal: Portal, page_as: PageAs, steps: list[WorkflowStep]
) -> None:
    page = page_as("olivia")
    page.goto(f"{portal.url}/keys/")
    page.get_by_role("button", name="Turn single keys off").click()
    expect(page.get_by_role("button", name="Turn single keys on")).to_be_visible()
    page.goto(portal.board_url())
    card = page.locator(f"#cards-{steps[0].upstream_id} > .card").first
    assert upstream_id_of(card)
    page.keyboard.press("j")
    expect(card.locator(".card__link")).not_to_be_focused()
    page.keyboard.press("Control+k")
    page.keyboard.type("keyb")
    page.keyboard.press("Enter")
    page.wait_for_url("**/keys/")
    page.get_by_role("button", name="Turn single keys on").click()
    expect(page.get_by_role("button", name="Turn single keys off")).to_be_visible()
