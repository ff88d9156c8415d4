"""What Dastra posts, and the page on which an admin sets its address up.

The door for machines asks for no login and no form's token, but for an address nobody can guess and a signature; it keeps the event, wakes
a job and answers. It tells a caller nothing but a status.
"""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from dsrportal import jobs
from dsrportal.actions import webhooks as actions
from dsrportal.actions.webhooks import LARGEST_BODY, SIGNATURE_HEADER, Verdict
from dsrportal.actions.workspaces import WorkspaceError
from dsrportal.forms.webhooks import WebhookKeyForm
from dsrportal.queries import webhooks as queries
from dsrportal.views import access
from dsrportal.views.access import Visit


class _TooLargeError(Exception):
    """More than the door takes."""


@sensitive_variables("token", "body")
@csrf_exempt
@login_not_required
@require_POST
def dastra(request: HttpRequest, token: str) -> HttpResponse:
    """`/hooks/dastra/<token>/`: 200 once the event is kept, 401 for a wrong signature, 404 for an unknown address, 413 above 1 MB."""
    try:
        if _told_length(request) > LARGEST_BODY:
            return _answer(413)
        receiver = actions.receiver_of(token)
        if receiver is None:
            return _answer(404)
        body = _body(request)
    except _TooLargeError:
        return _answer(413)
    except UnreadablePostError:  # the sender went away
        return _answer(400)
    signature = request.headers.get(SIGNATURE_HEADER, "")
    reception = actions.receive(receiver, body=body, signature=signature, now=timezone.now())
    if reception.verdict is Verdict.REFUSED:
        return _answer(401)
    if reception.wakes:
        jobs.request_events(receiver.pk)
    return _answer(200)


@sensitive_post_parameters("secret")
@require_http_methods(["GET", "HEAD", "POST"])
def webhook(request: HttpRequest, slug: str) -> HttpResponse:
    """`/settings/workspaces/<slug>/webhook/`: the deeds are `address` (make or replace it; it is shown in this answer alone), `key`, `revoke`."""
    access.require_settings(request)
    found = access.visit(request, slug=slug)
    found.require_admin()
    deed = request.POST.get("deed", "")
    if deed == "address":
        token = actions.make_address(found.workspace, by=found.user, now=found.now)
        return _page(request, found, address=f"{settings.PORTAL_URL}{reverse('hooks.dastra', args=[token])}")
    if deed == "revoke":
        actions.revoke(found.workspace, by=found.user, now=found.now)
        messages.success(request, _("The webhook's address is revoked."))
        return redirect("hooks.webhook", slug=slug)
    form = WebhookKeyForm(request.POST if deed == "key" else None)
    if form.is_valid():
        try:
            actions.keep_key(found.workspace, key=form.cleaned_data["secret"], by=found.user, now=found.now)
        except WorkspaceError as error:
            form.add_error("secret", error.sentence)
        else:
            messages.success(request, _("The validation key is kept. Events are verified with it from now on."))
            return redirect("hooks.webhook", slug=slug)
    return _page(request, found, form=form)


def _page(request: HttpRequest, found: Visit, *, form: WebhookKeyForm | None = None, address: str = "") -> HttpResponse:
    context = {
        "workspace": found.workspace,
        "state": queries.state_of(found.workspace, now=found.now),
        "form": form or WebhookKeyForm(),
        "address": address,
    }
    return render(request, "workspaces/webhook.html", context, status=422 if form is not None and form.errors else 200)


def _told_length(request: HttpRequest) -> int:
    text = str(request.META.get("CONTENT_LENGTH") or "0")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0  # noqa: PLR2004  digits of 64 bits


def _body(request: HttpRequest) -> bytes:
    """The raw body. Raises `_TooLargeError`, or `UnreadablePostError` when it breaks off."""
    if request.META.get("CONTENT_LENGTH") or not request.META.get("wsgi.input_terminated"):
        return request.body
    # Sent in chunks, as .NET does by default: Django reads what has a length alone.
    try:
        body: bytes = request.META["wsgi.input"].read(LARGEST_BODY + 1)
    except OSError as error:
        raise UnreadablePostError(*error.args) from error
    if len(body) > LARGEST_BODY:
        raise _TooLargeError
    return body


def _answer(status: int) -> HttpResponse:
    return HttpResponse(status=status, content_type="text/plain")
