"""The register as a file: what is filtered, in its order, with its columns. A POST, since it is written down."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from dsrportal.actions import exporting
from dsrportal.forms import display as display_form
from dsrportal.queries import freshness, register_export, spreadsheet, workbook
from dsrportal.queries.register_chips import address
from dsrportal.queries.register_export import Export
from dsrportal.views import searches
from dsrportal.views.access import Visit, visit

CSV, XLSX = "csv", "xlsx"
TYPES = {
    CSV: "text/csv; charset=utf-8",
    XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
CONFLICT = 409
WATCHED = "X-Export"
"""Sent by the script that shows how far it is: it says a refusal itself."""


@require_POST
def export(request: HttpRequest, slug: str) -> HttpResponseBase:
    """`/w/<slug>/requests/export/`: `question` is the list's query string, `format` csv or xlsx; `identity` adds names and e-mail addresses,
    for who may see them. The header `X-Count` says how many requests there are."""
    found = visit(request, slug=slug)
    with_identity = request.POST.get("identity") == "true"
    if with_identity and not found.membership.may_see_identity:
        raise PermissionDenied
    file_format = request.POST.get("format", CSV)
    file_format = file_format if file_format in TYPES else CSV
    made = _made(request, found, with_identity=with_identity)
    if file_format == XLSX and made.count > workbook.MOST_ROWS:
        most = number_format(workbook.MOST_ROWS, force_grouping=True)
        return _refuse(request, slug, _("A sheet holds %(most)s rows. Take CSV, or filter the list.") % {"most": most})
    if not exporting.begin(found.membership):
        return _refuse(request, slug, _("Another export of yours is not ready yet. Wait for it, then try again."))
    exporting.note(
        found.membership, file_format=file_format, count=made.count, with_identity=with_identity, now=found.now
    )
    return _file(found, made=made, file_format=file_format)


def _made(request: HttpRequest, found: Visit, *, with_identity: bool) -> Export:
    filters = display_form.read_question(request.POST)
    search = searches.find(request, workspace=found.workspace, token=filters.search) if filters.search else None
    return register_export.of_question(
        found.membership,
        filters=filters,
        search=search,
        with_identity=with_identity,
        freshness=freshness.of_workspace(found.workspace, lanes=found.lanes, now=found.now),
        now=found.now,
    )


def _file(found: Visit, *, made: Export, file_format: str) -> StreamingHttpResponse:
    def over() -> None:
        exporting.end(found.membership)

    parts: Iterator[str] | Iterator[bytes]
    if file_format == XLSX:
        parts = workbook.chunks(made.heads, made.rows, folder=Path(settings.DATA_DIR) / "exports")
    else:
        parts = spreadsheet.csv_lines(_with_heads(made))
    name = f"requests-{found.workspace.slug}-{found.now:%Y-%m-%d}.{file_format}"
    head = {"Content-Disposition": f'attachment; filename="{name}"', "X-Count": str(made.count)}
    return StreamingHttpResponse(_Ending(parts, over=over), content_type=TYPES[file_format], headers=head)


def _with_heads(made: Export) -> Iterator[list[spreadsheet.Cell]]:
    yield list(made.heads)
    yield from made.rows


def _refuse(request: HttpRequest, slug: str, sentence: str) -> HttpResponse:
    if WATCHED in request.headers:
        return HttpResponse(sentence, status=CONFLICT, content_type="text/plain; charset=utf-8")
    messages.warning(request, sentence)
    return redirect(
        address(reverse("register.register", args=[slug]), filters=display_form.read_question(request.POST))
    )


class _Ending:
    """Parts of an answer, and what is to be done when they are over, whether or not anybody took them."""

    def __init__(self, parts: Iterator[str] | Iterator[bytes], *, over: Callable[[], None]) -> None:
        self.parts, self.over = parts, over

    def __iter__(self) -> Iterator[str | bytes]:
        yield from self.parts

    def close(self) -> None:
        """Called by the server at the end of the answer, also when the reader has gone."""
        getattr(self.parts, "close", lambda: None)()
        self.over()
