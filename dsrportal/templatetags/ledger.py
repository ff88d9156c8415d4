"""The rows of the register as one template tag: each column's cell is drawn here in Python, since a template is slow at hundreds of them.

Loaded by templates with {% load ledger %}. Every word is escaped here; what the words are comes from `queries.register_rows`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from html import escape
from typing import Any

from django import template
from django.utils.formats import number_format
from django.utils.safestring import SafeString
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from dsrportal.queries.register import RegisterPage
from dsrportal.queries.register_chips import address
from dsrportal.queries.register_columns import COLUMNS, LOCKED
from dsrportal.queries.register_groups import Section
from dsrportal.queries.register_rows import (
    Assignee,
    Clock,
    Messages,
    Person,
    Rights,
    Row,
    Step,
    UpstreamDue,
    When,
)
from dsrportal.queries.wishes import WishView
from dsrportal.templatetags.look import avatar, clock_mark, dot, icon

register = template.Library()

UNLABELLED = frozenset({"clock", "purposes", "workFlowStep", "person", "nbMessages", "tags"})
"""Cells that say what they are without their column's name, where a phone shows rows as cards."""
CELL_OF_WISH = {"move": "workFlowStep", "assign": "operator"}
"""The column whose cell tells of a wish; any other wish is told beside the reference."""


@register.simple_tag
def ledger_sections(page: RegisterPage, may_act: bool, question: str) -> SafeString:  # noqa: FBT001 - a template says it by place
    """All bodies of the table. `may_act` draws the boxes and what changes a row in place; `question` is the list's query string, which a row
    that is drawn anew is told."""
    values = escape(json.dumps({"origin": "register", "question": question}))
    opening = f'<tbody hx-vals="{values}" hx-target="closest tr" hx-swap="outerHTML" hx-sync="closest tr" hx-push-url="false">'
    return SafeString(
        "".join([f"{opening}{_section(section, page=page, may_act=may_act)}</tbody>" for section in page.sections])
    )


@register.simple_tag
def ledger_row(row: Row, columns: Sequence[str], may_act: bool, said: str = "") -> SafeString:  # noqa: FBT001 - a template says it by place
    """One row, as it is within its table; `said` is announced."""
    return SafeString(_row(row, columns=columns, may_act=may_act, said=said))


def _section(section: Section, *, page: RegisterPage, may_act: bool) -> str:
    rows = "".join([_row(row, columns=page.columns, may_act=may_act) for row in section.rows])
    if not section.label:
        return rows
    label = escape(section.label)
    if section.colour:
        label = f'<span class="step">{dot(section.colour)}{label}</span>'
    if section.filters is not None:
        url = escape(address(page.url, filters=section.filters))
        label = f'<a href="{url}" hx-get="{url}" hx-target="#register" hx-vals="unset" hx-push-url="true">{label}</a>'
    count = number_format(section.count, force_grouping=True)
    span = len(page.columns) + may_act
    name = f'<span class="ledger__group-name">{label}<span class="ledger__group-count">{count}</span></span>'
    return f'<tr class="ledger__group"><th scope="rowgroup" colspan="{span}">{name}</th></tr>\n{rows}'


def _row(row: Row, *, columns: Sequence[str], may_act: bool, said: str = "") -> str:
    language = get_language() or ""
    words = _words(language)
    reference = escape(row.reference)
    wish = _wish(row.wish, target=row.target, words=words) if row.wish else ""
    is_pending = row.wish is not None and row.wish.is_pending
    told_at = CELL_OF_WISH.get(row.wish.kind, LOCKED) if row.wish else ""
    if told_at not in columns:
        told_at = LOCKED
    parts = [f'<tr id="row-{row.upstream_id}" data-path="{row.path}"']
    if is_pending:
        parts.append(' class="is-pending"')
    if said:
        parts.append(f' data-announce="{reference}: {escape(said)}"')
    parts.append(">")
    if may_act:
        parts.append(
            f'<td class="ledger__check"><input type="checkbox" form="bulk" name="pick" id="pick-{row.upstream_id}" '
            f'value="{row.pick}" autocomplete="off" aria-label="{words["tick"]} {reference}"></td>'
        )
    for key in columns:
        told = wish if key == told_at else ""
        if key == LOCKED:
            link = f'<a class="reference" href="{escape(row.url)}">{reference}</a>'
            parts.append(f'<th class="ledger__main" scope="row">{link}{told}</th>')
            continue
        drawn = DRAWN.get(key, _text)(row.cells[key], words)
        if may_act and key in EDITED and not told and not is_pending:
            deed = EDITED[key]
            told = (
                f'<button class="icon-button icon-button--small ledger__edit only-js" type="button" id="{deed}-{row.upstream_id}" '
                f'data-inline="{deed}" data-key="{deed}" aria-haspopup="true" aria-label="{words[deed]} {reference}">{_chevron()}</button>'
            )
        parts.append(f"<td{_attributes(key, language)}>{drawn}{told}</td>")
    parts.append("</tr>\n")
    return "".join(parts)


EDITED = {"workFlowStep": "move", "operator": "assign"}
"""The columns that are changed in place, and the deed: the last part of its address."""


@lru_cache(maxsize=256)
def _attributes(key: str, language: str) -> str:  # noqa: ARG001  the language is part of the key
    column = COLUMNS[key]
    kind = f' class="{column.kind}"' if column.kind else ""
    return kind if key in UNLABELLED else f'{kind} data-label="{escape(str(column.label))}"'


