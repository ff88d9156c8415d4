"""Saving a question to the register under a name, changing it, sharing it, beginning with it; and how the list looks for one person.

Called by the register's views. Everybody who sees a workspace may save and share; the owner and admins may change what is shared.
"""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from dsrportal.actions.refusals import ViewError
from dsrportal.models import Membership, SavedView
from dsrportal.models.saved_views import ViewShape
from dsrportal.queries import register_columns, saved_views
from dsrportal.queries.register_filters import RegisterFilters

MOST_VIEWS = 40
LONGEST_NAME = 40
LONGEST_QUERY = 4000


def remember_look(membership: Membership, *, columns: tuple[str, ...], is_compact: bool) -> None:
    """The person's own columns (empty: those that everybody begins with) and density in this workspace."""
    membership.register_columns = register_columns.written(columns)
    membership.has_compact_register = is_compact
    membership.save(update_fields=["register_columns", "has_compact_register"])


def save(
    membership: Membership, *, name: str, filters: RegisterFilters, is_shared: bool, shape: ViewShape, now: datetime
) -> SavedView:
    """Keep a question under a name. Raises `ViewError` (`invalid`, `taken`, `full`) with a sentence."""
    owned = SavedView.objects.filter(workspace=membership.workspace, owner=membership.user)
    if owned.count() >= MOST_VIEWS:
        raise ViewError(_("You have %(most)d views here. Delete one first.") % {"most": MOST_VIEWS}, code="full")
    view = SavedView(
        workspace=membership.workspace,
        owner=membership.user,
        name=_name(name),
        is_shared=is_shared,
        shape=shape,
        query=_query(filters, viewer=membership),
        changed_at=now,
    )
    _write(view)
    return view


def update(view: SavedView, *, by: Membership, filters: RegisterFilters, now: datetime) -> None:
    """Make the view what is shown now. Raises `ViewError` (`not_allowed`, `invalid`)."""
    _require_changing(view, by=by)
    view.query, view.changed_at = _query(filters, viewer=by), now
    view.save(update_fields=["query", "changed_at"])


def rename(view: SavedView, *, by: Membership, name: str, is_shared: bool, shape: ViewShape, now: datetime) -> None:
    """Change its name, whether others see it, and what it opens. Raises `ViewError` (`not_allowed`, `invalid`, `taken`)."""
    _require_changing(view, by=by)
    view.name, view.is_shared, view.shape, view.changed_at = _name(name), is_shared, shape, now
    _write(view)


def delete(view: SavedView, *, by: Membership) -> None:
    """Delete it for all who see it. Raises `ViewError` (`not_allowed`)."""
    _require_changing(view, by=by)
    view.delete()


def begin_with(view: SavedView | None, *, by: Membership) -> None:
    """The view that the person's list begins with; None: all requests."""
    by.default_view = view
    by.save(update_fields=["default_view"])


def _require_changing(view: SavedView, *, by: Membership) -> None:
    if view.workspace_id != by.workspace_id or not saved_views.may_change(view, by=by):
        raise ViewError(_("Only its owner or an admin changes this view."), code="not_allowed")


def _name(name: str) -> str:
    name = " ".join(name.replace("\x00", " ").split())
    if not name:
        raise ViewError(_("Give the view a name."), code="invalid")
    if len(name) > LONGEST_NAME:
        raise ViewError(_("A name has at most %(most)d characters.") % {"most": LONGEST_NAME}, code="invalid")
    return name


def _query(filters: RegisterFilters, *, viewer: Membership) -> str:
    query = saved_views.kept_filters(filters, viewer=viewer).query_string()
    if len(query) > LONGEST_QUERY:
        raise ViewError(_("These are more filters than a view can hold."), code="invalid")
    return query


def _write(view: SavedView) -> None:
    try:
        with transaction.atomic():
            view.save()
    except IntegrityError:
        raise ViewError(_("You have a view of this name already."), code="taken") from None
