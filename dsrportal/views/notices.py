"""Behind the bell: the person's own notices, in all their workspaces."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from dsrportal.actions import notices as deeds
from dsrportal.queries import notices as notice_query
from dsrportal.views.access import memberships_of, signed_in

LONGEST_NUMBER = 18


@require_safe
def notices(request: HttpRequest) -> HttpResponse:
    """`/notices/`: `page` counts from 1."""
    ids = [membership.workspace_id for membership in memberships_of(request)]
    page = notice_query.page(signed_in(request), workspace_ids=ids, number=_number(request.GET.get("page", "")) or 1)
    return render(request, "notices/notices.html", {"page": page})


@require_POST
def read(request: HttpRequest) -> HttpResponse:
    """All notices up to the one named `newest` have been read. What came since stays unread."""
    deeds.mark_read(signed_in(request), newest=_number(request.POST.get("newest", "")), now=timezone.now())
    return redirect("notices.notices")


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= LONGEST_NUMBER else 0
