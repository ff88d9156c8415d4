"""Posted searches, kept in the session under an opaque token: hashes and ids, never the text in clear. Used by the register's views.

The text itself is kept sealed for a few minutes, for the one case that Dastra is asked the same.
"""

from __future__ import annotations

import base64
import secrets
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest

from dsrportal import credentials
from dsrportal.models import Workspace
from dsrportal.queries.register_filters import Search, SearchTerm

SESSION_KEY = "searches"
MOST_KEPT = 8
TEXT_LIFE = timedelta(minutes=10)


def keep(request: HttpRequest, *, workspace: Workspace, search: Search, text: str, now: datetime) -> str:
    """Keep a search and return its token. `text` is sealed; empty where it is not needed again."""
    token = secrets.token_urlsafe(12)
    entry = {
        "workspace": workspace.pk,
        "at": now.timestamp(),
        "terms": [[[digest.hex() for digest in term.digests], list(term.upstream_ids)] for term in search.terms],
        "found": None if search.found_upstream_ids is None else list(search.found_upstream_ids),
        "text": base64.b64encode(credentials.seal(text, context=_context(token))).decode() if text else "",
    }
    kept = sorted(_kept(request).items(), key=lambda item: item[1]["at"])[1 - MOST_KEPT :]
    for _token, other in kept:
        if now.timestamp() - other["at"] > TEXT_LIFE.total_seconds():
            other["text"] = ""
    request.session[SESSION_KEY] = {**dict(kept), token: entry}
    return token


def find(request: HttpRequest, *, workspace: Workspace, token: str) -> Search:
    """The search that a token stands for; an expired one for a token that this session does not know."""
    entry = _kept(request).get(token)
    if entry is None or entry["workspace"] != workspace.pk:
        return Search(is_expired=True)
    terms = tuple(
        SearchTerm(digests=tuple(bytes.fromhex(digest) for digest in digests), upstream_ids=tuple(upstream_ids))
        for digests, upstream_ids in entry["terms"]
    )
    return Search(terms=terms, found_upstream_ids=None if entry["found"] is None else tuple(entry["found"]))


def read_text(request: HttpRequest, *, workspace: Workspace, token: str, now: datetime) -> str:
    """The text of a recent search; empty once its life is over."""
    entry = _kept(request).get(token)
    if entry is None or entry["workspace"] != workspace.pk or not entry["text"]:
        return ""
    if now.timestamp() - entry["at"] > TEXT_LIFE.total_seconds():
        return ""
    try:
        return credentials.unseal(base64.b64decode(entry["text"]), context=_context(token))
    except credentials.CannotDecryptError:
        return ""


def _kept(request: HttpRequest) -> dict[str, dict[str, Any]]:
    kept: dict[str, dict[str, Any]] = request.session.get(SESSION_KEY, {})
    return kept


def _context(token: str) -> str:
    return f"search {token}"
