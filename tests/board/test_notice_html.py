"""Dastra's notice of a step: what people write stays, what attacks does not."""

from __future__ import annotations

import pytest
from django.test import Client

from dsrportal.models import SyncLane, User
from dsrportal.queries import notice_html
from tests.board.conftest import MakeDsrs, MakeStep

ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<p onclick=alert(1)>x</p>",
    '<a href="javascript:alert(1)">x</a>',
    '<a href=" java\tscript:alert(1)">x</a>',
    '<a href="data:text/html,<script>alert(1)</script>">x</a>',
    '<a href="//evil.example/">x</a>',
    '<a href="/settings/">x</a>',
    '<a href="https://example.org" target="_blank" style="position:fixed" id="board" class="button">x</a>',
    "<style>*{display:none}</style>x",
    "<iframe src=https://evil.example></iframe>x",
    "<form action=https://evil.example><input name=password><button>x</button></form>",
    "<math><mtext></mtext><mglyph><style><!--</style><img title=--><img src onerror=alert(1)>",
    "<noscript><p title='</noscript><img src onerror=alert(1)>'>",
    "<!--><img src=x onerror=alert(1)>-->",
    "<base href=https://evil.example><meta http-equiv=refresh content=0>x",
    "</div></section><h1 hx-get=/accounts/logout/ hx-trigger=load>x</h1>",
    "<p data-hx-post=/x hx-on:click=alert(1) data-announce=x>x</p>",
    "<template><script>alert(1)</script></template>x",
    "<p>" * 3000,
]
FORBIDDEN = (
    "<script", "<img", "<svg", "<style", "<iframe", "<form", "<input", "<button", "<base", "<meta", "<h1", "<div", "</div", "onerror",
    "onclick", "onload", "javascript:", "data:", "evil.example", "hx-", "style=", "class=", "id=", "target=", 'href="/', "<!--", "<template",
)  # fmt: skip


@pytest.mark.parametrize("html", ATTACKS)
def test_nothing_that_attacks_is_left(html: str) -> None:
    shown = notice_html.clean(html).lower()
    assert [word for word in FORBIDDEN if word in shown] == []


def test_what_people_write_is_kept() -> None:
    html = '<p>Check <strong>the mandate</strong> first:</p><ul><li>see <a href="https://example.org/guide">guide</a></li></ul>'
    assert notice_html.clean(html) == html.replace(
        '<a href="https://example.org/guide">',
        '<a href="https://example.org/guide" rel="noopener noreferrer nofollow">',
    )


@pytest.mark.parametrize("html", ["", "  ", "<p></p>", "<p>&nbsp;</p>", "<br>", "<script>x</script>"])
def test_a_notice_without_words_is_none(html: str) -> None:
    assert notice_html.clean(html) == ""


def test_a_step_shows_its_notice_and_no_more(
    client: Client, officer: User, fresh: SyncLane, make_step: MakeStep, make_dsrs: MakeDsrs
) -> None:
    make_dsrs(make_step("Received", notice_html="<p>Read <em>it</em> first</p><script>alert(1)</script>"), 1)
    make_step("Checked")
    client.force_login(officer)
    html = client.get("/w/acme-france/board/").text
    assert "<p>Read <em>it</em> first</p>" in html
    assert "alert(1)" not in html
    assert html.count('role="note"') == 1