@lru_cache(maxsize=8)
def _words(language: str) -> dict[str, str]:  # noqa: ARG001  the language is part of the key
    """The words that cells repeat, translated and escaped once."""
    words = {
        "later": _("Dastra later than the law"),
        "complex": _("Complex"),
        "unconfirmed": _("E-mail not confirmed"),
        "unassigned": _("Unassigned"),
        "unread": _("unread"),
        "tick": _("Tick"),
        "move": _("Move"),
        "assign": _("Assign"),
        "undo": _("Undo"),
        "dismiss": _("Dismiss"),
        "compare": _("Compare"),
        "sending": _("Sending in {n} s"),
        "over": _("Sending to Dastra"),
    }
    return {key: escape(word) for key, word in words.items()}


def _wish(wish: WishView, *, target: str, words: dict[str, str]) -> str:
    """What became of the last change: the words with Undo while it waits, the reason where it was refused. It asks by itself when its time has come."""
    text = escape(wish.text)
    own = '<input type="hidden" name="origin" value="register">'
    if not wish.is_pending:
        compare = f' <a href="{wish.request_url}#wish">{words["compare"]}</a>' if wish.keep_url else ""
        dismiss = (
            f'<form method="post" action="{wish.dismiss_url}" hx-post="{wish.dismiss_url}">{own}'
            f'<button class="icon-button icon-button--small only-js" aria-label="{words["dismiss"]}">{icon("x", "s")}</button></form>'
        )
        return f'<span class="ledger__wish ledger__wish--refused">{icon("circle-alert", "s")}<span>{text}{compare}</span>{dismiss}</span>'
    asks = (
        f' hx-post="{wish.send_url}" hx-trigger="load delay:{wish.seconds}s, every {wish.seconds + 10}s"'
        if wish.send_url
        else ""
    )
    counts = (
        f' data-countdown="{wish.seconds}" data-words="{words["sending"]}" data-over="{words["over"]}"'
        if wish.undo_url
        else ""
    )
    goes = f"{icon('arrow-right', 's')}<span>{escape(target)}</span>" if target else ""
    undo = (
        f'<form method="post" action="{wish.undo_url}" hx-post="{wish.undo_url}" hx-trigger="submit">{own}'
        f'<button class="button button--link only-js">{words["undo"]}</button></form>'
        if wish.undo_url
        else ""
    )
    return f'<span class="ledger__wish" data-quiet{asks}>{goes}{icon("hourglass", "s")}<span{counts}>{text}</span>{undo}</span>'


@lru_cache(maxsize=1)
def _chevron() -> str:
    return icon("chevron-down", "s")


@lru_cache(maxsize=4096)
def _time(text: str, full: str, machine: str) -> str:
    return f'<time datetime="{machine}" title="{escape(full)}">{escape(text)}</time>'


def _when(cell: When, _words: dict[str, str]) -> str:
    return _time(cell.text, cell.full, cell.on.isoformat()) if cell.on else ""


def _clock(cell: Clock, _words: dict[str, str]) -> str:
    return clock_mark(cell.mark.state, cell.mark.text, cell.mark.full)


def _upstream_due(cell: UpstreamDue, words: dict[str, str]) -> str:
    later = _flag("triangle-alert", words["later"]) if cell.is_later else ""
    return _when(cell.when, words) + later


@lru_cache(maxsize=64)
def _flag(name: str, words: str) -> str:
    return f' <span class="ledger__flag" title="{words}">{icon(name, "s", SafeString(words))}</span>'


def _rights(cell: Rights, words: dict[str, str]) -> str:
    return escape(cell.text) + (f' <span class="badge">{words["complex"]}</span>' if cell.is_complex else "")


def _step(cell: Step, _words: dict[str, str]) -> str:
    return f'<span class="step">{dot(cell.colour)}{escape(cell.label)}</span>' if cell.label else ""


def _person(cell: Person, words: dict[str, str]) -> str:
    name = f'<span class="ledger__person clip">{escape(cell.name)}</span>' if cell.name else ""
    return name + (_flag("mail-warning", words["unconfirmed"]) if cell.unconfirmed else "")


def _assignee(cell: Assignee, words: dict[str, str]) -> str:
    if not cell.name:
        return f'<span class="muted">{words["unassigned"]}</span>'
    name = f'<span class="ledger__name clip" aria-hidden="true">{escape(cell.name)}</span>'
    return f"{avatar(cell.initials, cell.name)}{name}"


def _area(cell: str, _words: dict[str, str]) -> str:
    return f'<span class="ledger__area clip">{escape(cell)}</span>'


def _messages(cell: Messages, words: dict[str, str]) -> str:
    if not cell.count:
        return ""
    unread = (
        f'<span class="ledger__unread">{icon("mail", "s")}{cell.unread}<span class="visually-hidden"> {words["unread"]}</span></span> / '
        if cell.unread
        else ""
    )
    return f'<span class="ledger__messages">{unread}{cell.count}</span>'


def _tags(cell: Iterable[Any], _words: dict[str, str]) -> str:
    return "".join(f'<span class="step">{dot(tag.color)}{escape(tag.label)}</span> ' for tag in cell)


def _days(cell: int | None, _words: dict[str, str]) -> str:
    return "" if cell is None else escape(ngettext("%(n)d d", "%(n)d d", cell) % {"n": cell})


def _text(cell: str, _words: dict[str, str]) -> str:
    return escape(cell)


DRAWN: dict[str, Callable[[Any, dict[str, str]], str]] = {
    "clock": _clock,
    "expiryTime": _upstream_due,
    "purposes": _rights,
    "workFlowStep": _step,
    "person": _person,
    "operator": _assignee,
    "area": _area,
    "dateDemand": _when,
    "dateUpdate": _when,
    "nbMessages": _messages,
    "tags": _tags,
    "extendBy": _when,
    "ownTarget": _when,
    "inStep": _days,
    "lastMessageDate": _when,
    "dateCreation": _when,
    "dateClosed": _when,
}
"""How each column's cell is drawn; the others are plain words."""
