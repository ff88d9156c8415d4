"""The overview for managers, of one workspace and of all that a person manages, and its tables as CSV."""

from __future__ import annotations

from collections.abc import Iterator

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from dsrportal.models import SyncLane
from dsrportal.queries import freshness, spreadsheet
from dsrportal.queries import overview as overview_query
from dsrportal.queries.overview import Overview
from dsrportal.queries.overview_cells import Table
from dsrportal.queries.spreadsheet import Cell
from dsrportal.views.access import Visit, managed_workspaces, visit


@require_safe
def overview(request: HttpRequest, slug: str) -> HttpResponse:
    """`/w/<slug>/overview/`, for who manages the workspace."""
    found = _managed(request, slug=slug)
    page, age = _of_workspace(found)
    context = {"page": page, "visit": found, "freshness": age, "has_others": len(managed_workspaces(request)) > 1}
    return render(request, "overview/overview.html", context)


@require_safe
def export(request: HttpRequest, slug: str, table: str) -> StreamingHttpResponse:
    """`/w/<slug>/overview/<table>.csv`: what the page shows, as it shows it."""
    found = _managed(request, slug=slug)
    page, _age = _of_workspace(found)
    return _csv(page, key=table, name=f"overview-{slug}-{table}")


@require_safe
def everywhere(request: HttpRequest) -> HttpResponse:
    """`/overview/`: the workspaces that the person manages, added up."""
    return render(request, "overview/everywhere.html", {"page": _of_workspaces(request)})


@require_safe
def export_everywhere(request: HttpRequest, table: str) -> StreamingHttpResponse:
    """`/overview/<table>.csv`"""
    return _csv(_of_workspaces(request), key=table, name=f"overview-{table}")


def _managed(request: HttpRequest, *, slug: str) -> Visit:
    found = visit(request, slug=slug)
    if not found.membership.may_manage:
        raise PermissionDenied
    return found


def _of_workspace(found: Visit) -> tuple[Overview, freshness.Freshness]:
    age = freshness.of_workspace(found.workspace, lanes=found.lanes, now=found.now)
    url = reverse("register.register", args=[found.workspace.slug])
    return overview_query.of_workspace(found.workspace, url=url, age=age, now=found.now), age


def _of_workspaces(request: HttpRequest) -> Overview:
    workspaces = managed_workspaces(request)
    if not workspaces:
        raise PermissionDenied
    urls = {
        workspace.pk: (
            reverse("overview.overview", args=[workspace.slug]),
            reverse("register.register", args=[workspace.slug]),
        )
        for workspace in workspaces
    }
    lanes = SyncLane.objects.filter(workspace__in=workspaces)
    return overview_query.of_workspaces(workspaces, urls=urls, lanes=lanes, now=timezone.now())


def _csv(page: Overview, *, key: str, name: str) -> StreamingHttpResponse:
    table = page.table(key)
    if table is None:
        raise Http404
    now = localtime(timezone.now())
    head = {"Content-Disposition": f'attachment; filename="{name}-{now:%Y-%m-%d}.csv"'}
    lines = spreadsheet.csv_lines(_rows(table, note=page.note, at=date_format(now, "Y-m-d H:i")))
    return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8", headers=head)


def _rows(table: Table, *, note: str, at: str) -> Iterator[list[Cell]]:
    """The table row by row; at the end of each, of when it is and what is to be thought of it."""
    yield [*(column.text for column in table.columns), _("As of"), _("Note")]
    for row in table.rows:
        yield [*(cell.text for cell in row), at, note]
