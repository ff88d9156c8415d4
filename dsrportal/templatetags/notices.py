"""Dastra's notice of a step, on a page. Used by the board's heads; the one place where HTML from outside becomes HTML of a page."""

from __future__ import annotations

from django import template
from django.utils.safestring import SafeString, mark_safe

from dsrportal.queries import notice_html

register = template.Library()


@register.filter
def notice(html: str) -> SafeString:
    """The notice, cleaned here and now whatever it went through before."""
    return mark_safe(notice_html.clean(html))  # noqa: S308  cleaned
