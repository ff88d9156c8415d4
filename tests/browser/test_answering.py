"""Writing to a person in a real Chromium: kept while one types, noticed when the session has ended, sent by one button, undone to a draft."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from playwright.sync_api import expect

from dsrportal.models import DataSubjectRequest, Draft, User
from tests.browser.conftest import PageAs, Portal, assert_accessible

pytestmark = pytest.mark.browser


def test_a_message_survives_a_lost_session_and_an_undo_and_then_goes_out(
    portal: Portal, page_as: PageAs, settings: Any
) -> None:
    settings.UNDO_SECONDS = 600
    dsr = DataSubjectRequest.objects.filter(workspace=portal.workspace, archived=False, step__position=0)[0]
    here = f"{portal.url}/w/acme-france/requests/{dsr.upstream_id}/"
    page = page_as("olivia")
    page.goto(here)
    page.get_by_role("link", name="Write to the person…").click()
    expect(page.locator("#texts")).to_contain_text("Read from Dastra")
    page.get_by_label("What it is").select_option("acknowledgement")
    page.get_by_label("Language of the letter").select_option("en")
    page.get_by_role("button", name="Insert the letter").click()
    text = page.get_by_label("Text", exact=True)
    expect(text).to_have_value(re.compile(rf"Dear .*{dsr.reference}", re.DOTALL))
    expect(page.get_by_label("Ground of the extension")).to_be_hidden()
    assert_accessible(page)

    text.fill("A short word of pelican.")
    expect(page.get_by_role("status").filter(has_text="Saved as a draft.")).to_be_visible()
    assert Draft.objects.get().read_text() == "A short word of pelican."
    Session.objects.all().delete()
    text.fill("A longer word of pelican.")
    page.get_by_role("button", name="Send to the person").click()
    expect(page.get_by_text("You are signed out")).to_be_visible()
    expect(text).to_have_value("A longer word of pelican.")
    client = Client()
    client.force_login(User.objects.get(username="olivia"))
    cookie = client.cookies[settings.SESSION_COOKIE_NAME]
    page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": portal.url}])
    page.get_by_role("button", name="I have signed in: go on").click()
    expect(page.get_by_text("You are signed out")).to_be_hidden()
    page.get_by_role("button", name="Send to the person").click()

    page.get_by_role("button", name="Undo").click()
    page.get_by_role("link", name="Go on with your message…").click()
    expect(text).to_have_value("A longer word of pelican.")
    assert not portal.sandbox.journal.of("POST")
    settings.UNDO_SECONDS = 0
    page.get_by_role("button", name="Send to the person").click()
    expect(page.locator("#texts")).to_contain_text("A longer word of pelican.")
    expect(page.locator("#request-timeline")).to_contain_text("Wrote to the person")
    assert not Draft.objects.exists()
    assert len(portal.sandbox.journal.of("POST", "Messages")) == 1
