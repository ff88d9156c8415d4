"""The calculator in a real Chromium: it answers as one types, works without a script, and reads well on every screen."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PageAs, Portal, assert_accessible

pytestmark = pytest.mark.browser

PAUSED = "/deadline/?received=2026-03-02&asked=2026-03-04&answered=2026-03-16&today=2026-04-10&time_zone=Europe/Paris"


def test_the_answer_follows_what_is_typed_and_the_address_keeps_it(portal: Portal, page_as: PageAs) -> None:
    page = page_as("vera")
    page.goto(portal.url)
    page.get_by_role("link", name="Calculator").click()
    page.get_by_label("Received").fill("2026-03-02")
    page.get_by_label("Asked 1").fill("2026-03-04")
    page.get_by_label("Answered 1").fill("2026-03-16")
    page.get_by_label("Answered 1").blur()
    answer = page.get_by_role("region", name="Answer")
    expect(answer).to_contain_text("Tuesday 14 April 2026")
    expect(answer.get_by_role("row", name="Without pauses")).to_contain_text("Thursday 2 April 2026")
    expect(page).to_have_url(re.compile("received=2026-03-02"))
    page.get_by_label("After an answer").select_option("restart")
    expect(answer).to_contain_text("Thursday 16 April 2026")
    page.reload()
    expect(answer).to_contain_text("Thursday 16 April 2026")
    expect(page.get_by_label("Asked 1")).to_have_value("2026-03-04")


def test_a_wrong_answer_keeps_the_focus_and_what_was_typed(portal: Portal, page_as: PageAs) -> None:
    page = page_as("vera")
    page.goto(portal.url + PAUSED)
    region = page.get_by_label("Region")
    region.fill("Bavaria")
    region.press("Tab")
    expect(page.get_by_role("alert")).to_contain_text("No holidays are known for the region “Bavaria” of FR.")
    expect(region).to_have_value("Bavaria")
    expect(page.get_by_label("Asked 1")).to_be_visible()
    expect(page.locator("[name=asked]:focus")).to_have_count(1)


def test_it_works_without_a_script(portal: Portal, page_as: PageAs) -> None:
    page = page_as("vera", java_script_enabled=False)
    page.goto(portal.url + PAUSED)
    page.get_by_label("Country").fill("DE")
    page.get_by_role("button", name="Calculate").click()
    expect(page.get_by_role("region", name="Answer")).to_contain_text("Holidays of DE.")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_the_calculator_reads_well_on_every_screen(portal: Portal, page_as: PageAs, scheme: Any, width: int) -> None:
    page = page_as("vera", color_scheme=scheme, viewport={"width": width, "height": 800})
    for path in (PAUSED, "/deadline/?received=31/02/2026"):
        page.goto(portal.url + path)
        assert_accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_a_person_makes_and_revokes_the_address_of_a_calendar(portal: Portal, page_as: PageAs) -> None:
    page = page_as("vera", viewport={"width": 360, "height": 800})
    page.goto(f"{portal.url}/accounts/calendar/")
    assert_accessible(page)
    page.get_by_role("button", name="Make the address").click()
    address = page.locator("code")
    expect(address).to_contain_text("/calendar/")
    assert_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    path = urlsplit(address.inner_text()).path
    feed = page.request.get(portal.url + path)
    assert feed.text().startswith("BEGIN:VCALENDAR")
    page.goto(f"{portal.url}/accounts/calendar/")
    page.get_by_role("button", name="Revoke the address").click()
    expect(page.locator("#messages")).to_contain_text("The address of your calendar is revoked.")
    assert page.request.get(portal.url + path).status == 404
