"""A request's own page in a real Chromium: a closing by keyboard, and a conflict that the person settles."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

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
    expect(page.locator("#texts")).to_contain_text("Read from Dastra")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_is_closed_by_keyboard_and_nobody_is_written_to(
    portal: Portal, page_as: PageAs, dsr: DataSubjectRequest, theme: str
) -> None:
    page = page_as("olivia", color_scheme=theme)
    open_request(page, portal=portal, dsr=dsr)
    opener = page.get_by_role("button", name="Close…")
    opener.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Close")
    expect(dialog.get_by_role("button", name="Leave it as it is")).to_be_focused()
    expect(dialog.get_by_label("Have Dastra write to the person now")).not_to_be_checked()
    assert_accessible(page)
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    expect(opener).to_be_focused()

    page.keyboard.press("Enter")
    dialog.get_by_role("button", name="Close in Dastra").click()
    expect(dialog, "without a reason it stays open").to_be_visible()
    dialog.get_by_label("Reason", exact=True).select_option("Accepted")
    dialog.get_by_label("Text for the person").fill("Here is what we hold.")
    dialog.get_by_role("button", name="Close in Dastra").click()
    expect(page.locator(".timeline")).to_contain_text("Closed from here")
    whole = portal.sandbox.state[101].get(dsr.upstream_id)
    assert (whole["state"], whole["closedReason"], whole["sendNotification"]) == ("Closed", "Accepted", False)


def test_a_conflict_is_shown_field_by_field_and_settled_by_the_person(
    portal: Portal, page_as: PageAs, dsr: DataSubjectRequest
) -> None:
    mine, theirs = Operator.objects.filter(workspace=portal.workspace).exclude(pk=dsr.operator_id or 0)[:2]
    page = page_as("olivia")
    open_request(page, portal=portal, dsr=dsr)
    portal.sandbox.state[101].edit(dsr.upstream_id, operatorId=theirs.upstream_id)
    page.get_by_role("button", name="Assign…").click()
    page.get_by_label("Assignee").select_option(str(mine.upstream_id))
    page.get_by_role("button", name="Assign in Dastra").click()

    card = page.locator("#wish")
    expect(card).to_contain_text("Dastra holds something else")
    row = card.get_by_role("row", name="Assignee")
    expect(row).to_contain_text(mine.display_name)
    expect(row).to_contain_text(theirs.display_name)
    assert portal.sandbox.state[101].get(dsr.upstream_id)["operatorId"] == theirs.upstream_id
    expect(page.locator("#texts")).to_contain_text("Read from Dastra")
    assert_accessible(page)

    card.get_by_role("button", name="Do what I want all the same").click()
    expect(page.locator(".timeline")).to_contain_text("Assigned from here")
    expect(page.locator("#wish")).not_to_contain_text("Dastra holds something else")
    assert portal.sandbox.state[101].get(dsr.upstream_id)["operatorId"] == mine.upstream_id


def test_a_send_that_was_lost_on_the_way_is_asked_for_again(
    portal: Portal, page_as: PageAs, dsr: DataSubjectRequest, settings: Any
) -> None:
    settings.UNDO_SECONDS = 1
    page = page_as("olivia")
    open_request(page, portal=portal, dsr=dsr)
    lost: list[str] = []

    def lose_first(route: Route) -> None:
        if lost:
            route.continue_()
        else:
            lost.append(route.request.url)
            route.fulfill(status=204)

    page.route("**/send/", lose_first)
    page.get_by_role("button", name="Archive…").click()
    page.get_by_role("button", name="Archive in Dastra").click()
    expect(page.get_by_role("button", name="Restore from the archive")).to_be_visible()
    assert lost
    assert portal.sandbox.state[101].get(dsr.upstream_id)["archived"] is True
