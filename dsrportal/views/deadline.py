"""The deadline calculator: a question in the address, the legal dates as the answer. Needs no data, so that every signed-in person may ask."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from dsrportal.forms.deadline import DEFAULTS, DeadlineForm
from dsrportal.queries import calculator
from dsrportal.views.access import last_visited
from dsrportal.views.rendering import render_page


@require_safe
def deadline(request: HttpRequest) -> HttpResponse:
    """`/deadline/`: the form and its answer; the answer alone where htmx asks. Without a question, a receipt of today in the person's workspace."""
    now = timezone.now()
    form = DeadlineForm(request.GET if "received" in request.GET else _first_question(request), now=now)
    answer = calculator.answer(form.question()) if form.is_valid() else None
    context = {"form": form, "answer": answer, "url": reverse("deadline.deadline")}
    return render_page(request, page="deadline/deadline.html", fragment="deadline/_answer.html", context=context)


def _first_question(request: HttpRequest) -> QueryDict:
    """A receipt of today, by the law and the calendar of the workspace that the person was in last."""
    question = QueryDict(mutable=True)
    question.update(DEFAULTS)
    workspace = last_visited(request)
    if workspace is not None:
        names = ("country", "region", "time_zone", "pause_policy", "profile")
        question.update({name: str(getattr(workspace, name)) for name in names})
    question["received"] = timezone.localdate().isoformat()
    return question
