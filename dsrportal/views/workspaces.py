"""Settings of the workspaces, for their admins: list, add, change, give a new key, disable, enable, end a hold.

To everyone else these pages do not exist. No answer ever holds a secret.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dsrportal import jobs
from dsrportal.actions import workspaces as actions
from dsrportal.actions.workspaces import ConnectionReport, WorkspaceError
from dsrportal.forms.workspaces import AddWorkspaceForm, EditWorkspaceForm, RotateSecretForm
from dsrportal.models import Lane, Workspace
from dsrportal.models.workspaces import Hold
from dsrportal.queries import workspaces as queries
from dsrportal.queries.sentences import in_words
from dsrportal.views import access
from dsrportal.views.access import Visit
from dsrportal.views.rendering import render_page


@require_safe
def workspaces(request: HttpRequest) -> HttpResponse:
    """`/settings/workspaces/`"""
    access.require_settings(request)
    now = timezone.now()
    context = {"lines": queries.lines(queries.administered(access.signed_in(request)), now=now)}
    return render(request, "workspaces/list.html", context)


@sensitive_post_parameters("secret")
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: HttpRequest) -> HttpResponse:
    """`/settings/add-workspace/`: the deed "test" stores nothing and tells what the key can do."""
    access.require_settings(request)
    form = AddWorkspaceForm(request.POST or None)
    report = None
    if form.is_valid():
        by, now = access.signed_in(request), timezone.now()
        with _RefusalBesideField(form):
            if not _is_test(request):
                workspace = actions.add_workspace(**form.cleaned_data, by=by, now=now).workspace
                jobs.request_run(workspace_id=workspace.pk, lane=Lane.FULL, by=by, now=now)
                added = _("%(workspace)s was added. Its requests are being read for the first time.")
                return _back(request, sentence=added, workspace=workspace)
            report = actions.test_connection(**form.connection())
    return _page(request, "add", form=form, report=report)


@sensitive_post_parameters("secret")
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, slug: str) -> HttpResponse:
    """`/settings/workspaces/<slug>/`: a changed connection is tested before it is kept."""
    found = _administered(request, slug=slug)
    form = EditWorkspaceForm(request.POST or None, initial=EditWorkspaceForm.initial_of(found.workspace))
    if form.is_valid():
        with _RefusalBesideField(form):
            report = actions.change(found.workspace, **form.cleaned_data, by=found.user, now=found.now)
            if report is not None and found.workspace.is_enabled:
                jobs.request_run(workspace_id=found.workspace.pk, lane=Lane.FULL, by=found.user, now=found.now)
            jobs.request_restating(found.workspace)
            saved = _("The settings of %(workspace)s are saved.")
            return _back(request, sentence=saved, workspace=found.workspace)
        found.workspace.refresh_from_db()
    return _page(request, "edit", form=form, workspace=found.workspace)


@sensitive_post_parameters("secret")
@require_http_methods(["GET", "HEAD", "POST"])
def rotate(request: HttpRequest, slug: str) -> HttpResponse:
    """`/settings/workspaces/<slug>/key/`: a new key, tested before it replaces the old one."""
    found = _administered(request, slug=slug)
    workspace = found.workspace
    form = RotateSecretForm(request.POST or None, workspace=workspace)
    report = None
    if form.is_valid():
        with _RefusalBesideField(form):
            if not _is_test(request):
                actions.rotate_secret(workspace, **form.cleaned_data, by=found.user, now=found.now)
                if workspace.is_enabled:
                    jobs.request_run(workspace_id=workspace.pk, lane=Lane.ACTIVE, by=found.user, now=found.now)
                return _back(request, sentence=_("%(workspace)s uses the new key now."), workspace=workspace)
            report = actions.test_connection(**_connection(workspace), **form.cleaned_data)
    return _page(request, "rotate", form=form, workspace=workspace, report=report)


@require_http_methods(["GET", "HEAD", "POST"])
def disable(request: HttpRequest, slug: str) -> HttpResponse:
    """`/settings/workspaces/<slug>/disable/`: says the consequence, then does it."""
    found = _administered(request, slug=slug)
    if request.method != "POST":
        return _page(request, "disable", workspace=found.workspace)
    actions.disable(found.workspace, by=found.user, now=found.now)
    return _back(request, sentence=_("%(workspace)s is disabled."), workspace=found.workspace)


@require_POST
def enable(request: HttpRequest, slug: str) -> HttpResponse:
    """`/settings/workspaces/<slug>/enable/`: reads and acts again, beginning with a full pull."""
    found = _administered(request, slug=slug)
    actions.enable(found.workspace, by=found.user, now=found.now)
    jobs.request_run(workspace_id=found.workspace.pk, lane=Lane.FULL, by=found.user, now=found.now)
    return _back(request, sentence=_("%(workspace)s is enabled and is being read."), workspace=found.workspace)


@require_http_methods(["GET", "HEAD", "POST"])
def end_hold(request: HttpRequest, slug: str) -> HttpResponse:
    """`/settings/workspaces/<slug>/hold/`: what is held and what accepting it means, then has a job do it."""
    found = _administered(request, slug=slug)
    if found.workspace.hold != Hold.MISSING:
        return _back(request, sentence=_("%(workspace)s is not on hold."), workspace=found.workspace)
    if request.method != "POST":
        return _page(request, "end_hold", workspace=found.workspace)
    jobs.request_hold_end(workspace_id=found.workspace.pk, by=found.user)
    asked = _("The missing requests of %(workspace)s are being looked for one last time. This can take some minutes.")
    return _back(request, sentence=asked, workspace=found.workspace)


def _administered(request: HttpRequest, *, slug: str) -> Visit:
    """The visit of a workspace by its admin.

    Raises `Http404` for strangers and for who administers nothing, `PermissionDenied` for the workspace's other people.
    """
    access.require_settings(request)
    found = access.visit(request, slug=slug)
    found.require_admin()
    return found


def _is_test(request: HttpRequest) -> bool:
    return request.POST.get("deed") == "test"


def _connection(workspace: Workspace) -> dict[str, Any]:
    """The workspace's stored connection without its keys."""
    return {name: getattr(workspace, name) for name in ("base_url", "upstream_id", "auth_mode", "token_url")}


class _RefusalBesideField:
    """Turns an action's refusal into the error of the form's field that it is about; what follows the block then shows the form."""

    def __init__(self, form: Form) -> None:
        self.form = form

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if not isinstance(error, WorkspaceError):
            return False
        self.form.add_error(error.field if error.field in self.form.fields else None, error.sentence)
        return True


def _back(request: HttpRequest, *, sentence: str, workspace: Workspace) -> HttpResponse:
    messages.success(request, sentence % {"workspace": workspace.name})
    return redirect("workspaces.workspaces")


def _page(
    request: HttpRequest,
    name: str,
    *,
    form: Form | None = None,
    workspace: Workspace | None = None,
    report: ConnectionReport | None = None,
) -> HttpResponse:
    """The page of that name, or the connection's report alone where htmx asked: the form in the browser then keeps its key."""
    context: dict[str, Any] = {"form": form, "report": report, "workspace": workspace}
    if workspace is not None:
        context["hold_sentence"] = in_words(workspace.hold_sentence)
    status = 422 if form is not None and form.errors else 200
    page = f"workspaces/{name}.html"
    return render_page(request, page=page, fragment="workspaces/_report.html", context=context, status=status)
