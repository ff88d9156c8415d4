"""The command palette: where a person can go, and the requests whose reference begins with what was typed. Called by `views.palette`.

Finds references alone, never names: one query over all the person's workspaces, whatever their number. Never writes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from dsrportal.models import DataSubjectRequest, Membership, Workspace
from dsrportal.queries.register_filters import reference_begins
from dsrportal.queries.searches import REFERENCE

MOST_FOUND = 8
LONGEST_ID = 18
"""Digits that surely are within 64 bits."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Option:
    """One line of the palette: an icon of the sprite, its words, more words in grey, and where it leads."""

    icon: str
    label: str
    detail: str
    url: str


def addresses(memberships: Sequence[Membership], *, current: Workspace | None) -> dict[str, str]:
    """Where the keys of `keymap` lead, by deed: in the current workspace, as far as the person may go there. No query."""
    places = {"home": reverse("home.home")}
    if current is None:
        return places
    places["board"] = reverse("board.board", args=[current.slug])
    places["register"] = reverse("register.register", args=[current.slug])
    managed = {membership.workspace_id for membership in memberships if membership.may_manage}
    if current.pk in managed:
        places["overview"] = reverse("overview.overview", args=[current.slug])
    elif managed:
        places["overview"] = reverse("overview.everywhere")
    places["alerts"] = reverse("alerts.alerts", args=[current.slug])
    role = next((membership for membership in memberships if membership.workspace_id == current.pk), None)
    if role is not None and role.may_create and current.is_enabled:
        places["new"] = reverse("creating.new", args=[current.slug])
    return places


def pages(places: Mapping[str, str], *, current: Workspace | None) -> list[Option]:
    """The pages that a person can go to, in the rail's order. No query."""
    named = {
        "home": ("sun", _("My day")),
        "board": ("square-kanban", _("Board")),
        "register": ("list", _("Requests")),
        "overview": ("chart-column", _("Overview")),
        "alerts": ("bell", _("Alerts")),
        "new": ("plus", _("New request")),
    }
    options = [
        Option(icon=icon, label=label, detail="", url=places[deed])
        for deed, (icon, label) in named.items()
        if deed in places
    ]
    if current is not None:
        options.append(
            Option(icon="history", label=_("Changes"), detail="", url=reverse("changes.changes", args=[current.slug]))
        )
    options += [
        Option(icon="calendar-clock", label=_("Calculator"), detail="", url=reverse("deadline.deadline")),
        Option(icon="calendar-days", label=_("Calendar feed"), detail="", url=reverse("calendar_feed.account")),
        Option(icon="info", label=_("Keyboard"), detail="", url=reverse("palette.keys")),
    ]
    return options


def workspaces(memberships: Sequence[Membership], *, current: Workspace | None) -> list[Option]:
    """The boards of the person's other workspaces. No query."""
    return [
        Option(
            icon="building-2",
            label=membership.workspace.name,
            detail="" if membership.workspace.is_enabled else _("disabled"),
            url=reverse("board.board", args=[membership.workspace.slug]),
        )
        for membership in memberships
        if current is None or membership.workspace_id != current.pk
    ]


def find(text: str, *, memberships: Sequence[Membership]) -> list[Option]:
    """At most eight requests of the person's workspaces whose reference begins with the text, or that have it as Dastra's id; the shortest
    reference first. What cannot be a reference finds nothing. One query."""
    wanted = text.strip().removeprefix("#")
    if not memberships or not REFERENCE.fullmatch(wanted):
        return []
    condition = reference_begins(wanted)
    if wanted.isascii() and wanted.isdecimal() and len(wanted) <= LONGEST_ID:
        condition |= Q(upstream_id=int(wanted))
    by_pk = {membership.workspace_id: membership.workspace for membership in memberships}
    rows = (
        DataSubjectRequest.objects.filter(condition, workspace__in=by_pk)
        .order_by("reference", "pk")
        .values_list("workspace_id", "upstream_id", "reference", "archived", "step__label")[: MOST_FOUND * 4]
    )
    found = sorted(rows, key=lambda row: (len(row[2]), row[2]))[:MOST_FOUND]
    options = []
    for workspace_id, upstream_id, reference, is_archived, step in found:
        workspace = by_pk[workspace_id]
        details = [_("archived") if is_archived else step or "", workspace.name if len(by_pk) > 1 else ""]
        options.append(
            Option(
                icon="archive" if is_archived else "file-text",
                label=reference or f"#{upstream_id}",
                detail=" · ".join(detail for detail in details if detail),
                url=reverse("dsr.dsr", args=[workspace.slug, upstream_id]),
            )
        )
    return options
