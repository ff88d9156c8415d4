"""A real Chromium against a running portal, which is synced from a local Dastra: the stage of every browser test.

`portal` is the stage, `page_as("olivia")` a signed-in page on it. A test fails for what its pages did behind its back: an error on
the console (violations of the content policy are such errors), a script's exception, a request that leaves this machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings as django_settings
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request, expect, sync_playwright

from dsrportal.mirror.pull import pull
from dsrportal.models import Lane, Role, User, WorkflowStep, Workspace
from dsrportal.models.runs import SyncOutcome
from dsrportal.sandbox import Sandbox
from dsrportal.sandbox.server import Server
from dsrportal.sandbox.switches import Switches
from tests.conftest import MakeWorkspace, make_person

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
]
PATIENCE_MS = 60_000
"""What must come may come late: a busy machine is no defect of a page."""
EXPECTED_STATUS = "status of 422"
"""An expected refusal is an answer with 422, which Chromium notes on the console."""
REPLACED = ("htmx:sendAbort", "htmx:afterRequest")
"""What htmx notes where a later request takes the place of one that was slow (`hx-sync`). A request that fails is noted otherwise too."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Portal:
    """The running portal: its address, the local Dastra behind it, and the workspace that mirrors it."""

    url: str
    sandbox: Server
    workspace: Workspace
    complaints: list[str] = field(default_factory=list)

    def board_url(self) -> str:
        """The workspace's board."""
        return f"{self.url}/w/{self.workspace.slug}/board/"

    def pull(self, lane: Lane = Lane.FULL) -> None:
        """Read the local Dastra again."""
        assert pull(self.workspace, lane=lane, now=timezone.now).outcome == SyncOutcome.COMPLETE

    def upstream_step(self, upstream_id: int) -> int:
        """The step that a request is in, by Dastra's own word."""
        step: int = self.sandbox.state[self.workspace.upstream_id].get(upstream_id)["workFlowStepId"]
        return step


PageAs = Callable[..., Page]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for the run."""
    with sync_playwright() as playwright:
        expect.set_options(timeout=PATIENCE_MS)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def upstream(settings: Any, tmp_path: Path) -> Iterator[Server]:
    """The local Dastra behind the portal: 60 requests in workspace 101."""
    settings.DATA_DIR = tmp_path
    with Sandbox(requests=60, seed=7, settings=Switches()).serve() as server:
        settings.UPSTREAM_ALLOWED_HOSTS = [server.host_port]
        yield server


@pytest.fixture
def portal(live_server: Any, settings: Any, upstream: Server, make_workspace: MakeWorkspace) -> Iterator[Portal]:
    """The portal with a synced workspace and the accounts olivia (officer), marc (manager), ada (admin), vera (viewer); stan is a
    stranger. Wishes are sent at once; a test that wants the undo window sets `settings.UNDO_SECONDS`."""
    settings.UNDO_SECONDS = 0
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # five accounts for every test
    workspace = make_workspace(
        "acme-france", name="Acme France", base_url=upstream.base_url, secret=upstream.api_key, upstream_id=101
    )
    for username, role in (
        ("olivia", Role.OFFICER),
        ("marc", Role.MANAGER),
        ("ada", Role.ADMIN),
        ("vera", Role.VIEWER),
    ):
        make_person(username, workspace=workspace, role=role)
    make_person("stan", workspace=make_workspace("other-house", upstream_id=102), role=Role.OFFICER)
    portal = Portal(url=live_server.url, sandbox=upstream, workspace=workspace)
    portal.pull()
    yield portal
    assert portal.complaints == []


@pytest.fixture
def page_as(portal: Portal, browser: Browser) -> Iterator[PageAs]:
    """A function that opens a page for a person who is signed in ("" for nobody); its options are those of a browser context."""
    contexts = []

    def open_page(username: str, **options: Any) -> Page:
        context = browser.new_context(**{"locale": "en-GB", "viewport": {"width": 1280, "height": 800}, **options})
        contexts.append(context)
        if username:
            client = Client()
            client.force_login(User.objects.get(username=username))
            cookie = client.cookies[django_settings.SESSION_COOKIE_NAME]
            context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": portal.url}])
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.set_default_navigation_timeout(3 * PATIENCE_MS)  # the first page of a process compiles its templates
        watch(page, portal=portal)
        return page

    yield open_page
    for context in contexts:
        context.close()


def watch(page: Page, *, portal: Portal) -> None:
    """Note everything that a page must not do."""

    def on_console(message: ConsoleMessage) -> None:
        if message.type == "error" and EXPECTED_STATUS not in message.text and not message.text.startswith(REPLACED):
            portal.complaints.append(f"console: {message.text}")

    def on_request(request: Request) -> None:
        if not request.url.startswith((portal.url, "data:", "blob:")):
            portal.complaints.append(f"left this machine: {request.url}")

    page.on("console", on_console)
    page.on("request", on_request)
    page.on("pageerror", lambda error: portal.complaints.append(f"exception: {error}"))


def assert_accessible(page: Page) -> None:
    """No violation that axe can see."""
    report = Axe().run(page)
    assert report.violations_count == 0, report.generate_report()


@pytest.fixture
def steps(portal: Portal) -> list[WorkflowStep]:
    """The workspace's steps in order."""
    return list(WorkflowStep.objects.filter(workspace=portal.workspace))


def first_card(page: Page, step: WorkflowStep) -> Locator:
    """The topmost card of a column, pinned by its own id."""
    dom_id = page.locator(f"#cards-{step.upstream_id} > .card").first.get_attribute("id")
    return page.locator(f"#{dom_id}")


def upstream_id_of(card: Locator) -> int:
    """The request that a card shows."""
    return int(card.get_attribute("data-card") or 0)


def drag(page: Page, card: Locator, *, to: WorkflowStep) -> None:
    """To the column of a step."""
    drop(page, card, on=page.locator(f"#cards-{to.upstream_id}"))


def drop(page: Page, card: Locator, *, on: Locator, is_taken: bool = True) -> None:
    """As a hand does it: press, go over in steps, see the card lie there, let go. A list that does not take it shows nothing."""
    start, target = card.bounding_box(), on.bounding_box()
    assert start is not None
    assert target is not None
    page.mouse.move(start["x"] + 60, start["y"] + start["height"] - 12)
    page.mouse.down()
    page.mouse.move(target["x"] + 80, target["y"] + 20, steps=15)
    lying = on.locator(".is-ghost") if is_taken else page.locator(".is-ghost")
    for wiggle in range(100):  # a busy page follows late, and only a hand that moves
        page.wait_for_timeout(200)
        if lying.count():
            break
        page.mouse.move(target["x"] + 80 + wiggle % 5, target["y"] + 20)
    page.mouse.up()
