"""The register: the list of a workspace's requests, its filters in the address, its search posted."""

from __future__ import annotations

import uuid
from dataclasses import replace
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from dsrportal.actions import saved_views, searching
from dsrportal.actions.searching import SearchError
from dsrportal.forms import display as display_form
from dsrportal.forms import register as register_form
from dsrportal.models import Role
from dsrportal.queries import freshness, ledger, register_display, register_figures
from dsrportal.queries import register as register_query
from dsrportal.queries import saved_views as saved_view_query
from dsrportal.queries import searches as search_query
from dsrportal.queries.register_chips import address
from dsrportal.queries.register_filters import COMPACT, RegisterFilters, Search
from dsrportal.views import searches
from dsrportal.views.access import Visit, visit
from dsrportal.views.rendering import render_page


@require_safe
def register(request: HttpRequest, slug: str) -> HttpResponse:
    """`/w/<slug>/requests/`: the page, or the list alone where htmx asks for it."""
    found = visit(request, slug=slug)
    filters = register_form.read(request.GET)
    if beginning := _beginning(found, asked=set(request.GET), view=filters.view):
        return redirect(beginning)
    if found.membership.default_view_id and filters.view is None:
        filters = replace(filters, view=0)  # so that no link of this page leads to the view one begins with
    search = searches.find(request, workspace=found.workspace, token=filters.search) if filters.search else None
    age = freshness.of_workspace(found.workspace, lanes=found.lanes, now=found.now)
    url = reverse("register.register", args=[slug])
    page = register_query.page(
        found.membership,
        url=url,
        filters=filters,
        search=search,
        freshness=age,
        now=found.now,
    )
    views = saved_view_query.tabs(
        found.membership, filters=page.filters, url=url, board_url=reverse("board.board", args=[slug])
    )
    context = {
        "page": page,
        "views": views,
        "figures": register_figures.of_workspace(
            found.workspace, policy=page.policy, filters=page.filters, url=url, age=age, now=found.now
        ),
        "visit": found,
        "freshness": age,
        "search_url": reverse("register.search", args=[slug]),
        "display": register_display.of_columns(
            page.columns,
            url=reverse("register.display", args=[slug]),
            has_target=found.workspace.target_days is not None,
        ),
        "unexplained": _unexplained(found, is_asked=filters.unexplained),
        "may_act": found.membership.may_act and found.workspace.is_enabled,
        "batch_id": uuid.uuid4(),
        "question": page.filters.query_string(),
        "conditions_query": urlencode({"question": page.filters.asking().query_string()}),
        "may_ask": found.membership.may_see_identity and found.workspace.is_enabled,
    }
    return render_page(request, page="register/register.html", fragment="register/_register.html", context=context)


def _beginning(found: Visit, *, asked: set[str], view: int | None) -> str:
    """Where an address leads that asks nothing, or names a view alone: to the view with all that it holds, so that the address says it. At most
    one query."""
    wanted = view if asked == {"view"} else found.membership.default_view_id if not asked else None
    if not wanted:
        return ""
    kept = saved_view_query.seen_by(found.membership).filter(pk=wanted).first()
    if kept is None or (asked and not kept.query):
        return ""
    return saved_view_query.address_of(
        kept,
        url=reverse("register.register", args=[found.workspace.slug]),
        board_url=reverse("board.board", args=[found.workspace.slug]),
    )


@require_POST
def display(request: HttpRequest, slug: str) -> HttpResponse:
    """`/w/<slug>/requests/display/`: how the list looks, in its address or, where the person says so, from now on."""
    found = visit(request, slug=slug)
    choice = display_form.read(request.POST)
    filters = display_form.read_question(request.POST)
    if choice.keeps:
        saved_views.remember_look(found.membership, columns=choice.columns, is_compact=choice.density == COMPACT)
        filters = replace(filters, group=choice.group, columns=(), density="")
    else:
        filters = replace(filters, group=choice.group, columns=choice.columns, density=choice.density)
    return redirect(address(reverse("register.register", args=[slug]), filters=filters))


def _unexplained(found: Visit, *, is_asked: bool) -> str:
    """For who answers for the dates: how many requests have a date that was changed in Dastra for no reason that is known here."""
    if is_asked or found.membership.role not in {Role.MANAGER, Role.ADMIN}:
        return ""
    count = ledger.unexplained_count(found.workspace)
    words = ngettext(
        "Dastra's date of %(n)d request was changed without a reason that is known here.",
        "Dastra's date of %(n)d requests was changed without a reason that is known here.",
        count,
    )
    return words % {"n": count} if count else ""


@require_POST
def search(request: HttpRequest, slug: str) -> HttpResponse:
    """`/w/<slug>/requests/search/`: keeps what was typed as hashes, and leads to the list under a token. References lead there directly."""
    found = visit(request, slug=slug)
    url = reverse("register.register", args=[slug])
    text = request.POST.get("q", "").strip()
    if not text:
        return redirect(url)
    may_search_names = found.membership.may_see_identity
    known = search_query.understand(found.workspace, text=text, may_search_names=may_search_names)
    if known.upstream_id is not None:
        return redirect("dsr.dsr", slug=slug, upstream_id=known.upstream_id)
    if known.reference:
        return redirect(address(url, filters=RegisterFilters(q=known.reference, archived=known.is_archived)))
    kept_text = text[: search_query.LONGEST_TEXT] if may_search_names else ""
    token = searches.keep(request, workspace=found.workspace, search=known.search, text=kept_text, now=found.now)
    return redirect(address(url, filters=RegisterFilters(search=token)))


@require_POST
def ask(request: HttpRequest, slug: str) -> HttpResponse:
    """`/w/<slug>/requests/ask/`: the same search, made by Dastra."""
    found = visit(request, slug=slug)
    if not found.membership.may_see_identity:
        raise PermissionDenied
    url = reverse("register.register", args=[slug])
    token = request.POST.get("search", "")
    text = searches.read_text(request, workspace=found.workspace, token=token, now=found.now)
    if not text:
        messages.warning(request, _("This search is too old. Search again, then ask Dastra."))
        return redirect(url)
    try:
        upstream_ids = searching.ask_dastra(found.workspace, text=text, by=found.user, now=found.now)
    except SearchError as error:
        messages.error(request, error.sentence)
        return redirect(address(url, filters=RegisterFilters(search=token)))
    result = Search(found_upstream_ids=tuple(upstream_ids))
    kept = searches.keep(request, workspace=found.workspace, search=result, text="", now=found.now)
    if upstream_ids:
        count = len(upstream_ids)
        messages.info(
            request, ngettext("Dastra found %(n)d request.", "Dastra found %(n)d requests.", count) % {"n": count}
        )
    only_archived = bool(upstream_ids) and not search_query.live_count(found.workspace, upstream_ids=upstream_ids)
    return redirect(address(url, filters=RegisterFilters(search=kept, archived=only_archived)))
