"""One request's page, and what is read through from Dastra for it."""

from __future__ import annotations

import uuid
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import reswap, retarget

from dsrportal.actions import drafts, outbox, reading
from dsrportal.actions.reading import GoneError, OpenedRequest, ReadingError
from dsrportal.forms import register as register_form
from dsrportal.forms.changes import FORMS, SEEN_BY, ChangeForm, CustomForm
from dsrportal.forms.ledger import offered
from dsrportal.models import DataSubjectRequest
from dsrportal.models.outbox import WishKind
from dsrportal.queries import detail, dsr_version
from dsrportal.queries.vocabulary import Vocabulary
from dsrportal.views import searches
from dsrportal.views.access import Visit, signed_in, visit
from dsrportal.views.rendering import wants_fragment

LONGEST_FROM = 8_000
GONE = 410


@require_safe
def dsr(request: HttpRequest, slug: str, upstream_id: int) -> HttpResponse:
    """`/w/<slug>/requests/<upstream_id>/`: all that the mirror holds of it. `from` is the query of the list the reader came from."""
    sign = dsr_version.of_request(
        slug, upstream_id=upstream_id, viewer=signed_in(request)
    )  # first: the page is never older than it
    found, row = find(request, slug=slug, upstream_id=upstream_id)
    return render(request, "dsr/dsr.html", {**page_context(request, found, row=row), "sign": sign})


@require_safe
def version(request: HttpRequest, slug: str, upstream_id: int) -> HttpResponse:
    """`/w/<slug>/requests/<upstream_id>/version/`: 204 while `known` is still the sign of the request, else the new one; 404 when it is gone.
    Three queries with the session's."""
    sign = dsr_version.of_request(slug, upstream_id=upstream_id, viewer=signed_in(request))
    if sign is None:
        raise Http404
    if request.GET.get("known") == sign:
        return HttpResponse(status=204)
    return HttpResponse(sign, content_type="text/plain; charset=utf-8")


@require_POST
def texts(request: HttpRequest, slug: str, upstream_id: int) -> HttpResponse:
    """`/w/<slug>/requests/<upstream_id>/texts/`: message, description and the rest, read from Dastra now and kept nowhere."""
    found, row = find(request, slug=slug, upstream_id=upstream_id)
    if not found.membership.may_see_identity:
        raise PermissionDenied
    opened: OpenedRequest | None = None
    failure = ""
    try:
        opened = reading.open_request(row, workspace=found.workspace, by=found.user, now=found.now)
    except ReadingError as error:
        failure = error.sentence
    except GoneError:
        return _gone(request, found, row=row)
    shown: dict[str, Any] = {"opened": opened, "failure": failure, "texts_url": request.path, "is_read": True}
    row.refresh_from_db()
    shown["custom_form"] = None if "plain" in request.POST else _custom_form(found, row=row, opened=opened)
    if wants_fragment(request):
        page = {"upstream_id": row.upstream_id, "reference": row.reference, **_seen(row)}
        page_url = request.path.removesuffix("texts/")
        return render(request, "dsr/_texts.html", {**shown, "page": page, "visit": found, "page_url": page_url})
    return render(request, "dsr/dsr.html", {**page_context(request, found, row=row), **shown})


def _custom_form(found: Visit, *, row: DataSubjectRequest, opened: OpenedRequest | None) -> CustomForm | None:
    """The workspace's own text fields with what Dastra holds in them, where the person may change them."""
    if opened is None or not opened.custom_texts or row.archived:
        return None
    if not (found.membership.may_act and found.workspace.is_enabled):
        return None
    zone = ZoneInfo(found.workspace.time_zone)
    nothing = Vocabulary(steps={}, operators={}, areas={}, tags={})
    initial = {"seen": dict(opened.custom_texts)}
    return CustomForm(initial=initial, known=nothing, zone=zone, now=found.now, auto_id="custom-%s")


def _seen(row: DataSubjectRequest) -> dict[str, str]:
    """What each form of a wish carries, as `queries.detail` gives it to the whole page."""
    return {
        "action_id": str(uuid.uuid4()),
        "seen_step": str(row.step.upstream_id) if row.step else "",
        "seen_updated_at": row.updated_at.isoformat() if row.updated_at else "",
    }


def find(request: HttpRequest, *, slug: str, upstream_id: int) -> tuple[Visit, DataSubjectRequest]:
    """The visit and the request. Raises `Http404`."""
    found = visit(request, slug=slug)
    row = detail.find(found.workspace, upstream_id=upstream_id)
    if row is None:
        raise Http404
    return found, row


def page_context(request: HttpRequest, found: Visit, *, row: DataSubjectRequest) -> dict[str, Any]:
    """What the template of the page needs; the ledger's views put a form that was refused into it."""
    came_from = request.GET.get("from", "")
    filters = register_form.read(QueryDict(came_from if len(came_from) <= LONGEST_FROM else ""))
    search = searches.find(request, workspace=found.workspace, token=filters.search) if filters.search else None
    page = detail.page(
        row,
        workspace=found.workspace,
        viewer=found.membership,
        filters=filters,
        search=search,
        now=found.now,
        show=request.GET.get("events", ""),
        shows_all="earlier" in request.GET,
    )
    may_act = found.membership.may_act and found.workspace.is_enabled
    forms = _forms(found, row=row, page=page) if may_act and not row.archived else {}
    today = found.now.astimezone(ZoneInfo(found.workspace.time_zone)).date()
    return {
        "page": page,
        "visit": found,
        "may_act": may_act,
        "forms": forms,
        "clock_forms": offered(page.clock.deeds, today=today) if may_act else {},
        "clock_query": f"?{query}" if (query := request.GET.urlencode()) else "",
        "set_date_seen": forms["extend"]["seen"].as_hidden({"id": "set-date-seen"}) if forms else "",
        "may_read_texts": found.membership.may_see_identity,
        "has_draft": may_act and drafts.exists(row, by=found.user),
        "texts_url": reverse("dsr.texts", args=[found.workspace.slug, row.upstream_id]),
        "page_url": request.get_full_path()
        if request.method == "GET"
        else reverse("dsr.dsr", args=[found.workspace.slug, row.upstream_id]),
        "search_url": reverse("register.search", args=[found.workspace.slug]),
    }


def _forms(found: Visit, *, row: DataSubjectRequest, page: detail.DetailPage) -> dict[str, ChangeForm]:
    """The dialogs' forms by kind, with what the person has before them. Who may not see the title does not get it."""
    seen = outbox.seen_of(row, may_see_identity=found.membership.may_see_identity)
    zone = ZoneInfo(found.workspace.time_zone)

    def form(kind: WishKind) -> ChangeForm:
        initial = {"seen": {name: seen[name] for name in SEEN_BY[kind] if name in seen}}
        first = {name: seen[name] for name in ("operator", "tags", "complex")}
        return FORMS[kind](
            initial={**first, **initial}, known=page.known, zone=zone, now=found.now, auto_id=f"{kind}-%s"
        )

    return {str(kind): form(kind) for kind in FORMS}


def _gone(request: HttpRequest, found: Visit, *, row: DataSubjectRequest) -> HttpResponse:
    context = {"reference": row.reference, "list_url": reverse("register.register", args=[found.workspace.slug])}
    if wants_fragment(request):
        response = render(request, "dsr/_gone.html", context)
        return reswap(retarget(response, "#content"), "innerHTML")
    return render(request, "dsr/gone.html", context, status=GONE)
