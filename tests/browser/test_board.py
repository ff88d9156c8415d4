"""The board in a real Chromium: what people see, drag and press, and what Dastra has afterwards."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from dsrportal.models import DataSubjectRequest, WorkflowStep
from dsrportal.sandbox import Fault
from tests.browser.conftest import PageAs, Portal, drag, first_card, upstream_id_of

pytestmark = pytest.mark.browser


def test_an_officer_signs_in_to_my_day_and_goes_to_the_board(
    portal: Portal, page_as: PageAs, steps: list[WorkflowStep]
) -> None:
    page = page_as("")
    page.goto(portal.url)
    page.get_by_label("User name").fill("olivia")
    page.get_by_label("Password").fill("correct horse battery")
    page.get_by_role("button", name="Sign in").click()

    expect(page.get_by_role("heading", level=1, name="My day")).to_be_visible()
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Board").click()
    expect(page.get_by_role("heading", name="Board")).to_be_visible()
    for step in steps:
        expect(page.get_by_role("heading", name=step.label, exact=True)).to_be_visible()
    cards = page.locator(f"#cards-{steps[0].upstream_id} > .card")
    assert cards.count() == min(steps[0].live_count, 25)


def test_a_card_dragged_with_the_mouse_is_moved_in_dastra(
    portal: Portal, page_as: PageAs, steps: list[WorkflowStep]
) -> None:
    page = page_as("olivia")
    page.goto(portal.board_url())
    card = first_card(page, steps[0])
    upstream_id = upstream_id_of(card)

    drag(page, card, to=steps[2])

    expect(page.locator(f"#cards-{steps[2].upstream_id} > #card-{upstream_id}")).to_be_visible()
    expect(page.locator(f"#head-{steps[0].upstream_id} .column__count")).to_contain_text(str(steps[0].live_count - 1))
    expect(page.locator("#announcer")).to_contain_text("Moved in Dastra")
    expect(card).not_to_have_class("card card--pending")
    assert portal.upstream_step(upstream_id) == steps[2].upstream_id
    assert DataSubjectRequest.objects.get(upstream_id=upstream_id).step == steps[2]
    assert page.url == portal.board_url(), "a drag must not open the request"


def test_a_card_is_moved_by_keyboard_alone_and_keeps_the_focus(
    portal: Portal, page_as: PageAs, steps: list[WorkflowStep]
) -> None:
    page = page_as("olivia")
    page.goto(portal.board_url())
    card = first_card(page, steps[0])
    upstream_id = upstream_id_of(card)

    card.locator(".card__link").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#move-menu")).to_be_visible()
    for _press in range(3):
        page.keyboard.press("ArrowDown")
    expect(page.locator("#move-menu .menu__item:focus")).to_contain_text(steps[3].label)
    page.keyboard.press("Enter")

    moved = page.locator(f"#cards-{steps[3].upstream_id} > #card-{upstream_id}")
    expect(moved).to_be_visible()
    expect(moved.locator(".card__link")).to_be_focused()
    assert portal.upstream_step(upstream_id) == steps[3].upstream_id


def test_a_key_that_is_quicker_than_the_menu_is_the_menus(
    portal: Portal, page_as: PageAs, steps: list[WorkflowStep]
) -> None:
    page = page_as("olivia")
    page.goto(portal.board_url())
    opener = first_card(page, steps[0]).locator("[data-menu]")
    opener.evaluate("""(button) => {
        const press = () => document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowDown", bubbles: true }));
        button.focus();
        button.click();
        press();
        press();
    }""")
    expect(page.locator("#move-menu .menu__item:focus")).to_contain_text(steps[2].label)
    page.keyboard.press("ArrowDown")
    expect(page.locator("#move-menu .menu__item:focus")).to_contain_text(steps[3].label)
    page.keyboard.press("Escape")
    expect(page.locator("#move-menu")).to_be_hidden()
    expect(opener).to_be_focused()

    opener.evaluate("""(button) => {
        button.click();
        document.querySelectorAll("#move-menu .menu__item")[4].focus();
    }""")
    expect(page.locator("#move-menu[data-placed]")).to_be_visible()
    expect(page.locator("#move-menu .menu__item:focus")).to_contain_text(steps[4].label)


def test_a_refused_move_is_put_back_with_its_reason_until_dismissed(
    portal: Portal, page_as: PageAs, steps: list[WorkflowStep]
) -> None:
    portal.sandbox.faults.add(Fault(kind="refuse", match="POST .*/workflow", reason="An assignee is needed first."))
    page = page_as("olivia")
    page.goto(portal.board_url())
    card = first_card(page, steps[0])
    upstream_id = upstream_id_of(card)

    drag(page, card, to=steps[1])

    back = page.locator(f"#cards-{steps[0].upstream_id} > #card-{upstream_id}")
    expect(back.locator(".card__notice")).to_contain_text("An assignee is needed first.")
    assert portal.upstream_step(upstream_id) == steps[0].upstream_id
    page.reload()
    expect(back.locator(".card__notice")).to_contain_text("An assignee is needed first.")
    back.get_by_role("button", name="Dismiss").click()
    expect(back.locator(".card__notice")).to_have_count(0)


def test_undo_within_the_window_writes_nothing(
    portal: Portal, page_as: PageAs, steps: list[WorkflowStep], settings: Any
) -> None:
    settings.UNDO_SECONDS = 600
    page = page_as("olivia")
    page.goto(portal.board_url())
    card = first_card(page, steps[0])
    upstream_id = upstream_id_of(card)

    drag(page, card, to=steps[2])
    pending = page.locator(f"#cards-{steps[2].upstream_id} > #card-{upstream_id}.card--pending")
    expect(pending).to_contain_text("Sending in")
    pending.get_by_role("button", name="Undo").click()

    expect(page.locator(f"#cards-{steps[0].upstream_id} > #card-{upstream_id}")).to_be_visible()
    expect(page.locator("#announcer")).to_contain_text("Nothing was changed")
    assert [entry for entry in portal.sandbox.journal.entries if entry.method == "POST"] == []


def test_the_page_sends_by_itself_when_the_window_is_over(
    portal: Portal, page_as: PageAs, steps: list[WorkflowStep], settings: Any
) -> None:
    settings.UNDO_SECONDS = 6
    page = page_as("olivia")
    page.goto(portal.board_url())
    card = first_card(page, steps[0])
    upstream_id = upstream_id_of(card)

    drag(page, card, to=steps[2])

    expect(page.locator(f"#card-{upstream_id}.card--pending")).to_be_visible()
    expect(page.locator(f"#card-{upstream_id}.card--pending")).to_have_count(0)
    assert portal.upstream_step(upstream_id) == steps[2].upstream_id


def test_escape_ends_a_drag_without_a_move(portal: Portal, page_as: PageAs, steps: list[WorkflowStep]) -> None:
    page = page_as("olivia")
    page.goto(portal.board_url())
    card = first_card(page, steps[0])
    start = card.bounding_box()
    target = page.locator(f"#cards-{steps[2].upstream_id}").bounding_box()
    assert start is not None
    assert target is not None

    page.mouse.move(start["x"] + 60, start["y"] + start["height"] - 12)
    page.mouse.down()
    page.mouse.move(target["x"] + 80, target["y"] + 60, steps=15)
    page.keyboard.press("Escape")
    page.mouse.up()

    expect(page.locator(f"#cards-{steps[0].upstream_id} > #{card.get_attribute('id')}")).to_be_visible()
    assert page.url == portal.board_url()
    assert [entry for entry in portal.sandbox.journal.entries if entry.method == "POST"] == []
