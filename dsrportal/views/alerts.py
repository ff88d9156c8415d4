"""The ledger of a workspace's alerts: what was sent to whom, when, why, and what was cancelled."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from dsrportal.models.alert_rules import alert_policy_of
from dsrportal.queries import alerts as alert_query
from dsrportal.views.access import visit

LONGEST_NUMBER = 18


@require_safe
def alerts(request: HttpRequest, slug: str) -> HttpResponse:
    """`/w/<slug>/alerts/`: `show` is a state, `q` a part of a reference, `person` the key of an account (of a channel after a `c`), `notice` that of one of the
    viewer's own, `page` counts from 1."""
    found = visit(request, slug=slug)
    show, who = request.GET.get("show", ""), request.GET.get("person", "")
    page = alert_query.page(
        found.workspace,
        viewer=found.membership,
        show=show if show in alert_query.SHOWN else "all",
        q=request.GET.get("q", "").replace("\0", "").strip()[: alert_query.LONGEST_SEARCH],
        person_id=_number(who),
        channel_id=_number(who[1:]) if who.startswith("c") else None,
        notice_id=_number(request.GET.get("notice", "")),
        number=_number(request.GET.get("page", "")) or 1,
    )
    return render(
        request, "alerts/alerts.html", {"page": page, "visit": found, "is_dry": alert_policy_of(found.workspace).is_dry}
    )


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= LONGEST_NUMBER else None
