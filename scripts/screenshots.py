"""Takes the pictures of README and docs from a demo of its own: `make screenshots`. Needs Debian's Chromium."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
CHROMIUM_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
READY_WITHIN_SECONDS = 180


class Shot(NamedTuple):
    """One picture: its file, who looks, at what, how wide and high, in which theme."""

    name: str
    username: str
    path: str
    width: int
    height: int
    theme: str = "light"


SHOTS = [
    Shot("my-day-light", "officer", "/", 1440, 860),
    Shot("board-light", "officer", "/w/acme-france/board/", 1440, 860),
    Shot("board-dark", "officer", "/w/acme-france/board/", 1440, 860, "dark"),
    Shot("board-phone", "officer", "/w/acme-france/board/", 390, 800),
    Shot("register-light", "officer", "/w/acme-france/requests/", 1440, 860),
    Shot("request-light", "officer", "first request", 1440, 860),
    Shot("overview-light", "manager", "/w/acme-france/overview/", 1440, 860),
]


def main() -> None:
    """Start a demo on free ports with data of its own, take every picture, stop it."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="dsr-portal-screenshots-") as data_dir:
        port, sandbox_port = free_port(), free_port()
        variables = {"DATA_DIR": data_dir, "PORT": str(port), "SANDBOX_PORT": str(sandbox_port), "REQUESTS": "600"}
        demo = subprocess.Popen(  # noqa: S603
            [sys.executable, str(ROOT / "manage.py"), "demo"],
            env={**os.environ, **variables},
            stdout=subprocess.DEVNULL,
        )
        try:
            wait_until_ready(f"http://127.0.0.1:{port}/readyz", demo=demo)
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM_FLAGS)
                for shot in SHOTS:
                    take(browser, shot=shot, base_url=f"http://localhost:{port}")
                browser.close()
        finally:
            demo.send_signal(signal.SIGINT)
            demo.wait(timeout=60)


def take(browser: Browser, *, shot: Shot, base_url: str) -> None:
    """Sign in, go there, and write `docs/images/<name>.png`."""
    context = browser.new_context(
        base_url=base_url,
        viewport={"width": shot.width, "height": shot.height},
        color_scheme="dark" if shot.theme == "dark" else "light",
        locale="en-GB",
        timezone_id="Europe/Paris",
    )
    page = context.new_page()
    page.goto("/accounts/login/")
    page.fill("input[name=username]", shot.username)
    page.fill("input[name=password]", f"demo-{shot.username}-2026")
    page.click("button[type=submit]:has-text('Sign in')")
    if shot.path == "first request":
        page.goto("/w/acme-france/requests/")
        page.click("table tbody a.reference >> nth=2")
    else:
        page.goto(shot.path)
    page.wait_for_load_state("networkidle")
    page.screenshot(path=IMAGES / f"{shot.name}.png")
    context.close()
    print(f"docs/images/{shot.name}.png")


def wait_until_ready(address: str, *, demo: subprocess.Popen[bytes]) -> None:
    """Return once the demo says that database, jobs and data are well."""
    until = time.monotonic() + READY_WITHIN_SECONDS
    while time.monotonic() < until:
        if demo.poll() is not None:
            sys.exit("The demo ended before it was ready.")
        try:
            with urllib.request.urlopen(address, timeout=5):  # noqa: S310  our own loopback address
                return
        except (urllib.error.URLError, OSError):
            time.sleep(1)
    sys.exit("The demo was not ready in time.")


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


if __name__ == "__main__":
    main()
