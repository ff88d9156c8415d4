"""Two people on one request: each sees the truth at the next poll, and nothing that is open, typed or focused is taken from them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from dsrportal.models import DataSubjectRequest, Operator
from tests.browser.conftest import PageAs, Portal, assert_accessible

pytestmark = pytest.mark.browser


@pytest.fixture
def dsr(portal: Portal) -> DataSubjectRequest:
    """A live request in the first step."""
    rows = DataSubjectRequest.objects.filter(workspace=portal.workspace, archived=False, step__position=0)
    return rows.order_by("pk")[0]


def open_request(page: Page, *, portal: Portal, dsr: DataSubjectRequest) -> None:
    page.goto(f"{portal.url}/w/acme-france/requests/{dsr.upstream_id}/")


def test_two_people_on_one_request_see_each_others_deeds_by_themselves(
    portal: Portal, page_as: PageAs, dsr: DataSubjectRequest, settings: Any
) -> None:
    settings.UNDO_SECONDS = 15
    operator = Operator.objects.filter(workspace=portal.workspace).exclude(pk=dsr.operator_id or 0)[0]
    olivia, marc = page_as("olivia"), page_as("marc")
    open_request(marc, portal=portal, dsr=dsr)
    open_request(olivia, portal=portal, dsr=dsr)
    link = marc.locator("#request-side").get_by_text("Facts")
    expect(link).to_be_visible()
    kept = marc.get_by_role("button", name="Archive…")
    kept.focus()

    olivia.get_by_role("button", name="Assign…").click()
    olivia.get_by_label("Assignee").select_option(str(operator.upstream_id))
    olivia.get_by_role("button", name="Assign in Dastra").click()
    expect(marc.locator("#wish")).to_contain_text("olivia is assigning this")
    expect(marc.locator("#request-deeds")).not_to_contain_text("Assign…")
    expect(marc.locator("#request-timeline")).to_contain_text("Assigned from here")
    expect(marc.locator("#request-side")).to_contain_text(operator.display_name)
    expect(marc.locator("#announcer")).to_contain_text("This request has changed")
    expect(marc.get_by_role("button", name="Archive…")).to_be_visible()
    assert_accessible(marc)


def test_what_is_open_typed_or_focused_stays_and_the_rest_follows(
    portal: Portal, page_as: PageAs, dsr: DataSubjectRequest
) -> None:
    page = page_as("olivia")
    open_request(page, portal=portal, dsr=dsr)
    page.get_by_role("button", name="Close…").click()
    dialog = page.get_by_role("dialog", name="Close")
    text = dialog.get_by_label("Text for the person")
    text.fill("Half a sen")
    portal.sandbox.state[101].edit(dsr.upstream_id, purposes=["Portability"])
    portal.pull()
    expect(page.locator("#request-side")).to_contain_text("Portability")
    expect(text).to_be_focused()
    expect(text).to_have_value("Half a sen")
    page.keyboard.type("tence")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    portal.sandbox.state[101].edit(dsr.upstream_id, purposes=["Erasure"])
    portal.pull()
    expect(page.locator("#request-side")).to_contain_text("Erasure")
    page.get_by_role("button", name="Close…").click()
    expect(text).to_have_value("Half a sentence")


def test_the_focus_stays_on_a_button_that_is_drawn_anew(
    portal: Portal, page_as: PageAs, dsr: DataSubjectRequest
) -> None:
    page = page_as("olivia")
    open_request(page, portal=portal, dsr=dsr)
    button = page.get_by_role("button", name="Tags…")
    button.focus()
    before = page.locator("#request-deeds input[name=seen_updated_at]").first.get_attribute("value")
    portal.sandbox.state[101].edit(dsr.upstream_id, purposes=["Portability"])
    portal.pull()
    expect(page.locator("#request-side")).to_contain_text("Portability")
    seen = page.locator("#request-deeds input[name=seen_updated_at]").first
    expect(seen).not_to_have_attribute("value", before or "")
    expect(button).to_be_focused()


def test_while_nothing_changes_only_the_sign_is_asked_for(
    portal: Portal, page_as: PageAs, dsr: DataSubjectRequest
) -> None:
    page = page_as("olivia")
    open_request(page, portal=portal, dsr=dsr)
    expect(page.locator("#texts")).to_contain_text("Read from Dastra")
    sign = re.compile(r"/version/\?")
    with page.expect_response(sign):
        pass
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for _ in range(2):
        with page.expect_response(sign):
            pass
    assert all(sign.search(url) for url in asked)


def test_a_request_that_is_deleted_says_so(portal: Portal, page_as: PageAs, dsr: DataSubjectRequest) -> None:
    page = page_as("olivia")
    open_request(page, portal=portal, dsr=dsr)
    expect(page.locator("#texts")).to_contain_text("Read from Dastra")
    portal.sandbox.state[101].delete(dsr.upstream_id)
    portal.pull()
    expect(page.locator("#banners")).to_contain_text("no longer there")
    assert all("404" in line for line in portal.complaints)
    portal.complaints.clear()
