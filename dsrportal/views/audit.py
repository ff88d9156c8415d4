"""The audit log of the workspaces that one administers or audits, as a page and as CSV. To everyone else it does not exist."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from dsrportal.forms import audit as form
from dsrportal.models import Workspace
from dsrportal.queries import audit as queries
from dsrportal.queries import spreadsheet
from dsrportal.views import access


@require_safe
def audit(request: HttpRequest) -> HttpResponse:
    """`/settings/audit/`"""
    workspaces = _workspaces(request)
    question = form.read(request.GET)
    page = queries.page(workspaces, question=question)
    context = {"page": page, "question": question, "workspaces": workspaces, "query": question.query()}
    return render(request, "audit/audit.html", context)


@require_safe
def export(request: HttpRequest) -> HttpResponseBase:
    """`/settings/audit.csv`: all that is asked for, streamed."""
    lines = spreadsheet.csv_lines(queries.table(_workspaces(request), question=form.read(request.GET)))
    day = timezone.localdate().isoformat()
    headers = {"Content-Disposition": f'attachment; filename="audit-{day}.csv"'}
    return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8", headers=headers)


def _workspaces(request: HttpRequest) -> list[Workspace]:
    found = [one.workspace for one in access.memberships_of(request) if one.may_audit]
    if not found:
        raise Http404
    return found
