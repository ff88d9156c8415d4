"""What the board weighs on the wire: 200 cards on a first visit with all that the page needs, and on the next one."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import brotli  # type: ignore[import-untyped]
from django.contrib.staticfiles import finders
from django.test import Client
from django.utils import timezone

from dsrportal.models import SyncLane, User
from tests.board.conftest import MakeDsrs, MakeStep

FIRST_BYTES, REPEAT_BYTES = 100_000, 12_000
STATIC = re.compile(r'(?:href|src)="/static/([^"#?]+)')


def on_the_wire(content: bytes, *, quality: int) -> int:
    return len(brotli.compress(content, quality=quality))


def test_a_first_load_of_200_cards_is_light_and_the_next_one_lighter(
    client: Client, officer: User, fresh: SyncLane, make_step: MakeStep, make_dsrs: MakeDsrs
) -> None:
    for number in range(8):
        first_due = timezone.now() + timedelta(days=number * 3 - 6)
        make_dsrs(
            make_step(f"Step {number}", item_limit=20, notice_html="<p>Read it first.</p>"), 40, first_due=first_due
        )
    client.force_login(officer)
    html = client.get("/w/acme-france/board/").text
    assert html.count("data-card=") == 200
    names = sorted(set(STATIC.findall(html)))
    assert any("htmx" in name for name in names), "the files are found"
    files = {name: Path(str(finders.find(name))).read_bytes() for name in names}
    page = on_the_wire(html.encode(), quality=5)
    rest = {name: on_the_wire(content, quality=11) for name, content in files.items()}
    print(f"page {page}, first load {page + sum(rest.values())} bytes brotli, of {len(html)} and {rest}")
    assert page <= REPEAT_BYTES
    assert page + sum(rest.values()) <= FIRST_BYTES
