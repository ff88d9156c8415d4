"""How long the board keeps a slow browser busy: `make bench-browser`, with 200 and with 2,000 open cards. Prints a table; judges nothing.

For each thing that a person does: the longest task of the page's one thread in a browser that is slowed down, beside an empty page of the portal
in the same run. By Chromium's own trace, and not by a PerformanceObserver, which leaves out most of what is style, layout and paint. "CPU" is the time
that thread itself took: it moves less than the clock when the machine is busy.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import statistics
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts.bench import make_dsr, make_workspace, prepare

CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update"]  # fmt: skip
STEPS = 8
LONG_MS = 50
SETTLED_MS = 700
"""How long a page is left alone after what it was asked for is there, so that what follows from it is counted too."""
TRACED = ["toplevel"]


@dataclass(kw_only=True, slots=True)
class Found:
    """The tasks of one deed in milliseconds, a list a round: of the thread's own time, and by the clock."""

    cpu: list[list[float]] = field(default_factory=list)
    clock: list[list[float]] = field(default_factory=list)


def open_dsrs(count: int, *, now: datetime) -> Iterator[Any]:
    """So many open requests, spread evenly over the steps, each with all that a card can show."""
    from dsrportal.dastra import schema  # noqa: PLC0415

    states = ["Open", "IdentityValidation", *["Processing"] * (STEPS - 2)]
    steps = [
        schema.WorkflowStep(
            upstream_id=10 + n, label=f"Step {n + 1}", position=n, mapped_state=state, color="#1E8EE1", item_limit=20
        )
        for n, state in enumerate(states)
    ]
    people = [schema.Operator(upstream_id=900 + n, display_name=f"Robin Example {n}") for n in range(6)]
    areas = [schema.Area(upstream_id=700 + n, label=f"Area {n}") for n in range(5)]
    for number in range(count):
        step = steps[number % STEPS]
        yield make_dsr(
            number,
            step=step,
            received_at=now - timedelta(hours=number * 31 % 1_400),
            complex=number % 9 == 0,
            operator=people[number % 6],
            operator_upstream_id=people[number % 6].upstream_id,
            area=areas[number % 5],
            area_upstream_id=areas[number % 5].upstream_id,
            tags=tuple(schema.Tag(upstream_id=n, label=f"Tag {n}", color="#aa5500") for n in range(number % 3)),
        )


class Stage:
    """A workspace with so many open cards, and what others do in it."""

    def __init__(self, count: int, *, now: datetime) -> None:
        self.slug = f"open-{count}"
        self.dsrs = list(open_dsrs(count, now=now))
        self.workspace = make_workspace(
            self.slug,
            upstream_id=count,
            now=now,
            base_url="http://127.0.0.1:9",
            secret="none",  # noqa: S106
        )
        self.oldest = min(self.dsrs[::STEPS], key=lambda dsr: dsr.received_at)
        self._store(self.dsrs, now=now)

    def _store(self, dsrs: list[Any], *, now: datetime) -> None:
        from dsrportal.mirror import store  # noqa: PLC0415

        sequence = store.next_sequence(self.workspace)
        store.store_requests(self.workspace, dsrs, sequence=sequence, now=now, is_list=True)

    def change_one(self) -> None:
        """Somebody else makes a request at the top of the first column complex, or no longer."""
        from django.utils import timezone  # noqa: PLC0415

        self.oldest = dataclasses.replace(self.oldest, complex=not self.oldest.complex, updated_at=timezone.now())
        self._store([self.oldest], now=timezone.now())

    def forget_wishes(self) -> None:
        """Take back what a round moved, for the next one."""
        from dsrportal.models import OutboxEntry  # noqa: PLC0415

        OutboxEntry.objects.filter(workspace=self.workspace).delete()


@contextmanager
def portal() -> Iterator[str]:
    """The address of the portal, served from a thread of this process with its static files."""
    from django.contrib.staticfiles.handlers import StaticFilesHandler  # noqa: PLC0415
    from django.test.testcases import LiveServerThread  # noqa: PLC0415

    server = LiveServerThread("127.0.0.1", StaticFilesHandler)
    server.daemon = True
    server.start()
    server.is_ready.wait()
    if server.error:
        raise server.error
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.terminate()


class Watch:
    """A page of a signed-in person in a browser that is slowed down, and what its deeds cost."""

    def __init__(self, browser: Browser, *, url: str, username: str, slowness: int, found: dict[str, Found]) -> None:
        from django.conf import settings  # noqa: PLC0415
        from django.test import Client  # noqa: PLC0415

        from dsrportal.models import User  # noqa: PLC0415

        client = Client()
        client.force_login(User.objects.get(username=username))
        self.browser, self.found = browser, found
        self.context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB")
        value = client.cookies[settings.SESSION_COOKIE_NAME].value
        self.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": value, "url": url}])
        self.page = self.context.new_page()
        self.page.set_default_timeout(120_000)
        self.context.new_cdp_session(self.page).send("Emulation.setCPUThrottlingRate", {"rate": slowness})

    def note(self, name: str, deed: Callable[[], object]) -> None:
        """Do it, and keep what it cost until the page was at rest again."""
        self.browser.start_tracing(page=self.page, categories=TRACED)
        try:
            deed()
            self.page.wait_for_timeout(SETTLED_MS)
        finally:
            events = json.loads(self.browser.stop_tracing())["traceEvents"]
        tasks = list(page_tasks(events))
        self.found[name].cpu.append([task["tdur"] / 1000 for task in tasks])
        self.found[name].clock.append([task["dur"] / 1000 for task in tasks])


