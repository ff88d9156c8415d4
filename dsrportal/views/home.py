"""The start: the board of the workspace where the person was last, or what to do where there is none."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from dsrportal.views.access import last_visited


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """`/`"""
    workspace = last_visited(request)
    if workspace is not None:
        return redirect("board.board", slug=workspace.slug)
    return render(request, "home/empty.html")
