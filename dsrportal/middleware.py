"""What every answer carries, whichever view made it: security headers, and a login that htmx understands."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.cache import add_never_cache_headers, patch_vary_headers
from django.utils.translation import gettext as _
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

GetResponse = Callable[[HttpRequest], HttpResponse]

LOGIN = "/accounts/login/"
REDIRECT = 302
BY_ITSELF = frozenset(
    {"wishes.send", "bulk.send", "creating.send", "creating.dates", "dsr.texts", "palette.palette", "accounts.logout"}
)
"""What a page posts without changing anything, or when its time has come: nobody misses it."""

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


class SignInMiddleware:
    """Makes the redirect of who is not signed in one that leads back, and says so where a deed was lost to it.

    To htmx it becomes a redirect of the whole window, so that no login page lands inside a card. The way back is a page: the one that
    asked, since a form's own address shows nothing by itself.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code != REDIRECT or not response.headers.get("Location", "").startswith(f"{LOGIN}?next="):
            return response
        is_deed = request.method == "POST" and _is_meant(request)
        if is_deed:
            messages.warning(request, _("You were signed out. What you did last was not carried out."))
        htmx: HtmxDetails = request.htmx  # type: ignore[attr-defined]  # django-htmx's, on every request
        if htmx and not htmx.boosted and not htmx.history_restore_request:
            response = HttpResponseClientRedirect(_login(htmx.current_url_abs_path))
        elif request.method == "POST":
            response.headers["Location"] = _login(_own_path(request, url=request.headers.get("Referer", "")))
        patch_vary_headers(response, ["HX-Request"])
        return response


def _login(path: str | None) -> str:
    return f"{LOGIN}?{urlencode({'next': path.partition('#')[0]}, safe='/')}" if path else LOGIN


def _own_path(request: HttpRequest, *, url: str) -> str:
    """The path and query of an address of this portal, else nothing."""
    parts = urlsplit(url)
    if (parts.scheme, parts.netloc) != (request.scheme, request.get_host()):
        return ""
    return parts._replace(scheme="", netloc="").geturl()


def _is_meant(request: HttpRequest) -> bool:
    """Whether a person sent the form, and not the page by itself: a script that keeps a draft says itself what became of it."""
    view = request.resolver_match.view_name if request.resolver_match else ""
    if view in BY_ITSELF:
        return False
    return bool(request.htmx) or request.headers.get("Sec-Fetch-Mode", "navigate") == "navigate"  # type: ignore[attr-defined]
