"""The saved views of a workspace as tabs above the register: one's own and the shared ones. One query; called by the register's view."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.db.models import Q, QuerySet

from dsrportal.models import Membership, SavedView
from dsrportal.models.saved_views import ViewShape
from dsrportal.queries import register
from dsrportal.queries.register_chips import address
from dsrportal.queries.register_filters import COMPACT, ROOMY, RegisterFilters


@dataclass(frozen=True, kw_only=True, slots=True)
class Tab:
    """One view. `owner` is empty for the reader's own."""

    pk: int
    name: str
    url: str
    owner: str
    is_shared: bool
    is_board: bool
    is_current: bool
    is_default: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Tabs:
    """The line above the list. `current` is the view that the address began with; `is_changed`: the list is another by now; `may_change` it;
    `has_search`: of what is shown, the search would not be saved."""

    all_url: str
    is_all: bool
    tabs: list[Tab]
    current: Tab | None
    is_changed: bool
    may_change: bool
    may_save: bool
    has_search: bool


def seen_by(viewer: Membership) -> QuerySet[SavedView]:
    """The views that a member sees: their own, and those that are shared in the workspace."""
    return SavedView.objects.filter(Q(owner=viewer.user_id) | Q(is_shared=True), workspace=viewer.workspace_id)


def may_change(view: SavedView, *, by: Membership) -> bool:
    """Whether the person may change or delete it: their own, or a shared one for an admin."""
    return view.owner_id == by.user_id or (view.is_shared and by.may_administer)


def kept_filters(filters: RegisterFilters, *, viewer: Membership) -> RegisterFilters:
    """What of a question a view keeps: filters, order, groups, and the look as the person has it before them. Never a search, which could name
    a person, nor the place in the list."""
    density = COMPACT if register.is_compact(filters, viewer=viewer) else ROOMY
    columns = register.shown_columns(filters, viewer=viewer)
    return filters.asking(search="", view=None, columns=columns, density=density)


def address_of(view: SavedView, *, url: str, board_url: str) -> str:
    """Where a view leads; the list notes which view it was."""
    if view.shape == ViewShape.BOARD:
        return f"{board_url}?{view.query}" if view.query else board_url
    return f"{url}?{view.query}&view={view.pk}" if view.query else f"{url}?view={view.pk}"


def tabs(viewer: Membership, *, filters: RegisterFilters, url: str, board_url: str) -> Tabs:
    """The line for what is shown. One query."""
    views = sorted(
        seen_by(viewer).select_related("owner"),
        key=lambda view: (view.owner_id != viewer.user_id, view.name.casefold(), view.pk),
    )
    found = [
        Tab(
            pk=view.pk,
            name=view.name,
            url=address_of(view, url=url, board_url=board_url),
            owner="" if view.owner_id == viewer.user_id else view.owner.display_name(),
            is_shared=view.is_shared,
            is_board=view.shape == ViewShape.BOARD,
            is_current=view.pk == filters.view,
            is_default=view.pk == viewer.default_view_id,
        )
        for view in views
    ]
    current = next((view for view in views if view.pk == filters.view), None)
    query = kept_filters(filters, viewer=viewer).query_string()
    is_changed = current is not None and current.query != query
    is_plain = filters.asking(view=None, search="") == RegisterFilters(size=filters.size)
    return Tabs(
        all_url=address(url, filters=replace(RegisterFilters(), view=0 if viewer.default_view_id else None)),
        is_all=current is None and not filters.is_narrowed and not filters.archived,
        tabs=found,
        current=next((tab for tab in found if tab.is_current), None),
        is_changed=is_changed,
        may_change=current is not None and may_change(current, by=viewer),
        may_save=is_changed if current else not is_plain,
        has_search=bool(filters.search),
    )
