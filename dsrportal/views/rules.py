"""Settings of a workspace's clocks, for its admins: law, pauses, own target, holidays of its own. To everyone else the page does not exist."""

from __future__ import annotations

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from dsrportal import jobs
from dsrportal.actions import rules as actions
from dsrportal.actions.refusals import WorkspaceError
from dsrportal.forms.rules import HolidayForm, RulesForm
from dsrportal.models import AddedHoliday
from dsrportal.models.rules import policy_of
from dsrportal.models.workspaces import ClockProfile, PauseRule
from dsrportal.views import access
from dsrportal.views.access import Visit


@require_http_methods(["GET", "HEAD", "POST"])
def rules(request: HttpRequest, slug: str) -> HttpResponse:
    """`/settings/workspaces/<slug>/clocks/`: the deeds are `save` (the law), `add` and `remove` (a holiday)."""
    access.require_settings(request)
    found = access.visit(request, slug=slug)
    found.require_admin()
    deed = request.POST.get("deed", "")
    workspace = found.workspace
    initial = {name: getattr(workspace, name) for name in ("profile", "pause_policy", "target_days")}
    form = RulesForm(request.POST if deed == "save" else None, initial=initial)
    holiday = HolidayForm(request.POST if deed in {"add", "remove"} else None, auto_id="holiday-%s")
    moved: int | None = None
    if form.is_valid():
        chosen = form.cleaned_data
        moved = actions.change_rules(
            workspace,
            profile=ClockProfile(chosen["profile"]),
            pause_policy=PauseRule(chosen["pause_policy"]),
            target_days=chosen["target_days"],
            by=found.user,
            now=found.now,
        )
    elif holiday.is_valid():
        try:
            moved = _change_holiday(found, deed=deed, form=holiday)
        except WorkspaceError as error:
            holiday.add_error("on", error.sentence)
    if moved is not None:
        jobs.request_restating(workspace)
        said = ngettext("Saved. %(n)d date moved.", "Saved. %(n)d dates moved.", moved) % {"n": moved}
        messages.success(request, said if moved else _("Saved."))
        return redirect("rules.rules", slug=slug)
    return _page(request, found, form=form, holiday=holiday)


def _change_holiday(found: Visit, *, deed: str, form: Form) -> int:
    on = form.cleaned_data["on"]
    if deed == "remove":
        return actions.remove_holiday(found.workspace, on=on, by=found.user, now=found.now)
    return actions.add_holiday(found.workspace, on=on, name=form.cleaned_data["name"], by=found.user, now=found.now)


def _page(request: HttpRequest, found: Visit, *, form: RulesForm, holiday: HolidayForm) -> HttpResponse:
    context = {
        "workspace": found.workspace,
        "form": form,
        "holiday": holiday,
        "holidays": AddedHoliday.objects.filter(workspace=found.workspace),
        "has_calendar": policy_of(found.workspace) is not None,
    }
    return render(request, "workspaces/rules.html", context, status=422 if form.errors or holiday.errors else 200)
