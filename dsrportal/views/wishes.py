"""Moving, closing, assigning and the other deeds on a request, and taking them back: POST alone.

The answer is the region that changed, read again from the mirror."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from django_htmx.http import HttpResponseClientRedirect, HttpResponseClientRefresh, trigger_client_event

from dsrportal.actions import outbox
from dsrportal.forms.changes import FORMS, ChangeForm, CustomForm, read_seen
from dsrportal.forms.moves import WishForm
from dsrportal.models import DataSubjectRequest, OutboxEntry, WorkflowStep
from dsrportal.models.outbox import FAILED_STATES, OPEN_STATES, WishKind, WishState
from dsrportal.queries import board, vocabulary, wish_words, wishes
from dsrportal.queries.sentences import in_words
from dsrportal.views import inline
from dsrportal.views.access import Visit, visit
from dsrportal.views.rendering import wants_fragment

UNPROCESSABLE = 422


@require_POST
def move(request: HttpRequest, slug: str, upstream_id: int) -> HttpResponse:
    """`/w/<slug>/requests/<upstream_id>/move/`: to the step `step`."""
    return _wish(request, slug=slug, upstream_id=upstream_id, kind=WishKind.MOVE)


@require_POST
def archive(request: HttpRequest, slug: str, upstream_id: int) -> HttpResponse:
    """`/w/<slug>/requests/<upstream_id>/archive/`"""
    return _wish(request, slug=slug, upstream_id=upstream_id, kind=WishKind.ARCHIVE)


@require_POST
def restore(request: HttpRequest, slug: str, upstream_id: int) -> HttpResponse:
    """`/w/<slug>/requests/<upstream_id>/restore/`"""
    return _wish(request, slug=slug, upstream_id=upstream_id, kind=WishKind.RESTORE)


@require_POST
def assign(request: HttpRequest, slug: str, upstream_id: int) -> HttpResponse:
    """`/w/<slug>/requests/<upstream_id>/assign/`"""
    return _wish(request, slug=slug, upstream_id=upstream_id, kind=WishKind.ASSIGN)


@require_POST
def tag(request: HttpRequest, slug: str, upstream_id: int) -> HttpResponse:
    """`/w/<slug>/requests/<upstream_id>/tag/`"""
    return _wish(request, slug=slug, upstream_id=upstream_id, kind=WishKind.TAG)


@require_POST
def extend(request: HttpRequest, slug: str, upstream_id: int) -> HttpResponse:
    """`/w/<slug>/requests/<upstream_id>/extend/`: in Dastra."""
    return _wish(request, slug=slug, upstream_id=upstream_id, kind=WishKind.EXTEND)


@require_POST
def edit(request: HttpRequest, slug: str, upstream_id: int) -> HttpResponse:
    """`/w/<slug>/requests/<upstream_id>/edit/`"""
    return _wish(request, slug=slug, upstream_id=upstream_id, kind=WishKind.EDIT)


@require_POST
def edit_custom(request: HttpRequest, slug: str, upstream_id: int) -> HttpResponse:
    """`/w/<slug>/requests/<upstream_id>/edit-custom/`: the workspace's own text fields."""
    return _wish(request, slug=slug, upstream_id=upstream_id, kind=WishKind.EDIT, asks=CustomForm)


@require_POST
def close(request: HttpRequest, slug: str, upstream_id: int) -> HttpResponse:
    """`/w/<slug>/requests/<upstream_id>/close/`"""
    return _wish(request, slug=slug, upstream_id=upstream_id, kind=WishKind.CLOSE)


@require_POST
def delete(request: HttpRequest, slug: str, upstream_id: int) -> HttpResponse:
    """`/w/<slug>/requests/<upstream_id>/delete/`: for good. The person has typed its `reference`."""
    return _wish(request, slug=slug, upstream_id=upstream_id, kind=WishKind.DELETE)


