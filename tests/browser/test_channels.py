"""Channels in a real Chromium: one is added, tried and deleted; only a webhook has a key that signs."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from dsrportal.models import Channel
from tests.browser.conftest import PageAs, Portal, assert_accessible
from tests.dastra.wire import Wire, answer

pytestmark = pytest.mark.browser


def test_an_admin_adds_tries_and_deletes_a_channel(portal: Portal, page_as: PageAs, settings: Any) -> None:
    wire = Wire().plays(answer(b"ok"), answer(status=404))
    settings.CHANNEL_ALLOWED_HOSTS = [wire.host]
    page = page_as("ada")
    page.goto(f"{portal.url}/settings/workspaces/acme-france/")
    page.get_by_role("link", name="Look at the channels").click()
    page.get_by_role("link", name="Add a channel").click()
    key = page.get_by_label("Key that signs")
    expect(key).to_be_hidden()
    page.get_by_label("Webhook (JSON)").check()
    expect(key).to_be_visible()
    page.get_by_label("Mattermost").check()
    page.get_by_label("Name").fill("#privacy")
    page.get_by_label("Address").fill("https://chat.example.org/elsewhere")
    page.get_by_role("button", name="Add the channel").click()
    expect(page.get_by_role("alert").first).to_contain_text("looks like https://chat.example.org/hooks/")
    assert_accessible(page)

    page.get_by_label("Address").fill(f"{wire.url}/hooks/t0psecret")
    page.get_by_role("button", name="Add the channel").click()
    expect(page.get_by_text("Not tried yet")).to_be_visible()
    page.get_by_role("button", name="Send a test message").click()
    expect(page.locator("#messages")).to_contain_text("“#privacy” took the test message.")
    expect(page.get_by_text("Works", exact=True)).to_be_visible()
    page.get_by_role("button", name="Send a test message").click()
    expect(page.get_by_text("Does not take messages")).to_be_visible()
    page.reload()  # the toast is over
    assert_accessible(page)
    assert "t0psecret" not in page.content()
    wire.stop()

    page.get_by_role("link", name="Delete… #privacy").click()
    page.get_by_role("button", name="Delete the channel").click()
    expect(page.get_by_text("No channel yet")).to_be_visible()
    assert not Channel.objects.exists()
