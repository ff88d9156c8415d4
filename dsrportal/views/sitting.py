"""When a person was here last, and when they had left before: what "new since you left" counts from.

A sitting is activity without a gap of half an hour. What a page asks for by itself is no activity: only where the person goes and what they do.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from dsrportal.models import User

GAP = timedelta(minutes=30)
PRECISION = timedelta(minutes=2)
"""How seldom it is written down. The mark is at most so much too early: rather too much is new than too little."""
BY_ITSELF = frozenset({"wishes.send", "bulk.send", "creating.send"})
"""What a page posts when its time has come."""


class SittingMiddleware:
    """Keeps `User.seen_at` and `User.left_at`, one write every two minutes at most. A page never fails for it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: object, *_args: object) -> None:
        """Note the activity of who is signed in, before the view."""
        if not getattr(view, "login_required", True) or not _is_activity(request):
            return
        if isinstance(request.user, User):
            note(request.user, now=timezone.now())


def note(user: User, *, now: datetime) -> None:
    """Note that the person is active at `now`. Of two pages that are asked for at once, one writes."""
    seen_at = user.seen_at
    if seen_at is not None and seen_at <= now < seen_at + PRECISION:
        return
    is_back = seen_at is not None and now - seen_at > GAP
    left_at = seen_at if is_back else user.left_at
    try:
        User.objects.filter(pk=user.pk, seen_at=seen_at).update(seen_at=now, left_at=left_at)
    except DatabaseError:  # the file is busy: the next page notes it
        return
    user.seen_at, user.left_at = now, left_at


def _is_activity(request: HttpRequest) -> bool:
    if request.method == "POST":
        view = request.resolver_match.view_name if request.resolver_match else ""
        return view not in BY_ITSELF
    return request.headers.get("Sec-Fetch-Mode") == "navigate"
