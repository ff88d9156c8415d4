"""Each thing that people do all day, by mouse, by touch on a phone, and by keyboard: it works, and the focus stays or goes to a sensible place."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from playwright.sync_api import Locator, Page, expect

from dsrportal.models import DataSubjectRequest, Operator, OutboxEntry, SavedView, User, WorkflowStep
from dsrportal.models.outbox import WishState
from tests.browser.conftest import PageAs, Portal, drag, first_card
from tests.browser.test_new_and_many import fill
from tests.browser.test_register import references, register_url
from tests.browser.test_register_work import cell, heads

pytestmark = pytest.mark.browser

PHONE = {"viewport": {"width": 390, "height": 800}, "has_touch": True, "is_mobile": True}
Kind = Literal["mouse", "touch", "keyboard"]


class Hand:
    """One way of doing things on a page."""

    def __init__(self, page: Page, *, kind: Kind) -> None:
        self.page, self.kind = page, kind

    def press(self, place: Locator) -> None:
        """Press a button, a link or a box."""
        if self.kind == "mouse":
            place.click()
        elif self.kind == "touch":
            place.tap()
        else:
            is_box = place.get_attribute("type") == "checkbox"
            place.focus()
            expect(place).to_be_focused()
            self.page.keyboard.press("Space" if is_box else "Enter")

    def write(self, place: Locator, text: str) -> None:
        """Go into a field and type."""
        self.press(place) if self.kind != "keyboard" else place.focus()
        expect(place).to_be_focused()
        self.page.keyboard.type(text)

    def move(self, card: Locator, *, to: WorkflowStep) -> None:
        """A card to another step: dragged, by its menu, or by the key of the map."""
        if self.kind == "mouse":
            drag(self.page, card, to=to)
            return
        if self.kind == "touch":
            card.locator("[data-menu]").tap()
        else:
            card.locator(".card__link").focus()
            self.page.keyboard.press("m")
        expect(self.page.locator("#move-menu")).to_be_visible()
        self.press(self.page.locator("#move-menu").get_by_role("button", name=to.label))

    def find(self, text: str) -> None:
        """Something in the palette, which has a key and a place in the person's menu."""
        if self.kind == "keyboard":
            self.page.keyboard.press("Control+k")
        else:
            self.press(self.page.locator("[popovertarget=menu-person]"))
            self.press(self.page.get_by_role("button", name="Find or do something"))
        expect(self.page.locator("#palette-input")).to_be_focused()
        self.page.keyboard.type(text)
        option = self.page.get_by_role("option", name=text)
        expect(option).to_have_attribute("aria-selected", "true")
        if self.kind == "keyboard":
            self.page.keyboard.press("Enter")
        else:
            self.press(option)


@pytest.fixture(params=["mouse", "touch", "keyboard"])
def hand(request: pytest.FixtureRequest, portal: Portal, page_as: PageAs, settings: Any) -> Hand:
    """Olivia's, with plenty of time to take back what it did."""
    settings.UNDO_SECONDS = 600
    page = page_as("olivia", **PHONE if request.param == "touch" else {})
    return Hand(page, kind=request.param)


def test_the_board_and_the_register(hand: Hand, portal: Portal, steps: list[WorkflowStep]) -> None:
    hand.page.goto(portal.board_url())
    on_the_board(hand, steps=steps)
    hand.page.goto(register_url(portal))
    in_the_list(hand, step=steps[0])
    in_the_rows(hand, step=steps[1], person=Operator.objects.filter(workspace=portal.workspace)[0])
    hand.page.goto(register_url(portal))
    through_the_list(hand)
    assert not OutboxEntry.objects.exclude(state=WishState.CANCELLED).exists()


def on_the_board(hand: Hand, *, steps: list[WorkflowStep]) -> None:
    """A hint is dismissed, a card is moved and taken back."""
    page = hand.page
    hand.press(page.get_by_role("button", name="Do not show this hint again"))
    expect(page.locator("#hint")).to_have_count(0)
    expect(page.locator("#content")).to_be_focused()
    assert User.objects.get(username="olivia").dismissed_hints == "|board|"

    card = first_card(page, steps[0])
    link = card.locator(".card__link")
    hand.move(card, to=steps[1])
    expect(page.locator(f"#cards-{steps[1].upstream_id}").locator(card)).to_contain_text("Sending in")
    if hand.kind != "mouse":  # who drags has no focus to lose
        expect(link).to_be_focused()
    hand.press(card.get_by_role("button", name="Undo"))
    expect(page.locator(f"#cards-{steps[0].upstream_id}").locator(card)).not_to_contain_text("Sending in")
    expect(link).to_be_focused()


