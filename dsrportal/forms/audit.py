"""What is asked of the audit log, from the query string. What makes no sense is left out, so that an old address still opens."""

from __future__ import annotations

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from dsrportal.models.audit import Operation
from dsrportal.queries.audit import LARGEST_ID, LONGEST_SEARCH, AuditQuestion

DAY = forms.DateInput(attrs={"type": "date", "class": "control control--small"}, format="%Y-%m-%d")


class AuditForm(forms.Form):
    """See `AuditQuestion`."""

    workspace = forms.IntegerField(min_value=1, max_value=LARGEST_ID, required=False)
    operation = forms.ChoiceField(choices=[("", ""), *Operation.choices], required=False)
    person = forms.IntegerField(min_value=1, max_value=LARGEST_ID, required=False)
    q = forms.CharField(max_length=LONGEST_SEARCH, required=False)
    since = forms.DateField(label=_("From"), required=False, widget=DAY, input_formats=["%Y-%m-%d"])
    until = forms.DateField(label=_("To"), required=False, widget=DAY, input_formats=["%Y-%m-%d"])
    before = forms.IntegerField(min_value=1, max_value=LARGEST_ID, required=False)


def read(query: QueryDict) -> AuditQuestion:
    """The question that a query string asks."""
    form = AuditForm(query)
    form.is_valid()
    given = form.cleaned_data
    return AuditQuestion(
        workspace_id=given.get("workspace"),
        operation=given.get("operation", ""),
        person_id=given.get("person"),
        q=given.get("q", "").strip(),
        since=given.get("since"),
        until=given.get("until"),
        before=given.get("before"),
    )
