"""The answer to a change that was made within a row of the register: that row as it is now. Called by `views.wishes`."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from dsrportal.forms import display as display_form
from dsrportal.queries import register
from dsrportal.views.access import Visit


def answer(request: HttpRequest, found: Visit, *, upstream_id: int | None, said: str, status: int) -> HttpResponse:
    """The row with what was said about the change, in the list that the field `question` tells of; no row for a request that is gone."""
    filters = display_form.read_question(request.POST)
    shown = register.one_row(found.membership, upstream_id=upstream_id or 0, filters=filters, now=found.now)
    if said and shown is None:
        messages.info(request, said)
    row, columns = shown or (None, ())
    may_act = found.membership.may_act and found.workspace.is_enabled
    context = {"row": row, "columns": columns, "may_act": may_act, "said": said}
    return render(request, "register/_row_answer.html", context, status=status)
