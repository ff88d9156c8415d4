"""A new request: its form, and the page that waits until Dastra has it and then leads to it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from dsrportal.actions import creation, deeds, outbox
from dsrportal.credentials import CannotDecryptError
from dsrportal.forms.creating import DatesForm, NewRequestForm, first_values
from dsrportal.models import OutboxEntry
from dsrportal.models.outbox import WishKind, WishState
from dsrportal.queries import new_dates, repeats, vocabulary, wish_words, wishes
from dsrportal.views.access import Visit, visit
from dsrportal.views.rendering import render_page, wants_fragment

UNPROCESSABLE = 422


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, slug: str) -> HttpResponse:
    """`/w/<slug>/requests/new/`: the form; posted, it becomes a wish."""
    found = _visit(request, slug=slug)
    if request.method != "POST":
        first = {"received": found.now.astimezone(_zone(found)).date(), "channel": "Internal"}
        return _form_page(request, found, _form(found, initial=first))
    form = _form(found, request.POST)
    if not form.is_valid():
        return _form_page(request, found, form, status=UNPROCESSABLE)
    try:
        entry = creation.create(
            action_id=form.cleaned_data["action_id"],
            workspace=found.workspace,
            wanted=form.wanted(),
            by=found.user,
            now=found.now,
        )
    except outbox.WishError as error:
        form.add_error(None, error.sentence)
        return _form_page(request, found, form, status=UNPROCESSABLE)
    if entry.state == WishState.HELD and entry.not_before <= found.now:
        entry = outbox.send(entry.pk, now=found.now)
    return _on(found, entry, request) or redirect(reverse("creating.waiting", args=[slug, entry.pk]))


@require_POST
def dates(request: HttpRequest, slug: str) -> HttpResponse:
    """`/w/<slug>/requests/new/dates/`: the legal dates of what is typed so far, and whether the person has asked before. Posted, since an address names a
    person; nothing is kept."""
    found = _visit(request, slug=slug)
    return render(request, "creating/_dates.html", _dates(found, asked=request.POST))


@require_safe
def waiting(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """`/w/<slug>/entered/<pk>/`: where the wish stands, until there is a request to go to."""
    found = visit(request, slug=slug)
    entry = _find(found, pk=pk)
    return _on(found, entry, request) or _waiting_page(request, found, entry)


@require_POST
def send(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """`/w/<slug>/entered/<pk>/send/`: asked for by the waiting page, until the wish is settled."""
    found = _visit(request, slug=slug)
    entry = outbox.send(_find(found, pk=pk).pk, now=found.now)
    return _on(found, entry, request) or _waiting_page(request, found, entry)


@require_POST
def back(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """`/w/<slug>/entered/<pk>/back/`: takes the wish back, and shows the form as it was filled in."""
    found = _visit(request, slug=slug)
    entry = _find(found, pk=pk)
    try:
        filled = first_values(deeds.change_of(entry).wanted, zone=_zone(found))
    except (CannotDecryptError, KeyError):
        filled = {}
    if not outbox.undo(entry, by=found.user, now=found.now):
        messages.warning(request, _("Too late to undo."))
        return redirect(reverse("creating.waiting", args=[slug, entry.pk]))
    messages.info(request, _("Undone. Nothing was sent to Dastra."))
    return _form_page(request, found, _form(found, initial=filled))


def _visit(request: HttpRequest, *, slug: str) -> Visit:
    found = visit(request, slug=slug)
    found.require_acting()
    if not found.membership.may_create:
        raise PermissionDenied
    return found


def _find(found: Visit, *, pk: int) -> OutboxEntry:
    entries = OutboxEntry.objects.filter(workspace=found.workspace, kind=WishKind.CREATE, by=found.user)
    entry = entries.select_related("workspace", "dsr", "by").filter(pk=pk).first()
    if entry is None:
        raise Http404
    return entry


def _on(found: Visit, entry: OutboxEntry, request: HttpRequest) -> HttpResponse | None:
    """Where the person is brought when there is nothing to wait for: to the new request, or to an empty form after an undo."""
    slug = found.workspace.slug
    if entry.state == WishState.CANCELLED:
        url = reverse("creating.new", args=[slug])
    elif entry.state == WishState.DONE:
        url = (
            reverse("dsr.dsr", args=[slug, entry.dsr.upstream_id])
            if entry.dsr
            else reverse("register.register", args=[slug])
        )
        messages.success(request, wish_words.done(entry.kind))
    else:
        return None
    return HttpResponseClientRedirect(url) if wants_fragment(request) else redirect(url)


def _waiting_page(request: HttpRequest, found: Visit, entry: OutboxEntry) -> HttpResponse:
    slug = found.workspace.slug
    context = {
        "wish": wishes.of_entry(entry, slug=slug, viewer=found.membership, now=found.now),
        "send_url": reverse("creating.send", args=[slug, entry.pk]),
        "back_url": reverse("creating.back", args=[slug, entry.pk]),
        "page_url": reverse("creating.waiting", args=[slug, entry.pk]),
        "list_url": f"{reverse('register.register', args=[slug])}?sortBy=dateDemand",
        "visit": found,
    }
    return render_page(request, page="creating/waiting.html", fragment="creating/_waiting.html", context=context)


def _form(found: Visit, data: Any = None, *, initial: dict[str, Any] | None = None) -> NewRequestForm:
    known = vocabulary.of_workspace(found.workspace)
    first = {"action_id": uuid.uuid4(), **(initial or {})}
    return NewRequestForm(data, initial=first, known=known, zone=_zone(found), now=found.now)


def _form_page(request: HttpRequest, found: Visit, form: NewRequestForm, *, status: int = 200) -> HttpResponse:
    asked = {name: form[name].value() for name in ("received", "complex", "email")}
    context = {"form": form, "visit": found, **_dates(found, asked=asked)}
    return render(request, "creating/new.html", context, status=status)


def _dates(found: Visit, *, asked: Mapping[str, Any]) -> dict[str, Any]:
    """What is to be said of the day of receipt and of the address, as far as they can be read."""
    form = DatesForm({name: value for name, value in asked.items() if value})
    form.is_valid()
    read = form.cleaned_data
    day = read.get("received")
    is_complex = bool(read.get("complex"))
    return {
        "dates": new_dates.of_receipt(found.workspace, received_on=day, is_complex=is_complex, now=found.now)
        if day and day <= found.now.astimezone(_zone(found)).date()
        else None,
        "repeats": repeats.of_email(found.workspace, email=read.get("email", "")),
    }


def _zone(found: Visit) -> ZoneInfo:
    return ZoneInfo(found.workspace.time_zone)
