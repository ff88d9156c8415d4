"""What stands round every page: rail, workspace switcher, age of the data. A context processor.

Makes three queries: the person's roles, what waits for them, and the notices behind the bell."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language_info, gettext_lazy, pgettext
from django.utils.translation import gettext as _

from dsrportal.models import Membership, SyncLane, Workspace
from dsrportal.queries import changes, freshness, hints, keymap, palette, watch
from dsrportal.timetable import Deed
from dsrportal.views.access import Visit, administers, last_visited, memberships_of

THEMES = {"auto": gettext_lazy("As the system"), "light": gettext_lazy("Light"), "dark": gettext_lazy("Dark")}
THEME_COOKIE = "theme"
LOOK = "X-Look"
"""Sent by a script that reads a page for itself: what is to be said stays for the page that a person sees."""
CONCERNED = {Deed.SENDING: {"board", "register", "dsr", "changes"}, Deed.TELLING: {"alerts", "notices"}}
"""The modules of the pages on which everybody is told that a deed stands still."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NavItem:
    """One place in the rail. `icon` is a name of the sprite; `count` is what waits there for the person, None for nothing. `short` is its name in a
    phone's bar; without one it stands in the person's menu there."""

    label: str
    url: str
    icon: str
    is_current: bool
    count: int | None = None
    short: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkspaceItem:
    """One workspace in the switcher."""

    name: str
    slug: str
    board_url: str
    is_current: bool


def frame(request: HttpRequest) -> dict[str, Any]:
    """The context of `base.html`: `frame.workspace`, `.workspaces`, `.nav`, `.settings_nav`, `.freshness`, `.unread`, `.standstill`, `.hint`,
    `.keys`, `.languages`, `.theme`, `.themes`."""
    theme = request.COOKIES.get(THEME_COOKIE, "auto")
    context: dict[str, Any] = {
        "languages": [(code, get_language_info(code)["name_local"].capitalize()) for code, _name in settings.LANGUAGES],
        "theme": theme if theme in THEMES else "auto",
        "themes": list(THEMES.items()),
    }
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {"frame": context}
    found: Visit | None = getattr(request, "dsr_visit", None)
    view = request.resolver_match.view_name if request.resolver_match else ""
    memberships = memberships_of(request)
    current = found.workspace if found else last_visited(request)
    context["workspaces"] = [
        WorkspaceItem(
            name=membership.workspace.name,
            slug=membership.workspace.slug,
            board_url=reverse("board.board", args=[membership.workspace.slug]),
            is_current=current is not None and membership.workspace_id == current.pk,
        )
        for membership in memberships
    ]
    context["workspace"] = current
    ids = [membership.workspace_id for membership in memberships]
    context["keys"] = keymap.script(is_on=user.uses_keys, places=palette.addresses(memberships, current=current))
    context["unread"], is_late = watch.bell(user, workspace_ids=ids, now=timezone.now()) if ids else (0, False)
    if is_late:
        context["standstill"] = _standstill(request, view=view)
    context["hint"] = hints.of_page(user, view=view, may_act=found is not None and found.membership.may_act)
    context["nav"] = _nav(memberships, current=current, view=view) if current else []
    may_audit = any(membership.may_audit for membership in memberships)
    context["settings_nav"] = _settings_nav(view=view, administers=administers(request), may_audit=may_audit)
    if found:
        context["freshness"] = freshness.of_workspace(found.workspace, lanes=found.lanes, now=found.now)
    elif current:
        lanes = SyncLane.objects.filter(workspace=current)
        context["freshness"] = freshness.of_workspace(current, lanes=lanes, now=timezone.now())
    return {"frame": context, "messages": ()} if LOOK in request.headers else {"frame": context}


def _standstill(request: HttpRequest, *, view: str) -> watch.Standstill | None:
    """What stands still in the background. Who answers for a workspace is told on every page but that of the jobs, others where it concerns what they
    see; that reading stands still they see by the age of the data."""
    if view == "jobs.jobs":
        return None
    may_look = administers(request)
    if may_look or any(membership.may_manage for membership in memberships_of(request)):
        return watch.standstill(deeds=Deed, may_look=may_look, now=timezone.now())
    concerned = [deed for deed, modules in CONCERNED.items() if view.partition(".")[0] in modules]
    return watch.standstill(deeds=concerned, may_look=False, now=timezone.now()) if concerned else None


def _nav(memberships: Sequence[Membership], *, current: Workspace, view: str) -> list[NavItem]:
    attention = _attention(memberships, current)
    places = [
        (_("Board"), pgettext("phone bar", "Board"), "board.board", "square-kanban", {"board"}, None),
        (
            _("Requests"),
            pgettext("phone bar", "Requests"),
            "register.register",
            "list",
            {"register", "dsr", "conditions"},
            None,
        ),
        (_("Changes"), pgettext("phone bar", "Changes"), "changes.changes", "history", {"changes"}, attention or None),
    ]
    here = view.partition(".")[0]
    my_day = pgettext("phone bar", "My day")
    items = [
        NavItem(label=_("My day"), short=my_day, url=reverse("home.home"), icon="sun", is_current=here == "home"),
        *(
            NavItem(
                label=label,
                short=short,
                url=reverse(name, args=[current.slug]),
                icon=icon,
                is_current=here in modules,
                count=count,
            )
            for label, short, name, icon, modules, count in places
        ),
    ]
    managed = [membership.workspace_id for membership in memberships if membership.may_manage]
    if managed:
        is_managed = current.pk in managed
        url = reverse("overview.overview", args=[current.slug]) if is_managed else reverse("overview.everywhere")
        items.append(
            NavItem(
                label=_("Overview"),
                short=pgettext("phone bar", "Overview"),
                url=url,
                icon="chart-column",
                is_current=here == "overview",
            )
        )
    alerts_url = reverse("alerts.alerts", args=[current.slug])
    items.append(NavItem(label=_("Alerts"), url=alerts_url, icon="bell", is_current=here == "alerts"))
    return items


def _attention(memberships: Iterable[Membership], current: Workspace) -> int:
    """How many of the person's own changes in the workspace wait for a decision."""
    return next((changes.attention_count(one) for one in memberships if one.workspace_id == current.pk), 0)


def _settings_nav(*, view: str, administers: bool, may_audit: bool) -> list[NavItem]:
    places = [
        (
            _("Workspaces"),
            "workspaces.workspaces",
            "building-2",
            {"workspaces", "hooks", "rules", "alert_rules", "channels", "letters"},
            administers,
        ),
        (_("People"), "people.people", "users", {"people"}, administers),
        (_("Jobs"), "jobs.jobs", "activity", {"jobs"}, administers),
        (_("Audit log"), "audit.audit", "history", {"audit"}, may_audit),
    ]
    return [
        NavItem(label=label, url=reverse(name), icon=icon, is_current=view.partition(".")[0] in modules)
        for label, name, icon, modules, is_theirs in places
        if is_theirs
    ]
