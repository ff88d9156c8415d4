"""The board in a real Chromium beside the moves: touch, other people, long columns, accessibility, no scripts."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import CDPSession, Page, expect

from dsrportal.models import WorkflowStep
from tests.browser.conftest import PageAs, Portal, assert_accessible, drag, first_card, upstream_id_of

pytestmark = pytest.mark.browser


def touch(session: CDPSession, kind: str, *points: tuple[float, float]) -> None:
    """One touch event, as a finger makes it."""
    session.send(
        "Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y, "id": 1} for x, y in points]}
    )


def post_count(portal: Portal) -> int:
    return sum(entry.method == "POST" for entry in portal.sandbox.journal.entries)


def test_a_finger_drags_a_card_by_its_handle(portal: Portal, page_as: PageAs, steps: list[WorkflowStep]) -> None:
    page = page_as("olivia", viewport={"width": 700, "height": 900}, has_touch=True, is_mobile=True)
    page.goto(portal.board_url())
    card = first_card(page, steps[0])
    upstream_id = upstream_id_of(card)
    handle = card.locator(".card__handle").bounding_box()
    target = page.locator(f"#cards-{steps[1].upstream_id}").bounding_box()
    assert handle is not None
    assert target is not None
    start = (handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2)
    end = (target["x"] + 60, target["y"] + 60)
    session = page.context.new_cdp_session(page)

    touch(session, "touchStart", start)
    page.wait_for_timeout(400)  # the long press
    for part in range(1, 13):
        touch(
            session,
            "touchMove",
            (start[0] + (end[0] - start[0]) * part / 12, start[1] + (end[1] - start[1]) * part / 12),
        )
        page.wait_for_timeout(20)
    page.wait_for_timeout(200)
    touch(session, "touchEnd")

    expect(page.locator(f"#cards-{steps[1].upstream_id} > #card-{upstream_id}")).to_be_visible()
    expect(page.locator("#announcer")).to_contain_text("Moved in Dastra")
    assert portal.upstream_step(upstream_id) == steps[1].upstream_id


def wait_for_a_question(page: Page) -> None:
    """Let the page's own clock run until it has asked whether anything changed, and was answered."""
    with page.expect_response(lambda answer: "/board/version/?" in answer.url):
        page.clock.run_for(2_000)


def test_another_persons_move_appears_by_itself_and_keeps_the_focus(
    portal: Portal, page_as: PageAs, steps: list[WorkflowStep]
) -> None:
    mine, theirs = page_as("marc"), page_as("olivia")
    mine.goto(portal.board_url())
    theirs.goto(portal.board_url())
    card = first_card(theirs, steps[0])
    upstream_id = upstream_id_of(card)
    kept = mine.locator(f"#cards-{steps[2].upstream_id} .card__link").first
    kept.focus()
    kept_id = kept.get_attribute("id")

    drag(theirs, card, to=steps[2])

    expect(mine.locator(f"#cards-{steps[2].upstream_id} > #card-{upstream_id}")).to_be_visible()
    expect(mine.locator(f"#cards-{steps[0].upstream_id} > #card-{upstream_id}")).to_have_count(0)
    expect(mine.locator(f"#{kept_id}")).to_be_focused()


def test_while_nothing_changes_the_page_asks_for_the_sign_alone(portal: Portal, page_as: PageAs) -> None:
    page = page_as("olivia")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.clock.install()
    page.goto(portal.board_url())
    for _ in range(3):
        wait_for_a_question(page)
    assert sum("/board/version/?" in url for url in asked) >= 3
    assert sum("since=" in url for url in asked) <= 1, "the first sign is new to the page"


def test_an_open_menu_is_not_disturbed_by_what_others_do(
    portal: Portal, page_as: PageAs, steps: list[WorkflowStep]
) -> None:
    page = page_as("olivia")
    page.clock.install()
    page.goto(portal.board_url())
    card = first_card(page, steps[0])
    card.hover()
    card.locator("[data-menu]").click()
    other = page.locator(f"#cards-{steps[0].upstream_id} > .card").nth(1)
    portal.sandbox.state[101].move(upstream_id_of(other), steps[1].upstream_id)
    portal.pull()
    for _ in range(2):
        wait_for_a_question(page)
    expect(page.locator("#move-menu")).to_be_visible()
    expect(other).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(f"#cards-{steps[1].upstream_id} > #{other.get_attribute('id')}")).to_be_visible()


def test_more_cards_come_as_asked_and_the_focus_goes_to_the_first(
    portal: Portal, page_as: PageAs, steps: list[WorkflowStep]
) -> None:
    workspace = portal.sandbox.state[101]
    for dsr in [dsr for dsr in workspace.all() if not dsr["archived"]][:40]:
        workspace.move(dsr["id"], steps[0].upstream_id)
    portal.pull()
    total = WorkflowStep.objects.get(pk=steps[0].pk).live_count
    assert 25 < total <= 75
    page = page_as("olivia")
    page.goto(portal.board_url())
    cards = page.locator(f"#cards-{steps[0].upstream_id} > .card")
    expect(cards).to_have_count(25)
    page.locator(f"#cards-{steps[0].upstream_id} .column__more a").press("Enter")
    expect(cards).to_have_count(min(total, 50))
    expect(cards.nth(25).locator(".card__link")).to_be_focused()
    ids = cards.evaluate_all("cards => cards.map(card => card.id)")
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_that_axe_finds(
    portal: Portal, page_as: PageAs, steps: list[WorkflowStep], scheme: str, settings: Any
) -> None:
    settings.UNDO_SECONDS = 600
    page = page_as("olivia", color_scheme=scheme)
    page.goto(portal.board_url())
    assert_accessible(page)
    drag(page, first_card(page, steps[0]), to=steps[1])
    expect(page.locator(".card--pending")).to_be_visible()
    card = first_card(page, steps[2])
    card.hover()
    card.locator("[data-menu]").click()
    expect(page.locator("#move-menu")).to_be_visible()
    assert_accessible(page)


