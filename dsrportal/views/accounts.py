"""Signing in and out, the language, the theme."""

from __future__ import annotations

import ipaddress
import math

from django.conf import settings
from django.contrib import auth
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import check_for_language, get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from dsrportal.actions import sign_in
from dsrportal.forms.accounts import SignInForm
from dsrportal.models import User
from dsrportal.views.frame import THEME_COOKIE, THEMES

ONE_YEAR_SECONDS = 365 * 24 * 60 * 60


@login_not_required
@sensitive_post_parameters("password")
@csrf_protect
@require_http_methods(["GET", "HEAD", "POST"])
def login(request: HttpRequest) -> HttpResponse:
    """`/accounts/login/`: a new session on success; one and the same sentence for unknown, inactive and wrong."""
    target = request.POST.get("next", request.GET.get("next", ""))
    if not _is_safe(request, target):
        target = ""
    if request.user.is_authenticated:
        return _go(target)
    form = SignInForm(request.POST or None)
    status = 200
    if form.is_valid():
        try:
            user = sign_in.check_credentials(
                request, **form.cleaned_data, address=network_address(request), now=timezone.now()
            )
        except sign_in.TooManyTriesError as error:
            status = 429
            form.add_error(None, _too_many_tries(error.seconds))
        else:
            if user is not None:
                auth.login(request, user)
                sign_in.note_language(user, language=get_language(), is_choice=False)
                return _go(target)
            form.add_error(None, _("The user name or the password is not right. Check both, capital letters too."))
    return render(request, "registration/login.html", {"form": form, "next": target}, status=status)


@require_POST
def logout(request: HttpRequest) -> HttpResponse:
    """End the session and have the browser forget what it kept of the pages."""
    auth.logout(request)
    response = redirect(settings.LOGOUT_REDIRECT_URL)
    response["Clear-Site-Data"] = '"cache", "storage"'
    return response


@login_not_required
@require_POST
def preferences(request: HttpRequest) -> HttpResponse:
    """Keep the chosen language or theme in a cookie and return to where the person was. Unknown values change nothing. The language of an account is
    kept with it too: its mails are written in it."""
    target = request.POST.get("next", "/")
    response = _go(target if _is_safe(request, target) else "")
    code = request.POST.get("language", "")
    if code in dict(settings.LANGUAGES) and check_for_language(code):
        _keep(response, settings.LANGUAGE_COOKIE_NAME, code)
        if isinstance(request.user, User):
            sign_in.note_language(request.user, language=code, is_choice=True)
    theme = request.POST.get("theme", "")
    if theme in THEMES:
        _keep(response, THEME_COOKIE, theme)
    return response


def network_address(request: HttpRequest) -> str:
    """The browser's address, as far as it can be believed: behind the TLS proxy the last one that the proxy noted, else the peer.

    IPv6 addresses count by their network (/64), since a household or an attacker has all of it.
    """
    peer = str(request.META.get("REMOTE_ADDR", ""))
    noted = str(request.META.get("HTTP_X_FORWARDED_FOR", "")).rpartition(",")[2].strip()
    try:
        address = ipaddress.ip_address(noted if settings.IS_SECURE and noted else peer)
    except ValueError:
        return peer
    return str(address if address.version == 4 else ipaddress.ip_network((address, 64), strict=False))  # noqa: PLR2004


def _too_many_tries(seconds: int) -> str:
    minutes = math.ceil(seconds / 60)
    return ngettext(
        "There were too many tries. Wait %(n)d minute, then try again.",
        "There were too many tries. Wait %(n)d minutes, then try again.",
        minutes,
    ) % {"n": minutes}


def _go(target: str) -> HttpResponse:
    return HttpResponseRedirect(target) if target else redirect(settings.LOGIN_REDIRECT_URL)


def _is_safe(request: HttpRequest, target: str) -> bool:
    return target.startswith("/") and url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=settings.IS_SECURE
    )


def _keep(response: HttpResponse, name: str, value: str) -> None:
    response.set_cookie(name, value, max_age=ONE_YEAR_SECONDS, secure=settings.IS_SECURE, httponly=True, samesite="Lax")
