"""A wish for a new request: checked and kept, its identity and free text sealed. Called by the view of the form; `outbox` sends it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from dsrportal.actions import changes, deeds
from dsrportal.actions.refusals import WishError
from dsrportal.models import Membership, OutboxEntry, User, Workspace
from dsrportal.models.outbox import WishKind
from dsrportal.queries import words

REQUIRED = frozenset({"title", "locale", "area", "purposes", "received", "channel"})
LONGEST = {
    "title": 240,
    "given_name": 180,
    "family_name": 180,
    "email": 255,
    "phone": 60,
    "locale": 10,
    "message": 20_000,
    "description": 20_000,
    "customer_reference": 355,
}
"""In characters: what the documents of Dastra allow; of long texts, what a person types."""


def create(
    *,
    action_id: uuid.UUID,
    workspace: Workspace,
    wanted: Mapping[str, Any],
    by: User,
    now: datetime,
    hold_seconds: int | None = None,
) -> OutboxEntry:
    """Keep a wish for a new request, to be sent `hold_seconds` (by default the setting `UNDO_SECONDS`) from now.

    `wanted` has the names of `creation_wire.WIRE`, of which `REQUIRED` may not be empty; `received` is an instant in ISO 8601. The same
    `action_id` again gives the same row. Raises `WishError` (`not_allowed`, `invalid`, `reused`).
    """
    values = {name: value for name, value in wanted.items() if value not in ("", None)}
    if known := _known(action_id, workspace=workspace, by=by, wanted=values):
        return known
    membership = Membership.objects.filter(user=by, workspace=workspace).first()
    if membership is None or not membership.may_create or not by.is_active or not workspace.is_enabled:
        raise WishError(_("You may not enter requests in this workspace."), code="not_allowed")
    if REQUIRED - values.keys() or not all(
        name in _CHECKS and _CHECKS[name](value, workspace) for name, value in values.items()
    ):
        raise WishError(_("This form is incomplete. Please try again."), code="invalid")
    hold = settings.UNDO_SECONDS if hold_seconds is None else hold_seconds
    entry = OutboxEntry(
        action_id=action_id,
        workspace=workspace,
        by=by,
        kind=WishKind.CREATE,
        wanted=changes.public(values),
        created_at=now,
        not_before=now + timedelta(seconds=hold),
    )
    entry.set_private({"wanted": changes.private(values)})
    try:
        with transaction.atomic():
            Workspace.note_change(workspace.pk)
            entry.save(force_insert=True)
    except IntegrityError:
        if known := _known(action_id, workspace=workspace, by=by, wanted=values):
            return known
        raise
    return entry


def _known(action_id: uuid.UUID, *, workspace: Workspace, by: User, wanted: Mapping[str, Any]) -> OutboxEntry | None:
    entry = OutboxEntry.objects.filter(action_id=action_id).select_related("workspace", "by").first()
    if entry is None:
        return None
    is_same = (entry.workspace_id, entry.kind, entry.by_id) == (workspace.pk, WishKind.CREATE, by.pk)
    is_same = is_same and entry.wanted == changes.public(wanted)
    if is_same and entry.private_sealed is not None:
        is_same = deeds.change_of(entry).wanted == dict(wanted)
    if not is_same:
        raise WishError(_("This form was used before. Please try again."), code="reused")
    return entry


def _is_text(name: str) -> Callable[[Any, Workspace], bool]:
    def check(value: Any, _workspace: Workspace) -> bool:
        return isinstance(value, str) and bool(value.strip()) and len(value) <= LONGEST[name]

    return check


def _is_instant(value: Any, _workspace: Workspace) -> bool:
    try:
        return isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def _are_purposes(value: Any, _workspace: Workspace) -> bool:
    return isinstance(value, list) and bool(value) and set(value) <= words.RIGHTS.keys()


_CHECKS: dict[str, Callable[[Any, Workspace], bool]] = {
    **{name: _is_text(name) for name in LONGEST},
    "area": lambda value, workspace: workspace.areas.filter(upstream_id=value).exists(),
    "operator": lambda value, workspace: workspace.operators.filter(upstream_id=value).exists(),
    "purposes": _are_purposes,
    "channel": lambda value, _workspace: value in words.CHANNELS,
    "complex": lambda value, _workspace: isinstance(value, bool),
    "received": _is_instant,
}
