"""The bar below the register: one wish for all chosen rows, taking it back, and sending it while its page is looked at."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from dsrportal.actions import batches
from dsrportal.actions.batches import Pick
from dsrportal.actions.refusals import WishError
from dsrportal.forms import display as display_form
from dsrportal.forms.bulk import BulkForm, read_picks
from dsrportal.models import WorkflowStep
from dsrportal.models.outbox import WishKind
from dsrportal.queries import register_picks
from dsrportal.views import changes, searches
from dsrportal.views.access import Visit, visit

LONGEST_QUESTION = 4_000


@require_POST
def wish(request: HttpRequest, slug: str) -> HttpResponse:
    """`/w/<slug>/requests/bulk/`: keeps the wishes, and leads to the list of what becomes of each."""
    found = _visit(request, slug=slug)
    form = BulkForm(request.POST)
    is_whole = request.POST.get("whole") == "true"
    picks = _whole(request, found) if is_whole else read_picks(request.POST.getlist("pick"))
    back = _list(request, slug=slug)
    if not form.is_valid() or not picks:
        messages.warning(request, _sentence(form, has_picks=bool(picks)))
        return redirect(back)
    step = None
    if form.kind() == WishKind.MOVE:
        step = WorkflowStep.objects.filter(workspace=found.workspace, upstream_id=form.cleaned_data["step"]).first()
    try:
        batches.wish_many(
            batch_id=form.cleaned_data["batch_id"],
            workspace=found.workspace,
            kind=form.kind(),
            picks=picks,
            step=step,
            wanted=form.wanted(),
            by=found.user,
            now=found.now,
        )
    except WishError as error:
        messages.warning(request, error.sentence)
        return redirect(back)
    return redirect(_page_of(slug, form.cleaned_data["batch_id"]))


@require_POST
def undo(request: HttpRequest, slug: str) -> HttpResponse:
    """`/w/<slug>/requests/bulk/undo/`: takes back what of the batch has not been sent."""
    found = _visit(request, slug=slug)
    batch_id = _batch(request)
    count = batches.undo_many(batch_id, workspace=found.workspace, by=found.user, now=found.now)
    said = ngettext("%(n)d change undone.", "%(n)d changes undone.", count) % {"n": count}
    messages.info(request, said if count else _("Too late to undo."))
    return redirect(_page_of(slug, batch_id))


@require_POST
def send(request: HttpRequest, slug: str) -> HttpResponse:
    """`/w/<slug>/requests/bulk/send/`: asked for by the batch's page while something of it waits; answers with the list as it is then."""
    found = _visit(request, slug=slug)
    batch_id = _batch(request)
    batches.send_some(batch_id, workspace=found.workspace, by=found.user, now=found.now)
    return changes.show(request, found, batch_id=batch_id, url=_page_of(slug, batch_id))


def _whole(request: HttpRequest, found: Visit) -> list[Pick]:
    """All requests of the list that the form belongs to; one more than may be changed at once, where there are so many."""
    filters = display_form.read_question(request.POST)
    search = searches.find(request, workspace=found.workspace, token=filters.search) if filters.search else None
    most = batches.MOST + 1
    return [
        Pick(
            upstream_id=one.upstream_id,
            seen_step=one.step,
            seen_operator=one.operator,
            seen_updated_at=one.updated_at,
        )
        for one in register_picks.of_question(
            found.membership, filters=filters, search=search, most=most, now=found.now
        )
    ]


def _visit(request: HttpRequest, *, slug: str) -> Visit:
    found = visit(request, slug=slug)
    if not (found.membership.may_act and found.workspace.is_enabled):
        raise PermissionDenied
    return found


def _list(request: HttpRequest, *, slug: str) -> str:
    """The list with the filters that it had."""
    question = request.POST.get("question", "")[:LONGEST_QUESTION]
    url = reverse("register.register", args=[slug])
    return f"{url}?{QueryDict(question).urlencode()}" if question else url


def _batch(request: HttpRequest) -> uuid.UUID:
    try:
        return uuid.UUID(request.POST.get("batch", ""))
    except ValueError:
        raise Http404 from None


def _page_of(slug: str, batch_id: uuid.UUID) -> str:
    return f"{reverse('changes.changes', args=[slug])}?batch={batch_id}"


def _sentence(form: BulkForm, *, has_picks: bool) -> str:
    if not has_picks:
        return _("No request was chosen. Tick the ones you mean.")
    if any(error.code == "missing" for error in form.non_field_errors().as_data()):
        return _("Choose what it is to become, then press the button beside it.")
    return _("This form is incomplete. Please try again.")
