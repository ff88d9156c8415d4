"""The list of changes: everything that people asked of Dastra from here, and what became of it."""

from __future__ import annotations

import uuid

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from dsrportal.queries import changes as change_query
from dsrportal.views.access import Visit, visit
from dsrportal.views.rendering import render_page

LONGEST_NUMBER = 6


@require_safe
def changes(request: HttpRequest, slug: str) -> HttpResponse:
    """`/w/<slug>/changes/`: `show` is a part of the list, `by=all` everybody's, `batch` what was wished together, `page` counts from 1. The list
    alone where htmx asks."""
    found = visit(request, slug=slug)
    return show(request, found, batch_id=_batch_id(request.GET.get("batch", "")), url=request.get_full_path())


def show(request: HttpRequest, found: Visit, *, batch_id: uuid.UUID | None, url: str) -> HttpResponse:
    """The list for this visit; `url` is where the list asks for itself again."""
    part = request.GET.get("show", "")
    number = request.GET.get("page", "")
    page = change_query.page(
        found.workspace,
        viewer=found.membership,
        show=part if part in change_query.SHOWN else "all",
        is_own=request.GET.get("by") != "all",
        batch_id=batch_id,
        number=int(number) if number.isascii() and number.isdecimal() and len(number) <= LONGEST_NUMBER else 1,
        now=found.now,
    )
    context = {"page": page, "visit": found, "here": url}
    return render_page(request, page="changes/changes.html", fragment="changes/_changes.html", context=context)


def _batch_id(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text) if text else None
    except ValueError:
        return None
