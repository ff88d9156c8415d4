"""Saved views of the register: keeping one, and what becomes of it. POST alone; each answer leads back to the list."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from dsrportal.actions import saved_views
from dsrportal.actions.refusals import ViewError
from dsrportal.forms import display as display_form
from dsrportal.forms.saved_views import DeedForm, SavedViewForm
from dsrportal.models import SavedView
from dsrportal.models.saved_views import ViewShape
from dsrportal.queries import saved_views as saved_view_query
from dsrportal.queries.register_chips import address
from dsrportal.views.access import Visit, visit


@require_POST
def save(request: HttpRequest, slug: str) -> HttpResponse:
    """`/w/<slug>/views/`: the list that `question` tells of, under a name."""
    found = visit(request, slug=slug)
    form = SavedViewForm(request.POST)
    filters = display_form.read_question(request.POST)
    if not form.is_valid():
        messages.warning(request, _("This form is incomplete. Please try again."))
        return _back(request, slug=slug)
    try:
        view = saved_views.save(found.membership, filters=filters, now=found.now, **form.cleaned_data)
    except ViewError as error:
        messages.warning(request, error.sentence)
        return _back(request, slug=slug)
    messages.info(request, _("The view is saved."))
    return redirect(_address(found, view=view))


@require_POST
def change(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """`/w/<slug>/views/<pk>/`: `deed` says what becomes of the view."""
    found = visit(request, slug=slug)
    view = saved_view_query.seen_by(found.membership).filter(pk=pk).first()
    if view is None:
        raise Http404
    form, fields = DeedForm(request.POST), SavedViewForm(request.POST)
    if not form.is_valid() or not fields.is_valid():
        messages.warning(request, _("This form is incomplete. Please try again."))
        return _back(request, slug=slug)
    try:
        said = _do(form.cleaned_data["deed"], request=request, found=found, view=view, fields=fields)
    except ViewError as error:
        messages.warning(request, error.sentence)
        return _back(request, slug=slug)
    messages.info(request, said)
    if form.cleaned_data["deed"] == "delete":
        return redirect("register.register", slug=slug)
    return redirect(_address(found, view=view)) if view.shape == ViewShape.TABLE else _back(request, slug=slug)


def _do(deed: str, *, request: HttpRequest, found: Visit, view: SavedView, fields: SavedViewForm) -> str:
    if deed == "delete":
        saved_views.delete(view, by=found.membership)
        return _("The view is deleted.")
    if deed == "rename":
        saved_views.rename(view, by=found.membership, now=found.now, **fields.cleaned_data)
        return _("The view is saved.")
    if deed == "update":
        filters = display_form.read_question(request.POST)
        saved_views.update(view, by=found.membership, filters=filters, now=found.now)
        return _("The view is saved.")
    saved_views.begin_with(view if deed == "begin" else None, by=found.membership)
    return _("The list begins with this view.") if deed == "begin" else _("The list begins with all requests.")


def _address(found: Visit, *, view: SavedView) -> str:
    slug = found.workspace.slug
    return saved_view_query.address_of(
        view, url=reverse("register.register", args=[slug]), board_url=reverse("board.board", args=[slug])
    )


def _back(request: HttpRequest, *, slug: str) -> HttpResponse:
    filters = display_form.read_question(request.POST)
    return redirect(address(reverse("register.register", args=[slug]), filters=filters))
