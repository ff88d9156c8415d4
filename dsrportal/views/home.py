"""The start: My day, or what to do where the person has no workspace."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from dsrportal.queries import my_day
from dsrportal.views.access import memberships_of, signed_in
from dsrportal.views.rendering import render_page, wants_fragment


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """`/`; the page asks for its fragment again and again with what it has: `known` is the sign of what it was made from, and 204 the answer while
    that holds; `shown` the digest of what it shows, so that only a difference is spoken."""
    memberships, user, now = memberships_of(request), signed_in(request), timezone.now()
    if not memberships:
        return render(request, "home/empty.html")
    sign = my_day.sign_of(memberships, user=user, now=now)
    if wants_fragment(request) and request.GET.get("known") == sign:
        return HttpResponse(status=204)
    shown = my_day.of_person(user, memberships=memberships, now=now)
    is_new = wants_fragment(request) and request.GET.get("shown", "") not in {"", shown.digest}
    context = {"day": shown, "sign": sign, "is_new": is_new}
    return render_page(request, page="home/page.html", fragment="home/_day.html", context=context)
