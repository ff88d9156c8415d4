"""Settings of a workspace's alerts, for its admins: rules, what they would send today, a test message, the dry run, whose account a Dastra user has. To
everyone else the page does not exist."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from dsrportal.actions import alert_rules as actions
from dsrportal.actions.members import match_assignee
from dsrportal.actions.refusals import WorkspaceError
from dsrportal.alerts.recipients import recipients_of
from dsrportal.alerts.trying import Tried, try_rules
from dsrportal.forms.alert_rules import AlertRulesForm
from dsrportal.models import Membership, User
from dsrportal.models.alert_rules import AlertPolicy, alert_policy_of
from dsrportal.queries import alert_rules as queries
from dsrportal.views import access
from dsrportal.views.access import Visit

LONGEST_NUMBER = 18


@require_http_methods(["GET", "HEAD", "POST"])
def rules(request: HttpRequest, slug: str) -> HttpResponse:
    """`/settings/workspaces/<slug>/alerts/`: the deeds are `save`, `try` (what these rules would send today; nothing is kept), `test` (a message to
    oneself), `dry` and `live` (the dry run), `match` (whose account a Dastra user has)."""
    access.require_settings(request)
    found = access.visit(request, slug=slug)
    found.require_admin()
    deed = request.POST.get("deed", "")
    policy = alert_policy_of(found.workspace)
    form = _form(request, found, policy=policy, is_bound=deed in {"save", "try"})
    if deed == "try" and form.is_valid():
        return _page(request, found, form=form, policy=policy, tried=_tried(found, policy=policy, form=form))
    if deed == "save" and form.is_valid():
        actions.change_rules(found.workspace, policy=form.policy(), by=found.user, now=found.now)
        messages.success(request, _("Saved."))
    elif deed in {"dry", "live"}:
        _switch(request, found, is_dry=deed == "dry")
    elif deed == "test":
        _test(request, found)
    elif deed == "match":
        _match(request, found)
    else:
        return _page(request, found, form=form, policy=policy)
    return redirect("alert_rules.rules", slug=slug)


def _form(request: HttpRequest, found: Visit, *, policy: AlertPolicy, is_bound: bool) -> AlertRulesForm:
    members = Membership.objects.filter(workspace=found.workspace).values_list("user_id", flat=True)
    return AlertRulesForm(request.POST if is_bound else None, members=list(members), policy=policy)


def _tried(found: Visit, *, policy: AlertPolicy, form: AlertRulesForm) -> Tried:
    """With the days since which what is new would be in the rules, as if they were saved now."""
    wanted = form.policy()
    return try_rules(
        found.workspace,
        policy=actions.as_saved(found.workspace, before=policy, after=wanted, now=found.now),
        now=found.now,
    )


def _switch(request: HttpRequest, found: Visit, *, is_dry: bool) -> None:
    actions.set_dry(found.workspace, is_dry=is_dry, by=found.user, now=found.now)
    if is_dry:
        messages.success(request, _("The dry run has begun. Nobody is told anything."))
    else:
        messages.success(request, _("The dry run is over. What still holds is told with the next run."))


def _test(request: HttpRequest, found: Visit) -> None:
    try:
        actions.send_test(found.workspace, to=found.user, now=found.now)
    except WorkspaceError as error:
        messages.error(request, error.sentence)
    else:
        messages.success(request, _("The test message was handed to the mail server."))


def _match(request: HttpRequest, found: Visit) -> None:
    operator, person = (_number(request.POST.get(name, "")) for name in ("operator", "person"))
    user = User.objects.filter(pk=person).first() if person is not None else None
    if person is not None and user is None:
        messages.error(request, _("This account may not act in this workspace."))
        return
    try:
        match_assignee(found.workspace, operator_upstream_id=operator or 0, user=user, by=found.user, now=found.now)
    except WorkspaceError as error:
        messages.error(request, error.sentence)
    else:
        messages.success(request, _("Saved."))


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= LONGEST_NUMBER else None


def _page(
    request: HttpRequest, found: Visit, *, form: AlertRulesForm, policy: AlertPolicy, tried: Tried | None = None
) -> HttpResponse:
    context: dict[str, Any] = {
        "workspace": found.workspace,
        "form": form,
        "is_dry": policy.is_dry,
        "tried": tried,
        "email": found.user.email,
        "assignees": queries.assignees(found.workspace, accounts=recipients_of(found.workspace).accounts),
        "accounts": queries.accounts(found.workspace),
    }
    return render(request, "alert_rules/rules.html", context, status=422 if form.errors else 200)