def page_tasks(events: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The tasks of the pages' main threads, without those that only answer this script."""
    pages = {
        (event["pid"], event["tid"])
        for event in events
        if event["name"] == "thread_name" and event["args"]["name"] == "CrRendererMain"
    }
    asked = [event for event in events if "DevToolsSession" in str(event.get("args", {}).get("chrome_mojo_event_info"))]
    for event in events:
        if not event["name"].endswith("RunTask") or "tdur" not in event or (event["pid"], event["tid"]) not in pages:
            continue
        end = event["ts"] + event["dur"]
        if not any(event["tid"] == one["tid"] and event["ts"] <= one["ts"] < end for one in asked):
            yield event


def drag(page: Page) -> None:
    """The second card of the first column to the second one, as a hand does it."""
    card = page.locator(".column").nth(0).locator(".card").nth(1)
    reference = card.locator(".card__link").inner_text()
    start, to = card.bounding_box(), page.locator(".column").nth(1).bounding_box()
    if start is None or to is None:
        raise RuntimeError("There is nothing to drag.")
    page.mouse.move(start["x"] + 60, start["y"] + start["height"] - 12)
    page.mouse.down()
    page.mouse.move(to["x"] + 80, to["y"] + 200, steps=15)
    page.wait_for_timeout(200)
    page.mouse.up()
    page.locator(".column").nth(1).locator(".card--pending", has_text=reference).wait_for()


def show_more(page: Page, *, column: int) -> None:
    """The next cards of a column."""
    cards = page.locator(".column").nth(column).locator(".card")
    before = cards.count()
    page.locator(".column").nth(column).locator(".column__more a").first.evaluate("(link) => link.click()")
    cards.nth(before).wait_for(state="attached")


def show_all(page: Page) -> None:
    """Every card of every column."""
    for column in range(STEPS):
        while page.locator(".column").nth(column).locator(".column__more a").count():
            show_more(page, column=column)


def measure(watch: Watch, *, stage: Stage, url: str, is_whole: bool) -> None:
    """One round on a board; with `is_whole` after every card of it has been asked for."""
    page = watch.page
    board = f"{url}/w/{stage.slug}/board/"
    name = f"{len(stage.dsrs):,}{', all shown' if is_whole else ''}"

    def note(deed: str, work: Callable[[], object]) -> None:
        watch.note(f"{name}: {deed}", work)

    def load(query: str = "") -> None:
        page.goto(board + query)
        page.locator(".card").first.wait_for()

    def change() -> None:
        sign = page.locator("#column-10").get_attribute("data-digest")
        stage.change_one()
        page.locator(f'#column-10:not([data-digest="{sign}"])').wait_for()

    def menu() -> None:
        page.locator(".card [data-menu]").nth(2).focus()
        page.keyboard.press("Enter")
        page.locator("#move-menu:popover-open").wait_for()

    if is_whole:
        load()
        show_all(page)
    else:
        note("first load", load)
        if page.locator(".column__more a").count():
            note("show more", lambda: show_more(page, column=2))
    note("open the move menu", menu)
    page.keyboard.press("Escape")
    note("another's change", change)
    note("drag to the next column", lambda: drag(page))
    if not is_whole:
        note("filter", lambda: load("?purposes=Erasure"))
        note("lanes by assignee", lambda: load("?lanes=assignee"))
    stage.forget_wishes()


def print_found(found: dict[str, Found]) -> None:
    """A line a deed: the longest task in the best and in the middle round, and how many there were over 50 ms."""
    print(
        f"\n{'cards: deed':40}{'CPU, longest':>14}{'median':>8}{'tasks':>7}{'Clock, longest':>16}{'median':>8}{'tasks':>7}"
    )
    for name, known in found.items():
        print(f"{name:40}{_cells(known.cpu, width=14)}{_cells(known.clock, width=16)}")


def _cells(rounds: list[list[float]], *, width: int) -> str:
    if not rounds:
        return f"{'':>{width + 15}}"
    longest = [max(tasks, default=0.0) for tasks in rounds]
    count = statistics.median(sum(task > LONG_MS for task in tasks) for tasks in rounds)
    return f"{min(longest):>{width}.0f}{statistics.median(longest):>8.0f}{count:>7.0f}"


def main() -> int:
    """Run what was asked for, and print it."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--cards", type=int, nargs="+", default=[200, 2_000])
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--slowness", type=int, default=4, help="how many times slower than this machine")
    options.add_argument("--whole", action="store_true", help="also the largest board with every card asked for")
    asked = options.parse_args()
    prepare()
    from django.conf import settings  # noqa: PLC0415
    from django.utils import timezone  # noqa: PLC0415

    settings.UNDO_SECONDS = 600
    stages = [Stage(count, now=timezone.now()) for count in asked.cards]
    found: dict[str, Found] = defaultdict(Found)
    with portal() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)

        @contextmanager
        def watched(stage: Stage) -> Iterator[Watch]:
            watch = Watch(browser, url=url, username=stage.slug, slowness=asked.slowness, found=found)
            yield watch
            watch.context.close()

        for _ in range(asked.rounds):
            for stage in stages:
                with watched(stage) as watch:
                    watch.note("an empty page", lambda watch=watch: watch.page.goto(f"{url}/keys/"))  # type: ignore[misc]
                    measure(watch, stage=stage, url=url, is_whole=False)
        if asked.whole:
            with watched(stages[-1]) as watch:
                measure(watch, stage=stages[-1], url=url, is_whole=True)
        browser.close()
    print_found(found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
