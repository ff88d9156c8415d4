"""Bad hours in a real Chromium: the session ends, the portal is gone, a hand is hurried, answers come late, pages are left and come back. Nothing is
claimed that was not done, nothing typed is lost, and all works again afterwards."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import Locator, Page, Route, expect

from dsrportal.models import AuditEvent, DataSubjectRequest, Draft, OutboxEntry, SavedView, WorkflowStep
from dsrportal.models.audit import Operation
from tests.browser.conftest import PageAs, Portal, assert_accessible, drag, first_card, upstream_id_of

pytestmark = pytest.mark.browser


@pytest.fixture
def cuts(portal: Portal) -> Iterator[None]:
    """For a test that cuts calls: the console notes each of them, and that is no complaint."""
    yield
    noted = ("Failed to load resource", "Response Status Error", "htmx:afterRequest", "htmx:send", "htmx:responseError")
    portal.complaints[:] = [line for line in portal.complaints if not any(words in line for words in noted)]


@pytest.fixture
def dsr(portal: Portal) -> DataSubjectRequest:
    """A live request in the first step."""
    rows = DataSubjectRequest.objects.filter(workspace=portal.workspace, archived=False, step__position=0)
    return rows.order_by("pk")[0]


def register_url(portal: Portal) -> str:
    return f"{portal.url}/w/{portal.workspace.slug}/requests/"


def request_url(portal: Portal, dsr: DataSubjectRequest) -> str:
    return f"{register_url(portal)}{dsr.upstream_id}/"


def references(page: Page) -> list[str]:
    return page.locator("tbody .reference").all_inner_texts()


def sign_in(page: Page, *, username: str = "olivia") -> None:
    """On the sign-in page."""
    page.get_by_label("User name").fill(username)
    page.get_by_label("Password").fill("correct horse battery")
    page.get_by_role("button", name="Sign in").click()


def sign_in_beside(page: Page, *, portal: Portal) -> None:
    """In another tab of the same browser, as the banner asks."""
    other = page.context.new_page()
    other.goto(f"{portal.url}/accounts/login/?next=/keys/")
    sign_in(other)
    expect(other.get_by_role("heading", level=1)).to_have_text("Keyboard")
    other.close()


def stop_polls(page: Page) -> None:
    """The page asks what is new and hears that nothing is: what is tested is what a person does."""
    page.route("**/version/**", lambda route: route.fulfill(status=204))


def writes(portal: Portal) -> int:
    return len(portal.sandbox.journal.of("POST")) + len(portal.sandbox.journal.of("PUT"))


def close_dialog(page: Page) -> Locator:
    page.get_by_role("button", name="Close…").click()
    return page.get_by_role("dialog", name="Close")


def test_a_drop_after_the_session_ended_leads_to_the_sign_in_page_and_back(
    portal: Portal, page_as: PageAs, steps: list[WorkflowStep]
) -> None:
    page = page_as("olivia")
    stop_polls(page)
    page.goto(f"{portal.board_url()}?states=Open")
    upstream_id = upstream_id_of(first_card(page, steps[0]))
    Session.objects.all().delete()

    drag(page, page.locator(f"#card-{upstream_id}"), to=steps[2])

    expect(page.get_by_text("What you did last was not carried out.")).to_be_visible()
    assert_accessible(page)
    sign_in(page)
    page.wait_for_url(f"{portal.board_url()}?states=Open")
    expect(page.locator(f"#cards-{steps[0].upstream_id} > #card-{upstream_id}")).to_be_visible()
    assert not OutboxEntry.objects.exists()

    page.unroute("**/version/**")
    Session.objects.all().delete()
    page.wait_for_url("**/accounts/login/?next=**")  # the board's own question finds it out
    expect(page.get_by_text("What you did last was not carried out.")).to_have_count(0)
    page.go_back()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(page.locator(".card")).to_have_count(0)


def test_a_filter_after_the_session_ended_leads_back_to_the_list(portal: Portal, page_as: PageAs) -> None:
    page = page_as("olivia")
    page.goto(f"{register_url(portal)}?states=Open&complex=true")
    Session.objects.all().delete()
    page.get_by_role("link", name=re.compile("Remove the filter.*Complex")).click()
    page.wait_for_url("**/accounts/login/?next=**")
    sign_in(page)
    page.wait_for_url(f"{register_url(portal)}?states=Open&complex=true")
    expect(page.locator("#register .chip")).to_have_count(2)
    page.evaluate("window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    expect(page.locator("#register .chip")).to_have_count(2)
    Session.objects.all().delete()
    page.evaluate("window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    page.wait_for_url("**/accounts/login/?next=**")  # a page that the browser had kept is left too


def test_what_is_typed_in_a_dialog_outlives_the_session_and_the_portal(
    portal: Portal, cuts: None, page_as: PageAs, dsr: DataSubjectRequest
) -> None:
    page = page_as("olivia")
    page.goto(request_url(portal, dsr))
    expect(page.locator("#texts")).to_contain_text("Read from Dastra")
    dialog = close_dialog(page)
    text = dialog.get_by_label("Text for the person")
    text.fill("A word of farewell.")
    dialog.get_by_label("Reason", exact=True).select_option(index=1)
    button = dialog.get_by_role("button", name="Close in Dastra")
    Session.objects.all().delete()
    expect(dialog.get_by_text("You are signed out")).to_be_visible()  # by the page's own question
    assert_accessible(page)
    button.click()
    expect(dialog.get_by_text("You are signed out")).to_be_visible()
    expect(text).to_have_value("A word of farewell.")
    assert not OutboxEntry.objects.exists()

    sign_in_beside(page, portal=portal)
    dialog.get_by_role("button", name="I have signed in: go on").click()
    expect(dialog.get_by_text("You are signed out")).to_have_count(0)
    page.context.set_offline(True)
    button.click()
    expect(dialog.get_by_text("The portal did not answer")).to_be_visible()
    expect(text).to_have_value("A word of farewell.")
    page.context.set_offline(False)
    button.dblclick()
    expect(page.locator("#messages")).to_contain_text("Closed in Dastra")
    expect(page.locator("#messages .toast")).to_have_count(1)
    assert OutboxEntry.objects.count() == 1


def test_a_new_request_is_neither_lost_nor_entered_twice(
    portal: Portal, cuts: None, page_as: PageAs, settings: Any
) -> None:
    settings.UNDO_SECONDS = 600
    page = page_as("olivia")
    page.goto(f"{register_url(portal)}new/")
    page.get_by_label("Title").fill("By letter: access")
    page.get_by_label("Given name").fill("Ana")
    page.get_by_role("checkbox", name="Access").check()
    page.locator("#id_area").select_option(index=1)
    button = page.get_by_role("button", name="Enter it in Dastra")
    page.context.set_offline(True)
    button.click()
    expect(page.locator("#banners")).to_contain_text("Nothing was sent, and what you typed is still here.")
    page.context.set_offline(False)
    Session.objects.all().delete()
    button.click()
    expect(page.locator("#banners")).to_contain_text("You are signed out")
    expect(page.get_by_label("Title")).to_have_value("By letter: access")
    sign_in_beside(page, portal=portal)
    page.get_by_role("button", name="I have signed in: go on").click()
    expect(page.locator("#banners")).not_to_contain_text("You are signed out")
    button.dblclick()
    expect(page.locator("#waiting")).to_contain_text("Sending in")
    assert OutboxEntry.objects.count() == 1


def test_a_portal_that_is_gone_leaves_the_page_as_it_was_and_claims_nothing(
    portal: Portal, cuts: None, page_as: PageAs, dsr: DataSubjectRequest
) -> None:
    page = page_as("olivia")
    url = f"{register_url(portal)}?states=Open"
    page.goto(url)
    before = references(page)
    page.context.set_offline(True)
    page.get_by_role("link", name=re.compile("Remove the filter")).click()
    expect(page.locator("#banners")).to_contain_text("What you see is as it was before.")
    expect(page.locator("html")).not_to_have_attribute("data-loading", "")
    assert (page.url, references(page)) == (url, before)
    page.context.set_offline(False)
    page.route(
        re.compile(r"/requests/(\?|$)"),
        lambda route: route.fulfill(status=200, content_type="text/html", body="<!doctype html><p>A proxy's page"),
    )
    page.get_by_role("link", name=re.compile("Remove the filter")).click()
    expect(page.locator("#banners")).to_contain_text("could not do that")
    assert references(page) == before, "a whole page never lands within the list"
    page.unroute_all()
    page.get_by_role("link", name=re.compile("Remove the filter")).click()
    page.wait_for_url(register_url(portal))
    expect(page.locator("#banners .banner")).to_have_count(0)

    page.goto(f"{request_url(portal, dsr)}message/")
    page.get_by_label("What it is").select_option("answer")
    text = page.get_by_label("Text", exact=True)
    text.fill("A short word of pelican.")
    send = page.get_by_role("button", name="Send to the person")
    page.context.set_offline(True)
    send.click()
    expect(page.locator("#banners")).to_contain_text("Nothing was sent")
    expect(text).to_have_value("A short word of pelican.")
    page.context.set_offline(False)
    send.dblclick()
    expect(page.locator("#request-timeline")).to_contain_text("Wrote to the person")
    assert len(portal.sandbox.journal.of("POST", "Messages")) == 1
    assert not Draft.objects.exists()


def test_a_search_that_finds_no_portal_blames_no_action(portal: Portal, cuts: None, page_as: PageAs) -> None:
    page = page_as("olivia")
    page.goto(register_url(portal))
    page.keyboard.press("Control+k")
    expect(page.locator("#palette-input")).to_be_focused()
    page.context.set_offline(True)
    page.keyboard.type("zz")
    expect(page.locator("#palette")).to_contain_text("What you see is as it was before.")
    expect(page.locator("#palette")).not_to_contain_text("action")
    expect(page.locator("#palette-input")).to_have_value("zz")


def test_a_hurried_hand_saves_one_view_and_exports_once(portal: Portal, page_as: PageAs) -> None:
    page = page_as("olivia")
    page.goto(f"{register_url(portal)}?states=Open")
    page.get_by_role("button", name="Save as a view").click()
    panel = page.get_by_role("dialog", name="Save as a view")
    panel.get_by_label("Name").fill("Open ones")
    panel.get_by_role("button", name="Save the view").dblclick()
    expect(page.locator("#messages")).to_contain_text("The view is saved.")
    expect(page.locator("#messages .toast")).to_have_count(1)
    assert SavedView.objects.count() == 1
    page.get_by_role("button", name="Export").first.click()
    panel = page.get_by_role("dialog", name="Export")
    with page.expect_download():
        panel.get_by_role("button", name="Export").dblclick()
    expect(panel).to_contain_text("The file is ready")
    assert AuditEvent.objects.filter(operation=Operation.EXPORT).count() == 1


def test_of_two_wishes_for_the_list_the_last_one_is_shown_however_late_the_first_comes(
    portal: Portal, cuts: None, page_as: PageAs
) -> None:
    page = page_as("olivia")
    late: list[Route] = []
    page.route(re.compile(r"sortBy=demandId"), lambda route: late.append(route))  # noqa: PLW0108  playwright marks its handlers
    page.goto(register_url(portal))
    page.get_by_role("link", name="Reference").click()
    expect(page.locator("html")).to_have_attribute("data-loading", "")
    page.get_by_role("link", name="Received").click()
    page.wait_for_url(re.compile("sortBy=dateDemand"))
    url, shown = page.url, references(page)
    assert len(late) == 1
    late[0].continue_()
    page.keyboard.press("?")  # a later answer than the late one
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    assert (page.url, references(page)) == (url, shown)
    expect(page.locator("html")).not_to_have_attribute("data-loading", "")


def test_the_old_tab_is_told_that_the_new_one_has_moved_it(
    portal: Portal, cuts: None, page_as: PageAs, steps: list[WorkflowStep], dsr: DataSubjectRequest
) -> None:
    old = page_as("olivia")
    stop_polls(old)
    old.goto(request_url(portal, dsr))
    expect(old.locator("#texts")).to_contain_text("Read from Dastra")
    new = old.context.new_page()
    new.goto(request_url(portal, dsr))
    new.get_by_role("button", name="Move to…").click()
    new.locator("#menu-move").get_by_role("button", name=steps[2].label).click()
    expect(new.locator("#messages")).to_contain_text("Moved in Dastra")
    before = writes(portal)
    old.get_by_role("button", name="Move to…").click()
    old.locator("#menu-move").get_by_role("button", name=steps[1].label).click()
    expect(old.locator("#messages")).to_contain_text("in Dastra meanwhile")
    assert (writes(portal), portal.upstream_step(dsr.upstream_id)) == (before, steps[2].upstream_id)

    Session.objects.all().delete()
    new.goto(f"{portal.url}/accounts/login/?next=/keys/")
    sign_in(new, username="marc")
    expect(new.get_by_role("heading", level=1)).to_have_text("Keyboard")
    wishes = OutboxEntry.objects.count()
    old.get_by_role("button", name="Move to…").click()
    old.locator("#menu-move").get_by_role("button", name=steps[1].label).click()
    expect(old.locator("#banners")).to_contain_text("Somebody else is signed in here now")
    assert OutboxEntry.objects.count() == wishes


def test_back_and_forward_show_the_right_page_and_it_is_alive(
    portal: Portal, page_as: PageAs, steps: list[WorkflowStep]
) -> None:
    page = page_as("olivia")
    board = f"{portal.board_url()}?states=Open"
    page.goto(board)
    card = first_card(page, steps[0])
    link = card.locator(".card__link")
    reference = link.inner_text()
    link.click()
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_text(reference)
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Requests").click()
    page.get_by_role("link", name="Received").click()
    page.wait_for_url(re.compile("sortBy=dateDemand"))
    shown = references(page)

    with page.expect_event("load"):  # the list was swapped, and comes back as a page
        page.go_back()
    expect(page).to_have_url(register_url(portal))
    expect(page.locator("#sort-dateDemand")).to_be_visible()
    page.go_back()
    expect(heading).to_have_text(reference)
    with page.expect_request(lambda request: "/version/?" in request.url):
        pass
    page.go_back()
    page.wait_for_url(board)
    with page.expect_request(lambda request: "/board/version/?" in request.url):
        pass
    page.keyboard.press("j")
    expect(page.locator(".card__link:focus")).to_have_count(1)
    for _ in range(3):
        with page.expect_event("load"):
            page.go_forward()
    expect(page).to_have_url(re.compile("sortBy=dateDemand"))
    expect(page.locator("tbody .reference")).to_have_text(shown)
    page.keyboard.press("j")
    expect(page.locator("tbody .ledger__main a:focus")).to_have_count(1)
