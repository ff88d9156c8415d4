"""The command palette and the keyboard map. What is typed into the palette is posted, so that no address ever holds it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from dsrportal.actions import preferences
from dsrportal.models import Workspace
from dsrportal.queries import keymap
from dsrportal.queries import palette as palettes
from dsrportal.views.access import last_visited, memberships_of, signed_in
from dsrportal.views.rendering import render_page, wants_fragment

LONGEST_TEXT = 60


@require_http_methods(["GET", "HEAD", "POST"])
def palette(request: HttpRequest) -> HttpResponse:
    """`/palette/`: the dialog (`?in=` is the workspace's short name); posted `q` gives the requests whose reference begins with it."""
    if not wants_fragment(request):
        return redirect("palette.keys")
    memberships = memberships_of(request)
    if request.method == "POST":
        text = request.POST.get("q", "")[:LONGEST_TEXT]
        found = palettes.find(text, memberships=memberships)
        return HttpResponse(
            render_to_string("palette/_found.html", {"found": found})
        )  # without the frame and its queries
    current = _current(request)
    places = palettes.addresses(memberships, current=current)
    context = {
        "pages": palettes.pages(places, current=current),
        "workspaces": palettes.workspaces(memberships, current=current),
        "search_url": reverse("register.search", args=[current.slug]) if current else "",
        "current": current,
    }
    return render(request, "palette/_palette.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def keys(request: HttpRequest) -> HttpResponse:
    """`/keys/`: what each key does; posted, `on` says whether the single keys do anything."""
    user = signed_in(request)
    if request.method == "POST":
        preferences.use_keys(user, is_on=request.POST.get("on") == "yes")
        return redirect("palette.keys")
    context = {"groups": keymap.GROUPS, "is_on": user.uses_keys}
    return render_page(request, page="palette/keys.html", fragment="palette/_keys_dialog.html", context=context)


def _current(request: HttpRequest) -> Workspace | None:
    slug = request.GET.get("in", "")
    for membership in memberships_of(request):
        if membership.workspace.slug == slug:
            return membership.workspace
    return last_visited(request)
