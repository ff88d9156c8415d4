"""Pauses, extensions and refusals of a request, and taking them back: POST alone. Whether one is allowed is the action's.

A form that is refused comes back open on the request's page, with what was typed and the reason beside its field.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from dsrportal.actions import ledger
from dsrportal.actions.ledger import LedgerError
from dsrportal.forms.ledger import FORMS
from dsrportal.models import DataSubjectRequest
from dsrportal.views import dsr as dsr_views
from dsrportal.views.access import Visit

UNPROCESSABLE = 422


@require_POST
def pause(request: HttpRequest, slug: str, upstream_id: int) -> HttpResponse:
    """`/w/<slug>/requests/<upstream_id>/clock/pause/`"""
    return _record(request, slug=slug, upstream_id=upstream_id, deed="pause", action=ledger.pause, said=_("Paused."))


@require_POST
def resume(request: HttpRequest, slug: str, upstream_id: int) -> HttpResponse:
    """`/w/<slug>/requests/<upstream_id>/clock/resume/`"""
    said = _("The clock goes on.")
    return _record(request, slug=slug, upstream_id=upstream_id, deed="resume", action=ledger.resume, said=said)


@require_POST
def extend(request: HttpRequest, slug: str, upstream_id: int) -> HttpResponse:
    """`/w/<slug>/requests/<upstream_id>/clock/extend/`: by the law, in the portal's own books."""
    said = _("The extension is recorded.")
    return _record(request, slug=slug, upstream_id=upstream_id, deed="extend", action=ledger.extend, said=said)


@require_POST
def refuse(request: HttpRequest, slug: str, upstream_id: int) -> HttpResponse:
    """`/w/<slug>/requests/<upstream_id>/clock/refuse/`"""
    said = _("The refusal is recorded.")
    return _record(request, slug=slug, upstream_id=upstream_id, deed="refuse", action=ledger.refuse, said=said)


@require_POST
def withdraw(request: HttpRequest, slug: str, upstream_id: int, kind: str, pk: int) -> HttpResponse:
    """`/w/<slug>/requests/<upstream_id>/clock/<kind>/<pk>/withdraw/`: the entry counts no more."""
    found, row = _find(request, slug=slug, upstream_id=upstream_id)
    model = ledger.ENTRIES.get(kind)
    entry = model.objects.filter(dsr=row, pk=pk).select_related("dsr").first() if model else None
    if entry is None:
        raise Http404
    return _done(request, found, row=row, deed=lambda: ledger.withdraw(entry, by=found.user, now=found.now))


@require_POST
def accept_dates(request: HttpRequest, slug: str, upstream_id: int) -> HttpResponse:
    """`/w/<slug>/requests/<upstream_id>/clock/accept/`: the unexplained changes of Dastra's date were looked at."""
    found, row = _find(request, slug=slug, upstream_id=upstream_id)
    return _done(request, found, row=row, deed=lambda: ledger.accept_dates(row, by=found.user, now=found.now))


def _find(request: HttpRequest, *, slug: str, upstream_id: int) -> tuple[Visit, DataSubjectRequest]:
    found, row = dsr_views.find(request, slug=slug, upstream_id=upstream_id)
    found.require_acting()
    return found, row


def _record(
    request: HttpRequest, *, slug: str, upstream_id: int, deed: str, action: Callable[..., Any], said: str
) -> HttpResponse:
    found, row = _find(request, slug=slug, upstream_id=upstream_id)
    form = FORMS[deed](request.POST, auto_id=f"clock-{deed}-%s")
    if form.is_valid():
        try:
            action(row, **form.entry(), by=found.user, now=found.now)
        except LedgerError as error:
            _refuse(form, error)
        else:
            messages.success(request, said)
            return _back(request, found, row=row)
    row.refresh_from_db()
    context = dsr_views.page_context(request, found, row=row)
    context["clock_forms"] = {**context["clock_forms"], deed: form}
    context["clock_open"] = deed
    return render(request, "dsr/dsr.html", context, status=UNPROCESSABLE)


def _refuse(form: Form, error: LedgerError) -> None:
    """Put the reason beside its field. Raises `PermissionDenied` where it is the person's role."""
    if error.code == "not_allowed":
        raise PermissionDenied from error
    form.add_error(error.field if error.field in form.fields else None, error.sentence)


def _done(request: HttpRequest, found: Visit, *, row: DataSubjectRequest, deed: Callable[[], object]) -> HttpResponse:
    try:
        deed()
    except LedgerError as error:
        if error.code == "not_allowed":
            raise PermissionDenied from error
        messages.warning(request, error.sentence)
    else:
        messages.success(request, _("Done. It stays in the timeline."))
    return _back(request, found, row=row)


def _back(request: HttpRequest, found: Visit, *, row: DataSubjectRequest) -> HttpResponse:
    url = reverse("dsr.dsr", args=[found.workspace.slug, row.upstream_id])
    came_from = request.GET.urlencode()
    return redirect(f"{url}?{came_from}" if came_from else url)
