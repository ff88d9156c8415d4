"""The start: the board of the person's first workspace, or what to do where there is none."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from dsrportal.views.access import memberships_of


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """`/`"""
    memberships = memberships_of(request)
    enabled = [membership for membership in memberships if membership.workspace.is_enabled]
    if enabled or memberships:
        return redirect("board.board", slug=(enabled or memberships)[0].workspace.slug)
    return render(request, "home/empty.html")
