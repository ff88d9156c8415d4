"""The doors that a link opens: an invitation, the first account of a new portal, and a new password. What is wrong with a link is never told apart."""

from __future__ import annotations

from django.conf import settings
from django.contrib import auth, messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from dsrportal import jobs
from dsrportal.actions import first_account, invitations, passwords, sign_in
from dsrportal.actions.refusals import WorkspaceError
from dsrportal.forms.people import ChangePasswordForm, FirstAccountForm, ForgottenForm, NewAccountForm, NewPasswordForm
from dsrportal.models import User
from dsrportal.views.access import signed_in
from dsrportal.views.accounts import network_address


@login_not_required
@sensitive_post_parameters("password", "again")
@csrf_protect
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """`/accounts/invitation/<token>/`: a new account, or the role for the account that is signed in."""
    now = timezone.now()
    found = invitations.find(token, now=now)
    if found is None:
        return render(request, "joining/link_over.html", status=404)
    if isinstance(request.user, User):
        if request.method == "POST" and invitations.accept(found, user=request.user, now=now):
            messages.success(request, _("You work in %(workspace)s now.") % {"workspace": found.workspace.name})
            return redirect("board.board", slug=found.workspace.slug)
        return render(request, "joining/invitation.html", {"invitation": found, "form": None})
    form = NewAccountForm(request.POST or None)
    if form.is_valid():
        given = {name: form.cleaned_data[name] for name in ("username", "full_name", "password")}
        try:
            user = invitations.accept_with_account(found, **given, now=now)
        except WorkspaceError as error:
            _put(form, error)
        else:
            if user is None:
                return render(request, "joining/link_over.html", status=404)
            _sign_in(request, user)
            return redirect("board.board", slug=found.workspace.slug)
    context = {"invitation": found, "form": form}
    return render(request, "joining/invitation.html", context, status=422 if form.errors else 200)


@login_not_required
@sensitive_post_parameters("password", "again")
@csrf_protect
@require_http_methods(["GET", "HEAD", "POST"])
def setup(request: HttpRequest, token: str) -> HttpResponse:
    """`/setup/<token>/`: the first account of a portal that has none; then its first workspace."""
    now = timezone.now()
    if not first_account.opens(token):
        return render(request, "joining/link_over.html", status=404)
    form = FirstAccountForm(request.POST or None)
    if form.is_valid():
        given = {name: form.cleaned_data[name] for name in ("username", "full_name", "email", "password")}
        try:
            user = first_account.make(**given, now=now)
        except WorkspaceError as error:
            _put(form, error)
        else:
            if user is None:
                return render(request, "joining/link_over.html", status=404)
            _sign_in(request, user)
            messages.success(request, _("Your account is ready. Now connect the first workspace."))
            return redirect("workspaces.add")
    return render(request, "joining/setup.html", {"form": form}, status=422 if form.errors else 200)


@login_not_required
@csrf_protect
@require_http_methods(["GET", "HEAD", "POST"])
def forgotten(request: HttpRequest) -> HttpResponse:
    """`/accounts/forgotten/`: a link by mail, if the account is known; the answer is the same if it is not."""
    form = ForgottenForm(request.POST or None)
    if not form.is_valid():
        return render(request, "joining/forgotten.html", {"form": form}, status=422 if form.errors else 200)
    if not passwords.may_ask(address=network_address(request), now=timezone.now()):
        form.add_error(None, _("There were too many tries. Try again in an hour."))
        return render(request, "joining/forgotten.html", {"form": form}, status=429)
    for user_id in passwords.accounts_of(form.cleaned_data["asked"]):
        jobs.request_reset(user_id, now=timezone.now())
    return render(request, "joining/forgotten.html", {"form": None})


@login_not_required
@sensitive_post_parameters("password", "again")
@csrf_protect
@require_http_methods(["GET", "HEAD", "POST"])
def reset(request: HttpRequest, uidb64: str, token: str) -> HttpResponse:
    """`/accounts/reset/<uidb64>/<token>/`: a new password by the link of a mail; every other session of the account ends."""
    user = passwords.behind(uidb64=uidb64, token=token)
    if user is None:
        return render(request, "joining/link_over.html", status=404)
    form = NewPasswordForm(request.POST or None)
    if form.is_valid():
        try:
            passwords.change(user, password=form.cleaned_data["password"], now=timezone.now())
        except WorkspaceError as error:
            _put(form, error)
        else:
            messages.success(request, _("Your new password is kept. Sign in with it."))
            auth.logout(request)
            return redirect(settings.LOGIN_URL)
    return render(request, "joining/reset.html", {"form": form, "person": user}, status=422 if form.errors else 200)


@sensitive_post_parameters("present", "password", "again")
@require_http_methods(["GET", "HEAD", "POST"])
def password(request: HttpRequest) -> HttpResponse:
    """`/accounts/password/`: another password; the account's other sessions end."""
    user = signed_in(request)
    form = ChangePasswordForm(request.POST or None)
    if form.is_valid():
        if not user.check_password(form.cleaned_data["present"]):
            form.add_error("present", _("This is not your present password."))
        else:
            try:
                passwords.change(user, password=form.cleaned_data["password"], now=timezone.now())
            except WorkspaceError as error:
                _put(form, error)
            else:
                auth.update_session_auth_hash(request, user)
                messages.success(request, _("Your new password is kept. Your other sessions have ended."))
                return redirect("home.home")
    return render(request, "joining/password.html", {"form": form}, status=422 if form.errors else 200)


def _put(form: NewPasswordForm, error: WorkspaceError) -> None:
    form.add_error(error.field if error.field in form.fields else None, error.sentence)


def _sign_in(request: HttpRequest, user: User) -> None:
    auth.login(request, user)
    sign_in.note_language(user, language=get_language(), is_choice=False)
