"""What the background jobs do, for admins, and "run now". Judges the cluster from the web process; runs nothing by itself."""

from __future__ import annotations

from dataclasses import replace

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from dsrportal import jobs as background
from dsrportal.actions.workspaces import read_budget
from dsrportal.models import Lane, Workspace
from dsrportal.queries import budgets
from dsrportal.queries import jobs as queries
from dsrportal.queries.workspaces import administered
from dsrportal.views import access
from dsrportal.views.rendering import render_page, wants_fragment


@require_safe
def jobs(request: HttpRequest) -> HttpResponse:
    """`/settings/jobs/`; asked again with `seen`, the mark of what the browser shows, it answers 204 while that is still true."""
    access.require_settings(request)
    page = _jobs_page(request)
    if wants_fragment(request) and request.GET.get("seen") == page.version:
        return HttpResponse(status=204)
    return _rendered(request, page)


@require_POST
def run_now(request: HttpRequest, slug: str, lane: str) -> HttpResponse:
    """`/settings/jobs/<slug>/<lane>/run/`: asks for one pull; asked again before it ran, nothing happens."""
    access.require_settings(request)
    found = access.visit(request, slug=slug)
    found.require_admin()
    if lane not in Lane.values:
        raise Http404
    wanted = Lane(lane)
    words = {"job": wanted.label, "workspace": found.workspace.name}
    if not found.workspace.is_enabled:
        messages.warning(request, _("%(workspace)s is disabled. Enable it to read it again.") % words)
    elif background.request_run(workspace_id=found.workspace.pk, lane=wanted, by=found.user, now=found.now):
        messages.success(request, _("“%(job)s” of %(workspace)s will run in a moment.") % words)
    else:
        messages.info(request, _("“%(job)s” of %(workspace)s is running or waiting to run already.") % words)
    if not wants_fragment(request):
        return redirect("jobs.jobs")
    return _rendered(request, _jobs_page(request))


@require_POST
def run_again(request: HttpRequest) -> HttpResponse:
    """`/settings/jobs/again/`: starts a parked job once more. `job` and `subject` are those of the page; what is not parked (any more) is let be."""
    access.require_settings(request)
    wanted = (request.POST.get("job", ""), request.POST.get("subject", ""))
    now = timezone.now()
    for found, workspace in _parked(request, administered(access.signed_in(request))):
        if (found.job.name, found.subject) == wanted:
            background.request_again(found, by=access.signed_in(request), workspace=workspace, now=now)
            messages.success(request, _("“%(job)s” will run in a moment.") % {"job": found.job.label})
            break
    else:
        messages.info(request, _("That job waits for nobody any more."))
    if not wants_fragment(request):
        return redirect("jobs.jobs")
    return _rendered(request, _jobs_page(request))


@require_safe
def set_aside(request: HttpRequest, slug: str) -> HttpResponse:
    """`/settings/jobs/<slug>/set-aside/`: rows of Dastra's answers that could not be understood, and odd fields of those that could."""
    access.require_settings(request)
    found = access.visit(request, slug=slug)
    found.require_admin()
    context = {
        "workspace": found.workspace,
        "rows": queries.set_aside_rows(found.workspace),
        "drift_notes": queries.drift_notes(found.workspace),
    }
    return render(request, "jobs/set_aside.html", context)


def _jobs_page(request: HttpRequest) -> queries.JobsPage:
    workspaces = list(administered(access.signed_in(request)))
    now = timezone.now()
    parked = tuple(
        queries.parked_job(found.job, subject=found.subject, workspace=workspace, since=found.since, now=now)
        for found, workspace in _parked(request, workspaces)
    )
    gauges = tuple(_gauge(workspace) for workspace in workspaces if workspace.is_enabled)
    return replace(queries.jobs_page(workspaces, now=now), gauges=gauges, parked=parked)


def _parked(request: HttpRequest, workspaces: list[Workspace]) -> list[tuple[background.Parked, Workspace | None]]:
    """The parked jobs that are the person's business: those of the portal, and those of the workspaces they administer."""
    is_operator = access.signed_in(request).is_superuser
    found = [(one, queries.workspace_of(one.job, subject=one.subject)) for one in background.parked(now=timezone.now())]
    return [(one, place) for one, place in found if place is None or place in workspaces or is_operator]


def _gauge(workspace: Workspace) -> budgets.Gauge:
    found = read_budget(workspace)
    if found is None:
        return budgets.unknown_gauge(workspace.name)
    return budgets.gauge(
        name=workspace.name,
        used=found.used,
        limit=found.limit,
        pause_seconds=found.pause_seconds,
        circuit=found.circuit,
        next_try_seconds=found.next_try_seconds,
    )


def _rendered(request: HttpRequest, page: queries.JobsPage) -> HttpResponse:
    return render_page(request, page="jobs/jobs.html", fragment="jobs/_jobs.html", context={"jobs": page})
