"""Who may see and do what, decided here for page and fragment alike. A stranger of a workspace gets the same 404 as for one that does not exist."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone

from dsrportal.models import Membership, SyncLane, User, Workspace

WORKSPACE_COOKIE = "workspace"
"""Holds the short name of the workspace where the person was last; `LastWorkspaceMiddleware` keeps it."""


@dataclass(slots=True)
class Visit:
    """One signed-in person's visit of one workspace: what every view of a workspace starts with."""

    user: User
    membership: Membership
    workspace: Workspace
    now: datetime
    lanes: list[SyncLane] = field(default_factory=list)

    def require_acting(self) -> None:
        """Raise `PermissionDenied` unless the person's role may write."""
        if not (self.membership.may_act and self.workspace.is_enabled):
            raise PermissionDenied

    def require_admin(self) -> None:
        """Raise `PermissionDenied` unless the person administers the workspace."""
        if not self.membership.may_administer:
            raise PermissionDenied


def signed_in(request: HttpRequest) -> User:
    """The person behind the request; `LoginRequiredMiddleware` has seen to it that there is one."""
    return cast("User", request.user)


def memberships_of(request: HttpRequest) -> list[Membership]:
    """The person's roles with their workspaces, by name; one query, kept for the rest of the request."""
    kept: list[Membership] | None = getattr(request, "dsr_memberships", None)
    if kept is None:
        kept = list(
            Membership.objects.filter(user=signed_in(request)).select_related("workspace").order_by("workspace__name")
        )
        request.dsr_memberships = kept  # type: ignore[attr-defined]
    return kept


def managed_workspaces(request: HttpRequest) -> list[Workspace]:
    """The workspaces whose overview is the person's business, by name."""
    return [membership.workspace for membership in memberships_of(request) if membership.may_manage]


def administers(request: HttpRequest) -> bool:
    """Whether the settings are the person's business: an admin of some workspace, or the portal's operator, who adds the first one."""
    return signed_in(request).is_superuser or any(membership.may_administer for membership in memberships_of(request))


def require_settings(request: HttpRequest) -> None:
    """Raise `Http404` unless the settings are the person's business."""
    if not administers(request):
        raise Http404


def visit(request: HttpRequest, *, slug: str) -> Visit:
    """Find the workspace among the person's own, with its lanes. Raises `Http404` for a stranger."""
    for membership in memberships_of(request):
        if membership.workspace.slug == slug:
            lanes = list(SyncLane.objects.filter(workspace=membership.workspace))
            found = Visit(
                user=signed_in(request),
                membership=membership,
                workspace=membership.workspace,
                now=timezone.now(),
                lanes=lanes,
            )
            request.dsr_visit = found  # type: ignore[attr-defined]
            return found
    raise Http404


def last_visited(request: HttpRequest) -> Workspace | None:
    """The workspace that the person was in last, while it is theirs; else the first that is enabled, else the first."""
    workspaces = [membership.workspace for membership in memberships_of(request)]
    slug = request.COOKIES.get(WORKSPACE_COOKIE)
    for is_wanted in (lambda found: found.slug == slug, lambda found: found.is_enabled, lambda _found: True):
        for workspace in workspaces:
            if is_wanted(workspace):
                return workspace
    return None


class LastWorkspaceMiddleware:
    """Keeps the workspace of the visit in a cookie, for the pages that belong to none. A cookie, since a session costs queries."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        found: Visit | None = getattr(request, "dsr_visit", None)
        if found is not None and request.COOKIES.get(WORKSPACE_COOKIE) != found.workspace.slug:
            response.set_cookie(
                WORKSPACE_COOKIE, found.workspace.slug, secure=settings.IS_SECURE, httponly=True, samesite="Lax"
            )
        return response