@require_POST
def keep(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """`/w/<slug>/wishes/<pk>/keep/`: after a conflict, the same again on top of what Dastra holds now."""
    return _repeat(request, slug=slug, pk=pk, deed=outbox.keep)


@require_POST
def again(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """`/w/<slug>/wishes/<pk>/again/`: after a refusal, the same once more."""
    return _repeat(request, slug=slug, pk=pk, deed=outbox.again)


@require_POST
def undo(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """`/w/<slug>/wishes/<pk>/undo/`"""
    found, entry = _find(request, slug=slug, pk=pk)
    is_undone = outbox.undo(entry, by=found.user, now=found.now)
    said = _("Undone. Nothing was changed.") if is_undone else _("Too late to undo.")
    return _answer(request, found, entry=entry, said=said)


@require_POST
def send(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """`/w/<slug>/wishes/<pk>/send/`: asked for by the page when the undo window is over, and again until the wish is settled."""
    found, entry = _find(request, slug=slug, pk=pk)
    before = entry.state
    entry = outbox.send(entry.pk, now=found.now)
    return _answer(request, found, entry=entry, said=_said(entry) if entry.state != before else "")


@require_POST
def dismiss(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """`/w/<slug>/wishes/<pk>/dismiss/`"""
    found, entry = _find(request, slug=slug, pk=pk)
    outbox.dismiss(entry, by=found.user, now=found.now)
    return _answer(request, found, entry=entry, said="")


def _repeat(request: HttpRequest, *, slug: str, pk: int, deed: Callable[..., OutboxEntry]) -> HttpResponse:
    found, entry = _find(request, slug=slug, pk=pk)
    try:
        entry = deed(entry, by=found.user, now=found.now)
    except outbox.WishError as error:
        messages.warning(request, error.sentence)
        dsr = entry.dsr
        return _region(request, found, dsr=dsr, upstream_id=entry.upstream_id, said="", status=UNPROCESSABLE)
    entry = _sent_if_due(entry, found)
    return _answer(request, found, entry=entry, said=_said(entry))


def _wish(
    request: HttpRequest, *, slug: str, upstream_id: int, kind: WishKind, asks: type[ChangeForm] | None = None
) -> HttpResponse:
    found = visit(request, slug=slug)
    dsr = (
        DataSubjectRequest.objects.filter(workspace=found.workspace, upstream_id=upstream_id)
        .select_related("step", "workspace", "operator", "area")
        .first()
    )
    if dsr is None:
        raise Http404
    found.require_acting()
    if kind == WishKind.DELETE and not found.membership.may_delete:
        raise PermissionDenied
    form = WishForm(request.POST)
    change = _change_form(request, found, asks=asks or FORMS.get(kind))
    if not form.is_valid() or (change is not None and not change.is_valid()):
        messages.warning(request, _("This form is incomplete. Please try again."))
        return _region(request, found, dsr=dsr, upstream_id=upstream_id, said="", status=UNPROCESSABLE)
    if kind == WishKind.DELETE and not _is_named(dsr, typed=request.POST.get("reference", "")):
        messages.warning(request, _("What you typed is not the reference of this request. Nothing was deleted."))
        return _region(request, found, dsr=dsr, upstream_id=upstream_id, said="", status=UNPROCESSABLE)
    wanted = form.cleaned_data
    step = None
    if kind == WishKind.MOVE:
        step = WorkflowStep.objects.filter(workspace=found.workspace, upstream_id=wanted["step"] or 0).first()
    try:
        entry = outbox.wish(
            action_id=wanted["action_id"],
            kind=kind,
            dsr=dsr,
            step=step,
            wanted=change.wanted() if change is not None else None,
            seen=change.cleaned_data["seen"] if change is not None else None,
            by=found.user,
            seen_step_upstream_id=wanted["seen_step"],
            seen_updated_at=wanted["seen_updated_at"],
            now=found.now,
        )
    except outbox.WishError as error:
        if error.code == "not_allowed":
            raise PermissionDenied from error
        if error.code == "no_change":
            messages.info(request, error.sentence)
            return _region(request, found, dsr=dsr, upstream_id=upstream_id, said="", status=200)
        messages.warning(request, error.sentence)
        return _region(request, found, dsr=dsr, upstream_id=upstream_id, said="", status=UNPROCESSABLE)
    entry = _sent_if_due(entry, found)
    return _answer(request, found, entry=entry, said=_said(entry))


def _is_named(dsr: DataSubjectRequest, *, typed: str) -> bool:
    return typed.strip().casefold() == (dsr.reference or f"#{dsr.upstream_id}").casefold()


def _sent_if_due(entry: OutboxEntry, found: Visit) -> OutboxEntry:
    """A wish without an undo window goes out at once."""
    if entry.state == WishState.HELD and entry.not_before <= found.now:
        return outbox.send(entry.pk, now=found.now)
    return entry


def _change_form(request: HttpRequest, found: Visit, *, asks: type[ChangeForm] | None) -> ChangeForm | None:
    """The posted form of a kind that asks for values. What it offered is offered again: what was seen, and the workspace's own words."""
    if asks is None:
        return None
    zone = ZoneInfo(found.workspace.time_zone)
    known = vocabulary.of_workspace(found.workspace)
    initial = {"seen": read_seen(request.POST.get("seen", ""))}
    return asks(request.POST, initial=initial, known=known, zone=zone, now=found.now)


def _find(request: HttpRequest, *, slug: str, pk: int) -> tuple[Visit, OutboxEntry]:
    found = visit(request, slug=slug)
    entry = (
        OutboxEntry.objects.filter(workspace=found.workspace, pk=pk).select_related("workspace", "dsr", "by").first()
    )
    if entry is None:
        raise Http404
    if not found.membership.may_act:
        raise PermissionDenied
    return found, entry


def _said(entry: OutboxEntry) -> str:
    """What is announced about a wish that has just changed."""
    if entry.state == WishState.DONE:
        return f"{wish_words.done(entry.kind)} {in_words(entry.reason)}".strip()
    if entry.state in FAILED_STATES:
        return in_words(entry.reason)
    if entry.state == WishState.CANCELLED:
        return _("Undone. Nothing was changed.")
    return _("Will be sent to Dastra shortly.")


def _answer(request: HttpRequest, found: Visit, *, entry: OutboxEntry, said: str) -> HttpResponse:
    if request.POST.get("origin") == "home" and wants_fragment(request):  # the page takes itself anew
        return trigger_client_event(HttpResponse(status=204), "day:look", {"said": said})
    known = DataSubjectRequest.objects.filter(workspace=found.workspace)
    dsr = known.filter(upstream_id=entry.upstream_id).first() if entry.upstream_id else None
    is_refused = entry.state in FAILED_STATES and entry.dismissed_at is None
    return _region(
        request,
        found,
        dsr=dsr,
        upstream_id=entry.upstream_id,
        said=said,
        status=200,
        is_error=is_refused,
        # A conflict is settled by looking at the page as it is now, with what Dastra holds as the new base.
        is_settled=entry.state not in OPEN_STATES and (not is_refused or entry.state == WishState.CONFLICT),
        keys={str(key) for key in (entry.step_upstream_id, entry.seen_step_upstream_id) if key},
    )


def _region(
    request: HttpRequest,
    found: Visit,
    *,
    dsr: DataSubjectRequest | None,
    upstream_id: int | None,
    said: str,
    status: int,
    is_error: bool = False,
    is_settled: bool = False,
    keys: Collection[str] = (),
) -> HttpResponse:
    """The region that changed on the page that asked: the card with the heads of the columns, or the request's own banner."""
    origin = request.POST.get("origin")
    if not wants_fragment(request):
        return _redirect(request, found, dsr=dsr, origin=origin, said=said, is_error=is_error)
    now: datetime = found.now
    if origin == "dsr":
        return _own_page(request, found, dsr=dsr, said=said, status=status, is_error=is_error, is_settled=is_settled)
    if origin == "register":
        return inline.answer(request, found, upstream_id=upstream_id, said=said, status=status)
    card, heads = board.card_and_heads(
        found.workspace, upstream_id=upstream_id or 0, keys=keys, viewer=found.membership, lanes=found.lanes, now=now
    )
    if said and card is None:  # nothing is left that could say it
        messages.info(request, said)
    context = {"card": card, "heads": heads, "said": said, "visit": found, "may_act": found.membership.may_act}
    return render(request, "board/_card_answer.html", context, status=status)


def _own_page(
    request: HttpRequest,
    found: Visit,
    *,
    dsr: DataSubjectRequest | None,
    said: str,
    status: int,
    is_error: bool,
    is_settled: bool,
) -> HttpResponse:
    """The answer to a request's own page: its banner; the whole page anew where the wish is settled; the list where the request is gone."""
    if dsr is None:
        if said:
            (messages.warning if is_error else messages.info)(request, said)
        return HttpResponseClientRedirect(reverse("register.register", args=[found.workspace.slug]))
    if is_settled:
        if said and not is_error:
            messages.info(request, said)
        return HttpResponseClientRefresh()
    wish = wishes.of_request(dsr, slug=found.workspace.slug, viewer=found.membership, now=found.now)
    return render(request, "wishes/_answer.html", {"wish": wish, "said": said}, status=status)


def _redirect(
    request: HttpRequest, found: Visit, *, dsr: DataSubjectRequest | None, origin: str | None, said: str, is_error: bool
) -> HttpResponseRedirect:
    if said:
        (messages.warning if is_error else messages.info)(request, said)
    if origin == "dsr":
        name, args = (
            ("dsr.dsr", [found.workspace.slug, dsr.upstream_id])
            if dsr
            else ("register.register", [found.workspace.slug])
        )
        return redirect(reverse(name, args=args))
    if origin == "register":
        return redirect(reverse("register.register", args=[found.workspace.slug]))
    if origin == "home":
        return redirect(reverse("home.home"))
    if origin == "register":
        return redirect(reverse("register.register", args=[found.workspace.slug]))
    if origin == "changes":
        return redirect(reverse("changes.changes", args=[found.workspace.slug]))
    return redirect(reverse("board.board", args=[found.workspace.slug]))
