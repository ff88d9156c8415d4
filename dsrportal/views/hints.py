"""The hints for first visits: dismissed for good, one by one, and brought back together. Works without a script."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from dsrportal.actions import preferences
from dsrportal.queries import hints as all_hints
from dsrportal.views.access import signed_in
from dsrportal.views.rendering import wants_fragment


@require_POST
def hints(request: HttpRequest) -> HttpResponse:
    """`/hints/`: `dismiss` names the hint that is not to come again, `again` brings all of them back. A script is answered with nothing to show, a form
    with the page it came from (`next`), else the keys. Names that no hint has change nothing."""
    user = signed_in(request)
    name = request.POST.get("dismiss", "")
    if name in all_hints.NAMES:
        preferences.dismiss_hint(user, name=name)
    if "again" in request.POST:
        preferences.show_hints(user)
    if wants_fragment(request):
        return HttpResponse()
    target = request.POST.get("next", "")
    if target.startswith("/") and url_has_allowed_host_and_scheme(target, allowed_hosts=None):
        return HttpResponseRedirect(target)
    return redirect("palette.keys")
