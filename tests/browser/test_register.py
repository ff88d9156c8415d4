"""The register and a request's page in a real Chromium: filters, chips, the back button, texts, archiving and restoring."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from dsrportal.models import DataSubjectRequest
from tests.browser.conftest import PageAs, Portal, assert_accessible

pytestmark = pytest.mark.browser


def register_url(portal: Portal) -> str:
    return f"{portal.url}/w/{portal.workspace.slug}/requests/"


def live(portal: Portal) -> DataSubjectRequest:
    """The first live request of the first step."""
    rows = DataSubjectRequest.objects.filter(workspace=portal.workspace, archived=False, step__position=0)
    return rows.order_by("clock_at", "pk")[0]


def references(page: Page) -> list[str]:
    return page.locator("tbody .reference").all_inner_texts()


def test_filters_chips_and_the_back_button(portal: Portal, page_as: PageAs) -> None:
    page = page_as("olivia")
    page.goto(register_url(portal))
    everything = references(page)
    page.evaluate("window.sameDocument = true")

    page.get_by_role("button", name="Filter").click()
    panel = page.get_by_role("dialog", name="Filters")
    panel.get_by_label("Erasure").check()
    panel.get_by_label("Unassigned").check()
    panel.get_by_role("button", name="Show requests").click()
    page.wait_for_url(re.compile("purposes=Erasure"))
    expect(page.locator("#register .chip")).to_have_count(2)
    wanted = DataSubjectRequest.objects.filter(
        workspace=portal.workspace, archived=False, operator=None, purposes__contains="|Erasure|"
    )
    assert set(references(page)) == {dsr.reference for dsr in wanted}
    expect(page.locator("#announcer")).to_contain_text(f"{wanted.count()} request")
    expect(page.locator("#filter-button")).to_be_focused()
    narrowed = references(page)

    page.get_by_role("link", name=re.compile("Remove the filter.*Unassigned")).click()
    expect(page.locator("#register .chip")).to_have_count(1)
    expect(page).not_to_have_url(re.compile("unassigned"))
    assert page.evaluate("window.sameDocument"), "the list alone was swapped"

    page.go_back()
    expect(page.locator("#register .chip")).to_have_count(2)
    expect(page.get_by_role("heading", name="Requests")).to_be_visible()
    assert references(page) == narrowed
    page.go_back()
    expect(page.locator("#register .chip")).to_have_count(0)
    assert references(page) == everything
    page.go_forward()
    expect(page.locator("#register .chip")).to_have_count(2)


def test_sorting_keeps_the_focus_and_says_its_direction(portal: Portal, page_as: PageAs) -> None:
    page = page_as("olivia")
    page.goto(register_url(portal))
    page.get_by_role("link", name="Reference").press("Enter")
    page.wait_for_url(re.compile("sortBy=demandId&asc=true"))
    expect(page.locator("th[aria-sort=ascending]")).to_have_text(re.compile("Reference"))
    expect(page.locator("#sort-demandId")).to_be_focused()
    shown = references(page)
    assert shown == sorted(shown)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("asc=false"))
    expect(page.locator("th[aria-sort=descending]")).to_be_visible()


def test_a_search_finds_a_person_and_leaves_no_trace_in_the_address(portal: Portal, page_as: PageAs) -> None:
    dsr = live(portal)
    name = dsr.read_identity()["family_name"]
    page = page_as("olivia")
    page.goto(register_url(portal))
    page.keyboard.press("/")
    page.keyboard.type(name)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"search=[\w-]+$"))
    assert dsr.reference in references(page)
    assert name.lower() not in page.url.lower()


def test_a_request_is_opened_read_archived_and_restored(portal: Portal, page_as: PageAs) -> None:
    dsr = live(portal)
    portal.sandbox.state[101].edit(dsr.upstream_id, message="First line of a letter\nand <b>the second</b>")
    page = page_as("olivia")
    page.goto(register_url(portal) + "?size=100")
    page.get_by_role("link", name=dsr.reference, exact=True).click()
    expect(page.locator("#texts .letter").first).to_have_text("First line of a letter\nand <b>the second</b>")
    expect(page.locator("#texts")).to_contain_text("Not kept here")

    page.get_by_role("button", name="Archive…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("recycle bin")
    expect(dialog.get_by_role("button", name="Keep it")).to_be_focused()
    dialog.get_by_role("button", name="Archive in Dastra").click()
    expect(page.get_by_role("button", name="Restore from the archive")).to_be_visible()
    assert portal.sandbox.state[101].get(dsr.upstream_id)["archived"] is True

    page.get_by_role("button", name="Restore from the archive").click()
    expect(page.get_by_role("button", name="Archive…")).to_be_visible()
    assert portal.sandbox.state[101].get(dsr.upstream_id)["archived"] is False


def test_a_move_from_the_page_waits_and_can_be_undone(portal: Portal, page_as: PageAs, settings: Any) -> None:
    settings.UNDO_SECONDS = 600
    dsr = live(portal)
    before = portal.upstream_step(dsr.upstream_id)
    page = page_as("olivia")
    page.goto(f"{register_url(portal)}{dsr.upstream_id}/")
    page.get_by_role("button", name="Move to…").click()
    page.locator("#menu-move .menu__item:not(:disabled)").last.click()
    expect(page.locator("#wish")).to_contain_text("Sending in")
    expect(page.get_by_role("button", name="Undo")).to_be_focused()
    expect(page.get_by_role("button", name="Archive…")).to_be_hidden()
    page.reload()
    expect(page.get_by_role("button", name="Archive…")).to_be_hidden()
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#wish")).not_to_contain_text("Sending in")
    expect(page.get_by_role("button", name="Archive…")).to_be_visible()
    assert portal.upstream_step(dsr.upstream_id) == before


def test_the_next_request_of_the_list_is_a_key_away(portal: Portal, page_as: PageAs) -> None:
    page = page_as("olivia")
    page.goto(register_url(portal) + "?states=Open")
    first, second = references(page)[:2]
    page.get_by_role("link", name=first, exact=True).click()
    page.get_by_role("link", name="Next request in the list").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(second)


def test_without_scripts_the_list_filters_and_a_request_shows_its_texts(portal: Portal, page_as: PageAs) -> None:
    dsr = live(portal)
    portal.sandbox.state[101].edit(dsr.upstream_id, message="A letter without scripts")
    page = page_as("olivia", java_script_enabled=False)
    page.goto(register_url(portal))
    page.get_by_role("button", name="Filter").click()
    panel = page.get_by_role("dialog", name="Filters")
    panel.get_by_label("Qualification").check()
    panel.get_by_role("button", name="Show requests").click()
    expect(page.locator("#register .chip")).to_have_count(1)
    page.goto(f"{register_url(portal)}{dsr.upstream_id}/")
    page.get_by_role("button", name="Read them from Dastra").click()
    expect(page.locator("#texts .letter").first).to_have_text("A letter without scripts")
    page.get_by_role("button", name="Archive…").click()
    page.get_by_role("button", name="Archive in Dastra").click()
    expect(page.get_by_role("button", name="Restore from the archive")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_both_pages_are_accessible(scheme: str, portal: Portal, page_as: PageAs) -> None:
    for width in (360, 1280):
        page = page_as("olivia", color_scheme=scheme, viewport={"width": width, "height": 800})
        page.goto(register_url(portal) + "?states=Open&complex=true")
        assert_accessible(page)
        page.goto(register_url(portal))
        page.get_by_role("button", name="Filter").click()
        assert_accessible(page)
        page.goto(f"{register_url(portal)}{live(portal).upstream_id}/")
        expect(page.locator("#texts .letter, #texts .muted").first).to_be_visible()
        assert_accessible(page)


def test_nothing_hangs_over_the_edge(portal: Portal, page_as: PageAs) -> None:
    for width in (320, 360, 768, 1280, 1920):
        page = page_as("olivia", viewport={"width": width, "height": 800})
        for url in (register_url(portal), f"{register_url(portal)}{live(portal).upstream_id}/"):
            page.goto(url)
            assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), width
