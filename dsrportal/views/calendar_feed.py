"""The calendar feed: the door for calendar programs, which have a secret address instead of a login, and the page on which a person has theirs."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.cache import get_conditional_response
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_safe

from dsrportal.actions import calendar_feed as actions
from dsrportal.models import CalendarFeed
from dsrportal.models.feeds import FeedScope
from dsrportal.queries import calendar_feed as queries
from dsrportal.views.access import signed_in


@sensitive_variables("token")
@login_not_required
@require_safe
def feed(request: HttpRequest, token: str) -> HttpResponseBase:
    """`/calendar/<token>.ics`: the calendar; 304 where the program has it already, 404 for an address that is unknown or revoked."""
    found = actions.feed_of(token)
    if found is None:
        return HttpResponse(status=404, content_type="text/plain")
    with translation.override(found.language):
        events = queries.events(found, now=timezone.now())
        etag = f'"{queries.mark_of(events)}"'
        known = get_conditional_response(request, etag=etag)
        response = known or HttpResponse(queries.as_ical(events), content_type="text/calendar; charset=utf-8")
    if known is None:
        response["Content-Disposition"] = 'inline; filename="requests.ics"'
    response["Cache-Control"] = "private, no-cache"
    response["ETag"] = etag
    return response


@sensitive_variables("token")
@require_http_methods(["GET", "HEAD", "POST"])
def account(request: HttpRequest) -> HttpResponse:
    """`/accounts/calendar/`: the deeds are `make` (the address is shown in this answer alone), `choose` (whose requests) and `revoke`."""
    user, now = signed_in(request), timezone.now()
    deed, scope = request.POST.get("deed", ""), FeedScope.ALL
    if request.POST.get("scope") in FeedScope.values:
        scope = FeedScope(request.POST["scope"])
    address = ""
    if deed == "make":
        token = actions.make_address(by=user, scope=scope, language=translation.get_language() or "en", now=now)
        address = settings.PORTAL_URL + reverse("calendar_feed.feed", args=[token])
    elif deed == "choose" and actions.choose_scope(by=user, scope=scope, now=now):
        messages.success(request, _("The calendar follows within the hour."))
        return redirect("calendar_feed.account")
    elif deed == "revoke":
        actions.revoke(by=user, now=now)
        messages.success(request, _("The address of your calendar is revoked."))
        return redirect("calendar_feed.account")
    context = {
        "feed": CalendarFeed.objects.filter(user=user).first(),
        "address": address,
        "scopes": FeedScope.choices,
        "has_email": bool(user.email),
    }
    return render(request, "accounts/calendar.html", context)
