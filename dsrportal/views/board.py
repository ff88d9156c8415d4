"""The board: its page, the next cards of a column, and what changed since the page was drawn. One address for all three."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseClientRefresh

from dsrportal.queries import board as boards
from dsrportal.queries import board_version
from dsrportal.views.access import Visit, signed_in, visit
from dsrportal.views.rendering import render_page, wants_fragment

LONGEST_SINCE = 4_000


@require_safe
def board(request: HttpRequest, slug: str) -> HttpResponse:
    """`/w/<slug>/board/`; `?step=&after=` continues one column, `?since=` asks for the columns that changed, `?move=` opens a card's menu."""
    found = visit(request, slug=slug)
    if "step" in request.GET:
        return _more(request, found)
    if "since" in request.GET and wants_fragment(request):
        return _changed(request, found)
    moving = request.GET.get("move", "")
    shown = boards.of_workspace(found.workspace, viewer=found.membership, lanes=found.lanes, now=found.now)
    context = {**_context(found), "board": shown, "moving": moving}
    return render_page(request, page="board/page.html", fragment="board/_board.html", context=context)


@require_safe
def version(request: HttpRequest, slug: str) -> HttpResponse:
    """`/w/<slug>/board/version/`: 204 while `known` is still the sign of the board, else the new one. Three queries with the session's."""
    sign = board_version.of_workspace(slug, viewer=signed_in(request))
    if sign is None:
        raise Http404
    if request.GET.get("known") == sign:
        return HttpResponse(status=204)
    return HttpResponse(sign, content_type="text/plain; charset=utf-8")


def _more(request: HttpRequest, found: Visit) -> HttpResponse:
    key, after = request.GET.get("step", ""), request.GET.get("after", "")
    column = boards.more(found.workspace, viewer=found.membership, key=key, after=after, now=found.now)
    if column is None:
        raise Http404
    context = {**_context(found), "column": column}
    return render_page(request, page="board/column.html", fragment="board/_cards.html", context=context)


def _changed(request: HttpRequest, found: Visit) -> HttpResponse:
    """204 when the page is up to date; else the columns that differ. `since` is `key:digest:shown`, separated by commas."""
    known: dict[str, str] = {}
    shown: dict[str, int] = {}
    for part in request.GET["since"][:LONGEST_SINCE].split(","):
        key, _colon, rest = part.partition(":")
        digest, _colon, count = rest.partition(":")
        known[key] = digest
        shown[key] = int(count) if count.isascii() and count.isdecimal() and len(count) < 5 else 0  # noqa: PLR2004
    now_shown = boards.of_workspace(
        found.workspace, viewer=found.membership, lanes=found.lanes, now=found.now, shown=shown
    )
    response: HttpResponse
    if [column.key for column in now_shown.columns] != list(known):
        response = HttpResponseClientRefresh()
    else:
        changed = [column for column in now_shown.columns if known[column.key] != column.digest]
        context = {**_context(found), "columns": changed}
        response = render(request, "board/_changed.html", context) if changed else HttpResponse(status=204)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _context(found: Visit) -> dict[str, Any]:
    return {"visit": found, "may_act": found.membership.may_act and found.workspace.is_enabled}
