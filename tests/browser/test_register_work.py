"""A day's work in the register in a real Chromium: columns, saved views, conditions, the way through a list, changes in a row, export."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from dsrportal.models import Operator, SavedView, WorkflowStep
from tests.browser.conftest import PageAs, Portal, assert_accessible
from tests.browser.test_register import references, register_url

pytestmark = pytest.mark.browser


def heads(page: Page) -> list[str]:
    """The heads of the table in order."""
    return [text.strip() for text in page.locator("thead th[scope=col]").all_inner_texts() if text.strip() != "Ticked"]


def cell(page: Page, reference: str, *, deed: str) -> Locator:
    """The button in a row that changes the row in place."""
    return page.locator("tbody tr", has=page.get_by_text(reference, exact=True)).locator(f"[data-inline={deed}]")


def test_columns_by_keyboard_and_mouse_kept_and_saved_as_a_view(portal: Portal, page_as: PageAs) -> None:
    page = page_as("olivia")
    page.goto(register_url(portal))
    page.get_by_role("button", name="Display").press("Enter")
    panel = page.get_by_role("dialog", name="Display")
    panel.get_by_role("button", name="Move Assignee up").focus()
    for place in (7, 6, 5, 4, 3, 2):
        page.keyboard.press("Enter")
        expect(page.locator("#announcer")).to_have_text(f"Assignee: place {place} of 22")
    expect(panel.get_by_role("button", name="Move Assignee up")).to_be_focused()
    panel.locator("[data-column=area]").drag_to(
        panel.locator("[data-column=operator]"), target_position={"x": 40, "y": 2}
    )
    panel.get_by_label("State", exact=True).uncheck()
    panel.get_by_label("Compact").check()
    assert_accessible(page)
    panel.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator(".ledger--compact")).to_be_visible()
    assert heads(page)[:4] == ["Reference", "Area", "Assignee", "Respond by"]
    assert "State" not in heads(page)
    assert page.url == register_url(portal)
    shown = heads(page)
    page.reload()
    assert heads(page) == shown

    page.goto(f"{register_url(portal)}?states=Open&group=step")
    page.get_by_role("button", name="Save as a view").click()
    panel = page.get_by_role("dialog", name="Save as a view")
    panel.get_by_label("Name").fill("New ones")
    panel.get_by_label("Share with everybody").check()
    assert_accessible(page)
    panel.get_by_role("button", name="Save the view").press("Enter")
    expect(page.get_by_role("link", name="New ones")).to_have_attribute("aria-current", "page")
    view = SavedView.objects.get()
    assert (view.is_shared, "columns=area,operator,clock" in view.query) == (True, True)
    page.get_by_role("link", name="All requests").click()
    expect(page.locator("#register .chip")).to_have_count(0)

    other = page_as("marc")
    other.goto(register_url(portal))
    other.get_by_role("link", name="New ones").click()
    expect(other.locator("#register .chip")).to_have_count(1)
    assert heads(other) == shown
    expect(other.locator(".ledger__group").first).to_be_visible()

    names = references(other)
    other.get_by_role("link", name=names[0], exact=True).click()
    expect(other.locator(".walk__place")).to_have_text(f"1 of {len(names)}")
    other.wait_for_load_state()
    other.keyboard.press("]")
    expect(other.get_by_role("heading", level=1)).to_have_text(names[1])
    other.wait_for_load_state()
    other.keyboard.press("[")
    expect(other.get_by_role("heading", level=1)).to_have_text(names[0])


def test_a_row_is_changed_in_place_and_the_list_is_exported(
    portal: Portal, page_as: PageAs, settings: Any, tmp_path: Path
) -> None:
    settings.UNDO_SECONDS = 600
    steps = list(WorkflowStep.objects.filter(workspace=portal.workspace))
    person = Operator.objects.filter(workspace=portal.workspace)[0]
    page = page_as("olivia")
    page.goto(register_url(portal) + f"?workflows={steps[0].upstream_id}&unassigned=true")
    first, second = references(page)[:2]
    row = page.locator("tbody tr", has=page.get_by_text(first, exact=True))
    row.hover()
    cell(page, first, deed="move").click()
    page.locator("#inline-move").get_by_role("button", name=steps[1].label).click()
    expect(row).to_contain_text("Sending in")
    expect(row.get_by_role("button", name="Undo")).to_be_focused()
    row.get_by_role("button", name="Undo").press("Enter")
    expect(row).not_to_contain_text("Sending in")

    settings.UNDO_SECONDS = 0
    page.get_by_role("link", name=second, exact=True).focus()
    page.keyboard.press("a")
    expect(page.locator("#inline-assign [data-reference]")).to_have_text(second)
    page.locator("#inline-assign").get_by_role("button", name=person.display_name).press("Enter")
    expect(page.locator("tbody tr", has=page.get_by_text(second, exact=True))).to_contain_text(person.display_name)
    assert_accessible(page)

    page.get_by_role("button", name="Export").first.click()
    panel = page.get_by_role("dialog", name="Export")
    panel.get_by_label("Text (CSV)").check()
    with page.expect_download() as download:
        panel.get_by_role("button", name="Export").click()
    expect(panel).to_contain_text("The file is ready")
    path = tmp_path / "list.csv"
    download.value.save_as(path)
    assert download.value.suggested_filename.startswith("requests-acme-france-")
    with path.open(encoding="utf-8-sig") as file:
        exported = [line["Reference"] for line in csv.DictReader(file)]
    assert exported == [name for name in references(page) if name != second]


def test_conditions_are_put_together_and_shown_as_chips(portal: Portal, page_as: PageAs) -> None:
    page = page_as("olivia")
    page.goto(register_url(portal))
    page.get_by_role("button", name="Filter").click()
    page.get_by_role("link", name="Combine conditions…").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Conditions")
    page.get_by_role("button", name="Show requests").click()
    expect(page.locator("#error-0-0")).to_have_text("Choose a value.")
    page.get_by_label("What").select_option("complex")
    expect(page.locator("#operation-0-0")).to_have_value("yes")
    expect(page.locator("#value-0-0")).to_have_count(0)
    page.get_by_role("button", name="Condition", exact=True).press("Enter")
    page.locator("#field-0-1").select_option("right")
    expect(page.locator("#value-0-1")).to_be_visible()
    page.locator("#value-0-1").select_option("Erasure")
    assert_accessible(page)
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Show requests").press("Enter")
    page.wait_for_url(re.compile(re.escape("where=all(any(complex.yes,right.is.Erasure))")))
    expect(page.locator("#register .chip")).to_have_text("Complex: yes or Right is Erasure")
    page.locator("#register .chip a").first.click()
    expect(page.locator("#field-0-1")).to_have_value("right")
    page.get_by_role("link", name="Back to the list").click()
    page.get_by_role("link", name=re.compile("Remove the filter")).click()
    expect(page.locator("#register .chip")).to_have_count(0)
