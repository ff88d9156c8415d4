"""The house itself: imports go down, rooms stay small, names agree, nothing lies about unused, and everything is said in three languages."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from django.db.migrations.operations import CreateModel
from django.urls import URLPattern, get_resolver

ROOT = Path(__file__).resolve().parent.parent
TEMPLATES = ROOT / "templates"
PAGES = sorted(TEMPLATES.rglob("*.html"))
SOURCES = sorted(
    path
    for folder in ("dsrportal", "tests", "scripts", "static", "templates")
    for path in (ROOT / folder).rglob("*")
    if path.suffix in {".py", ".html", ".css", ".js"} and not {"vendor", "migrations"} & set(path.parts)
)
CODE = [path for path in SOURCES if path.suffix == ".py" and "tests" not in path.parts]
LONGEST_FILE = 400
LANGUAGES = ("fr", "nl")
PLACEHOLDER = re.compile(r"%\(\w+\)[0-9.]*[sdf]|\{\w*\}|<[^>]+>")


def test_imports_go_down() -> None:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as lint; lint()"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_a_file_can_be_read_in_one_sitting() -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCES}
    assert {str(path): length for path, length in lengths.items() if length > LONGEST_FILE} == {}


def test_a_module_says_what_its_room_is_for() -> None:
    texts = {path: path.read_text(encoding="utf-8") for path in CODE}
    silent = [path for path, text in texts.items() if text.strip() and not ast.get_docstring(ast.parse(text))]
    assert silent == []


def test_the_first_migration_makes_each_table_at_once() -> None:
    """SQLite rebuilds a table for each index, constraint or field that comes later: `make migration` folds them."""
    operations = importlib.import_module("dsrportal.migrations.0001_start").Migration.operations
    assert {type(one) for one in operations} == {CreateModel}


def test_every_variable_of_the_environment_is_documented() -> None:
    settings = (ROOT / "dsrportal" / "settings.py").read_text(encoding="utf-8")
    read = set(re.findall(r"""\benv\.\w+\(\s*"([A-Z_]+)\"""", settings))
    documented = set(re.findall(r"`([A-Z_]+)`", (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")))
    assert len(read) > 10
    assert read <= documented


def test_a_urls_name_is_its_module_and_function() -> None:
    for pattern in get_resolver().url_patterns:
        assert isinstance(pattern, URLPattern)
        view = pattern.callback
        assert pattern.name == f"{view.__module__.removeprefix('dsrportal.views.')}.{view.__name__}"


def test_every_template_is_used_and_every_one_that_is_used_exists() -> None:
    named: set[str] = set()
    for page in PAGES:
        named.update(re.findall(r"""{% (?:include|extends) ["']([^"']+)["']""", page.read_text(encoding="utf-8")))
    for path in CODE:
        text = path.read_text(encoding="utf-8")
        named.update(re.findall(r""""([\w/]+\.html)\"""", text))
        for folder in re.findall(r'f"([\w/]+)/\{\w+\}\.html"', text):
            named.update(page.relative_to(TEMPLATES).as_posix() for page in (TEMPLATES / folder).glob("[!_]*.html"))
    present = {page.relative_to(TEMPLATES).as_posix() for page in PAGES}
    of_django = {name for name in present if name.startswith("django/")}
    gallery = {name for name in present if name.startswith("gallery")}
    assert present - of_django - gallery <= named
    assert named - present == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(TEMPLATES)))
def test_a_template_trusts_nobody_and_holds_no_script_or_style(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    forbidden = [
        r"\|\s*safe\b",
        r"{%\s*autoescape",
        r"<script(?![^>]*\ssrc=)",
        r"<style",
        r"\sstyle\s*=",
        r"\son\w+\s*=",
        r"\shx-on",
        r"javascript:",
    ]
    assert [pattern for pattern in forbidden if re.search(pattern, text, re.IGNORECASE)] == []


def test_markup_is_made_in_one_room() -> None:
    makers = re.compile(r"mark_safe|SafeString\(|format_html\(f")
    assert {path.parent.name for path in CODE if makers.search(path.read_text(encoding="utf-8"))} == {"templatetags"}


def catalogue(language: str) -> Catalog:
    """The committed translations."""
    with (ROOT / "locale" / language / "LC_MESSAGES" / "django.po").open("rb") as file:
        return read_po(file, locale=language, domain="django")


def sources_of_messages() -> Iterator[tuple[str, str]]:
    """Every English text that pages and code mark for translation, with the file that holds it."""
    with_functions = re.compile(r"\b(?:_|gettext|gettext_lazy|ngettext|ngettext_lazy|pgettext|npgettext)$")
    for path in CODE:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            first = node.args[1 if name in {"pgettext", "npgettext"} and len(node.args) > 1 else 0]
            if with_functions.search(name) and isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield path.name, first.value
    for page in PAGES:
        if page.name == "gallery.html" or "gallery" in page.parts:
            continue
        text = page.read_text(encoding="utf-8")
        for double, single in re.findall(r"""(?:{%\s*translate\s+|\b_\()(?:"([^"]+)"|'([^']+)')""", text):
            yield page.name, double or single
        for body in re.findall(r"{%\s*blocktranslate\b[^%]*%}(.*?){%\s*(?:plural|endblocktranslate)", text, re.DOTALL):
            yield page.name, re.sub(r"{{\s*(\w+)\s*}}", r"%(\1)s", body)


def entries(language: str) -> list[Message]:
    """All messages of a catalogue but its head."""
    return [message for message in catalogue(language) if message.id]


def forms(text: str | Sequence[str] | None) -> list[str]:
    """A text alone, or all its forms by number."""
    return [text or ""] if text is None or isinstance(text, str) else list(text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_that_a_person_reads_is_translated(language: str) -> None:
    known = {forms(message.id)[0] for message in entries(language)}
    assert [(file, text) for file, text in sources_of_messages() if text not in known] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_translation_is_missing_or_a_guess(language: str) -> None:
    for message in entries(language):
        assert all(forms(message.string)), message.id
        assert not message.fuzzy, message.id
    assert not catalogue(language).obsolete


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_names_the_same_values_and_keeps_the_markup(language: str) -> None:
    for message in entries(language):
        wanted = [sorted(PLACEHOLDER.findall(source)) for source in forms(message.id)]
        for text in forms(message.string):
            assert sorted(PLACEHOLDER.findall(text)) in wanted, message.id


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_compiled_catalogue_is_up_to_date(language: str) -> None:
    with (ROOT / "locale" / language / "LC_MESSAGES" / "django.mo").open("rb") as file:
        compiled = [(forms(one.id)[0], forms(one.string)) for one in read_mo(file) if one.id]
    assert sorted(compiled) == sorted((forms(one.id)[0], forms(one.string)) for one in entries(language))


def test_no_page_shows_its_comments() -> None:
    """Django ends `{# … #}` with the line: a longer one is shown to the reader."""
    lines = ((page.name, line) for page in PAGES for line in page.read_text(encoding="utf-8").splitlines())
    assert [page for page, line in lines if line.count("{#") != line.count("#}")] == []
