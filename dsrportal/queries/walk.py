"""Previous and next in the list that a reader of one request came from, and the request's place in it. Called by `queries.detail`.

The list travels as the register's own query string, so that it is the list as it is now, and names nobody. At most six queries.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, Q
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from dsrportal.models import DataSubjectRequest, Workspace
from dsrportal.queries import register_filters, register_groups, register_sorts
from dsrportal.queries.register_chips import address
from dsrportal.queries.register_filters import RegisterFilters, Search
from dsrportal.queries.register_sorts import Cursor
from dsrportal.queries.vocabulary import Vocabulary

MOST_COUNTED = 2_000
"""In a longer list a place says little, and counting to it takes long."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Walk:
    """The way on in the list the reader came from; an address is empty at its end. `place` is "3 of 19", or empty."""

    list_url: str
    previous_url: str
    next_url: str
    place: str


def of_list(
    dsr: DataSubjectRequest,
    *,
    workspace: Workspace,
    filters: RegisterFilters,
    search: Search | None,
    known: Vocabulary,
    now: datetime,
) -> Walk:
    """The way from one request in the list that `filters` and `search` ask for; the request need not be in it."""
    filters, _left_out = known.keep_known(filters.asking())
    condition = register_filters.condition(workspace=workspace, filters=filters, search=search, now=now)
    columns = register_groups.order_of(filters)
    paths = dict.fromkeys(column.path for column in columns)
    here = DataSubjectRequest.objects.filter(pk=dsr.pk).values("pk", "operator_id", *paths).first()
    question = filters.query_string()

    def beside(place: Mapping[str, Any], *, forward: bool) -> Q:
        values = tuple(place["operator_id"] if column.kind == "assignee" else place[column.path] for column in columns)
        cursor = Cursor(forward=forward, values=values, pk=dsr.pk, start=0)
        return register_sorts.beyond(columns, cursor=cursor, ascending=filters.asc, name_of=known.operator_name)

    def neighbour(*, forward: bool) -> str:
        if here is None:
            return ""
        order = register_sorts.order_by(columns, ascending=filters.asc, forward=forward)
        found = DataSubjectRequest.objects.filter(condition & beside(here, forward=forward)).order_by(*order)
        upstream_id = found.values_list("upstream_id", flat=True).first()
        if upstream_id is None:
            return ""
        url = reverse("dsr.dsr", args=[workspace.slug, upstream_id])
        return f"{url}?{urlencode({'from': question})}" if question else url

    return Walk(
        list_url=address(reverse("register.register", args=[workspace.slug]), filters=filters),
        previous_url=neighbour(forward=False),
        next_url=neighbour(forward=True),
        place=_place(condition, pk=dsr.pk, before=beside(here, forward=False)) if here else "",
    )


def _place(condition: Q, *, pk: int, before: Q) -> str:
    rows = DataSubjectRequest.objects.filter(condition)
    if rows[: MOST_COUNTED + 1].count() > MOST_COUNTED:
        return ""
    found = rows.aggregate(all=Count("pk"), before=Count("pk", filter=before), here=Count("pk", filter=Q(pk=pk)))
    if not found["here"]:
        return ""
    place, whole = (number_format(number, force_grouping=True) for number in (found["before"] + 1, found["all"]))
    return _("%(place)s of %(all)s") % {"place": place, "all": whole}
