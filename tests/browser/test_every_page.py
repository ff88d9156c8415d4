"""Every page in one browser on one portal: axe in both themes, 320 px, forced colours, reduced motion, paper.

The languages take turns by page, and so does the theme it begins with. Board, register and a request are large and have axe in their own tests:
here they are walked with `EVERY_PAGE=all` in the environment, which shows each page in all six combinations. For a change of the looks.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.tokens import default_token_generator
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from playwright.sync_api import Browser, Page, expect

from dsrportal.actions import first_account, invitations, ledger
from dsrportal.models import DataSubjectRequest, Role, User
from dsrportal.models.ledger import PauseReason
from tests.browser.conftest import PageAs, Portal

pytestmark = pytest.mark.browser

WORKSPACE = "/w/acme-france/"
REGISTER = f"{WORKSPACE}requests/"
SETTINGS = "/settings/workspaces/acme-france/"
LANGUAGES = ("en", "fr", "nl")
Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = ("light", "dark")
PAPER = {"width": 680, "height": 960}
"""What is left of an A4 sheet within the margins, in CSS pixels."""
WIDE_PAPER = {"width": 1030, "height": 700}
"""The same of one that lies, as the register asks for."""

IS_WHOLE = os.environ.get("EVERY_PAGE") == "all"

Deed = Callable[[Page], None]


@dataclass(frozen=True, kw_only=True)
class Stop:
    """A page of the walk: its address, who looks, and what is opened on it first. `is_printed`: somebody would."""

    path: str
    who: str = "ada"
    deed: Deed | None = None
    is_printed: bool = False

    def __str__(self) -> str:
        return f"{self.path} ({self.who or 'nobody'})"


def press(selector: str, *, shows: str) -> Deed:
    """Press it, and wait for what it brings."""

    def deed(page: Page) -> None:
        page.locator(selector).first.click()
        expect(page.locator(shows).first).to_be_visible()

    return deed


def tick(page: Page) -> None:
    page.locator("[name=pick]").first.check()
    expect(page.locator("#bulk")).to_be_visible()


def palette(page: Page) -> None:
    page.keyboard.press("Control+k")
    expect(page.locator(".palette__option").first).to_be_visible()


def keys(page: Page) -> None:
    page.keyboard.press("?")
    expect(page.locator("dialog .keys")).to_be_visible()


def dialog(name: str) -> Deed:
    return press(f'[data-dialog="dialog-{name}"]', shows=f"#dialog-{name}")


def send_empty(page: Page) -> None:
    page.locator("main form").evaluate_all("forms => forms.forEach(form => { form.noValidate = true; })")
    page.locator("main .button--primary").last.click()
    expect(page.locator(".error-summary")).to_be_visible()


def inside(portal: Portal) -> list[Stop]:
    """Board, register, a request with its dialogs, the figures: large pages, which have axe in tests of their own too."""
    now = timezone.now()
    ada = User.objects.get(username="ada")
    rows = DataSubjectRequest.objects.filter(workspace=portal.workspace).order_by("pk")
    live = rows.filter(archived=False, is_closed=False)
    paused, running = live.filter(respond_by__gte=now.date())[:2]
    ledger.pause(paused, action_id=uuid.uuid4(), reason=PauseReason.IDENTITY, asked_on=now.date(), by=ada, now=now)
    late = live.filter(respond_by__lt=now.date())[0]
    closed, archived = rows.filter(archived=False, is_closed=True)[0], rows.filter(archived=True)[0]
    one = f"{REGISTER}{running.upstream_id}/"
    deeds = ("assign", "tag", "edit", "extend", "close", "archive", "delete", "clock-pause", "clock-refuse")
    return [
        Stop(path=f"{WORKSPACE}board/", who="olivia", is_printed=True),
        Stop(path=f"{WORKSPACE}board/?lanes=assignee"),
        Stop(path=f"{WORKSPACE}board/", deed=press("#filter-button", shows=".board-filter__foot")),
        Stop(path="/board/"),
        Stop(path=REGISTER, is_printed=True),
        Stop(path=f"{REGISTER}?unassigned=true&group=step"),
        Stop(path=f"{REGISTER}?archived=true"),
        Stop(path=f"{REGISTER}?q=ZZZZ"),
        Stop(path=REGISTER, who="vera"),
        *(
            Stop(path=REGISTER, deed=press(f"[popovertarget={name}-panel]", shows=f"#{name}-panel"))
            for name in ("filter", "display", "export")
        ),
        Stop(path=REGISTER, deed=tick),
        Stop(path=f"{REGISTER}conditions/"),
        Stop(path=f"{REGISTER}new/"),
        Stop(path=f"{REGISTER}new/", deed=send_empty),
        Stop(path=f"{REGISTER}{late.upstream_id}/", is_printed=True),
        Stop(path=f"{REGISTER}{paused.upstream_id}/", who="olivia"),
        Stop(path=f"{REGISTER}{closed.upstream_id}/", who="vera"),
        Stop(path=f"{REGISTER}{archived.upstream_id}/"),
        *(Stop(path=one, deed=dialog(name)) for name in deeds),
        Stop(path=one, deed=press("[popovertarget=menu-move]", shows="#menu-move")),
        Stop(path=f"{one}message/"),
        Stop(path=f"{WORKSPACE}overview/", who="marc", is_printed=True),
    ]


def around(portal: Portal) -> list[Stop]:
    """Every other page that a person can come to."""
    ada = User.objects.get(username="ada")
    invitation = invitations.invite(
        portal.workspace, email="nora@example.org", role=Role.OFFICER, by=ada, now=timezone.now()
    )
    vera = User.objects.get(username="vera")  # who signs in takes the worth from a link that was sent before
    uid, token = urlsafe_base64_encode(force_bytes(vera.pk)), default_token_generator.make_token(vera)
    return [
        Stop(path="/", is_printed=True),
        Stop(path="/", deed=press("[popovertarget=menu-person]", shows="#menu-person")),
        Stop(path="/", deed=palette),
        Stop(path="/", deed=keys),
        Stop(path="/overview/"),
        Stop(path=f"{WORKSPACE}changes/"),
        Stop(path=f"{WORKSPACE}alerts/"),
        Stop(path="/notices/"),
        Stop(path="/deadline/?received=2026-02-09&country=FR", is_printed=True),
        Stop(path="/keys/"),
        *(Stop(path=f"/accounts/{name}/") for name in ("notices", "calendar", "password")),
        *(Stop(path=f"/settings/{name}/") for name in ("workspaces", "add-workspace", "people", "audit", "jobs")),
        Stop(path="/settings/jobs/acme-france/set-aside/"),
        *(
            Stop(path=f"{SETTINGS}{name}")
            for name in ("", "key/", "disable/", "clocks/", "alerts/", "letters/", "letters/extension/nl/")
        ),
        *(Stop(path=f"{SETTINGS}{name}/") for name in ("webhook", "channels", "channels/add")),
        Stop(path="/accounts/login/", who=""),
        Stop(path="/accounts/forgotten/", who=""),
        Stop(path=invitations.path_of(invitation), who=""),
        Stop(path=f"/accounts/reset/{uid}/{token}/", who=""),
    ]


def stops(portal: Portal) -> list[Stop]:
    """The pages of this walk."""
    return around(portal) + (inside(portal) if IS_WHOLE else [])


MOVES = """() => [...document.querySelectorAll('button, summary .icon, .switch > input, .loading-bar, .skip-link, .toast')]
  .slice(0, 60).filter(one => {
    const look = getComputedStyle(one);
    const seconds = text => Math.max(...text.split(',').map(parseFloat));
    return seconds(look.transitionDuration) > 0.001 || seconds(look.animationDuration) > 0.001;
  }).map(one => one.className)"""

BARE = """() => [...document.querySelectorAll(
  '.button--primary, .clock--overdue, .badge, .chip, .banner, .menu:popover-open, dialog[open], '
  + '[aria-pressed="true"]:not(.menu__item), .rail__item[aria-current], .tabs__tab[aria-current]')].filter(one => {
  const look = getComputedStyle(one);
  const drawn = (width, style) => parseFloat(width) > 0 && style !== 'none';
  return one.checkVisibility() && !drawn(look.outlineWidth, look.outlineStyle) && !drawn(look.borderBottomWidth, look.borderBottomStyle);
}).map(one => one.className)"""
"""In forced colours there are no backgrounds: what stands out by one must have an edge."""

ON_PAPER = """() => ({
  tools: [...document.querySelectorAll('.rail, .toolbar, .bulk-bar, .search, .buttons, .icon-button, .menu, .settings-nav')]
    .filter(one => one.checkVisibility()).map(one => one.className),
  cut: [...document.querySelectorAll('main, main :is(div, section, ul, ol, aside, form)')].filter(one => {
    const look = getComputedStyle(one);
    return one.checkVisibility() && /auto|scroll|hidden/.test(look.overflowY) && one.clientHeight > 2
      && one.scrollHeight > one.clientHeight + 2 && look.clipPath === 'none' && look.whiteSpace !== 'nowrap';
  }).map(one => one.className),
  wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
})"""


STILL = """() => Promise.allSettled(document.getAnimations()
  .filter(one => one.playState === 'running').map(one => one.finished)).then(() => true)"""
DRAWN = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))"
"""After two frames a new window has reached what is as wide as it."""
AXE = Axe()


def violations(page: Page, *, themes: list[Theme]) -> Iterator[str]:
    """What axe finds, a line each: all of it in the first theme, what a colour can do wrong in the others."""
    page.evaluate(AXE.axe_script)
    for theme in themes:
        page.emulate_media(color_scheme=theme)
        page.evaluate(STILL)
        options = {} if theme == themes[0] else {"runOnly": ["color-contrast", "link-in-text-block"]}
        for one in page.evaluate("options => axe.run(options)", options)["violations"]:
            for node in one["nodes"][:3]:
                yield f"axe {one['id']} {theme}: {node['html'][:160]}"


def problems(page: Page, *, stop: Stop) -> Iterator[str]:
    """What is wrong with the page that is open, beside what axe says; the window is as it was when this is done."""
    page.emulate_media(forced_colors="active")
    if bare := page.evaluate(BARE):
        yield f"no edge in forced colours: {bare[:4]}"
    if moving := page.evaluate(MOVES):
        yield f"moves under reduced motion: {moving[:4]}"
    page.emulate_media(forced_colors="none")
    window = page.viewport_size or {"width": 1280, "height": 800}
    page.set_viewport_size({"width": 320, "height": 640})
    page.evaluate(DRAWN)
    wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    if wider > 0:
        yield f"{wider} px wider than a window of 320"
    if stop.is_printed:
        paper = WIDE_PAPER if page.locator(".register").count() else PAPER
        page.set_viewport_size({"width": paper["width"], "height": paper["height"]})
        page.emulate_media(media="print")
        page.evaluate(DRAWN)
        on_paper = page.evaluate(ON_PAPER)
        if on_paper["tools"] or on_paper["cut"] or on_paper["wide"] > 0:
            yield f"on paper: {on_paper}"
        page.emulate_media(media="screen")
    page.set_viewport_size(window)


def looks(place: int) -> list[tuple[str, list[Theme]]]:
    """The languages in which a page is read, each with its themes in order."""
    if IS_WHOLE:
        return [(language, list(THEMES)) for language in LANGUAGES]
    return [(LANGUAGES[place % 3], list(THEMES if place % 2 else reversed(THEMES)))]


def test_every_page_is_sound_in_both_themes_every_language_and_every_window(portal: Portal, page_as: PageAs) -> None:
    pages: dict[str, Page] = {}
    found: list[str] = []
    for place, stop in enumerate(stops(portal)):
        if stop.who not in pages:
            pages[stop.who] = page_as(stop.who, reduced_motion="reduce")
        page = pages[stop.who]
        for language, themes in looks(place):
            page.context.add_cookies([{"name": "django_language", "value": language, "url": portal.url}])
            page.emulate_media(color_scheme=themes[0])
            page.goto(portal.url + stop.path)
            expect(page.locator("html")).to_have_attribute("lang", language)
            if stop.deed:
                stop.deed(page)
            lines = [*violations(page, themes=themes), *problems(page, stop=stop)]
            found += [f"{stop} {language}: {line}" for line in lines]
    assert not found, "\n".join(found)


def test_the_first_page_of_a_new_portal_is_sound(live_server: Any, browser: Browser) -> None:
    link = first_account.link()
    assert link is not None
    context = browser.new_context(
        viewport={"width": 320, "height": 640}, color_scheme="dark", reduced_motion="reduce", locale="nl-NL"
    )
    page = context.new_page()
    page.goto(live_server.url + urlsplit(link).path)
    expect(page.locator("html")).to_have_attribute("lang", "nl")
    assert list(violations(page, themes=["dark", "light"])) == []
    assert list(problems(page, stop=Stop(path="/setup/"))) == []
    context.close()
