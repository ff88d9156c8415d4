"""A cheap sign of whether a workspace's board may have changed: asked every two seconds by each page that is looked at. One query.

It changes with every read of Dastra that begins, with every page that a pull has stored and when it ends, and with every step of a wish.
A single read that stores after its sign was seen shows at the page's next full look.
"""

from __future__ import annotations

from django.db.models import BigIntegerField, Case, F, OuterRef, Subquery, Sum, Value, When

from dsrportal.models import Membership, OutboxEntry, User
from dsrportal.models.outbox import OPEN_STATES, WishState


def of_workspace(slug: str, *, viewer: User) -> str | None:
    """The sign; None when the workspace is not among the viewer's."""
    weight = Case(
        When(state=WishState.HELD, then=Value(1)),
        When(state=WishState.SENDING, then=Value(3)),
        default=Value(7),
        output_field=BigIntegerField(),
    )
    wishes = (
        OutboxEntry.objects.filter(workspace_id=OuterRef("workspace_id"), state__in=OPEN_STATES)
        .order_by()
        .values("workspace_id")
        .annotate(sign=Sum(F("pk") * weight))
        .values("sign")
    )
    found = (
        Membership.objects.filter(user=viewer, workspace__slug=slug)
        .annotate(wishes=Subquery(wishes, output_field=BigIntegerField()))
        .values_list("workspace__read_sequence", "workspace__lease_until", "workspace__disabled_at", "wishes", "role")
        .first()
    )
    if found is None:
        return None
    sequence, lease_until, disabled_at, sign, role = found
    times = (f"{at.timestamp():.6f}" if at else "" for at in (lease_until, disabled_at))
    return "-".join((str(sequence), *times, str(sign or 0), role))
