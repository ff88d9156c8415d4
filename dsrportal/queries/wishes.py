"""Wishes as the pages show them: what waits with Undo, what is being checked, what was refused and why. One query for a whole board."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dsrportal.models import DataSubjectRequest, Membership, OutboxEntry, Workspace
from dsrportal.models.outbox import FAILED_STATES, OPEN_STATES, WishKind, WishState
from dsrportal.queries import wish_rows, wish_words
from dsrportal.queries.sentences import in_words
from dsrportal.queries.wish_rows import WishRow

CHECK_SECONDS = 3
"""How long a page waits before it asks again about a wish that is being sent or checked."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WishView:
    """A wish in words. `is_pending`: held, being sent or checked; else it was refused or met a conflict, and `text` is the reason. `seconds` is when the
    page asks again (`send_url`); `send_url`, `undo_url`, `dismiss_url` and `keep_url` are empty where the person may not,
    or the page is not to. `assigns` is the Dastra user to whom a pending assignment hands it, 0 for nobody, None where it is no assignment.
    `rows` compares a conflict field by field, on the request's own page."""

    pk: int
    kind: str
    step_upstream_id: int | None
    assigns: int | None
    dsr_pk: int | None
    upstream_id: int | None
    is_pending: bool
    is_held: bool
    text: str
    seconds: int
    send_url: str
    undo_url: str
    dismiss_url: str
    keep_url: str
    request_url: str
    rows: list[WishRow]


def of_workspace(workspace: Workspace, *, viewer: Membership, now: datetime) -> list[WishView]:
    """All open wishes of a workspace, and the viewer's own that failed and are not dismissed; oldest first. One query."""
    return [_view(entry, slug=workspace.slug, viewer=viewer, now=now) for entry in _shown(viewer).order_by("pk")]


def of_request(dsr: DataSubjectRequest, *, slug: str, viewer: Membership, now: datetime) -> WishView | None:
    """What is to be said about one request's newest wish, if anything. One query; four more for a conflict, whose `rows` are filled in."""
    entry = _shown(viewer).filter(upstream_id=dsr.upstream_id).order_by("-pk").first()
    if entry is None:
        return None
    rows = wish_rows.rows_of(entry, workspace=viewer.workspace) if entry.state == WishState.CONFLICT else []
    found = _view(entry, slug=slug, viewer=viewer, now=now, rows=rows)
    # The page that sends is drawn anew when the wish has come to its end: a colleague's, in which something may be typed, only looks on.
    return found if entry.by_id == viewer.user_id else replace(found, send_url="")


def of_entry(entry: OutboxEntry, *, slug: str, viewer: Membership, now: datetime) -> WishView:
    """What is to be said about one wish that was read with its `by`. No query."""
    return _view(entry, slug=slug, viewer=viewer, now=now)


def _shown(viewer: Membership) -> QuerySet[OutboxEntry]:
    failed = Q(state__in=FAILED_STATES, dismissed_at=None, by_id=viewer.user_id)
    return OutboxEntry.objects.filter(
        Q(state__in=OPEN_STATES) | failed, workspace_id=viewer.workspace_id
    ).select_related("by")


def _view(
    entry: OutboxEntry, *, slug: str, viewer: Membership, now: datetime, rows: Sequence[WishRow] = ()
) -> WishView:
    is_pending = entry.state in OPEN_STATES
    is_held = entry.state == WishState.HELD
    is_own = entry.by_id == viewer.user_id
    seconds = max(math.ceil((entry.not_before - now).total_seconds()), 0) if is_held else CHECK_SECONDS
    return WishView(
        pk=entry.pk,
        kind=entry.kind,
        step_upstream_id=entry.step_upstream_id,
        assigns=entry.wanted.get("operator") or 0 if is_pending and entry.kind == WishKind.ASSIGN else None,
        dsr_pk=entry.dsr_id,
        upstream_id=entry.upstream_id,
        is_pending=is_pending,
        is_held=is_held,
        text=_text(entry, seconds=seconds, is_own=is_own),
        seconds=seconds,
        send_url=reverse("wishes.send", args=[slug, entry.pk]) if is_pending and viewer.may_act else "",
        undo_url=reverse("wishes.undo", args=[slug, entry.pk]) if is_held and is_own else "",
        dismiss_url=reverse("wishes.dismiss", args=[slug, entry.pk]) if not is_pending else "",
        keep_url=reverse("wishes.keep", args=[slug, entry.pk]) if entry.state == WishState.CONFLICT else "",
        request_url=reverse("dsr.dsr", args=[slug, entry.upstream_id]) if entry.upstream_id else "",
        rows=list(rows),
    )


def _text(entry: OutboxEntry, *, seconds: int, is_own: bool) -> str:
    if entry.state in FAILED_STATES:
        return in_words(entry.reason)
    if entry.state == WishState.UNKNOWN:
        return _("Being checked in Dastra")
    if entry.state == WishState.SENDING:
        return _("Sending to Dastra")
    if entry.reason:  # it was tried and could not be sent
        return _("%(reason)s Trying again.") % {"reason": in_words(entry.reason)}
    if not is_own:
        return wish_words.doing(entry.kind, name=entry.by.display_name())
    return ngettext("Sending in %(n)d s", "Sending in %(n)d s", seconds) % {"n": seconds}
