"""What every answer carries, whichever view made it: security headers, and a login that htmx understands."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import add_never_cache_headers
from django_htmx.http import HttpResponseClientRedirect

GetResponse = Callable[[HttpRequest], HttpResponse]

PERMISSIONS_POLICY = "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()"


class SecurityHeadersMiddleware:
    """Adds the headers that Django has no setting for, and forbids every cache but the browser's own to keep a page."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        if not request.path.startswith(settings.STATIC_URL) and "Cache-Control" not in response.headers:
            add_never_cache_headers(response)
        return response


class HtmxLoginMiddleware:
    """Turns the redirect to the login page into one of the whole window, so that no login page lands inside a card."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        htmx = getattr(request, "htmx", None)
        location = response.headers.get("Location", "")
        if htmx and not htmx.boosted and response.status_code == 302 and location.startswith("/accounts/login/"):  # noqa: PLR2004
            return HttpResponseClientRedirect("/accounts/login/")
        return response
