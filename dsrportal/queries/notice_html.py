"""Dastra's notice of a step (`descriptionHtml`) made safe to show. `{{ …|notice }}` alone puts it on a page (`templatetags/notices.py`).

Cleaned when it is drawn, not when it is stored: what a newer cleaner forbids is then gone at once.
"""

from __future__ import annotations

from functools import lru_cache
from html import unescape

import nh3
from django.utils.html import strip_tags

TAGS = {"a", "b", "blockquote", "br", "code", "em", "i", "li", "ol", "p", "s", "strong", "u", "ul"}
SCHEMES = {"https", "http", "mailto"}


@lru_cache(maxsize=256)
def clean(html: str) -> str:
    """The notice with nothing in it but text, emphasis, lists and links that leave without a trace; empty where no text is left."""
    cleaned = nh3.clean(
        html,
        tags=TAGS,
        clean_content_tags={"script", "style", "template", "noscript", "iframe", "object", "svg", "math"},
        attributes={"a": {"href"}},
        url_schemes=SCHEMES,
        url_relative="deny",
        link_rel="noopener noreferrer nofollow",
        strip_comments=True,
    )
    return cleaned if unescape(strip_tags(cleaned)).strip() else ""
