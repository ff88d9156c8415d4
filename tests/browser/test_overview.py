"""The overview in a real Chromium: every figure leads to a list of as many, charts have their tables, and it fits, prints and speaks to everybody."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from dsrportal.models import SyncLane
from tests.browser.conftest import PageAs, Portal, assert_accessible

pytestmark = pytest.mark.browser


def test_a_manager_goes_from_a_figure_to_its_list_by_keyboard(portal: Portal, page_as: PageAs) -> None:
    page = page_as("marc")
    page.goto(portal.board_url())
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Overview").click()
    expect(page.get_by_role("heading", level=1, name="Overview")).to_be_visible()
    for label in ("Open", "Overdue", "Due within 5 working days"):
        figure = page.locator(".figure", has_text=re.compile(rf"\d{label}$"))
        number = int(figure.locator("strong").inner_text())
        figure.focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1, name="Requests")).to_be_visible()
        expect(page.get_by_text(re.compile(rf"^{number} requests?$")).first).to_be_visible()
        page.go_back()
    panel = page.get_by_role("region", name="Received and closed").first
    toggle = panel.locator("summary")
    toggle.focus()
    page.keyboard.press("Enter")
    expect(panel.get_by_role("columnheader", name="Week")).to_be_visible()
    with page.expect_download() as download:
        panel.get_by_role("link", name="CSV").click()
    assert download.value.suggested_filename.startswith("overview-acme-france-weeks-")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_the_overview_is_accessible_and_fits(portal: Portal, page_as: PageAs, scheme: str, width: int) -> None:
    page = page_as("marc", viewport={"width": width, "height": 800}, color_scheme=scheme)
    if scheme == "dark":  # what is old looks different
        SyncLane.objects.update(last_success_at=timezone.now() - timedelta(hours=3))
    for path in ("/w/acme-france/overview/", "/overview/"):
        page.goto(f"{portal.url}{path}")
        expect(page.locator(".figure").first).to_be_visible()
        expect(page.get_by_text("The figures are not complete")).to_have_count(int(scheme == "dark"))
        page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
        assert_accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_print_shows_every_table_and_no_tools(portal: Portal, page_as: PageAs) -> None:
    page = page_as("marc")
    page.goto(f"{portal.url}/w/acme-france/overview/")
    page.emulate_media(media="print")
    for table in page.locator(".overview__table").all():
        expect(table).to_be_visible()
    expect(page.get_by_role("link", name="CSV").first).to_be_hidden()
    expect(page.locator(".rail")).to_be_hidden()