def test_without_scripts_a_card_is_moved_by_links_and_forms(
    portal: Portal, page_as: PageAs, steps: list[WorkflowStep]
) -> None:
    page = page_as("olivia", java_script_enabled=False)
    page.goto(portal.board_url())
    card = first_card(page, steps[0])
    upstream_id = upstream_id_of(card)
    card.hover()
    card.locator("[data-menu]").click()
    page.locator(".card__form").get_by_role("button", name=steps[1].label).click()
    expect(page).to_have_url(portal.board_url())
    expect(page.locator(f"#cards-{steps[1].upstream_id} > #card-{upstream_id}")).to_be_visible()
    assert portal.upstream_step(upstream_id) == steps[1].upstream_id


def test_a_viewer_can_look_and_not_move(portal: Portal, page_as: PageAs, steps: list[WorkflowStep]) -> None:
    page = page_as("vera")
    page.goto(portal.board_url())
    card = first_card(page, steps[0])
    drag(page, card, to=steps[1])
    expect(page.locator(f"#cards-{steps[0].upstream_id} > #{card.get_attribute('id')}")).to_be_visible()
    assert post_count(portal) == 0


def test_a_portal_that_fails_puts_the_card_back_and_says_so(
    portal: Portal, page_as: PageAs, steps: list[WorkflowStep]
) -> None:
    page = page_as("olivia")
    page.goto(portal.board_url())
    card = first_card(page, steps[0])
    page.route("**/move/", lambda route: route.abort())
    drag(page, card, to=steps[2])
    expect(page.locator(f"#cards-{steps[0].upstream_id} > #{card.get_attribute('id')}")).to_be_visible()
    expect(page.locator("#banners")).to_contain_text("did not answer")
    assert not [line for line in portal.complaints if not line.startswith("console: ")]
    portal.complaints.clear()  # the console notes the call that the test cut
    assert post_count(portal) == 0


def test_a_column_folds_and_stays_folded_when_it_changes(
    portal: Portal, page_as: PageAs, steps: list[WorkflowStep]
) -> None:
    page: Page = page_as("olivia")
    page.goto(portal.board_url())
    page.get_by_role("button", name=f"Fold {steps[0].label}").click()
    expect(page.locator(f"#cards-{steps[0].upstream_id}")).to_be_hidden()
    moved = first_card(page, steps[1])
    portal.sandbox.state[101].move(upstream_id_of(moved), steps[0].upstream_id)
    portal.pull()
    expect(moved).to_be_hidden()
    expect(page.locator(f"#cards-{steps[0].upstream_id}")).to_be_hidden()


def test_a_column_that_changed_draws_only_the_cards_that_did(
    portal: Portal, page_as: PageAs, steps: list[WorkflowStep]
) -> None:
    page = page_as("olivia")
    page.goto(portal.board_url())
    cards = page.locator(f"#cards-{steps[0].upstream_id} > .card")
    gone = upstream_id_of(cards.nth(1))
    page.evaluate("document.querySelectorAll('.card').forEach((card) => { card.isOld = true; })")
    count = cards.count()

    portal.sandbox.state[101].move(gone, steps[2].upstream_id)
    portal.pull()

    new = page.locator(f"#cards-{steps[2].upstream_id} > #card-{gone}")
    expect(new).to_be_visible()
    expect(page.locator(f"#card-{gone}")).to_have_count(1)
    expect(cards).to_have_count(count - 1)
    drawn_anew = page.evaluate(
        "[...document.querySelectorAll('.card')].filter((card) => !card.isOld).map((card) => card.id)"
    )
    assert drawn_anew == [f"card-{gone}"]
    orders = page.evaluate(
        "[...document.querySelectorAll('.column')].map((column) => [...column.querySelectorAll('.card')].map((card) => card.dataset.order))"
    )
    assert all(column == sorted(column) for column in orders)
    drag(page, new, to=steps[3])  # what came by itself is dragged like what was there
    expect(page.locator(f"#cards-{steps[3].upstream_id} > #card-{gone}")).to_be_visible()


def test_every_card_is_drawn_soon_after_the_first_picture(portal: Portal, page_as: PageAs) -> None:
    page = page_as("olivia", viewport={"width": 1440, "height": 3000})
    page.goto(portal.board_url())
    expect(page.locator("html")).not_to_have_class("is-first-look")
    hidden = "[...document.querySelectorAll('.card')].filter((card) => getComputedStyle(card).contentVisibility === 'hidden').length"
    assert page.evaluate(hidden) == 0
