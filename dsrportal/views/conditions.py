"""Conditions of the register in groups, put together in a form that works by itself: each button sends it, and it comes back as it then is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_safe

from dsrportal.forms import conditions as conditions_form
from dsrportal.forms import display as display_form
from dsrportal.forms.conditions import ConditionsForm, Line
from dsrportal.queries import register_where, vocabulary
from dsrportal.queries.register_chips import address
from dsrportal.queries.register_where import FIELDS, LONGEST
from dsrportal.queries.register_where_words import OPERATION_NAMES, choices_of, fields_of
from dsrportal.queries.vocabulary import Vocabulary
from dsrportal.views.access import visit
from dsrportal.views.rendering import render_page


@dataclass(frozen=True, kw_only=True, slots=True)
class LineView:
    """One line in words: `place` is the end of its fields' names, `input` the kind of its value's field: select, date, number, or empty;
    `focus`: field, value, or empty."""

    place: str
    line: Line
    operations: list[tuple[str, str]]
    input: str
    choices: list[tuple[str, str]]
    focus: str


@require_safe
def conditions(request: HttpRequest, slug: str) -> HttpResponse:
    """`/w/<slug>/requests/conditions/`: `question` is the list that the conditions narrow; leads back to it when they are complete."""
    found = visit(request, slug=slug)
    filters = display_form.read_question(request.GET)
    known = vocabulary.of_workspace(found.workspace)
    filters, _left_out = known.keep_known(filters)
    if "join" in request.GET:
        form = conditions_form.read(request.GET.dict())
        if request.GET.get("do") == "apply":
            form.check()
            where = form.where()
            if not form.has_errors and len(where.text()) > LONGEST:
                return HttpResponseBadRequest()
            if not form.has_errors:
                url = reverse("register.register", args=[slug])
                return redirect(address(url, filters=replace(filters, where=where)))
    else:
        form = conditions_form.of_where(filters.where)
    context = {"visit": found, **_context(form, known=known), "question": filters.query_string(), "slug": slug}
    context["list_url"] = address(reverse("register.register", args=[slug]), filters=filters)
    return render_page(request, page="register/conditions.html", fragment="register/_conditions.html", context=context)


def _context(form: ConditionsForm, *, known: Vocabulary) -> dict[str, Any]:
    blocks = [
        (
            number,
            block,
            [_line(line, place=f"{number}-{at}", focus=form.focus, known=known) for at, line in enumerate(block.lines)],
        )
        for number, block in enumerate(form.blocks)
    ]
    return {"form": form, "blocks": blocks, "fields": fields_of(known)}


def _line(line: Line, *, place: str, focus: str, known: Vocabulary) -> LineView:
    condition = line.condition
    kind = FIELDS[condition.field].kind
    value_kind = "select" if kind == "choice" else "number"
    if condition.operation in {register_where.FROM, register_where.UNTIL}:
        value_kind = "date"
    choices = choices_of(condition.field, known=known) if kind == "choice" else []
    if condition.value and condition.value not in dict(choices) and choices:
        choices = [*choices, (condition.value, condition.value)]
    return LineView(
        place=place,
        line=line,
        operations=[(one, str(OPERATION_NAMES[one])) for one in register_where.operations_of(condition.field)],
        input="" if condition.operation in register_where.WITHOUT_VALUE else value_kind,
        choices=choices,
        focus=next((part for part in ("field", "value") if focus == f"{part}-{place}"), ""),
    )
