"""A person's own page on what they are told: an absence and who stands in, what is not to be mailed, muted requests. Every mail links here."""

from __future__ import annotations

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from dsrportal.actions import alert_wishes as actions
from dsrportal.actions.refusals import WorkspaceError
from dsrportal.clocks import day_of
from dsrportal.forms.alert_wishes import AbsenceForm, AlertWishForm, MuteForm
from dsrportal.models import Absence, AlertWish, DataSubjectRequest, MutedRequest, Workspace
from dsrportal.models.alert_rules import alert_policies_of
from dsrportal.views.access import memberships_of, signed_in

LONGEST_NUMBER = 18


@require_http_methods(["GET", "HEAD", "POST"])
def wishes(request: HttpRequest) -> HttpResponse:
    """`/accounts/notices/`: the deeds are `save` (what is not mailed), `add` and `remove` (an absence), `mute` and `unmute` (a request)."""
    page = _Page(request)
    done = page.act(request.POST.get("deed", ""))
    if done:
        messages.success(request, done)
        return redirect("alert_wishes.wishes")
    return page.render()


class _Page:
    """The page with its three forms: of those one is bound, that of the deed."""

    def __init__(self, request: HttpRequest) -> None:
        self.request, self.person, self.now = request, signed_in(request), timezone.now()
        self.workspaces = [one.workspace for one in memberships_of(request) if one.workspace.is_enabled]
        rules = alert_policies_of(self.workspaces)
        self.muting = [one for one in self.workspaces if rules[one.pk].may_mute]
        self.skipping = bool(rules) and all(policy.may_skip_digest for policy in rules.values())
        deed = request.POST.get("deed", "")
        wish = AlertWish.objects.filter(person=self.person).first() or AlertWish(person=self.person)
        self.wish = AlertWishForm(
            request.POST if deed == "save" else None,
            initial={"mutes_approaching": wish.mutes_approaching, "skips_digest": wish.skips_digest},
            may_mute=bool(self.muting),
            may_skip_digest=self.skipping,
        )
        self.absence = AbsenceForm(
            request.POST if deed == "add" else None, deputies=actions.deputies_of(self.person), auto_id="absence-%s"
        )
        self.mute = MuteForm(request.POST if deed == "mute" else None, workspaces=self.muting, auto_id="mute-%s")

    def act(self, deed: str) -> str:
        """Do the deed; the sentence that says so, or nothing where a form has errors or there is no deed."""
        if deed == "save" and self.wish.is_valid():
            actions.change_wish(self.person, **self.wish.cleaned_data, now=self.now)
            return _("Saved.")
        if deed == "add" and self.absence.is_valid():
            return self._add()
        if deed == "mute" and self.mute.is_valid():
            return self._mute()
        pk = _number(self.request.POST.get("pk", ""))
        if deed == "remove" and pk is not None and actions.remove_absence(self.person, pk=pk, now=self.now):
            return _("The absence is taken back.")
        if deed == "unmute" and pk is not None and actions.unmute(self.person, pk=pk, now=self.now):
            return _("You are told of this request again.")
        return ""

    def render(self) -> HttpResponse:
        """The page."""
        muted = MutedRequest.objects.filter(person=self.person, dsr__workspace__in=self.workspaces)
        context: dict[str, Any] = {
            "wish": self.wish,
            "absence": self.absence,
            "absences": Absence.objects.filter(person=self.person, last_on__gte=self._today()).select_related("deputy"),
            "mute": self.mute,
            "muted": muted.select_related("dsr__workspace").order_by("-muted_at"),
            "muting": self.muting,
            "may_skip_digest": self.skipping,
            "email": self.person.email,
            "is_many": len(self.workspaces) > 1,
        }
        has_errors = any(form.errors for form in (self.wish, self.absence, self.mute))
        return render(self.request, "alert_rules/wishes.html", context, status=422 if has_errors else 200)

    def _add(self) -> str:
        try:
            actions.add_absence(self.person, **self.absence.cleaned_data, today=self._today(), now=self.now)
        except WorkspaceError as error:
            self.absence.add_error(error.field or None, error.sentence)
            return ""
        return _("The absence is noted.")

    def _mute(self) -> str:
        chosen = self.mute.cleaned_data
        dsr = _found(self.muting, slug=chosen["workspace"], reference=chosen["reference"])
        if dsr is None:
            self.mute.add_error("reference", _("There is no request with this reference."))
            return ""
        try:
            actions.mute(self.person, dsr=dsr, now=self.now)
        except WorkspaceError as error:
            self.mute.add_error(error.field or None, error.sentence)
            return ""
        return _("You get no mail of this request until it is overdue.")

    def _today(self) -> date:
        zone = ZoneInfo(self.workspaces[0].time_zone) if self.workspaces else timezone.get_default_timezone()
        return day_of(self.now, zone=zone)


def _found(workspaces: list[Workspace], *, slug: str, reference: str) -> DataSubjectRequest | None:
    here = [workspace for workspace in workspaces if workspace.slug == slug]
    wanted = DataSubjectRequest.objects.filter(workspace__in=here, reference__iexact=reference.strip())
    return wanted.order_by("is_closed", "-upstream_id").first()


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= LONGEST_NUMBER else None
