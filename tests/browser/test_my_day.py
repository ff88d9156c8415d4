"""My day in a real Chromium: by keyboard, changed by a colleague, accessible and whole on a phone, whose bar cuts no name."""

from __future__ import annotations

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from dsrportal.actions.members import match_assignee
from dsrportal.models import DataSubjectRequest, Role, User, Workspace
from tests.browser.conftest import PageAs, Portal, assert_accessible
from tests.conftest import make_person

pytestmark = pytest.mark.browser

CUT = "all => all.filter(one => one.offsetParent !== null && one.scrollWidth > one.clientWidth).map(one => one.textContent)"


def test_a_day_by_keyboard_while_a_colleague_works(portal: Portal, page_as: PageAs, settings: object) -> None:
    dsr = DataSubjectRequest.objects.filter(clock_rank=DataSubjectRequest.RUNNING, archived=False).exclude(
        operator=None
    )
    first = dsr.order_by("clock_on", "pk")[0]
    assert first.operator is not None
    olivia = User.objects.get(username="olivia")
    match_assignee(
        portal.workspace, operator_upstream_id=first.operator.upstream_id, user=olivia, by=None, now=timezone.now()
    )
    settings.UNDO_SECONDS = 600  # type: ignore[attr-defined]
    page = page_as("olivia")
    page.goto(f"{portal.url}/")
    expect(page.get_by_role("heading", level=1, name="My day")).to_be_visible()
    assert_accessible(page)
    act = page.get_by_role("region", name="Act today")
    row = act.locator(".day__link").nth(1)
    row.focus()
    focused = row.get_attribute("id")
    DataSubjectRequest.objects.filter(pk=first.pk).update(archived=True)
    Workspace.note_change(portal.workspace.pk)
    expect(page.locator(f"#act-{first.pk}")).to_have_count(0)
    expect(page.locator(f"#{focused}")).to_be_focused()
    expect(page.locator("#announcer")).to_contain_text("My day has changed")
    page.keyboard.press("Enter")
    expect(page.locator(".request-head")).to_be_visible()


def test_a_phone_shows_it_whole_in_every_language_and_its_bar_cuts_no_name(portal: Portal, page_as: PageAs) -> None:
    make_person("anna", workspace=portal.workspace, role=Role.ADMIN)
    page = page_as("anna", viewport={"width": 360, "height": 740}, color_scheme="dark", has_touch=True, is_mobile=True)
    for language in ("en", "fr", "nl"):
        page.context.add_cookies([{"name": "django_language", "value": language, "url": portal.url}])
        page.goto(f"{portal.url}/")
        names = page.locator(".rail .rail__short")
        assert names.count() == 6
        assert names.evaluate_all(CUT) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        assert_accessible(page)
