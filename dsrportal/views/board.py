"""The board: its page, the next cards of a column, what changed since the page was drawn, and how a person likes it."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from dsrportal.actions import preferences
from dsrportal.forms import board as board_form
from dsrportal.queries import board as boards
from dsrportal.queries import board_everywhere, board_lanes, board_tools, board_version
from dsrportal.queries.board_question import Question
from dsrportal.queries.cards import NO_STEP
from dsrportal.views.access import Visit, memberships_of, signed_in, visit
from dsrportal.views.rendering import render_page, wants_fragment

LONGEST_SINCE = 4_000
LONGEST_KEY = 19


@require_safe
def board(request: HttpRequest, slug: str) -> HttpResponse:
    """`/w/<slug>/board/`, with the register's filters and `lanes`; `?step=&after=` continues one column, `?since=` asks for the columns that
    changed, `?move=` opens a card's menu."""
    found = visit(request, slug=slug)
    question, tools = board_tools.meet(found.workspace, board_form.read(request.GET), viewer=found.user)
    context = {**_context(found), "tools": tools}
    if "step" in request.GET:
        return _more(request, found, question=question, context=context)
    if "since" in request.GET and wants_fragment(request):
        return _changed(request, found, question=question, context=context)
    context["moving"] = request.GET.get("move", "")
    draw = board_lanes.of_workspace if question.lanes else boards.of_workspace
    context["board"] = draw(
        found.workspace, viewer=found.membership, lanes=found.lanes, now=found.now, question=question
    )
    return render_page(request, page="board/page.html", fragment="board/_board.html", context=context)


@require_safe
def everywhere(request: HttpRequest) -> HttpResponse:
    """`/board/`: all the person's workspaces by Dastra's states. `?state=&after=` continues one column; `?known=` is answered with 204 while nothing
    changed."""
    now = timezone.now()
    memberships = memberships_of(request)
    if "state" in request.GET:
        state, after = request.GET["state"], request.GET.get("after", "")
        column = board_everywhere.more(memberships, state=state, after=after, now=now)
        return render_page(
            request,
            page="board/everywhere_column.html",
            fragment="board/_everywhere_cards.html",
            context={"column": column, "memberships": memberships},
        )
    sign = board_version.of_everything(signed_in(request), now=now)
    if request.GET.get("known") == sign and wants_fragment(request):
        return HttpResponse(status=204)
    context = {"board": board_everywhere.of_person(memberships, now=now), "sign": sign, "memberships": memberships}
    return render_page(request, page="board/everywhere.html", fragment="board/_everywhere.html", context=context)


@require_safe
def version(request: HttpRequest, slug: str) -> HttpResponse:
    """`/w/<slug>/board/version/`: 204 while `known` is still the sign of the board, else the new one. Three queries with the session's."""
    sign = board_version.of_workspace(slug, viewer=signed_in(request))
    if sign is None:
        raise Http404
    if request.GET.get("known") == sign:
        return HttpResponse(status=204)
    return HttpResponse(sign, content_type="text/plain; charset=utf-8")


@require_safe
def filters(request: HttpRequest, slug: str) -> HttpResponse:
    """`/w/<slug>/board/filters/`: the filter panel for the question of the address."""
    found = visit(request, slug=slug)
    context = {"visit": found, "panel": board_tools.panel(found.workspace, board_form.read(request.GET))}
    return render_page(request, page="board/filters.html", fragment="board/_filters.html", context=context)


@require_POST
def look(request: HttpRequest, slug: str) -> HttpResponse:
    """`/w/<slug>/board/look/`: `compact` says how high cards are; `column` is `folded` or not. A script is answered with nothing, a form with
    the board that it came from (`query`)."""
    found = visit(request, slug=slug)
    key = request.POST.get("column", "")
    if key == NO_STEP or (key.isascii() and key.isdecimal() and len(key) <= LONGEST_KEY):
        preferences.fold_column(found.membership, key=key, is_folded=request.POST.get("folded") == "yes")
    if "compact" in request.POST:
        preferences.choose_density(found.user, is_compact=request.POST["compact"] == "yes")
    if wants_fragment(request):
        return HttpResponse(status=204)
    _question, tools = board_tools.meet(
        found.workspace, board_form.read(QueryDict(request.POST.get("query", ""))), viewer=found.user
    )
    return redirect(tools.url)


def _more(request: HttpRequest, found: Visit, *, question: Question, context: dict[str, Any]) -> HttpResponse:
    key, after = request.GET.get("step", ""), request.GET.get("after", "")
    if question.lanes:
        cell = board_lanes.more(
            found.workspace,
            viewer=found.membership,
            key=key,
            lane=request.GET.get("lane", ""),
            after=after,
            now=found.now,
            question=question,
        )
        if cell is None:
            raise Http404
        return render_page(
            request, page="board/cell.html", fragment="board/_cell_cards.html", context={**context, "cell": cell}
        )
    column = boards.more(
        found.workspace, viewer=found.membership, key=key, after=after, now=found.now, question=question
    )
    if column is None:
        raise Http404
    return render_page(
        request, page="board/column.html", fragment="board/_cards.html", context={**context, "column": column}
    )


def _changed(request: HttpRequest, found: Visit, *, question: Question, context: dict[str, Any]) -> HttpResponse:
    """204 when the page is up to date; else the columns that differ. `since` is `key:digest:shown`, separated by commas; with lanes the one digest
    of all, `lanes:digest`."""
    if question.lanes:
        return _changed_lanes(request, found, question=question, context=context)
    known: dict[str, str] = {}
    shown: dict[str, int] = {}
    for part in request.GET["since"][:LONGEST_SINCE].split(","):
        key, _colon, rest = part.partition(":")
        digest, _colon, count = rest.partition(":")
        known[key] = digest
        shown[key] = int(count) if count.isascii() and count.isdecimal() and len(count) < 5 else 0  # noqa: PLR2004
    now_shown = boards.of_workspace(
        found.workspace, viewer=found.membership, lanes=found.lanes, now=found.now, question=question, shown=shown
    )
    response: HttpResponse
    if [column.key for column in now_shown.columns] != list(known):
        response = HttpResponseClientRefresh()
    else:
        changed = [column for column in now_shown.columns if known[column.key] != column.digest]
        context = {**context, "columns": changed}
        response = render(request, "board/_changed.html", context) if changed else HttpResponse(status=204)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _changed_lanes(request: HttpRequest, found: Visit, *, question: Question, context: dict[str, Any]) -> HttpResponse:
    board = board_lanes.of_workspace(
        found.workspace, viewer=found.membership, lanes=found.lanes, now=found.now, question=question
    )
    response: HttpResponse
    if board.is_blank:
        response = HttpResponseClientRefresh()
    elif request.GET["since"][:LONGEST_SINCE] == f"lanes:{board.digest}":
        response = HttpResponse(status=204)
    else:
        response = render(request, "board/_lanes.html", {**context, "board": board, "oob": True})
    patch_vary_headers(response, ["HX-Request"])
    return response


def _context(found: Visit) -> dict[str, Any]:
    return {"visit": found, "may_act": found.membership.may_act and found.workspace.is_enabled}
