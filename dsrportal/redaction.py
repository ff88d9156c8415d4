"""Keeps tokens that are part of an address out of the log. Named in the settings; imports nothing of ours."""

from __future__ import annotations

import logging
import re

_TOKEN = re.compile(r"(/hooks/dastra/|/calendar/|/setup/|/accounts/invitation/|/accounts/reset/[^/\s?]+/)[^/\s?]+")


class NoTokens(logging.Filter):
    """Replaces the token in what is logged of a request; lets every record pass."""

    def filter(self, record: logging.LogRecord) -> bool:
        """True."""
        text = record.getMessage()
        if _TOKEN.search(text):
            record.msg, record.args = _TOKEN.sub(r"\1…", text), ()
        return True
