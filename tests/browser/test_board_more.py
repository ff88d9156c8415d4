"""The board in a real Chromium: lanes, fingers that scroll, drags that nothing disturbs, and what is remembered."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from dsrportal.models import WorkflowStep
from tests.browser.conftest import PageAs, Portal, assert_accessible, drop, first_card, upstream_id_of
from tests.browser.test_board_live import post_count, touch, wait_for_a_question

pytestmark = pytest.mark.browser


def test_a_finger_on_a_card_scrolls_and_moves_nothing(
    portal: Portal, page_as: PageAs, steps: list[WorkflowStep]
) -> None:
    page = page_as("olivia", viewport={"width": 390, "height": 700}, has_touch=True, is_mobile=True)
    page.goto(portal.board_url())
    cards = page.locator(f"#cards-{steps[0].upstream_id}")
    box = cards.locator(".card").nth(2).bounding_box()
    assert box is not None
    session = page.context.new_cdp_session(page)
    x, y = box["x"] + 80, box["y"] + 40
    touch(session, "touchStart", (x, y))
    for part in range(1, 11):
        touch(session, "touchMove", (x, y - part * 18))
        page.wait_for_timeout(16)
    touch(session, "touchEnd")
    page.wait_for_function(f"document.getElementById('cards-{steps[0].upstream_id}').scrollTop > 60")
    assert page.locator(".is-dragged, .is-ghost").count() == 0
    assert post_count(portal) == 0


def test_a_drag_is_not_disturbed_by_what_others_do(portal: Portal, page_as: PageAs, steps: list[WorkflowStep]) -> None:
    page = page_as("olivia")
    page.clock.install()
    page.goto(portal.board_url())
    card = first_card(page, steps[0])
    start, target = card.bounding_box(), page.locator(f"#cards-{steps[2].upstream_id}").bounding_box()
    assert start is not None
    assert target is not None
    page.mouse.move(start["x"] + 60, start["y"] + start["height"] - 12)
    page.mouse.down()
    page.mouse.move(target["x"] + 80, target["y"] + 60, steps=15)
    other = page.locator(f"#cards-{steps[0].upstream_id} > .card:not(.is-ghost)").nth(1)
    other_id = upstream_id_of(other)
    portal.sandbox.state[101].move(other_id, steps[1].upstream_id)
    portal.pull()
    for _ in range(2):
        wait_for_a_question(page)
    expect(page.locator(".is-dragged")).to_have_count(1)
    expect(page.locator(f"#cards-{steps[1].upstream_id} > #card-{other_id}")).to_have_count(0)
    page.mouse.up()
    upstream_id = upstream_id_of(card)
    expect(page.locator(f"#cards-{steps[2].upstream_id} > #card-{upstream_id}")).to_be_visible()
    page.clock.resume()
    expect(page.locator(f"#cards-{steps[1].upstream_id} > #card-{other_id}")).to_be_visible()
    assert portal.upstream_step(upstream_id) == steps[2].upstream_id


def test_lanes_keep_a_card_to_themselves_and_stay_closed_when_they_change(
    portal: Portal, page_as: PageAs, steps: list[WorkflowStep]
) -> None:
    page = page_as("olivia")
    page.goto(portal.board_url())
    page.get_by_role("button", name="No lanes").click()
    page.get_by_role("link", name="By assignee").click()
    page.wait_for_url("**lanes=assignee")
    lists = page.locator(f"ul[data-drop='{steps[0].upstream_id}']").filter(has=page.locator(".card"))
    lane = lists.first.get_attribute("data-lane")
    card = page.locator(f"#{lists.first.locator('.card').first.get_attribute('id')}")
    upstream_id = upstream_id_of(card)
    assert_accessible(page)
    drop(page, card, on=page.locator(f"#cards-{steps[1].upstream_id}-{lane}"))
    expect(page.locator("#announcer")).to_contain_text("Moved in Dastra")
    expect(page.locator(f"#cards-{steps[1].upstream_id}-{lane} > #card-{upstream_id}")).to_be_visible()
    assert portal.upstream_step(upstream_id) == steps[1].upstream_id

    page.locator(f"#lane-{lane} > summary").click()
    expect(card).to_be_hidden()
    portal.sandbox.state[101].move(upstream_id, steps[2].upstream_id)
    portal.pull()
    expect(page.locator(f"#cards-{steps[2].upstream_id}-{lane} > #card-{upstream_id}")).to_have_count(1)
    expect(card).to_be_hidden()


def test_a_card_that_is_dropped_in_another_persons_lane_of_its_step_is_assigned(
    portal: Portal, page_as: PageAs, steps: list[WorkflowStep], settings: Any
) -> None:
    settings.UNDO_SECONDS = 600
    page = page_as("olivia", viewport={"width": 1440, "height": 3000})
    page.goto(f"{portal.board_url()}?lanes=assignee")
    step = steps[0].upstream_id
    lists = page.locator(f"ul[data-drop='{step}']")
    mine = lists.filter(has=page.locator(".card")).first
    lane, operator = mine.get_attribute("data-lane"), mine.get_attribute("data-operator")
    theirs = page.locator(f"ul[data-drop='{step}']:not([data-lane='{lane}'])").first
    goal, whose = theirs.get_attribute("data-lane"), theirs.get_attribute("data-operator")
    card = page.locator(f"#{mine.locator('.card').first.get_attribute('id')}")
    upstream_id = upstream_id_of(card)

    def assignee() -> int:
        return portal.sandbox.state[101].get(upstream_id)["operatorId"] or 0

    # another step and another person at once: that would be two deeds
    drop(page, card, on=page.locator(f"#cards-{steps[1].upstream_id}-{goal}"), is_taken=False)
    expect(page.locator(f"#cards-{step}-{lane} > #card-{upstream_id}")).to_be_visible()
    assert post_count(portal) == 0

    drop(page, card, on=page.locator(f"#cards-{step}-{goal}"))
    waiting = page.locator(f"#cards-{step}-{goal} > #card-{upstream_id}:first-child")
    expect(waiting).to_contain_text("Sending in")
    assert assignee() == int(operator or 0)
    waiting.get_by_role("button", name="Undo").click()
    expect(page.locator(f"#cards-{step}-{lane} > #card-{upstream_id}")).to_be_visible()

    settings.UNDO_SECONDS = 5
    drop(page, card, on=page.locator(f"#cards-{step}-{goal}"))
    expect(page.locator("#announcer")).to_contain_text("in Dastra")
    expect(page.locator(f"#cards-{step}-{goal} > #card-{upstream_id}")).to_be_visible()
    assert assignee() == int(whose or 0)
