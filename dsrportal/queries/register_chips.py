"""The filters of the register in words: chips that each take one filter away, and the choices of the filter panel.

Called by `queries.register`; asks no database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dsrportal.queries import register_spans, register_where, register_where_words, words
from dsrportal.queries.clock_state import CLOCKS
from dsrportal.queries.register_filters import RegisterFilters, Search
from dsrportal.queries.register_where import EVERYTHING, Where
from dsrportal.queries.register_where_words import clock_label
from dsrportal.queries.vocabulary import Vocabulary


@dataclass(frozen=True, kw_only=True, slots=True)
class Chip:
    """One active filter: "Step", "Received", and the address without it. `name` is empty where the text says it all; `edit_url` leads to where
    it is changed, for conditions."""

    name: str
    text: str
    remove_url: str
    edit_url: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """One box of the filter panel. `colour` is a dot's, or empty."""

    value: str
    label: str
    is_chosen: bool
    colour: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """The boxes of one filter; `name` is the key in the address."""

    name: str
    label: str
    choices: tuple[Choice, ...]


SWITCHES = ("later", "unexplained", "overtaking", "unread", "complex", "mail", "archived")


def switch_label(name: str) -> str:
    """The words of a filter that is on or off."""
    return {
        "later": _("Dastra later than the law"),
        "unexplained": _("Date changed without a reason"),
        "overtaking": _("Overdue in Dastra"),
        "unread": _("Unread messages"),
        "complex": _("Complex"),
        "mail": _("E-mail not confirmed"),
        "archived": _("Archived"),
    }[name]


def chips(filters: RegisterFilters, *, url: str, vocabulary: Vocabulary, search: Search | None) -> list[Chip]:
    """Every active filter, in the order of the panel."""
    edit_url = f"{url}conditions/?{urlencode({'question': filters.asking().query_string()})}"
    return [
        Chip(
            name=name,
            text=text,
            remove_url=address(url, filters=filters.asking(**{field: rest})),
            edit_url=edit_url if field == "where" else "",
        )
        for field, rest, name, text in _active(filters, vocabulary=vocabulary, search=search)
    ]


def address(url: str, *, filters: RegisterFilters) -> str:
    """The register's address for a question."""
    query = filters.query_string()
    return f"{url}?{query}" if query else url


def _active(
    filters: RegisterFilters, *, vocabulary: Vocabulary, search: Search | None
) -> Iterator[tuple[str, object, str, str]]:
    if search is not None:
        yield "search", "", "", _("Search, expired") if search.is_expired else _("Search")
    if filters.q:
        yield "q", "", _("Reference begins with"), filters.q
    for field, label, names in _named(vocabulary):
        chosen: tuple[object, ...] = getattr(filters, field)
        for value in chosen:
            yield field, tuple(other for other in chosen if other != value), label, names(value)
    if filters.unassigned:
        yield "unassigned", False, "", _("Unassigned")
    yield from _single(filters, vocabulary=vocabulary)
    yield from _conditions(filters.where, known=vocabulary)
    for rest, name, text in register_spans.active(filters.spans, today=timezone.localdate()):
        yield "spans", rest, name, text
    for name in SWITCHES:
        if getattr(filters, name):
            yield name, False, "", switch_label(name)


def _single(filters: RegisterFilters, *, vocabulary: Vocabulary) -> Iterator[tuple[str, object, str, str]]:
    if filters.area_id is not None:
        label = next((area.label for area in vocabulary.areas.values() if area.upstream_id == filters.area_id), "")
        yield "area_id", None, _("Area"), label
    if filters.widget_id is not None:
        yield "widget_id", None, _("Form"), str(filters.widget_id)
    if filters.ids:
        count = len(filters.ids)
        yield "ids", (), "", ngettext("%(n)d chosen request", "%(n)d chosen requests", count) % {"n": count}


def _conditions(where: Where, *, known: Vocabulary) -> Iterator[tuple[str, object, str, str]]:
    """A chip for each group where all must hold; one for the whole where any will do."""
    if where.join == register_where.ANY and len(where.groups) > 1:
        yield "where", EVERYTHING, "", register_where_words.whole_said(where, known=known)
        return
    for group in where.groups:
        yield "where", where.without(group), "", register_where_words.group_said(group, known=known)


def _named(vocabulary: Vocabulary) -> list[tuple[str, str, Callable[[Any], str]]]:
    steps = {step.upstream_id: step.label for step in vocabulary.steps.values()}
    people = {operator.upstream_id: vocabulary.shown_operator(pk) for pk, operator in vocabulary.operators.items()}
    return [
        ("clocks", _("Clock"), clock_label),
        ("workflows", _("Step"), lambda value: steps[value]),
        ("purposes", _("Right"), words.right),
        ("states", _("State"), words.state),
        ("users", _("Assignee"), lambda value: people[value]),
        ("tags", _("Tag"), lambda value: vocabulary.tags[value].label),
    ]


def groups(filters: RegisterFilters, *, vocabulary: Vocabulary) -> list[Group]:
    """The groups of boxes in the filter panel. What is chosen but not in the lists is there too, so that it is not lost."""
    states = dict.fromkeys([*words.STATES, *(step.mapped_state for step in vocabulary.steps.values()), *filters.states])
    rights = dict.fromkeys([*words.RIGHTS, *filters.purposes])
    return [
        Group(
            name="clock",
            label=_("Clock"),
            choices=tuple(
                Choice(value=name, label=clock_label(name), is_chosen=name in filters.clocks) for name in CLOCKS
            ),
        ),
        Group(
            name="workflows",
            label=_("Step"),
            choices=tuple(
                Choice(
                    value=str(step.upstream_id),
                    label=step.label,
                    is_chosen=step.upstream_id in filters.workflows,
                    colour=step.color or "#",
                )
                for step in vocabulary.steps.values()
            ),
        ),
        Group(
            name="purposes",
            label=_("Right"),
            choices=tuple(
                Choice(value=code, label=words.right(code), is_chosen=code in filters.purposes) for code in rights
            ),
        ),
        Group(
            name="states",
            label=_("State"),
            choices=tuple(
                Choice(value=code, label=words.state(code), is_chosen=code in filters.states) for code in states if code
            ),
        ),
        Group(
            name="users",
            label=_("Assignee"),
            choices=tuple(
                Choice(
                    value=str(operator.upstream_id),
                    label=vocabulary.shown_operator(pk),
                    is_chosen=operator.upstream_id in filters.users,
                )
                for pk, operator in vocabulary.operators.items()
            ),
        ),
        Group(
            name="tags",
            label=_("Tag"),
            choices=tuple(
                Choice(
                    value=str(tag.upstream_id),
                    label=tag.label,
                    is_chosen=tag.upstream_id in filters.tags,
                    colour=tag.color or "#",
                )
                for tag in vocabulary.tags.values()
            ),
        ),
    ]
