"""The pages for what went wrong: what happened, what is kept, what to do; an incident number, never a trace."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import get_template

logger = logging.getLogger(__name__)

TOLD_OLD = "X-Stale-Token"
"""Tells the page's script that the form's token is of an earlier signing in."""
NOT_ALLOWED = 405


class NotAllowedMiddleware:
    """Gives a page to who looks at an address that only takes a form, as after a reload or by a bookmark. The status stays 405."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code != NOT_ALLOWED or request.method != "GET" or response.content:
            return response
        page = render(request, "405.html", status=NOT_ALLOWED)
        page.headers["Allow"] = response.headers["Allow"]
        return page


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001  Django's signature
    """400"""
    return render(request, "400.html", status=400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001
    """403"""
    return render(request, "403.html", status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001
    """404, the same for what does not exist and for what is not yours."""
    return render(request, "404.html", status=404)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001
    """403 for a form that was open too long or came from elsewhere."""
    response = render(request, "403_csrf.html", status=403)
    response.headers[TOLD_OLD] = "1"
    return response


def server_error(request: HttpRequest) -> HttpResponse:
    """500: the number on the page is the one in the log."""
    incident = secrets.token_hex(4)
    logger.error("incident %s on %s", incident, request.resolver_match.view_name if request.resolver_match else "?")
    # No request, and so no context processors: whatever broke the page must not break this one too.
    return HttpResponse(get_template("500.html").render({"incident": incident}), status=500)