def in_the_list(hand: Hand, *, step: WorkflowStep) -> None:
    """It is filtered, columns are chosen, and all of it is kept as a view."""
    page = hand.page
    hand.press(page.get_by_role("button", name="Filter"))
    hand.press(page.locator(f'#filter-panel [name=workflows][value="{step.upstream_id}"]'))
    hand.press(page.get_by_role("button", name="Show requests"))
    expect(page.locator("#register .chip")).to_have_count(1)
    expect(page.locator("#filter-button")).to_be_focused()

    hand.press(page.locator("#display-button"))
    hand.press(page.locator("[data-column=state] input"))
    hand.press(page.locator("#display-apply"))
    expect(page.locator("thead")).not_to_contain_text("State")
    assert "Reference" in heads(page)
    expect(page.locator("#display-button")).to_be_focused()
    hand.press(page.locator("#view-save-button"))
    hand.write(page.get_by_role("dialog", name="Save as a view").get_by_label("Name"), "New ones")
    hand.press(page.get_by_role("button", name="Save the view"))
    expect(page.get_by_role("link", name="New ones")).to_have_attribute("aria-current", "page")
    assert SavedView.objects.get().name == "New ones"


def in_the_rows(hand: Hand, *, step: WorkflowStep, person: Operator) -> None:
    """One is changed in its place, and many at once; both are taken back."""
    page = hand.page
    reference = references(page)[0]
    row = page.locator("tbody tr", has=page.get_by_text(reference, exact=True))
    hand.press(cell(page, reference, deed="move"))
    hand.press(page.locator("#inline-move").get_by_role("button", name=step.label))
    expect(row).to_contain_text("Sending in")
    undo = row.get_by_role("button", name="Undo")
    if hand.kind != "touch":
        expect(undo).to_be_focused()
    hand.press(undo)
    expect(row).not_to_contain_text("Sending in")
    expect(row.locator(":focus")).to_have_count(1)

    for place in (0, 1):
        hand.press(page.locator("input[name=pick]").nth(place))
    expect(page.locator("#bulk")).to_contain_text("2 ticked")
    page.locator("#bulk").get_by_label("Assign to").select_option(str(person.upstream_id))
    hand.press(page.locator("#bulk").get_by_role("button", name="Assign"))
    expect(page.locator("#changes")).to_contain_text("2 requests")
    hand.press(page.get_by_role("button", name="Undo all that waits"))
    expect(page.locator("#changes")).to_contain_text("2 undone")


def through_the_list(hand: Hand) -> None:
    """A request is opened, and the next one after it."""
    page = hand.page
    first, second = references(page)[:2]
    hand.press(page.get_by_role("link", name=first, exact=True))
    expect(page.get_by_role("heading", level=1)).to_have_text(first)
    page.wait_for_load_state()
    if hand.kind == "keyboard":
        page.keyboard.press("]")
    else:
        hand.press(page.get_by_role("link", name="Next request in the list"))
    expect(page.get_by_role("heading", level=1)).to_have_text(second)


def test_a_request(hand: Hand, portal: Portal) -> None:
    page = hand.page
    rows = DataSubjectRequest.objects.filter(workspace=portal.workspace, archived=False, step__position=0)
    dsr = rows.order_by("pk")[0]
    here = f"{portal.url}/w/acme-france/requests/{dsr.upstream_id}/"

    # found by its reference; what the person wrote is read as the page opens
    page.goto(register_url(portal))
    hand.find(dsr.reference)
    page.wait_for_url(here)
    expect(page.locator("#texts")).to_contain_text("Read from Dastra")
    undo = page.locator("#wish").get_by_role("button", name="Undo")

    # edited, and taken back
    hand.press(page.get_by_role("button", name="Edit…"))
    dialog = page.locator("#dialog-edit")
    expect(dialog.get_by_role("button", name="Leave it as it is")).to_be_focused()
    hand.write(dialog.locator("input[type=text]").first, "x")
    hand.press(dialog.get_by_role("button", name="Save in Dastra"))
    expect(undo).to_be_focused()
    hand.press(undo)
    expect(undo).to_have_count(0)
    expect(page.get_by_role("button", name="Edit…")).to_be_focused()

    # closed, and taken back
    hand.press(page.get_by_role("button", name="Close…"))
    dialog = page.locator("#dialog-close")
    dialog.get_by_label("Reason", exact=True).select_option("Accepted")
    hand.press(dialog.get_by_role("button", name="Close in Dastra"))
    expect(undo).to_be_focused()
    hand.press(undo)
    expect(undo).to_have_count(0)

    # answered, and taken back
    hand.press(page.get_by_role("link", name="Write to the person…"))
    text = page.get_by_label("Text", exact=True)
    hand.write(text, "A short word of pelican.")
    expect(page.get_by_role("status").filter(has_text="Saved as a draft.")).to_be_visible()
    hand.press(page.get_by_role("button", name="Send to the person"))
    hand.press(undo)
    expect(page.get_by_role("link", name="Go on with your message…")).to_be_visible()

    # a new one is entered, and taken back
    page.goto(register_url(portal))
    hand.press(page.get_by_role("link", name="New request"))
    fill(page)
    hand.press(page.get_by_role("button", name="Enter it in Dastra"))
    expect(page.locator("#waiting")).to_contain_text("Sending in")
    hand.press(page.get_by_role("button", name="Undo and edit"))
    expect(page.get_by_label("Title")).to_have_value("By letter: access")
    assert not OutboxEntry.objects.exclude(state=WishState.CANCELLED).exists()
    assert not portal.sandbox.journal.of("PUT")
