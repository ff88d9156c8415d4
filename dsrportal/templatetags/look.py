"""The small drawn parts as template tags: icon, dot, clock mark, avatar. Tags and not includes, because a board draws hundreds of them.

Loaded by templates with {% load look %}. Knows classes and the icon sprite; never reads a row and never decides what a clock says.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from html import escape  # and not format_html: a board draws hundreds of marks, and this takes a tenth of the time

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()

COLOUR = re.compile(r"#(?:[0-9a-fA-F]{3}){1,2}")
PLAIN_COLOUR = "#8a8f96"

# The mark of every state of a clock; the words beside it come from the caller.
CLOCK_ICONS = {
    "overdue": "circle-x",
    "due-now": "alarm-clock",
    "soon": "clock",
    "on-track": "calendar",
    "decide-extension": "flag",
    "paused": "circle-pause",
    "unknown": "circle-question-mark",
    "closed-early": "circle-check",
    "closed-late": "circle-x",
}


@lru_cache(maxsize=1)
def sprite_url() -> str:
    """The address of the icon sprite; the same for the life of a process."""
    return static("img/icons.svg")


@register.simple_tag
def icon(name: str, size: str = "", label: str = "") -> SafeString:
    """An icon of the sprite: size "" (16 px), "s" (14), "l" (20) or "xl" (32). Hidden from screen readers unless it has a label."""
    classes = f"icon icon--{size}" if size else "icon"
    if label:
        return format_html(
            '<svg class="{}" role="img" aria-label="{}"><use href="{}#{}"/></svg>', classes, label, sprite_url(), name
        )
    return _plain_icon(classes, name)


@lru_cache(maxsize=256)
def _plain_icon(classes: str, name: str) -> SafeString:
    return format_html('<svg class="{}" aria-hidden="true"><use href="{}#{}"/></svg>', classes, sprite_url(), name)


@register.simple_tag
def dot(colour: str | None) -> SafeString:
    """A dot in a colour that came from Dastra ("#1E8EE1"); grey when it is absent or no hex colour. Always beside a name."""
    return _filled_dot(colour if colour and COLOUR.fullmatch(colour) else PLAIN_COLOUR)


@lru_cache(maxsize=256)
def _filled_dot(fill: str) -> SafeString:
    return format_html(
        '<svg class="dot" viewBox="0 0 8 8" aria-hidden="true"><circle cx="4" cy="4" r="4" fill="{}"/></svg>', fill
    )


@register.simple_tag
def tag_dots(tags: Sequence[tuple[str, str]]) -> SafeString:
    """The dots of a request's tags, (colour, label) each, as one picture with their names: elements of its own for each of them are what
    a board of hundreds of cards is slowed down by.
    """
    labels = escape(", ".join(label for _, label in tags))
    circles = "".join(
        f'<circle cx="{12 * number + 4}" cy="4" r="4" fill="{colour if COLOUR.fullmatch(colour) else PLAIN_COLOUR}"/>'
        for number, (colour, _) in enumerate(tags)
    )
    width = 12 * len(tags) - 4
    return SafeString(
        f'<span class="card__tags push" title="{labels}"><svg class="dots" width="{width}" height="8" role="img" aria-label="{labels}">'
        f"{circles}</svg></span>"
    )


@register.simple_tag
def clock_mark(state: str, text: str, full: str = "") -> SafeString:
    """The mark of a clock. `state` is a key of CLOCK_ICONS, `text` the words on it ("2 d overdue"), `full` the date in full for hover
    and screen readers. Raises KeyError for a state that is not drawn.
    """
    words = escape(str(text))
    title, spoken = "", ""
    if full:
        whole = escape(str(full))
        title, spoken = f' title="{whole}"', f'<span class="visually-hidden">, {whole}</span>'
    return SafeString(
        f'<span class="clock clock--{state}"{title}>{_plain_icon("icon", CLOCK_ICONS[state])}'
        f'<span class="clock__text">{words}</span>{spoken}</span>'
    )


@register.simple_tag
def avatar(initials: str, name: str, me: bool = False) -> SafeString:  # noqa: FBT001, FBT002 - a template says me=True
    """A person as initials in a circle, with the name on hover and for screen readers. Empty initials draw an empty place."""
    kind = "avatar avatar--none" if not initials else "avatar avatar--me" if me else "avatar"
    whole = escape(str(name))
    return SafeString(
        f'<span class="{kind}" role="img" aria-label="{whole}" title="{whole}">{escape(str(initials))}</span>'
    )
