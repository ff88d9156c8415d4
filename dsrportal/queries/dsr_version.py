"""A cheap sign of whether one request's page may show something else by now: asked every two seconds while it is looked at. One query.

Made of what the page shows itself, so that who has seen a sign and then reads, reads at least what it stands for.
"""

from __future__ import annotations

import hashlib

from django.db.models import CharField, F, OuterRef, Subquery, Value
from django.db.models.functions import Cast, Coalesce, Concat

from dsrportal.models import DataSubjectRequest, OutboxEntry, User

_SHOWN = (
    "digest", "wish", "role", "workspace__disabled_at", "restated_at", "has_unexplained_change", *DataSubjectRequest.LEGAL_FIELDS,
)  # fmt: skip


def of_request(slug: str, *, upstream_id: int, viewer: User) -> str | None:
    """The sign: of the mirror's row, and of the newest wish on it and where that stands. None for what the mirror does not have, and when the
    workspace is not among the viewer's."""
    newest = (
        OutboxEntry.objects.filter(workspace=OuterRef("workspace"), upstream_id=upstream_id)
        .order_by("-pk")
        .annotate(sign=Concat(_text("pk"), Value(" "), "state", Value(" "), _text("attempts"), _text("dismissed_at")))
    )
    row = (
        DataSubjectRequest.objects.filter(
            workspace__slug=slug, upstream_id=upstream_id, workspace__memberships__user=viewer
        )
        .annotate(wish=Subquery(newest.values("sign")[:1]), role=F("workspace__memberships__role"))
        .values_list(*_SHOWN)
        .first()
    )
    if row is None:
        return None
    digest, *others = row
    return hashlib.blake2b(repr((bytes(digest), others)).encode(), digest_size=16).hexdigest()


def _text(name: str) -> Coalesce:
    return Coalesce(Cast(name, CharField()), Value(""))
