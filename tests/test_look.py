"""The look keeps its promises: icons that exist, vendored files that are what the lock says, no inline style or script, small style sheets."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path

import brotli  # type: ignore[import-untyped]
import pytest
from django import forms
from django.template.loader import render_to_string
from django.test import RequestFactory, SimpleTestCase

from dsrportal.templatetags import look

ROOT = Path(__file__).resolve().parent.parent
STATIC = ROOT / "static"
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
STYLES = sorted((STATIC / "css").glob("*.css"))
SPRITE_NAMES = set(re.findall(r'<symbol id="([^"]+)"', (STATIC / "img" / "icons.svg").read_text()))


def test_the_sprite_holds_exactly_the_listed_icons() -> None:
    assert set((ROOT / "frontend" / "icons.txt").read_text().split()) == SPRITE_NAMES


def test_every_icon_that_a_template_or_a_clock_names_is_in_the_sprite() -> None:
    named = {name for page in TEMPLATES for name in re.findall(r'{% icon "([^"]+)"', page.read_text())}
    assert named | set(look.CLOCK_ICONS.values()) <= SPRITE_NAMES
    assert named


def test_vendored_files_are_what_the_manifest_says_and_the_manifest_what_the_lock_says() -> None:
    entries = json.loads((STATIC / "vendor" / "VENDORED.json").read_text())
    locked = json.loads((ROOT / "frontend" / "package-lock.json").read_text())["packages"]
    for entry in entries:
        assert entry["version"] == locked[f"node_modules/{entry['name']}"]["version"]
        for path, digest in entry["files"].items():
            content = (STATIC / path).read_bytes()
            assert digest == "sha384-" + base64.b64encode(hashlib.sha384(content).digest()).decode(), path
    listed = {path for entry in entries for path in entry["files"]}
    present = {path.relative_to(STATIC).as_posix() for path in (STATIC / "vendor").rglob("*") if path.is_file()}
    assert present - {"vendor/VENDORED.json"} == listed - {"img/icons.svg"}


def test_the_lock_names_no_registry() -> None:
    assert "http" not in (ROOT / "frontend" / "package-lock.json").read_text()


def test_no_vendored_script_points_to_a_source_map() -> None:
    scripts = list((STATIC / "vendor").rglob("*.js"))
    assert scripts
    assert not [path for path in scripts if "sourceMappingURL" in path.read_text()]


@pytest.mark.parametrize("page", TEMPLATES, ids=lambda page: str(page.relative_to(ROOT / "templates")))
def test_no_template_holds_what_the_policy_forbids(page: Path) -> None:
    markup = re.sub(r"{#.*?#}", "", page.read_text())
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", markup), "inline style or handler"
    assert not re.findall(r"<script(?![^>]*\ssrc=)(?![^>]*type=\"application/json\")", markup), "inline script"


def test_what_one_page_loads_of_styles_stays_small() -> None:
    weight = {path.name: len(brotli.compress(path.read_bytes())) for path in STYLES}
    shared = set(re.findall(r"css/([a-z]+\.css)", (ROOT / "templates" / "parts" / "styles.html").read_text()))
    own = max(size for name, size in weight.items() if name not in shared)
    assert sum(weight[name] for name in shared) + own <= 14 * 1024


@pytest.mark.parametrize("sheet", [path for path in STYLES if path.name != "tokens.css"], ids=lambda path: path.name)
def test_colours_are_tokens(sheet: Path) -> None:
    rules = re.sub(r"/\*.*?\*/", "", sheet.read_text(), flags=re.DOTALL)
    assert not re.findall(r"#[0-9a-fA-F]{3,8}\b(?=[;\s,)])|\brgba?\(|\bhsla?\(", rules)


def test_every_token_that_is_used_is_defined() -> None:
    everything = "".join(path.read_text() for path in STYLES)
    defined = set(re.findall(r"(--[a-z0-9-]+):", everything))
    assert set(re.findall(r"var\((--[a-z0-9-]+)", everything)) <= defined


class TagsTest(SimpleTestCase):
    def test_a_dot_takes_hex_colours_and_nothing_else(self) -> None:
        assert 'fill="#1E8EE1"' in look.dot("#1E8EE1")
        for colour in (None, "", "red", '#12" onload="x', "url(#a)"):
            assert f'fill="{look.PLAIN_COLOUR}"' in look.dot(colour)

    def test_the_dots_of_tags_have_one_name_and_no_colour_that_is_none(self) -> None:
        drawn = look.tag_dots([("#1E8EE1", "Press"), ('#12" onload="x', '<b>"Staff"')])
        assert drawn.count("<circle") == 2
        assert 'fill="#1E8EE1"' in drawn
        assert f'fill="{look.PLAIN_COLOUR}"' in drawn
        assert drawn.count("Press, &lt;b&gt;&quot;Staff&quot;") == 2
        assert "onload" not in drawn

    def test_an_icon_is_hidden_unless_it_has_a_label(self) -> None:
        assert 'aria-hidden="true"' in look.icon("bell")
        labelled = look.icon("bell", label='3 "unread"')
        assert 'aria-label="3 &quot;unread&quot;"' in labelled
        assert "aria-hidden" not in labelled.partition("<use")[0]

    def test_a_clock_says_its_state_in_an_icon_and_words(self) -> None:
        for state, icon in look.CLOCK_ICONS.items():
            mark = look.clock_mark(state, "2 d <overdue>", "Tuesday 10 March 2026")
            assert f"clock--{state}" in mark
            assert f"#{icon}" in mark
            assert "2 d &lt;overdue&gt;" in mark
            assert mark.count("Tuesday 10 March 2026") == 2

    def test_a_clock_in_an_unknown_state_is_not_drawn(self) -> None:
        with pytest.raises(KeyError):
            look.clock_mark("fine", "all is well")


class PagesTest(SimpleTestCase):
    def test_error_pages_need_no_context(self) -> None:
        for name in ("400.html", "403.html", "403_csrf.html", "404.html", "500.html"):
            assert "<h1>" in render_to_string(name)

    def test_the_incident_number_is_on_the_page(self) -> None:
        assert "3fa9c1d2" in render_to_string("500.html", {"incident": "3fa9c1d2"})

    def test_the_frame_renders_without_its_context_and_tells_htmx_what_it_may_not_do(self) -> None:
        page = render_to_string("base.html", {"request": RequestFactory().get("/")})
        found = re.search(r"<meta name=\"htmx-config\" content='([^']+)'", page)
        assert found is not None
        config = json.loads(found[1])
        for forbidden in ("allowEval", "allowScriptTags", "includeIndicatorStyles", "historyRestoreAsHxRequest"):
            assert config[forbidden] is False
        assert config["selfRequestsOnly"] is True
        assert config["refreshOnHistoryMiss"] is True
        assert config["historyCacheSize"] == 0

    def test_an_error_stands_beside_its_field_and_is_described_by_it(self) -> None:
        class OneField(forms.Form):
            name = forms.CharField(help_text="As your team <calls> it.")

        markup = OneField({"name": ""})["name"].as_field_group()
        assert 'aria-invalid="true"' in markup
        assert 'aria-describedby="id_name_helptext id_name_error"' in markup
        assert 'id="id_name_error"' in markup
        assert 'id="id_name_helptext"' in markup
        assert "&lt;calls&gt;" in markup
        assert 'class="field__error' in markup
