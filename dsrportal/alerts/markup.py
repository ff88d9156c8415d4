"""What a channel is told, and how it is written where it is read: Slack's markup, cards of Teams, Mattermost's Markdown, or JSON. Pure.

Called by `posts.py`. What comes from Dastra or from a person (a reference, a workspace's name) goes through `plain`, so that it can neither break
the markup nor call anybody by name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from dsrportal.models.channels import ChannelKind

LONGEST_LIST = 3_000
"""Characters of the lines of one message. What does not fit is counted, with a link to all of it."""
TITLED_BY_BODY = frozenset({ChannelKind.TEAMS, ChannelKind.MATTERMOST})
"""Where the title stands in the text: a card of Teams would cut it, Mattermost has none."""
_ODD = re.compile(r"[^\w .,:/#+()-]|(?<![^\W_])_|_(?![^\W_])")


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One request: its number, what the clock says, what to think of that, and the same as facts for a program."""

    reference: str
    url: str
    what: str
    note: str = ""
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """Requests under one title; `more` counts those that are not listed."""

    title: str
    lines: list[Line]
    more: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """What is posted once. `watch` are sentences that prove what was looked at; `is_late`: something is overdue. `facts` are for a program: ids, codes
    and instants."""

    title: str
    sections: list[Section]
    watch: list[str] = field(default_factory=list)
    link_words: str
    url: str
    is_late: bool = False
    facts: dict[str, Any] = field(default_factory=dict)


def plain(text: str) -> str:
    """Letters, digits and harmless marks of it, on one line."""
    return " ".join(_ODD.sub(" ", text).split())


def body_of(message: Message, *, kind: ChannelKind) -> str:
    """The text in the markup of the kind, with the title where it has no other place."""
    if kind == ChannelKind.SLACK:
        return "\n".join(_slack(message))
    # A card of Teams reads a single line's end as a blank.
    return ("\n\n" if kind == ChannelKind.TEAMS else "\n").join(_markdown(message, kind=kind))


def document_of(message: Message) -> dict[str, Any]:
    """The message for a program; `docs/operations.md` says what each name means."""
    return {
        **message.facts,
        "url": message.url,
        "requests": [
            {"reference": line.reference, "url": line.url, "text": line.what, "note": line.note, **line.facts}
            for section in message.sections
            for line in section.lines
        ],
        "watch": message.watch,
    }


def fitted(sections: list[Section], *, more: str) -> list[Section]:
    """The sections with as many lines as fit into a message; `more` words how many are left out, with `%(n)d`."""
    left, found = LONGEST_LIST, []
    for section in sections:
        lines: list[Line] = []
        for line in section.lines:
            left -= len(line.reference) + len(line.url) + len(line.what) + len(line.note) + 8
            if left < 0:
                break
            lines.append(line)
        hidden = len(section.lines) - len(lines)
        found.append(Section(title=section.title, lines=lines, more=more % {"n": hidden} if hidden else ""))
    return found


def _slack(message: Message) -> Iterator[str]:
    for section in message.sections:
        if section.title:
            yield f"*{_escaped(section.title)}*"
        for line in section.lines:
            yield f"• <{line.url}|{_escaped(line.reference)}>: {_escaped(_said(line))}"
        if section.more:
            yield _escaped(section.more)
    yield from (_escaped(sentence) for sentence in message.watch)
    yield f"<{message.url}|{_escaped(message.link_words)}>"


def _markdown(message: Message, *, kind: ChannelKind) -> Iterator[str]:
    # Without a blank line what follows a list belongs to its last line. In a card of Teams every line has one.
    blank = () if kind == ChannelKind.TEAMS else ("",)
    if kind in TITLED_BY_BODY:
        yield f"**{message.title}**"
        yield from blank
    for section in message.sections:
        if section.title:
            yield f"**{section.title}**"
        for line in section.lines:
            yield f"- [{line.reference}]({line.url}): {_said(line)}"
        if section.more:
            yield f"- {section.more}"
        yield from blank
    yield from message.watch
    yield from blank if message.watch else ()
    yield f"[{message.link_words}]({message.url})"


def _said(line: Line) -> str:
    return f"{line.what} ({line.note})" if line.note else line.what


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
