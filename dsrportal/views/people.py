"""The people of the workspaces that one administers: roles, and invitations by mail. To everyone else the page does not exist."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from dsrportal import jobs
from dsrportal.actions import invitations, members
from dsrportal.actions.refusals import WorkspaceError
from dsrportal.forms.people import InvitationForm
from dsrportal.models import Invitation, Membership, Role
from dsrportal.queries import people as queries
from dsrportal.queries.workspaces import administered
from dsrportal.views import access
from dsrportal.views.access import Visit


@require_http_methods(["GET", "HEAD", "POST"])
def people(request: HttpRequest) -> HttpResponse:
    """`/settings/people/`: who has which role; a post invites somebody."""
    access.require_settings(request)
    by, now = access.signed_in(request), timezone.now()
    workspaces = administered(by)
    form = InvitationForm(request.POST or None, workspaces=workspaces)
    if form.is_valid():
        try:
            invitation = invitations.invite(**form.cleaned_data, by=by, now=now)
        except WorkspaceError as error:
            form.add_error(error.field if error.field in form.fields else None, error.sentence)
        else:
            jobs.request_invitation(invitation.pk)
            messages.success(request, _("The invitation to %(email)s is on its way.") % {"email": invitation.email})
            return redirect("people.people")
    context = {"form": form, "places": queries.people_of(workspaces, now=now), "roles": Role.choices, "me": by}
    return render(request, "people/people.html", context, status=422 if form.errors else 200)


@require_POST
def member(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """`/settings/people/<slug>/<pk>/`: another role, or none any more (`deed=remove`)."""
    found = _administered(request, slug=slug)
    row = Membership.objects.filter(workspace=found.workspace, pk=min(pk, 2**63 - 1)).select_related("user").first()
    if row is None:
        raise Http404
    names = {"name": row.user.display_name(), "workspace": found.workspace.name}
    try:
        if request.POST.get("deed") == "remove":
            members.remove_member(row, by=found.user, now=found.now)
            messages.success(request, _("%(name)s no longer has a role in %(workspace)s.") % names)
        else:
            role = request.POST.get("role", "")
            if members.set_role(found.workspace, user=row.user, role=role, by=found.user, now=found.now):
                names["role"] = str(Role(role).label)
                messages.success(request, _("%(name)s is now %(role)s in %(workspace)s.") % names)
    except WorkspaceError as error:
        messages.error(request, error.sentence)
    return _back(request)


@require_POST
def invitation(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """`/settings/people/<slug>/invitations/<pk>/`: a new link (`deed=send`), or none any more (`deed=revoke`)."""
    found = _administered(request, slug=slug)
    row = Invitation.objects.filter(workspace=found.workspace, pk=min(pk, 2**63 - 1)).first()
    if row is None:
        raise Http404
    if request.POST.get("deed") == "revoke":
        is_done = invitations.revoke(row, by=found.user, now=found.now)
        said = _("The invitation is revoked: its link no longer works.")
    else:
        is_done = invitations.renew(row, by=found.user, now=found.now)
        said = _("A new link is on its way; the one before no longer works.")
        if is_done:
            jobs.request_invitation(row.pk)
    if is_done:
        messages.success(request, said)
    else:
        messages.error(request, _("This invitation is over already."))
    return _back(request)


def _administered(request: HttpRequest, *, slug: str) -> Visit:
    access.require_settings(request)
    found = access.visit(request, slug=slug)
    found.require_admin()
    return found


def _back(request: HttpRequest) -> HttpResponse:
    """To the list; who took the own last role there is sent home."""
    # The roles were read before the deed.
    still = Membership.objects.filter(user=access.signed_in(request), role=Role.ADMIN).exists()
    return redirect("people.people" if still or access.signed_in(request).is_superuser else "home.home")
